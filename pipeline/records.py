"""The nouns of the second room: entity, mention, evidence, claim, event, origin, contradiction - and their stable ids.

Frozen dataclasses of plain values. All offsets are character offsets into `Article.text`, end exclusive.
The meaning of types, roles, modalities and attributes is written out in docs/claims.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scrapers.items import Precision

EVENT_TYPES = (
    "executive_action", "legislation", "regulation", "agreement", "commitment", "access_request", "access_grant",
    "refusal", "restriction", "model_release", "evaluation", "investigation", "litigation", "enforcement",
    "institution",
)  # fmt: skip
ROLES = ("actor", "target", "object", "instrument", "affected", "body")
ATTRIBUTION_KINDS = ("own_reporting", "person", "organisation", "anonymous", "document", "outlet")


class Modality(StrEnum):
    """How sure a sentence is of its event. Only OCCURRED states it as done or going on."""

    OCCURRED = "occurred"
    PLANNED = "planned"
    CONSIDERED = "considered"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    NEGATED = "negated"
    DENIED = "denied"
    ALLEGED = "alleged"
    CONDITIONAL = "conditional"


class Force(StrEnum):
    BINDING = "binding"
    VOLUNTARY = "voluntary"
    NOT_STATED = "not_stated"


class EntityKind(StrEnum):
    """What sort of thing a name stands for."""

    ORGANISATION = "organisation"  # company, lab, association, university
    AGENCY = "agency"  # a body of the state: department, regulator, institute, court, legislature
    GOVERNMENT = "government"  # a state or its executive as an actor ("U.S. government", "White House")
    OUTLET = "outlet"  # a news publisher
    PERSON = "person"
    MODEL = "model"  # an AI model, system or product
    INSTRUMENT = "instrument"  # an order, act, bill, rule, contract, code, case
    GROUP = "group"  # a class without a name of its own: "AI developers", "federal agencies"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class DateSpan:
    """When an event happened or is to happen: both days inclusive; start == end for precision DAY.

    `value` is ISO 8601 at its precision: 2026-05-05, 2026-05, 2026 (week and quarter: the month or year around).
    """

    start: date
    end: date
    precision: Precision
    basis: str  # stated, relative, publication
    said: str = ""  # the words it was read from

    @property
    def value(self) -> str:
        if self.precision in (Precision.DAY, Precision.MINUTE):
            return self.start.isoformat()
        if self.precision is Precision.YEAR or (self.start.year, self.start.month) != (self.end.year, self.end.month):
            return f"{self.start.year:04d}"
        return f"{self.start.year:04d}-{self.start.month:02d}"


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing of the lexicon, or one that the text alone taught us (`known` False)."""

    entity_id: str  # lexicon: a slug such as "openai"; unknown: see unknown_entity_id()
    name: str  # canonical, in English, without legal suffix
    kind: EntityKind
    known: bool = True
    jurisdiction: str = ""
    parent_id: str = ""  # agency within department, model of lab, company of group
    wikidata_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words in a text that stand for an entity."""

    start: int
    end: int
    text: str
    entity_id: str
    name: str  # canonical name (the name of the time, where a body was renamed)
    kind: EntityKind
    basis: str  # lexicon, pattern, ner, capitals, reference (pronoun or "the company"), nominal


@dataclass(frozen=True, slots=True)
class Participant:
    """One party of a claim. `start`/`end` are -1 where the words stand outside the sentence or nowhere."""

    role: str
    entity_id: str
    name: str
    kind: EntityKind
    text: str = ""
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says so. `start`/`end` mark the cue in the text, -1 where there is none."""

    kind: str = "own_reporting"
    name: str | None = None
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words a claim rests on: `article.text[start:end] == quote`, always."""

    article_id: str
    version: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence's assertion, in any modality, that an oversight event happened, will happen, is denied ..."""

    claim_id: str
    type: str
    modality: Modality
    evidence: Evidence
    trigger_start: int
    trigger_end: int
    trigger: str
    participants: tuple[Participant, ...]
    attribution: Attribution
    date: DateSpan | None
    direction: str | None  # impose or lift, for restriction
    force: Force
    newness: str  # new or background
    confidence: float  # probability that type and sentence are right, 0 to 1
    rule: str  # the frame or model that found it


@dataclass(frozen=True, slots=True)
class Credit:
    """A text names another publisher as the origin of its news."""

    name: str  # outlet or agency as named
    start: int
    end: int
    cue: str  # "first reported by", "according to", "source line", "link", "dateline" ...
    url: str = ""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that the lexicon does not know yet."""

    name: str
    kind: EntityKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was read out of one version of one article."""

    article_id: str
    version: str
    relevant: bool
    relevance_score: float
    claims: tuple[Claim, ...] = ()
    credits: tuple[Credit, ...] = ()
    unknown_names: tuple[UnknownName, ...] = ()
    entities: tuple[Entity, ...] = ()  # every entity the claims refer to
    unread: int = 0  # characters cut off a text longer than pipeline.nlp.pipeline.MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Origin:
    """One independent source of news: articles that are copies of, or rest on, the same report."""

    origin_id: str
    kind: str  # original, wire, family, credited (a named outlet outside the ledger)
    label: str  # publisher's name
    lead_article_id: str  # "" where the report itself is not in the ledger
    article_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OriginEdge:
    """Why an article was put under another report."""

    article_id: str
    to_article_id: str  # "" where it is not in the ledger
    to_name: str
    basis: str  # copy, wire, family, credit
    detail: str  # similarity, or the cue's words


@dataclass(frozen=True, slots=True)
class Event:
    """What several claims say together. `modality` is the best supported one, see events.py."""

    event_id: str
    type: str
    modality: Modality
    summary: str
    claim_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
    date: DateSpan | None
    direction: str | None
    force: Force
    stage: str
    n_articles: int
    n_origins: int  # independent origins among the claims that bear the event's modality
    contradicted: bool
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Claims of one event (or of one article) that cannot all be right about a field."""

    contradiction_id: str
    event_id: str
    field: str  # date, actor, amount, force, happened, direction
    values: tuple[tuple[str, tuple[str, ...]], ...]  # (value in words, claim ids)
    article_id: str = ""  # the article that contradicts itself, "" where the claims stand in several
    note: str = ""  # what else is to be known, in a sentence


def digest(*parts: str) -> str:
    """Return the 16 hex digits that ids are made of, from the parts that a thing's identity rests on."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def claim_id(article_id: str, quote: str, nth: int, type_: str, trigger: str, nth_trigger: int) -> str:
    """Return a claim's id: "c" and 16 hex digits, from its sentence (which occurrence), type and trigger.

    An edit elsewhere in the article leaves it as it is; an edit of the sentence makes a new claim.
    """
    return "c" + digest(article_id, quote, str(nth), type_, trigger, str(nth_trigger))


def event_id(anchor_claim_id: str) -> str:
    """Return the id of the event whose earliest claim is given: "e" and 16 hex digits."""
    return "e" + digest(anchor_claim_id)


def unknown_entity_id(name: str, kind: str) -> str:
    """Return the id of an entity that only texts know: "x-" and 16 hex digits, from name and kind."""
    return "x-" + digest(" ".join(name.casefold().split()), kind)
