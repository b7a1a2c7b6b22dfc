"""Records of the pipeline: entities, mentions, claims, events, origins and contradictions, and their stable ids.

All records are frozen dataclasses of plain values. Offsets count characters of `Article.text`; ends are exclusive.
docs/claims.md defines event types, roles, modalities and attributes.
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
    """How certain a sentence presents its event. Only OCCURRED states it as done or ongoing."""

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
    """Legal force of an obligation, as far as the text states it."""

    BINDING = "binding"
    VOLUNTARY = "voluntary"
    NOT_STATED = "not_stated"


class EntityKind(StrEnum):
    """Kind of entity."""

    ORGANISATION = "organisation"  # company, lab, association, university
    AGENCY = "agency"  # a public body: department, regulator, institute, court, legislature
    GOVERNMENT = "government"  # a state or its executive as an actor: "U.S. government", "White House"
    OUTLET = "outlet"  # a news publisher
    PERSON = "person"
    MODEL = "model"  # an AI model, system or product
    INSTRUMENT = "instrument"  # an order, act, bill, rule, contract, code, case
    GROUP = "group"  # an unnamed class: "AI developers", "federal agencies"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class DateSpan:
    """When an event happened or will happen. Both days are inclusive; they are equal for precision DAY.

    Attributes:
        start: first possible day.
        end: last possible day.
        precision: how precisely the text gives the date.
        basis: "stated", "relative" (to the publication day) or "publication" (the text gives no date).
        said: the words that give the date.
    """

    start: date
    end: date
    precision: Precision
    basis: str
    said: str = ""

    @property
    def value(self) -> str:
        """ISO 8601 at this precision: 2026-05-05, 2026-05 or 2026; for a week or quarter its month or year."""
        if self.precision in (Precision.DAY, Precision.MINUTE):
            return self.start.isoformat()
        if self.precision is Precision.YEAR or (self.start.year, self.start.month) != (self.end.year, self.end.month):
            return f"{self.start.year:04d}"
        return f"{self.start.year:04d}-{self.start.month:02d}"


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity from the lexicon, or one found only in texts (`known` is False)."""

    entity_id: str  # from the lexicon: a slug such as "openai"; otherwise see unknown_entity_id()
    name: str  # canonical, in English, without legal suffix
    kind: EntityKind
    known: bool = True
    jurisdiction: str = ""
    parent_id: str = ""  # agency within department, model of lab, company of group
    wikidata_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words in a text that refer to an entity."""

    start: int
    end: int
    text: str
    entity_id: str
    name: str  # canonical name; for a renamed body, its name at the time
    kind: EntityKind
    basis: str  # lexicon, pattern, ner, capitals, reference (pronoun or "the company"), nominal


@dataclass(frozen=True, slots=True)
class Participant:
    """One party of a claim. `start` and `end` are -1 if the party is not named in the sentence."""

    role: str
    entity_id: str
    name: str
    kind: EntityKind
    text: str = ""
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who makes the claim. `start` and `end` mark the attributing words, -1 if there are none."""

    kind: str = "own_reporting"  # one of ATTRIBUTION_KINDS
    name: str | None = None
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Evidence:
    """The quoted sentence of a claim. Always `article.text[start:end] == quote`."""

    article_id: str
    version: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The assertion of one sentence, in any modality, about an oversight event."""

    claim_id: str  # see claim_id()
    type: str  # one of EVENT_TYPES
    modality: Modality
    evidence: Evidence
    trigger_start: int
    trigger_end: int
    trigger: str  # the words that name the event
    participants: tuple[Participant, ...]
    attribution: Attribution
    date: DateSpan | None
    direction: str | None  # "impose" or "lift", for restrictions only
    force: Force
    newness: str  # "new" or "background"
    confidence: float  # estimated probability that the sentence makes a claim of this type, 0 to 1
    rule: str  # "model" for what the program read, "editor" for an added one


@dataclass(frozen=True, slots=True)
class Credit:
    """A passage that names another publisher as the origin of the news."""

    name: str  # outlet or agency as named
    start: int
    end: int
    cue: str  # "first reported by", "according to", "source line", "link", "dateline" ...
    url: str = ""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that is not in the lexicon."""

    name: str
    kind: EntityKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything extracted from one version of an article."""

    article_id: str
    version: str
    relevant: bool
    relevance_score: float
    claims: tuple[Claim, ...] = ()
    credits: tuple[Credit, ...] = ()
    unknown_names: tuple[UnknownName, ...] = ()
    entities: tuple[Entity, ...] = ()  # every entity that the claims refer to
    unread: int = 0  # characters cut off a text longer than pipeline.nlp.pipeline.MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Origin:
    """One independent source of news: articles that copy or rely on the same report."""

    origin_id: str
    kind: str  # original, wire, family, or credited (a named outlet that is not in the ledger)
    label: str  # publisher's name
    lead_article_id: str  # "" if the report itself is not in the ledger
    article_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OriginEdge:
    """Why an article counts as derived from another report."""

    article_id: str
    to_article_id: str  # "" if it is not in the ledger
    to_name: str
    basis: str  # copy, wire, family, credit
    detail: str  # similarity, or the crediting words


@dataclass(frozen=True, slots=True)
class Event:
    """One event reported by one or more claims. `modality` is the best supported one among them."""

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
    n_origins: int  # independent origins among the claims with the event's modality
    contradicted: bool
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Claims of one event, or of one article, that cannot all be true about a field."""

    contradiction_id: str
    event_id: str
    field: str  # date, actor, amount, force, happened, direction
    values: tuple[tuple[str, tuple[str, ...]], ...]  # (value in words, ids of the claims with this value)
    article_id: str = ""  # the article that contradicts itself; "" if the claims come from several articles
    note: str = ""  # an additional sentence for readers


def digest(*parts: str) -> str:
    """Return 16 hex digits of a hash over the parts that identify a record."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def claim_id(article_id: str, quote: str, nth: int, type_: str, trigger: str, nth_trigger: int) -> str:
    """Return the id of a claim: "c" and 16 hex digits, derived from its sentence, type and trigger.

    Edits elsewhere in the article do not change the id; an edit of the sentence does.

    Args:
        article_id: the article.
        quote: the sentence.
        nth: which occurrence of the sentence in the article, from 1.
        type_: one of EVENT_TYPES.
        trigger: the words that name the event.
        nth_trigger: which occurrence of the trigger in the sentence.
    """
    return "c" + digest(article_id, quote, str(nth), type_, trigger, str(nth_trigger))


def event_id(anchor_claim_id: str) -> str:
    """Return the id of the event with this earliest claim: "e" and 16 hex digits."""
    return "e" + digest(anchor_claim_id)


def unknown_entity_id(name: str, kind: str) -> str:
    """Return the id of an entity that is not in the lexicon: "x-" and 16 hex digits, derived from name and kind."""
    return "x-" + digest(" ".join(name.casefold().split()), kind)
