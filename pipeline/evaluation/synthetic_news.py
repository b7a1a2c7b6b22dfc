"""Generates articles with their claims from a seed, in chronological order and without parsing.

They have the structure of news: a few parties are in most articles, and several outlets report one event over some
days, with wire copies, credits, background, denials, differing dates, low-confidence claims and later edits. Memory is
bounded.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from pipeline.records import (
    Attribution,
    Claim,
    Credit,
    DateSpan,
    Entity,
    EntityKind,
    Evidence,
    Findings,
    Force,
    Modality,
    Participant,
    UnknownName,
    claim_id,
    unknown_entity_id,
)
from scrapers.items import Article, Precision, Source, SourceType, article_id, text_version

START = date(2021, 1, 4)
_SYLLABLES = "bal cor dun el far gor hal is jun kel lor mar nor os pel quin ras sol tar ul ven wes yor zan".split()  # noqa: SIM905
_WORDS = """people who work on it said little about the plan while others asked how long such a step would take and
what it might cost in practice several experts pointed to earlier cases that had ended without much change nearby
offices stayed open late as staff went through papers letters and notes from spring meetings where members had spoken
of limits safeguards records tests markets schools hospitals roads ports power and water supply""".split()  # noqa: SIM905
# type: (trigger, words after it, direction)
_ACTS = {
    "agreement": (("signed", "an agreement with", None), ("ended", "its contract with", None)),
    "restriction": (
        ("banned", "tools of", "impose"), ("lifted", "the ban on", "lift"), ("suspended", "work with", "impose"),
    ),
    "access_request": (("asked", "for access to systems of", None), ("demanded", "training records of", None)),
    "access_grant": (("opened", "its models to", None),),
    "refusal": (("rejected", "the request of", None),),
    "litigation": (("sued", "over its models", None), ("appealed", "a ruling against", None)),
    "investigation": (("opened", "an inquiry into", None), ("closed", "its probe of", None)),
    "evaluation": (("tested", "models of", None),),
    "commitment": (("pledged", "safeguards to", None), ("dropped", "its pledge to", None)),
    "enforcement": (("fined", "over records", None),),
    "regulation": (("proposed", "a rule for", None), ("adopted", "a rule on", None)),
    "legislation": (("introduced", "a bill on", None), ("passed", "a bill on", None), ("signed", "a law on", None)),
}  # fmt: skip
_MODALITIES = ["occurred"] * 12 + ["planned"] * 4 + ["considered", "denied", "alleged", "postponed", "conditional"]
_FILLER = 2_400  # characters of an article besides its claims
_RECENT = 160  # events that are still reported on


@dataclass(frozen=True)
class _Event:
    """An event to report: `act` is (trigger, words after it, direction), `thing` a law or agreement."""

    type: str
    act: tuple[str, str, str | None]
    actor: Entity
    target: Entity
    thing: Entity | None
    on: date


@dataclass
class NewsGenerator:
    """Generates articles with claims.

    Attributes:
        seed: The same seed gives the same articles.
        parties: Number of parties.
        outlets: Number of outlets.
        per_day: Number of articles per day, relevant or not.
        relevant: Share of relevant articles, which have claims.
        filler: Characters of an article besides its claims.
        start: The first day.
    """

    seed: int = 1
    parties: int = 400
    outlets: int = 40
    per_day: int = 400
    relevant: float = 0.2
    filler: int = _FILLER
    start: date = START
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        kinds = (EntityKind.ORGANISATION, EntityKind.AGENCY, EntityKind.GOVERNMENT, EntityKind.PERSON)
        self._parties = [self._entity(n, kinds[n % 4]) for n in range(self.parties)]
        self._weights = [1 / (rank + 2) for rank in range(self.parties)]
        self._recent: deque[_Event] = deque(maxlen=_RECENT)
        self._texts: deque[tuple[Article, Findings]] = deque(maxlen=200)
        self.sources = tuple(self._source(n) for n in range(self.outlets))

    def _name(self, n: int) -> str:
        made = random.Random(n * 7919 + 13)
        return "".join(made.choices(_SYLLABLES, k=2)).capitalize() + f" {n}"

    def _entity(self, n: int, kind: EntityKind) -> Entity:
        name = self._name(n)
        return Entity(unknown_entity_id(name, kind.value), name, kind, known=False)

    def _source(self, n: int) -> Source:
        title = f"The {self._name(100_000 + n)} Post"
        source_type = SourceType.WIRE if n % 10 == 0 else SourceType.PRIMARY if n % 10 == 1 else SourceType.PRESS
        return Source(
            f"outlet_{n}",
            title,
            f"https://outlet-{n}.example/",
            source_type,
            "INT",
            "en",
            f"Group {n // 3}",
            (),
            (f"outlet-{n}.example",),
            agency=n % 10 == 0,
        )

    def articles(self, n: int, first: int = 0) -> Iterator[tuple[Article, Findings]]:
        """Yield n articles with their findings; `first`, the number of earlier articles, determines their day."""
        for number in range(first, first + n):
            when = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC) + timedelta(
                days=number // self.per_day, seconds=86_000 * (number % self.per_day) // self.per_day
            )
            yield self._article(number, when)

    def _article(self, number: int, when: datetime) -> tuple[Article, Findings]:
        chance = self._chance
        source = chance.choice(self.sources)
        url = f"{source.homepage}{self.seed}/{number}"
        if chance.random() >= self.relevant:
            return _article_with_claims(
                source, url, when, [self._words(chance, self.filler)], [], [], [], relevant=False
            )
        if self._texts and chance.random() < 0.12:
            return _reprint(chance.choice(self._texts), source, url, when)
        paragraphs: list[str] = []
        drafts: list[tuple[str, dict]] = []
        for event, background in self._events(chance, when.date()):
            sentence, fields = self._sentence(chance, event, when.date(), background)
            paragraphs.append(sentence)
            drafts.append((sentence, fields))
        credits: list[tuple[str, str]] = []
        if chance.random() < 0.12:
            other = chance.choice(self.sources).title if chance.random() < 0.6 else f"Wire {chance.randrange(6)}"
            paragraphs.insert(1, f"The news was first reported by {other} earlier.")
            credits.append((other, "first reported by"))
        gaps = [f"Unknown {self._name(chance.randrange(5_000))}"] if chance.random() < 0.2 else []
        paragraphs += [f"Nobody knew much of {name} before." for name in gaps]
        paragraphs.append(self._words(chance, self.filler))
        made = _article_with_claims(source, url, when, paragraphs, drafts, credits, gaps)
        self._texts.append(made)
        return made

    def edited(self, article: Article, found: Findings, when: datetime) -> tuple[Article, Findings]:
        """Return a later version of an article, without its last claim."""
        claims = found.claims[:-1]
        gone = found.claims[-1].evidence.quote if found.claims else ""
        text = article.text.replace(gone, "The outlet has taken a sentence out.", 1)
        now = replace(
            article, text=text, version=text_version(text), fetched_at=when, page_sha256=text_version("page" + text)
        )
        kept = tuple(c for claim in claims if (c := _relocated(claim, now)) is not None)
        return now, replace(found, version=now.version, claims=kept, credits=(), unknown_names=())

    def _events(self, chance: random.Random, day: date) -> Iterator[tuple[_Event, bool]]:
        """Yield the events of an article and whether they are background: first the news, then earlier events."""
        if not self._recent or chance.random() < 0.35:
            self._recent.append(self._event(chance, day))
            yield self._recent[-1], False
        else:
            yield self._recent[-1 - min(int(chance.expovariate(1 / 12)), len(self._recent) - 1)], False
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            yield chance.choice(self._recent), True

    def _event(self, chance: random.Random, day: date) -> _Event:
        type_ = chance.choice(sorted(_ACTS))
        actor, target = chance.choices(self._parties, self._weights, k=2)
        thing = None
        if type_ in ("legislation", "regulation", "agreement") and chance.random() < 0.6:
            name = f"{self._name(chance.randrange(3_000))} Act"
            thing = Entity(unknown_entity_id(name, "instrument"), name, EntityKind.INSTRUMENT, known=False)
        return _Event(
            type_, chance.choice(_ACTS[type_]), actor, target, thing, day - timedelta(days=chance.randrange(3))
        )

    def _sentence(self, chance: random.Random, event: _Event, day: date, background: bool) -> tuple[str, dict]:
        trigger, rest, direction = event.act
        on = event.on + timedelta(days=chance.choice((1, 2))) if chance.random() < 0.03 else event.on
        stated = chance.random() < 0.5
        when = f" on {on.isoformat()}" if stated else ""
        thing = f" under the {event.thing.name}" if event.thing else ""
        tail = " ".join(chance.sample(_WORDS, 6))
        sentence = f"{event.actor.name} {trigger} {rest} {event.target.name}{thing}{when}, {tail}."
        span = DateSpan(on, on, Precision.DAY, "stated" if stated else "publication", on.isoformat() if stated else "")
        return sentence, {
            "type": event.type,
            "trigger": trigger,
            "direction": direction,
            "modality": Modality(chance.choice(_MODALITIES)),
            "newness": "background" if background else "new",
            "date": span if stated or chance.random() < 0.5 else None,
            "event": event,
            "confidence": 0.3 if chance.random() < 0.06 else round(chance.uniform(0.5, 0.99), 3),
        }

    @staticmethod
    def _words(chance: random.Random, n: int) -> str:
        words, length = [], 0
        while length < n:
            some = chance.sample(_WORDS, 14)
            words.append(" ".join(some).capitalize() + f" {chance.randrange(10_000)}.")
            length += len(words[-1]) + 1
        return " ".join(words)


def _article_with_claims(
    source: Source,
    url: str,
    when: datetime,
    paragraphs: list[str],
    drafts: list[tuple[str, dict]],
    credits: list[tuple[str, str]],
    gaps: list[str],
    *,
    relevant: bool = True,
) -> tuple[Article, Findings]:
    text = "\n\n".join(paragraphs)
    article = Article(
        article_id(url),
        text_version(text),
        source.source_id,
        url,
        paragraphs[0][:80],
        text,
        published_at=when,
        published_basis="meta",
        published_precision=Precision.MINUTE,
        fetched_at=when,
        page_sha256=text_version(url + text),
        publisher=source.title,
    )
    claims = tuple({c.claim_id: c for c in (_claim(article, *draft) for draft in drafts)}.values())
    entities = {e.entity_id: e for _, fields in drafts for e in _parties_of(fields["event"])}
    return article, Findings(
        article.article_id,
        article.version,
        relevant,
        0.9 if relevant else 0.0,
        claims,
        tuple(Credit(name, at := text.index(name), at + len(name), cue) for name, cue in credits),
        tuple(UnknownName(name, EntityKind.ORGANISATION, at := text.index(name), at + len(name)) for name in gaps),
        tuple(entities[id_] for id_ in sorted(entities)),
    )


def _parties_of(event: _Event) -> list[Entity]:
    return [event.actor, event.target, *([event.thing] if event.thing else [])]


def _claim(article: Article, sentence: str, fields: dict) -> Claim:
    start = article.text.index(sentence)
    event: _Event = fields["event"]
    at = start + sentence.index(f" {fields['trigger']} ") + 1
    parties = []
    for role, entity in zip(("actor", "target", "instrument"), _parties_of(event), strict=False):
        place = start + sentence.rindex(entity.name)
        parties.append(
            Participant(role, entity.entity_id, entity.name, entity.kind, entity.name, place, place + len(entity.name))
        )
    return Claim(
        claim_id(article.article_id, sentence, 1, fields["type"], fields["trigger"], 1),
        fields["type"],
        fields["modality"],
        Evidence(article.article_id, article.version, start, start + len(sentence), sentence),
        at,
        at + len(fields["trigger"]),
        fields["trigger"],
        tuple(parties),
        Attribution(),
        fields["date"],
        fields["direction"],
        Force.NOT_STATED,
        fields["newness"],
        fields["confidence"],
        "made",
    )


def _reprint(made: tuple[Article, Findings], source: Source, url: str, when: datetime) -> tuple[Article, Findings]:
    """Return the reprint of an article in another outlet, with an added line."""
    old, found = made
    text = f"{old.text}\n\n{source.title} takes this over from an agency."
    article = replace(
        old,
        article_id=article_id(url),
        version=text_version(text),
        source_id=source.source_id,
        url=url,
        text=text,
        published_at=when,
        fetched_at=when,
        publisher=source.title,
        page_sha256=text_version(url + text),
    )
    claims = tuple(c for claim in found.claims if (c := _relocated(claim, article)) is not None)
    return article, replace(found, article_id=article.article_id, version=article.version, claims=claims)


def _relocated(claim: Claim, article: Article) -> Claim | None:
    """Return a claim at its place in another text, or None if its sentence is not there."""
    quote = claim.evidence.quote
    start = article.text.find(quote)
    if start < 0:
        return None
    shift = start - claim.evidence.start
    return replace(
        claim,
        claim_id=claim_id(article.article_id, quote, 1, claim.type, claim.trigger, 1),
        evidence=Evidence(article.article_id, article.version, start, start + len(quote), quote),
        trigger_start=claim.trigger_start + shift,
        trigger_end=claim.trigger_end + shift,
        participants=tuple(replace(p, start=p.start + shift, end=p.end + shift) for p in claim.participants),
    )
