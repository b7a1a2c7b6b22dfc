"""Reads changed articles from crawl.db into the build state and notes what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace

from pipeline.aggregation.revisions.claim_diff import ArticleVersion, latest_of
from pipeline.aggregation.sources.credit_chains import whole_names
from pipeline.aggregation.sources.credit_scope import scope_of
from pipeline.ledger.build.changes import AffiliationChanged, Changes
from pipeline.ledger.build.context import ArticleView, BuildContext, PublishedRows
from pipeline.ledger.build.recompute.contradiction_index import ContradictionIndex
from pipeline.ledger.build.recompute.revisions import keep_edits
from pipeline.ledger.build.state import OF_ARTICLES, chunks, pack, unpack
from pipeline.ledger.reviews.apply import apply_reviews
from pipeline.ledger.reviews.decisions import Reviewed
from pipeline.ledger.reviews.names import key, unknown_parties
from pipeline.ledger.rows.tables import around, article_row, version_rows
from pipeline.records import Attribution, Claim, Entity, Findings, Force
from scrapers.items import Article

_AT_ONCE = 20_000  # articles inserted at once

Noted = Callable[[str, ArticleView, str], None]  # (article id, view, text)


def ingest(
    context: BuildContext, article_ids: Iterable[str], changes: Changes, reviewed: Reviewed | None = None,
    noted: Noted | None = None,
) -> None:  # fmt: skip
    """Bring the state of some articles up to date.

    `reviewed`: the decisions on them, if any; `noted`: called for each article.
    """
    decided = {found.article_id: found for found in reviewed.findings} if reviewed else {}
    rejected: dict[str, list[str]] = defaultdict(list)
    if reviewed:
        owner = {c.claim_id: c.evidence.article_id for f in reviewed.findings for c in f.claims}
        for id_ in reviewed.rejected:
            rejected[owner.get(id_, "")].append(id_)
    for id_ in article_ids:
        source_id, versions, now = read_article(context, id_, wanted=id_ in decided)
        if source_id is None:
            context.state.drop("known_articles", "article_id", [id_])
        else:
            context.state.put("known_articles", [(id_, source_id)])
        if now is None or now.findings is None:
            _remove(context, id_, changes)
            continue
        if id_ in decided:
            found, out = decided[id_], _removed_claims(now.findings, decided[id_])
        else:
            found, out = _after_name_decisions(context, now.article, now.findings)
        if not (found.relevant or _relevant(versions)):
            _remove(context, id_, changes)
            continue
        _keep_article(context, now.article, found, versions, out, now.findings, changes)
        if noted is not None:
            noted(id_, context.article_views[id_], now.article.text)


def ingest_all(context: BuildContext, decided: Container[str], changes: Changes, noted: Noted) -> None:
    """Read all articles of crawl.db into an empty state, except those that editors decided on.

    Most are irrelevant and have a single reading, so they are inserted in bulk.
    """
    library = context.library
    context.state.stage(OF_ARTICLES)
    closely = library.relevant_ids(context.program_version) | library.read_otherwise()
    for some in chunks(((id_, s) for id_, s in library.sources() if id_ not in closely), _AT_ONCE):
        context.state.put("known_articles", sorted(some))
    ingest(context, (id_ for id_ in library.article_ids() if id_ in closely and id_ not in decided), changes, None,
            noted)  # fmt: skip
    context.state.settle_articles()


def read_article(
    context: BuildContext, article_id: str, *, wanted: bool = False
) -> tuple[str | None, tuple[ArticleVersion, ...], ArticleVersion | None]:
    """Return the source, the versions and the current version of an article; () and None if it is irrelevant."""
    library, version = context.library, context.program_version
    relevant = library.relevant_versions(article_id, version)
    if not any(relevant.values()) and not wanted:
        return library.source_of(article_id), (), None
    outdated = library.outdated_versions(article_id)
    versions = [
        ArticleVersion(v.article, library.findings_of(v.article, version), v.first_seen_at, v.last_seen_at)
        for v in library.versions(article_id)
        if v.article.version not in outdated
    ]
    now = latest_of(versions)
    if now is None:
        return None, (), None
    if not wanted and not _relevant(versions):
        return now.article.source_id, (), None
    return now.article.source_id, tuple(versions), now


def _relevant(versions: Iterable[ArticleVersion]) -> bool:
    return any(e.findings and e.findings.relevant for e in versions)


def _after_name_decisions(context: BuildContext, article: Article, found: Findings) -> tuple[Findings, list[str]]:
    """Return the findings after the decisions on names, and the ids of the claims that these removed."""
    if not context.names.settled:
        return found, []
    reviewed = apply_reviews([found], {article.article_id: article}, (), context.names)
    return reviewed.findings[0], sorted(reviewed.rejected)


def _removed_claims(machine: Findings, found: Findings) -> list[str]:
    return sorted({c.claim_id for c in machine.claims} - {c.claim_id for c in found.claims})


def article_view(article: Article, found: Findings) -> ArticleView:
    """Return what aggregation needs of an article."""
    text = article.text
    credits = [(c, scope) for c in whole_names(found.credits) if (scope := scope_of(c, text, found.claims)) is not None]
    binding = "binding" in text or "voluntary" in text
    light = replace(article, text=text if binding else "", links=(), removed_blocks=())
    topics = frozenset((c.type, p.entity_id) for c in found.claims for p in c.participants)
    return ArticleView(light, tuple(credits), topics)


def published_rows_of(article: Article, versions: Sequence[ArticleVersion]) -> PublishedRows:
    """Return the published rows of an article and its versions."""
    seen = [(v.article, v.first_seen_at, v.last_seen_at, len(v.findings.claims) if v.findings else 0) for v in versions]
    return PublishedRows(article_row(article, len(seen)), tuple(version_rows(article, seen)))


def _keep_article(
    context: BuildContext, article: Article, found: Findings, versions: tuple[ArticleVersion, ...], out: list[str],
    machine: Findings, changes: Changes,
) -> None:  # fmt: skip
    state, id_ = context.state, article.article_id
    view, published = article_view(article, found), published_rows_of(article, versions)
    before: ArticleView | None = None if context.full else context.article_views.get(id_)
    if (
        before != view or context.published_rows(id_) != published
    ):  # nothing is looked up where nothing was known before
        changes.articles.add(id_)
        if before != view:
            changes.origin_inputs.add(id_)
        n = state.one(
            "insert into joined.articles (article_id, source_id, url, moment) values (?, ?, ?, ?) "
            "on conflict (article_id) do update set source_id = excluded.source_id, url = excluded.url, "
            "moment = excluded.moment returning n",
            (id_, article.source_id, article.url.rstrip("/"), view.moment),
        )
        state.put("article_views", [(n, pack(view))])
        state.put("article_rows", [(n, pack(published))])
        context.articles.forget(id_)
        context.article_views.know(id_, view)
    _keep_claims(context, article, found, changes)
    _keep_entities(context, article, found, changes)
    if not context.full:
        sql = "select name from joined.unknown_parties where article_id = ?"
        changes.names.update(state.column(sql, (id_,)))
        for table in ("unknown_parties", "rejected"):
            state.drop(table, "article_id", [id_])
    unknown = [*_unknown(machine, True), *_unknown(found, False)]
    changes.names.update(row[0] for row in unknown)
    state.put("unknown_parties", unknown)
    state.put("rejected", ((claim_id, id_) for claim_id in out))
    keep_edits(context, id_, versions, article.version, set(out), changes)


def _unknown(found: Findings, machine: bool) -> list[tuple[str, int, str, int, str]]:
    """Return the rows of unknown_parties for the claims of an article."""
    return [
        (name, int(machine), found.article_id, position, claim.claim_id)
        for position, claim in enumerate(found.claims)
        for name in sorted(unknown_parties(claim))
    ]


def _keep_claims(context: BuildContext, article: Article, found: Findings, changes: Changes) -> None:
    state, id_ = context.state, article.article_id
    day = article.published_at.date().isoformat() if article.published_at else "9999"
    sql = (
        "select claim_id, day, event_id, mark, claim, root "
        "from joined.claims cross join joined.claim_records using (n) where article_id = ?"
    )
    rows = [] if context.full else state.rows(sql, (id_,))
    before = {row[0]: (row[1], row[2], row[3], unpack(row[4]), row[5]) for row in rows}
    now = {c.claim_id: c for c in found.claims if c.confidence >= context.min_confidence}
    for claim_id, (day_then, event_id, _, claim, root) in before.items():
        if claim_id not in now:
            changes.removed.append((claim, day_then, root))
            changes.articles.add(id_)
            changes.events.add(event_id)
            changes.touch(claim.type, day_then)
    for claim_id, claim in now.items():
        mark = context.marks.get(claim_id, "")
        then = before.get(claim_id)
        if then is None:
            changes.touch(claim.type, day)
            sql = "insert into joined.claims (claim_id, article_id, type, day, mark) values (?, ?, ?, ?, ?) returning n"
            state.put("claim_records", [(state.one(sql, (claim_id, id_, claim.type, day, mark)), pack(claim))])
            if context.full:  # else inserted by EventUpdater, after the former keys were used
                ContradictionIndex(state, context.terms).insert(claim, day)
        elif then[0] == day and then[2] == mark and then[3] == claim:
            continue
        else:
            if then[0] != day or core(then[3]) != core(claim):
                changes.touch(then[3].type, then[0])
                changes.touch(claim.type, day)
                changes.removed.append((then[3], then[0], then[4]))
            changes.events.add(then[1])
            sql = "update joined.claims set type = ?, day = ?, mark = ? where claim_id = ? returning n"
            state.put("claim_records", [(state.one(sql, (claim.type, day, mark, claim_id)), pack(claim))])
        changes.claims.add(claim_id)
        changes.articles.add(id_)
        context.claims.forget(claim_id)
    for claim_id in before.keys() - now.keys():
        state.db.execute("delete from joined.claims where claim_id = ?", (claim_id,))
        context.claims.forget(claim_id)
    unsure = {c.claim_id: c for c in found.claims if c.confidence < context.min_confidence}
    sql = "select claim_id, claim from joined.unsure where article_id = ?"
    held = {} if context.full else {row[0]: row[1] for row in state.rows(sql, (id_,))}
    fresh = {claim_id: pack(claim) for claim_id, claim in unsure.items()}
    if held.keys() != fresh.keys() or any(unpack(held[c]) != unsure[c] for c in held):
        changes.articles.add(id_)
        changes.unsure |= held.keys() | fresh.keys()
        if held:
            state.drop("unsure", "article_id", [id_])
        state.put("unsure", ((claim_id, id_, blob) for claim_id, blob in fresh.items()))


def core(claim: Claim) -> Claim:
    """Return a claim without the fields that do not affect clustering."""
    evidence = replace(claim.evidence, version="", start=0, end=0)
    return replace(
        claim, evidence=evidence, trigger_start=0, trigger_end=0, attribution=Attribution(), force=Force.NOT_STATED,
        confidence=1.0, rule="",
    )  # fmt: skip


def _keep_entities(context: BuildContext, article: Article, found: Findings, changes: Changes) -> None:
    """Store the unknown entities and names of an article."""
    state, id_ = context.state, article.article_id
    known = context.lexicon.entities if context.lexicon else {}
    entities = {(e.entity_id, id_): e for e in reversed(found.entities) if e.entity_id not in known}
    # Parties named only by an editor sort after the descriptions of articles.
    named = {e.entity_id for e in found.entities} | known.keys()
    entities |= {
        (p.entity_id, f"~{id_}"): Entity(p.entity_id, p.name, p.kind, known=False)
        for c in reversed(found.claims) for p in reversed(c.participants) if p.entity_id not in named
    }  # fmt: skip
    rows = [(*place, f"{e.parent_id} {e.jurisdiction}".strip(), pack(e)) for place, e in entities.items()]
    if context.full:
        state.put("entities", rows)
    else:
        _replace_entities(context, id_, {entity_id for entity_id, _ in entities}, rows, changes)
    gaps: dict[tuple[str, str], list] = defaultdict(list)
    for position, gap in enumerate(found.unknown_names):
        gaps[gap.name, gap.kind.value].append((position, gap))
    unknown = [
        (name, kind, id_, len(places), around(article.text, first.start, first.end), key(name), position)
        for (name, kind), places in gaps.items()
        for position, first in (places[0],)
    ]
    sql = "select name, kind, article_id, n, example, folded, position from joined.unknown_names where article_id = ?"
    former = [] if context.full else state.rows(sql, (id_,))
    if former != sorted(unknown):
        changes.names.update(row[5] for row in (*former, *unknown))
        changes.unknown_names.update(row[0] for row in (*former, *unknown))
        if former:
            state.drop("unknown_names", "article_id", [id_])
        state.put("unknown_names", unknown)


def _replace_entities(
    context: BuildContext, article_id: str, ids: set[str], rows: list[tuple], changes: Changes
) -> None:
    """Replace the entities of an article. Raises AffiliationChanged if a parent or jurisdiction changed."""
    both = "select entity_id from joined.entities where article_id in (?, ?)"
    every = sorted({*context.state.column(both, (article_id, f"~{article_id}")), *ids})
    then = {entity_id: context.entity_of.get(entity_id) for entity_id in every}
    context.state.drop("entities", "article_id", [article_id, f"~{article_id}"])
    context.state.put("entities", rows)
    for entity_id in every:
        context.entity_of.forget(entity_id)
        old, new = then[entity_id], context.entity_of.get(entity_id)
        if old and new and (old.parent_id, old.jurisdiction) != (new.parent_id, new.jurisdiction):
            raise AffiliationChanged(entity_id)
        if old is None and new is not None:
            changes.new_entities.add(entity_id)
        elif old != new:
            changes.entities_changed = True


def _remove(context: BuildContext, article_id: str, changes: Changes) -> None:
    """Delete an article from the state."""
    state = context.state
    if context.full or context.article_views.get(article_id) is None:
        return
    changes.gone.add(article_id)
    changes.entities_changed = True
    changes.articles.add(article_id)
    changes.origin_inputs.add(article_id)
    for claim_id, day, event_id, root, blob in state.rows(
        "select claim_id, day, event_id, root, claim from joined.claims cross join joined.claim_records using (n) "
        "where article_id = ?",
        (article_id,),
    ):
        claim = unpack(blob)
        changes.removed.append((claim, day, root))
        changes.events.add(event_id)
        changes.touch(claim.type, day)
        context.claims.forget(claim_id)
    for name, folded in state.rows("select name, folded from joined.unknown_names where article_id = ?", (article_id,)):
        changes.unknown_names.add(name)
        changes.names.add(folded)
    changes.names.update(state.column("select name from joined.unknown_parties where article_id = ?", (article_id,)))
    changes.unsure.update(state.column("select claim_id from joined.unsure where article_id = ?", (article_id,)))
    for table in ("claims", "unsure", "entities", "unknown_names", "rejected", "unknown_parties", "edits", "heirs"):
        state.drop(table, "article_id", [article_id, f"~{article_id}"])
    context.entity_of.clear()
