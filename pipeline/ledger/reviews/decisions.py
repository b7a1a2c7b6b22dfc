"""Records of reviewing: decisions, the sentences they concern, and their effects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.records import ROLES, Claim, Findings
from scrapers.items import article_id

ACTIONS = ("accept", "edit", "reject", "add", "merge", "split", "gap")
ON_CLAIMS = ("accept", "edit", "reject", "add")  # those that rest on one sentence
FIELDS = ("type", "modality", "direction", "force", "newness", "date", "attribution", *ROLES)
# The status of a decision. Replaced: superseded by a later one on the same claim, name or pair of events.
APPLIED, REOPENED, WAITING, REPLACED = "applied", "reopened", "waiting", "replaced"
STATUSES = (APPLIED, REOPENED, WAITING, REPLACED)
MARKS = {"accept": "confirmed", "edit": "changed", "add": "added"}  # how a published claim is marked

# A field of a claim in the words of the file: text, or for a role the names of its parties.
Value = str | tuple[str, ...]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a decision, so that it is found again if the id of the claim has changed.

    Attributes:
        article: URL or id of the article.
        quote: The sentence.
        claim_id: "" if an editor wrote the decision by hand.
        trigger, type: Distinguish several claims of one sentence.
        nth: Distinguishes several occurrences of the sentence.
    """

    article: str
    quote: str
    claim_id: str = ""
    trigger: str = ""
    type: str = ""
    nth: int = 1

    @property
    def article_id(self) -> str:
        return article_id(self.article) if "://" in self.article else self.article


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of an editor.

    Attributes:
        sentences: One for accept, edit, reject, add; one of each event for merge; those that leave for split.
        stays: For split, those that remain.
        read: The claim as the editor saw it.
        changes: What the editor wrote instead.
        name: For gap, the name; it is an `entity` of the lexicon, a new one of a `kind`, or no name.
        more: Further facts on a new name: jurisdiction, parent, wikidata, description.
        place: Position in the file, from 1.
    """

    action: str
    who: str
    when: datetime
    why: str
    sentences: tuple[Sentence, ...] = ()
    stays: tuple[Sentence, ...] = ()
    events: tuple[str, ...] = ()
    read: Fields = field(default_factory=dict)
    changes: Fields = field(default_factory=dict)
    name: str = ""
    entity: str = ""
    kind: str = ""
    more: Mapping[str, str] = field(default_factory=dict)  # jurisdiction, parent, wikidata, description of a new name
    place: int = 0  # from 1, in the file

    @property
    def review_id(self) -> str:
        """Return "r" and 16 hex digits, from subject, change and time; the wording of `why` may be corrected."""
        words = [f"{s.article_id}\x1e{s.quote}\x1e{s.trigger}\x1e{s.nth}" for s in (*self.sentences, *self.stays)]
        words += [f"{name}\x1e{value}" for name, value in self.changes.items()]
        parts = (self.action, self.when.astimezone(UTC).isoformat(), self.name, self.entity, *words)
        return "r" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    @property
    def order(self) -> tuple[datetime, int]:
        """Sort key: later decisions take precedence; at the same time, the lower one in the file."""
        return self.when, self.place

    @property
    def day(self) -> str:
        return self.when.date().isoformat()


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """All decisions of a file, in order, and the public names of editors who want to be named."""

    decisions: tuple[Decision, ...] = ()
    public_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """The status of one decision after a build.

    Attributes:
        machine: What the program read by itself, {} for no such claim.
        changed: (field, before, after).
        new_wording: The sentence that replaced the one decided on, "" for none.
    """

    decision: Decision
    status: str
    detail: str
    claim_ids: tuple[str, ...] = ()
    machine: Fields = field(default_factory=dict)
    changed: tuple[tuple[str, str, str], ...] = ()
    new_wording: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The findings after all decisions.

    Attributes:
        marks: Claim id -> one of the values of MARKS.
        rejected: Ids of rejected claims.
        together, apart: Pairs of claim ids for clustering, see clustering.cluster.
    """

    findings: tuple[Findings, ...]
    effects: tuple[Effect, ...] = ()  # in the order of the file
    marks: Mapping[str, str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    def count(self, status: str) -> int:
        """Return the number of decisions with a status."""
        return sum(effect.status == status for effect in self.effects)

    def claims(self) -> dict[str, Claim]:
        """Return the claims by id."""
        return {claim.claim_id: claim for found in self.findings for claim in found.claims}
