"""A review session: claims after all decisions so far, and the effect of a new decision.

A session reads only the articles concerned, so that a decision is checked at once in a ledger of any size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.publish.publish import roll_back
from pipeline.ledger.reviews.apply import Reviewed, apply_reviews
from pipeline.ledger.reviews.decisions import ON_CLAIMS, Decision, Effect, ReviewFile, Sentence, Value
from pipeline.ledger.reviews.fields import fields_of, party_of, problem_with
from pipeline.ledger.reviews.file import load_reviews
from pipeline.ledger.reviews.names import Names, key, settle_names
from pipeline.ledger.schema import refuse_other_schema
from pipeline.lexicon.entities import Lexicon
from pipeline.records import ROLES, Claim
from pipeline.workspace import DataFolder
from scrapers.items import Article
from scrapers.items import article_id as article_id_at


@dataclass(frozen=True, slots=True)
class ReviewedClaim:
    """A claim after all decisions, with its extracted form (None if an editor added it), article and event."""

    claim: Claim
    extracted: Claim | None
    article: Article
    event_id: str  # "" if the last build has it in no event
    decisions: tuple[Effect, ...]

    @property
    def sentence(self) -> Sentence:
        """The sentence as decisions refer to it."""
        quote = self.claim.evidence.quote
        nth = self.article.text.count(quote, 0, self.claim.evidence.start) + 1
        return Sentence(self.article.url, quote, self.claim.claim_id, self.claim.trigger, self.claim.type, nth)


class ReviewSession:
    """Access to a ledger for editors; a context manager."""

    def __init__(self, folder: DataFolder, reviews: Path, lexicon: Lexicon) -> None:
        """Open the ledger as last built; raise WrongUse if there is none, or if the file of decisions is invalid."""
        folder.need(folder.build_db, "Run `oversight build` first.")
        self.path = reviews
        self.file: ReviewFile = load_reviews(reviews)
        self.names: Names = settle_names(lexicon, self.file.decisions)
        self.library = Library(folder.crawl_db)
        roll_back(folder.build_db)
        self.db = sqlite3.connect(f"file:{folder.build_db.absolute()}?mode=ro", uri=True)
        self.db.row_factory = sqlite3.Row
        refuse_other_schema(self.db, folder.build_db)
        self.version = self._one("select value from build_info where key = 'program_version'") or ""

    def __enter__(self) -> ReviewSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()
        self.library.close()

    def _one(self, sql: str, *values: object) -> str | None:
        with closing(self.db.execute(sql, values)) as cursor:
            row = cursor.fetchone()
        return row[0] if row else None

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return rows of the last build."""
        return self.db.execute(sql, values).fetchall()

    def claim(self, id_: str) -> ReviewedClaim:
        """Return a claim by its id or the beginning of it; raise WrongUse if none or several match."""
        found = self.rows("select claim_id, article_id from claims where claim_id like ? limit 2", f"{id_}%")
        if len(found) > 1:
            raise WrongUse(f"More than one claim begins with '{id_}'. Give more of the id.")
        article_id = found[0]["article_id"] if found else self._article_of(id_)
        reviewed_claims = self.claims_of(article_id) if article_id else []
        for reviewed in reviewed_claims:
            if reviewed.claim.claim_id == (found[0]["claim_id"] if found else id_):
                return reviewed
        raise WrongUse(self._explain_missing(id_))

    def _explain_missing(self, id_: str) -> str:
        for decision in self.file.decisions:
            if decision.action == "reject" and decision.sentences[0].claim_id.startswith(id_):
                return f"Claim {id_} was rejected by {decision.who} on {decision.day}: {decision.why}"
        return f"There is no claim '{id_}'. `oversight review list` and `oversight event ID --json` show claim ids."

    def _article_of(self, claim_id: str) -> str | None:
        """Return the article of a claim that is in no event."""
        for item in self.library.queue():
            if item.subject == claim_id:
                return item.article_id
        for decision in self.file.decisions:
            for sentence in decision.sentences:
                if sentence.claim_id == claim_id:
                    return sentence.article_id
        for found in self.library.findings(self.version):
            if any(claim.claim_id == claim_id for claim in found.claims):
                return found.article_id
        return None

    def article(self, where: str) -> Article:
        """Return an article by its address or id; raise WrongUse if there is none."""
        id_ = article_id_at(where) if "://" in where else where
        version = self._one("select version from articles where article_id = ?", id_)
        found = self.library.article(id_, version)
        if found is None:
            raise WrongUse(f"The ledger has no article '{where}'. Give its address as the ledger shows it, or its id.")
        return found

    def claims_of(self, article_id: str, more: Sequence[Decision] = ()) -> list[ReviewedClaim]:
        """Return the claims of an article after the decisions in the file and `more`."""
        article = self.article(article_id)
        found = self.library.findings_of(article, self.version)
        if found is None:
            return []
        decisions = [
            d
            for d in (*self.file.decisions, *map(self._appended, more))
            if d.action in ON_CLAIMS and d.sentences[0].article_id == article_id
        ]
        done = self.reviewed(article, decisions)
        extracted = {claim.claim_id: claim for claim in found.claims}
        event = dict(self.db.execute("select claim_id, event_id from claims where article_id = ?", (article_id,)))
        return [
            ReviewedClaim(
                claim,
                extracted.get(claim.claim_id),
                article,
                event.get(claim.claim_id, ""),
                tuple(e for e in done.effects if claim.claim_id in e.claim_ids),
            )
            for claim in done.findings[0].claims
        ]

    def reviewed(self, article: Article, decisions: Iterable[Decision]) -> Reviewed:
        """Return the claims of one article after decisions, with the effect of each decision."""
        found = self.library.findings_of(article, self.version)
        if found is None:
            raise WrongUse(
                f"This version has not analysed {article.url} yet. Run `oversight extract` and `oversight build`."
            )
        versions = [v.article for v in self.library.versions(article.article_id)]
        former = [a.text for a in versions if a.version != article.version]
        return apply_reviews([found], {article.article_id: article}, decisions, self.names, lambda _: former)

    def copies(self, reviewed: ReviewedClaim) -> list[ReviewedClaim]:
        """Return the same claim in other articles: the same sentence, trigger and type."""
        claim = reviewed.claim
        same = self.rows(
            """select claim_id from claims where quote = ? and trigger = ? and type = ? and claim_id <> ?
               order by claim_id""",
            claim.evidence.quote,
            claim.trigger,
            claim.type,
            claim.claim_id,
        )
        return [self.claim(row["claim_id"]) for row in same]

    def decide(
        self, action: str, reviewed: ReviewedClaim, who: str, why: str, changes: dict[str, Value] | None = None
    ) -> Decision:
        """Return a decision on one claim in its current form."""
        read = {} if action == "add" else fields_of(reviewed.claim)
        return Decision(action, who, now(), why, (reviewed.sentence,), read=read, changes=changes or {})

    def preview(self, decision: Decision) -> Effect:
        """Return the effect of a decision on a claim at the next build."""
        article = self.article(decision.sentences[0].article_id)
        mine = [
            d for d in self.file.decisions if d.action in ON_CLAIMS and d.sentences[0].article_id == article.article_id
        ]
        trial = self._appended(decision)
        return next(e for e in self.reviewed(article, [*mine, trial]).effects if e.decision is trial)

    def _appended(self, decision: Decision) -> Decision:
        """Return a decision as if it were appended to the file."""
        return replace(decision, place=max((d.place for d in self.file.decisions), default=0) + 1)

    def entity_id(self, name: str) -> str:
        """Return the id of the entity with this name or id; raise WrongUse if none or several match."""
        found = {entity.entity_id: entity.name for entity in self.names.known(name)}
        if not found:
            rows = self.rows(
                """select distinct e.entity_id, e.name from entities e left join entity_names n using (entity_id)
                   where e.in_lexicon and (e.entity_id = ?1 or e.name = ?1 collate nocase or n.name = ?1 collate
                   nocase)""",
                name,
            )
            found = {row["entity_id"]: row["name"] for row in rows}
        if not found:
            raise WrongUse(f"The lexicon has no '{name}'. Add it first as a new entity: --new KIND.")
        if len(found) > 1:
            raise WrongUse(f"'{name}' can be {', '.join(sorted(found))}. Give the id.")
        return next(iter(found))

    def is_unknown_name(self, name: str) -> bool:
        """Return whether any claim has this unknown name as a party."""
        rows = self.rows("select name from unknown_names union select name from entities where not in_lexicon")
        return any(key(row["name"]) == key(name) for row in rows)


def now() -> datetime:
    """Return the current time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def changes_of(words: Sequence[str], claim: Claim | None) -> dict[str, Value]:
    """Return the fields set by "field=value" arguments.

    A role may be given several times; "role+=party" adds a party and "role-=party" removes one.

    Args:
        words: the arguments.
        claim: the claim in its current form, None for a new one.

    Raises:
        WrongUse: an argument is malformed, or a value does not fit its field.
    """
    now_ = fields_of(claim) if claim else {}
    changes: dict[str, Value] = {}
    for word in words:
        name, sign, value = word.partition("=")
        how = name[-1:] if name[-1:] in ("+", "-") else ""
        name, value = name.removesuffix(how).strip() if how else name.strip(), value.strip()
        if not sign:
            raise WrongUse(f"'{word}' is not a change. Write field=value, such as modality=planned.")
        if how and name not in ROLES:
            raise WrongUse(f"'{word}': += and -= apply to parties only. Write {name}={value}.")
        if name in ROLES:
            before = changes.get(name, now_.get(name, ()) if how else ())
            before = before if isinstance(before, tuple) else (before,)
            if how == "-":
                left = tuple(p for p in before if key(party_of(p)[0]) != key(value))
                if left == before:
                    raise WrongUse(
                        f"'{value}' is not a party in the role {name}. The claim has: {'; '.join(before) or 'none'}."
                    )
                changes[name] = left
            else:
                changes[name] = (*before, value) if value else ()
        else:
            changes[name] = value
        if problem := problem_with(name, changes[name]):
            raise WrongUse(f"{problem[:1].upper()}{problem[1:]}.")
    return changes
