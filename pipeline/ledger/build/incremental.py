"""One build on one screen: what changed is taken in, joined with what it hangs on, and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipeline.ledger.build.candidates import Shelf
from pipeline.ledger.build.changes import Changes
from pipeline.ledger.build.context import Lazy, World
from pipeline.ledger.build.ingest import read_article, take_in, take_in_all
from pipeline.ledger.build.recompute.clusters import regroup
from pipeline.ledger.build.recompute.events import Happenings
from pipeline.ledger.build.recompute.origins import Originals
from pipeline.ledger.build.recompute.review_queue import Desk
from pipeline.ledger.build.recompute.revisions import Edited
from pipeline.ledger.build.redirects import trace
from pipeline.ledger.build.state import kept
from pipeline.ledger.build.tables import Around, Tables
from pipeline.ledger.build.writer import Writer
from pipeline.ledger.reviews.apply import apply_reviews
from pipeline.ledger.reviews.decisions import REOPENED, Effect, Reviewed
from pipeline.ledger.reviews.links import kept as kept_merges
from pipeline.ledger.reviews.names import carried_names
from pipeline.ledger.reviews.queue import QueueItem, item_of, reopened


@dataclass(frozen=True)
class Grown:
    """What a build has to tell crawl.db. `history`: the events that were made again, with their claims; `gone`: those
    that are no more; `queue` and `settled`: entries of the editors' queue that are other, and those that are gone."""

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
    anew: bool  # history and queue are all there is: what crawl.db has of them is not that of the state's build


def grow(world: World, writer: Writer, around: Around, *, trust_history: bool) -> Grown:
    """Bring state and published tables up to date with crawl.db.

    `trust_history`: crawl.db's history of events is that of this state, so only what became of changed events is asked.
    """
    library, state, changes = world.library, world.state, Changes()
    seq = library.last_change()
    decided = {s.article_id for d in world.decisions for s in (*d.sentences, *d.stays)}
    before = Settled(*json.loads(state.meta("settled") or "[[], [], []]"))
    shelf, originals = Shelf(world), Originals(world)
    if world.full:
        n_changed = library.count()
        state.put("pending", library.n_unread(world.program_version))
        take_in_all(world, decided, changes, originals.note)
    else:
        ids = library.changed_since(int(state.meta("seq") or 0))
        n_changed = len(ids)
        state.drop("pending", "article_id", ids)
        state.put("pending", (row for id_ in ids for row in library.n_unread(world.program_version, id_)))
        others = (*ids, *(id_ for id_ in before.decided if id_ not in ids)) if before.decided else ids
        take_in(world, (id_ for id_ in others if id_ not in decided), changes)
    reviewed = _review(world, sorted(decided))
    world.marks.update(reviewed.marks)
    take_in(world, sorted(decided), changes, reviewed, originals.note if world.full else None)
    apart = frozenset(map(frozenset, reviewed.apart))
    _note_pairs(world, changes, before, reviewed)
    now = (sorted(decided), sorted(reviewed.together), sorted(reviewed.apart))
    state.set_meta("settled", json.dumps(now))

    touched = originals.update(changes.stories, changes.gone)
    groups = regroup(world, shelf, changes, apart)
    happenings = Happenings(world, originals)
    happened = happenings.update(changes, groups, touched, reviewed.together, apart)
    effects = kept_merges(reviewed.effects, world.event_of)
    desk, tables = Desk(world), Tables(world, writer, replace(around, effects=effects), happenings)
    desk.begin(happened)
    tables.begin(originals.ordered(changes.articles | touched), happened)
    for some in happenings.batches(happened):
        desk.take(some)
        tables.take(some)
    desk.finish(changes, happened)
    tables.finish(changes, originals, happened, Edited(world, shelf))

    alive = Lazy(lambda id_: state.one("select 1 from joined.events where event_id = ?", (id_,)))
    redirects = trace(
        library.event_history(happened.gone if trust_history else None), library.redirects(), world.event_of,
        _claims(world), Lazy(lambda id_: state.one("select heir from joined.heirs where claim_id = ?", (id_,))),
        Lazy(lambda id_: state.one("select 1 from joined.rejected where claim_id = ?", (id_,))), alive,
    )  # fmt: skip
    known_days, today = library.gone_days(), library.last_seen()[:10] or None
    gone_days = {old: known_days.get(old, today) for old in redirects}
    rows = [
        {"old_event_id": old, "event_id": new, "reason": reason, "gone_on": gone_days.get(old)}
        for old, (new, reason) in sorted(redirects.items())
    ]
    writer.sync_all("event_redirects", rows)
    if world.full:
        state.tally()
    tables.count(changes)
    told = happened.events if trust_history else state.column("select event_id from joined.events")
    items = desk.items if trust_history else [kept(blob) for blob in state.column("select item from joined.queue")]
    return Grown(
        seq=seq, n_changed=n_changed, whole=world.full, history=_history(world, told), gone=happened.gone,
        redirects=redirects, gone_days=gone_days, effects=effects, anew=not trust_history,
        queue=[item_of(reopened(e)) for e in effects if e.status == REOPENED] + items, settled=desk.gone,
    )  # fmt: skip


class Settled(NamedTuple):
    """What editors had decided at the last build: on which articles; which claims are one event, and which are not."""

    decided: list[str]
    together: list[list[str]]
    apart: list[list[str]]


def _note_pairs(world: World, changes: Changes, before: Settled, reviewed: Reviewed) -> None:
    """Note what to join again because editors put other claims together, or apart, than at the last build."""
    event_of = "select event_id from joined.cases where claim_id = ? and event_id <> ''"
    for claim_id in {c for pair in {*map(tuple, before.together)} ^ {*reviewed.together} for c in pair}:
        changes.events.update(world.state.column(event_of, (claim_id,)))
    for pair in {*map(tuple, before.apart)} ^ {*reviewed.apart}:
        sql = "select type, day from joined.cases where claim_id in (?, ?)"
        types = dict(sorted(world.state.rows(sql, pair)))  # the later day of each type: before it there is no pair
        for type_, day in types.items():
            changes.touch(type_, day)
        changes.events.update(id_ for c in pair for id_ in world.state.column(event_of, (c,)))


def _review(world: World, decided: list[str]) -> Reviewed:
    """Apply the editors' decisions to the articles that they rest on."""
    read = {id_: read_article(world, id_, wanted=True) for id_ in decided}
    found = {id_: (editions, now) for id_, (_, editions, now) in read.items() if now is not None and now.findings}

    def former(article_id: str) -> Iterator[str]:
        editions, now = found[article_id]
        return (e.article.text for e in editions if e.article.version != now.article.version)

    def read_elsewhere(claim_id: str) -> bool | None:
        """Whether the program itself reads this claim in an article that nobody decided on."""
        tables = ("cases", "unsure", "rejected")
        sql = " union all ".join(f"select article_id from joined.{t} where claim_id = ?1" for t in tables)
        return any(id_ not in decided for id_ in world.state.column(sql, (claim_id,))) or None

    own = carried_names(now.findings for _, now in found.values())

    def carried(name: str) -> list[str]:
        sql = "select claim_id, article_id from joined.unknown_parties where name = ? and machine = 1"
        others = sorted(row[0] for row in world.state.rows(sql, (name,)) if row[1] not in decided)
        return [*others, *own.get(name, ())]

    return apply_reviews(
        [now.findings for _, now in found.values()], {id_: now.article for id_, (_, now) in found.items()},
        world.decisions, world.names, former, Lazy(read_elsewhere), carried,
    )  # fmt: skip


def _claims(world: World) -> Lazy:
    """Return which claims were found, also those that are too unsure to be published."""
    sql = "select 1 from joined.cases where claim_id = ?1 union all select 1 from joined.unsure where claim_id = ?1"
    return Lazy(lambda id_: world.state.one(f"{sql} limit 1", (id_,)))


def _history(world: World, ids: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    sql = "select event from joined.events where event_id = ?"
    return [(id_, kept(world.state.one(sql, (id_,))).claim_ids) for id_ in sorted(ids)]
