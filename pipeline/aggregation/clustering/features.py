"""Computes the features of a claim that clustering compares: names, stage, time interval, words."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from pipeline.aggregation.clustering.stages import act_of, stage_key
from pipeline.aggregation.summaries.noun_phrases import head, is_plural
from pipeline.records import Claim, EntityKind, Modality, Participant
from scrapers.items import Precision

_SLACK = {Precision.MINUTE: 1, Precision.DAY: 1, Precision.WEEK: 3, Precision.MONTH: 3, Precision.QUARTER: 7}
_BEFORE, _AFTER = 50, 100  # characters around a trigger that belong to its clause
_WORD = re.compile(r"[a-z][a-z-]+|\d[\d,.]*\d|\d")
_COMMON = frozenset(
    """a an and are as at be been by for from had has have he her his in into is it its of on or our she so than that
    the their them they this to was we were which who will with would said says not but also after before about over
    more new us u.s ai artificial intelligence company companies administration president government""".split()  # noqa: SIM905
)
# Words of a title that do not identify the instrument.
_GENERIC = _COMMON | frozenset(
    """act bill bills law order executive rule policy plan framework memo contract deal national federal
    state""".split()  # noqa: SIM905
)
# "the Executive Order", "a new memorandum": these name a kind of document, not a particular one.
_KINDS_OF_PAPER = frozenset(
    """the an a new and of executive order orders presidential memorandum memoranda memo act bill law legislation rule
    rules regulation regulations agreement accord contract code framework policy plan designation notice request for
    information rfi""".split()  # noqa: SIM905
)
_FORMS = tuple(
    (form, re.compile(words))
    for form, words in (
        ("order", r"\bExecutive [Oo]rder\b|\bE\.?O\.? \d|\bOrder$"),
        ("memorandum", r"\bMemorand(?:um|a)\b|\bmemorand(?:um|a)\b"),
        ("statute", r"\bAct$|\bBill\b|^(?:SB|AB|HB|S\.B\.|H\.R\.) ?\d|\b[Bb]ill$"),
        ("plan", r"\b[Pp]lan$|\bStrategy$|\bRoadmap$"),
        ("request", r"\bRequest for "),
    )
)
# One instrument may address many targets, so different targets do not mean different events.
ONE_INSTRUMENT = {"executive_action", "legislation", "regulation"}
# These acts are repeated over days, so two dates of one are no contradiction.
CONTINUING = {"access_request", "refusal", "commitment", "access_grant", "evaluation"}
_DESCRIBED = (EntityKind.MODEL, EntityKind.INSTRUMENT)  # kinds whose names often modify a common noun


def is_named(participant: Participant) -> bool:
    """Return True for a name ("SB 53", "Claude"), False for a class or description ("its models", "Meta's plans")."""
    name = participant.name.strip()
    if participant.kind is EntityKind.GROUP or not name or re.search(r"[’']s? ", name):
        return False
    if _KINDS_OF_PAPER.issuperset(name.casefold().split()):
        return False
    last = head(name)
    if participant.kind in _DESCRIBED and len(name.split()) > 1 and last.isalpha() and last.islower():
        return False  # "Anthropic products", "BEAD Program funding"
    if re.match(r"(?:the )?AI [a-z]", name):
        return False  # "AI regulator"
    first = name.removeprefix("the ").removeprefix("The ")
    return first[:1].isupper() or any(c.isupper() for c in first.split()[0])


def _one(participant: Participant) -> bool:
    return not is_plural(participant.name, EntityKind.GROUP)


@dataclass(frozen=True)
class ClaimFeatures:
    """A claim with its features. `interval`: when its event may lie, in day ordinals."""

    claim: Claim
    published: date | None

    @property
    def key(self) -> tuple[str, str]:
        return (self.published.isoformat() if self.published else "9999", self.claim.claim_id)

    @cached_property
    def named(self) -> dict[str, frozenset[str]]:
        """Ids of the named participants, by role."""
        roles: dict[str, set[str]] = defaultdict(set)
        for participant in self.claim.participants:
            if is_named(participant):
                roles[participant.role].add(participant.entity_id)
        return {role: frozenset(ids) for role, ids in roles.items()}

    @cached_property
    def classes(self) -> dict[str, frozenset[str]]:
        """Ids of classes ("AI companies"), by role.

        A single described party ("the regulator") is left out: its name is unknown, which is no evidence of another
        party.
        """
        roles: dict[str, set[str]] = defaultdict(set)
        for participant in self.claim.participants:
            if not is_named(participant) and not (participant.role in ("actor", "target") and _one(participant)):
                roles[participant.role].add(participant.entity_id)
        return {role: frozenset(ids) for role, ids in roles.items()}

    def ids(self, role: str) -> frozenset[str]:
        return self.named.get(role, frozenset())

    def unnamed(self, role: str) -> frozenset[str]:
        return self.classes.get(role, frozenset())

    @cached_property
    def stage(self) -> str:
        return stage_key(self.claim)

    @cached_property
    def act(self) -> str:
        """The act that the words name. An agreement that was not, or may not be, reached counts as "in talks"."""
        named, claim = act_of(self.claim), self.claim
        if claim.type == "agreement" and named in ("", "agreed"):
            return "in talks" if claim.modality in (Modality.NEGATED, Modality.CONSIDERED) else named
        return named

    @cached_property
    def trigger_stems(self) -> frozenset[str]:
        """The first five letters of each word of the trigger: "signed", "signing" -> "sign", "signi"."""
        return frozenset(word[:5] for word in re.findall(r"[a-z]{3,}", self.claim.trigger.casefold()))

    @cached_property
    def titles(self) -> tuple[frozenset[str], ...]:
        """The distinctive words of the name of each instrument and body."""
        names = [p.name for p in self.claim.participants if p.role in ("instrument", "body")]
        return tuple(words - _GENERIC for name in names if (words := frozenset(_WORD.findall(name.casefold()))))

    @cached_property
    def forms(self) -> frozenset[str]:
        """The forms of the named instruments by their names: order, statute, plan ..."""
        names = [p.name for p in self.claim.participants if p.role == "instrument" and is_named(p)]
        return frozenset(form for name in names for form, words in _FORMS if words.search(name))

    @cached_property
    def interval(self) -> tuple[int, int]:
        span, published = self.claim.date, self.published
        if span is not None and span.basis != "publication":
            slack = _SLACK.get(span.precision, 15)
            return span.start.toordinal() - slack, span.end.toordinal() + slack
        if published is None:
            return 0, date.max.toordinal()
        day = published.toordinal()
        open_ = self.claim.modality not in (Modality.OCCURRED, Modality.ALLEGED)
        if span is not None:
            return day - 10, day + (45 if open_ else 1)
        if open_:
            return day - 20, day + 90
        return (day - 900, day + 1) if self.claim.newness == "background" else (day - 30, day + 1)

    def days_from(self, other: ClaimFeatures) -> int:
        """Return the days between the two intervals; 0 or less if they meet."""
        return max(self.interval[0], other.interval[0]) - min(self.interval[1], other.interval[1])

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self.claim.evidence.quote.casefold())) - _COMMON

    @cached_property
    def clause(self) -> frozenset[str]:
        """Word prefixes around the trigger, without those of the parties' names."""
        claim = self.claim
        start, end = (max(at - claim.evidence.start, 0) for at in (claim.trigger_start, claim.trigger_end))
        near = claim.evidence.quote[max(0, start - _BEFORE) : end + _AFTER].casefold()
        names = [p.name.casefold() for p in claim.participants if p.role != "object"]
        parties = {word for name in names for word in _WORD.findall(name)}
        return frozenset(word[:6] for word in _WORD.findall(near) if word not in _COMMON and word not in parties)

    @cached_property
    def reported_day(self) -> date | None:
        """The stated day; without one, the day of the article if the claim is its news."""
        span = self.claim.date
        if span is not None and span.basis != "publication":
            return span.start if span.start == span.end else None
        news = self.claim.newness == "new" and self.claim.modality is Modality.OCCURRED
        return self.published if news else None

    @cached_property
    def dated(self) -> bool:
        return self.claim.date is not None and self.claim.date.basis != "publication"
