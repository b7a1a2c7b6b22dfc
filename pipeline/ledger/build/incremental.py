"""Runs one build: reads the changes, recomputes what they affect, writes the tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipeline.ledger.build.candidates import Candidates
from pipeline.ledger.build.changes import Changes
from pipeline.ledger.build.context import BuildContext, Lazy
from pipeline.ledger.build.ingest import ingest, ingest_all, read_article
from pipeline.ledger.build.recompute.clusters import regroup
from pipeline.ledger.build.recompute.events import EventUpdater
from pipeline.ledger.build.recompute.origins import OriginUpdater
from pipeline.ledger.build.recompute.review_queue import ReviewQueue
from pipeline.ledger.build.recompute.revisions import RevisionUpdater
from pipeline.ledger.build.redirects import trace
from pipeline.ledger.build.state import unpack
from pipeline.ledger.build.tables import SideInputs, Tables
from pipeline.ledger.build.writer import Writer
from pipeline.ledger.reviews.apply import apply_reviews
from pipeline.ledger.reviews.decisions import REOPENED, Effect, Reviewed
from pipeline.ledger.reviews.links import kept as kept_merges
from pipeline.ledger.reviews.names import carried_names
from pipeline.ledger.reviews.queue import QueueItem, item_of, reopened


@dataclass(frozen=True)
class BuildResult:
    """What a build reports to crawl.db.

    Attributes:
        history: Events written, with their claims.
        gone: Ids of removed events.
        queue: New and changed entries of the review queue.
        settled: Removed entries, as (reason, subject).
        complete: Whether history and queue are complete because crawl.db holds those of another state.
    """

    seq: int
    n_changed: int
    whole: bool
    history: list[tuple[str, tuple[str, ...]]]
    gone: set[str]
    redirects: Mapping[str, tuple[str | None, str]]
    gone_days: Mapping[str, str | None]
    effects: tuple[Effect, ...]
    queue: list[QueueItem]
    settled: list[tuple[str, str]]
    complete: bool


def update_ledger(
    context: BuildContext, writer: Writer, side_inputs: SideInputs, *, trust_history: bool
) -> BuildResult:
    """Bring the state and the published tables up to date with crawl.db.

    `trust_history`: the event history in crawl.db belongs to this state, so only changed events are looked up.
    """
    state, changes = context.state, Changes()
    seq = context.library.last_change()
    candidates, origin_updater = Candidates(context), OriginUpdater(context)
    reviewed, n_changed = _ingest_changes(context, changes, origin_updater)

    apart = frozenset(frozenset(pair) for pair in reviewed.apart)
    touched = origin_updater.update(changes.origin_inputs, changes.gone)
    groups = regroup(context, candidates, changes, apart)
    event_updater = EventUpdater(context, origin_updater)
    event_changes = event_updater.update(changes, groups, touched, reviewed.together, apart)

    effects = kept_merges(reviewed.effects, context.event_of)
    review_queue = ReviewQueue(context)
    tables = Tables(context, writer, replace(side_inputs, effects=effects), event_updater)
    review_queue.begin(event_changes)
    tables.begin(origin_updater.ordered(changes.articles | touched), event_changes)
    for some in event_updater.batches(event_changes):
        review_queue.take(some)
        tables.take(some)
    review_queue.finish(changes, event_changes)
    tables.finish(changes, origin_updater, event_changes, RevisionUpdater(context, candidates))

    redirects, gone_days = _write_redirects(context, writer, event_changes.gone if trust_history else None)
    if context.full:
        state.tally()
    tables.count(changes)
    written: Iterable[str] = event_changes.events
    items = review_queue.items
    if not trust_history:
        written = state.column("select event_id from joined.events")
        items = [unpack(blob) for blob in state.column("select item from joined.queue")]
    return BuildResult(
        seq=seq,
        n_changed=n_changed,
        whole=context.full,
        history=_history(context, written),
        gone=event_changes.gone,
        redirects=redirects,
        gone_days=gone_days,
        effects=effects,
        queue=[item_of(reopened(e)) for e in effects if e.status == REOPENED] + items,
        settled=review_queue.gone,
        complete=not trust_history,
    )


class EditorState(NamedTuple):
    """The decisions applied at the last build: on which articles, and which pairs of claims are together or apart."""

    decided: list[str]
    together: list[list[str]]
    apart: list[list[str]]


def _ingest_changes(context: BuildContext, changes: Changes, origin_updater: OriginUpdater) -> tuple[Reviewed, int]:
    """Read the changed articles and apply the decisions; return their effects and the number of changed articles."""
    library, state = context.library, context.state
    decided = {s.article_id for d in context.decisions for s in (*d.sentences, *d.stays)}
    before = EditorState(*json.loads(state.meta("settled") or "[[], [], []]"))
    if context.full:
        n_changed = library.count()
        state.put("pending", library.n_unread(context.program_version))
        ingest_all(context, decided, changes, origin_updater.note)
    else:
        ids = library.changed_since(int(state.meta("seq") or 0))
        n_changed = len(ids)
        state.drop("pending", "article_id", ids)
        state.put("pending", (row for id_ in ids for row in library.n_unread(context.program_version, id_)))
        others = (*ids, *(id_ for id_ in before.decided if id_ not in ids)) if before.decided else ids
        ingest(context, (id_ for id_ in others if id_ not in decided), changes)
    reviewed = _review(context, sorted(decided))
    context.marks.update(reviewed.marks)
    ingest(context, sorted(decided), changes, reviewed, origin_updater.note if context.full else None)
    _note_pairs(context, changes, before, reviewed)
    state.set_meta("settled", json.dumps((sorted(decided), sorted(reviewed.together), sorted(reviewed.apart))))
    return reviewed, n_changed


def _write_redirects(
    context: BuildContext, writer: Writer, gone: Collection[str] | None
) -> tuple[dict[str, tuple[str | None, str]], dict[str, str | None]]:
    """Write the redirects of unused event ids; return them, with the day on which each id was first found missing.

    `gone`: the ids that this build removed; None: compare with the whole event history.
    """
    library, state = context.library, context.state
    redirects = trace(
        library.event_history(gone),
        library.redirects(),
        context.event_of,
        _claims(context),
        Lazy(lambda id_: state.one("select heir from joined.heirs where claim_id = ?", (id_,))),
        Lazy(lambda id_: state.one("select 1 from joined.rejected where claim_id = ?", (id_,))),
        Lazy(lambda id_: state.one("select 1 from joined.events where event_id = ?", (id_,))),
    )
    known_days, today = library.gone_days(), library.last_seen()[:10] or None
    gone_days = {old: known_days.get(old, today) for old in redirects}
    rows = [
        {"old_event_id": old, "event_id": new, "reason": reason, "gone_on": gone_days.get(old)}
        for old, (new, reason) in sorted(redirects.items())
    ]
    writer.sync_all("event_redirects", rows)
    return redirects, gone_days


def _note_pairs(context: BuildContext, changes: Changes, before: EditorState, reviewed: Reviewed) -> None:
    """Mark what to recompute because the pairs together or apart changed since the last build."""
    event_of = "select event_id from joined.claims where claim_id = ? and event_id <> ''"
    for claim_id in {c for pair in {*map(tuple, before.together)} ^ {*reviewed.together} for c in pair}:
        changes.events.update(context.state.column(event_of, (claim_id,)))
    for pair in {*map(tuple, before.apart)} ^ {*reviewed.apart}:
        sql = "select type, day from joined.claims where claim_id in (?, ?)"
        types = dict(sorted(context.state.rows(sql, pair)))  # the later day of each type: no pair exists before
        for type_, day in types.items():
            changes.touch(type_, day)
        changes.events.update(id_ for c in pair for id_ in context.state.column(event_of, (c,)))


def _review(context: BuildContext, decided: list[str]) -> Reviewed:
    """Apply the editors' decisions to the articles that they concern."""
    read = {id_: read_article(context, id_, wanted=True) for id_ in decided}
    articles = {id_: now.article for id_, (_, _, now) in read.items() if now is not None and now.findings}
    findings = [now.findings for _, _, now in read.values() if now is not None and now.findings]

    def former(article_id: str) -> Iterator[str]:
        version = articles[article_id].version
        return (v.article.text for v in read[article_id][1] if v.article.version != version)

    def read_elsewhere(claim_id: str) -> bool | None:
        """Whether the program itself reads this claim in an article that nobody decided on."""
        tables = ("claims", "unsure", "rejected")
        sql = " union all ".join(f"select article_id from joined.{t} where claim_id = ?1" for t in tables)
        return any(id_ not in decided for id_ in context.state.column(sql, (claim_id,))) or None

    own = carried_names(findings)

    def carried(name: str) -> list[str]:
        sql = "select claim_id, article_id from joined.unknown_parties where name = ? and machine = 1"
        others = sorted(row[0] for row in context.state.rows(sql, (name,)) if row[1] not in decided)
        return [*others, *own.get(name, ())]

    return apply_reviews(findings, articles, context.decisions, context.names, former, Lazy(read_elsewhere), carried)


def _claims(context: BuildContext) -> Lazy:
    """Return a mapping of all known claims, including unpublished ones."""
    sql = "select 1 from joined.claims where claim_id = ?1 union all select 1 from joined.unsure where claim_id = ?1"
    return Lazy(lambda id_: context.state.one(f"{sql} limit 1", (id_,)))


def _history(context: BuildContext, ids: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    sql = "select event from joined.events where event_id = ?"
    return [(id_, unpack(context.state.one(sql, (id_,))).claim_ids) for id_ in sorted(ids)]
