"""Builds events from reports on given days, and the timeline entries that follow from them."""

from __future__ import annotations

from dataclasses import replace

from pipeline.aggregation.clustering.merge import make_event
from pipeline.aggregation.timelines.status import Stage, by_timeline, timeline_entries
from pipeline.records import EntityKind
from support.builders import article, claim

TEXT = "Meridian Labs and the Office did it. They plan it. It bans them."
OFFICE, LAB = "Office of Safety", "Meridian Labs"
KINDS = {OFFICE: EntityKind.AGENCY, "Ministry of Trade": EntityKind.AGENCY}


class Reports:
    """Sentences reported day by day (days after 4 May 2026), and the stages of their events."""

    def __init__(self) -> None:
        self.events, self.claims, self.articles, self.day_of = [], {}, {}, {}

    def event(self, *claims: dict, type_: str = "agreement") -> str:
        """Add an event of several claims: day, modality, on, trigger, and the roles."""
        found = []
        for one in claims:
            number = len(self.claims)
            art = article("gazette", f"report-{number}", TEXT, day=one.pop("day"))
            trigger = one.pop("trigger", "did")
            made = claim(art, TEXT, "did", type_, **one)
            people = tuple(replace(p, kind=KINDS.get(p.name, p.kind)) for p in made.participants)
            made = replace(made, trigger=trigger, participants=people)
            found.append(made)
            self.claims[made.claim_id] = made
            self.articles[art.article_id] = art
            self.day_of[art.article_id] = art.published_at.date().isoformat()
        event = make_event(found, self.articles, {})
        self.events.append(event)
        return event.event_id

    @property
    def stages(self) -> tuple[Stage, ...]:
        return timeline_entries(self.events, self.claims, self.day_of)

    @property
    def timeline(self) -> list[Stage]:
        """The only timeline."""
        (timeline,) = by_timeline(self.stages).values()
        return timeline


PAIR = {"actor": [LAB, OFFICE]}
BAN = {"actor": OFFICE, "target": LAB, "object": "Tessel"}
