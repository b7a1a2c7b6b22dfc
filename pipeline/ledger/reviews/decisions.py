"""The nouns of reviewing: an editor's decision, the words it rests on, and what became of it at a build."""

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
# What became of a decision. Replaced: a later one on the same claim, name or pair of events stands instead.
APPLIED, REOPENED, WAITING, REPLACED = "applied", "reopened", "waiting", "replaced"
STATUSES = (APPLIED, REOPENED, WAITING, REPLACED)
MARKS = {"accept": "confirmed", "edit": "changed", "add": "added"}  # how a published claim is marked

# A field of a claim in the words of the file: text, or for a role the names of its parties.
Value = str | tuple[str, ...]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words a decision rests on, so that they are found again where the claim's id has changed.

    `article`: the address of the article, or its id. `trigger` and `type` tell apart several claims of one sentence,
    `nth` several occurrences of the sentence. `claim_id` is "" where an editor wrote the decision by hand.
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
    """One decision of an editor, as it stands in the file.

    accept, edit, reject, add: `sentences` has one. merge: one of each event, two at least. split: those that leave;
    `stays` are those that remain. gap: `name` is an `entity` of the lexicon, a new one of a `kind`, or no name.
    `read`: the claim as the editor saw it; `changes`: what the editor wrote instead.
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
        """ "r" and 16 hex digits, from what was decided about what and when; the words of `why` may be mended."""
        words = [f"{s.article_id}\x1e{s.quote}\x1e{s.trigger}\x1e{s.nth}" for s in (*self.sentences, *self.stays)]
        words += [f"{name}\x1e{value}" for name, value in self.changes.items()]
        parts = (self.action, self.when.astimezone(UTC).isoformat(), self.name, self.entity, *words)
        return "r" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    @property
    def order(self) -> tuple[datetime, int]:
        """Later ones stand above earlier ones; of one moment, the lower in the file."""
        return self.when, self.place

    @property
    def day(self) -> str:
        return self.when.date().isoformat()


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """All decisions of a file, in its order, and the editors who want their name published: who -> public name."""

    decisions: tuple[Decision, ...] = ()
    public_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of one decision at a build.

    `machine`: what the program read by itself, {} where it finds no such claim; `changed`: (field, before, after).
    `new_wording`: the sentence that stands now in the place of the one that was decided on, "" where none does.
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
    """The findings after all decisions. `together`, `apart`: pairs of claim ids for joining; see clustering.cluster.

    `marks`: claim id -> one of MARKS' words. `rejected`: the ids of claims taken out.
    """

    findings: tuple[Findings, ...]
    effects: tuple[Effect, ...] = ()  # in the order of the file
    marks: Mapping[str, str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    def count(self, status: str) -> int:
        """Return how many decisions ended in a status."""
        return sum(effect.status == status for effect in self.effects)

    def claims(self) -> dict[str, Claim]:
        """Return the claims by id."""
        return {claim.claim_id: claim for found in self.findings for claim in found.claims}
