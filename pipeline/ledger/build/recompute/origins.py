"""Updates the origins of articles.

Near-duplicates, credits and outside reports link articles. Only clusters that a changed article is in, was in or now
joins are recomputed, by the rules of pipeline.aggregation.sources.origins.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.aggregation.sources.credit_chains import CREDIT_DAYS, can_rest_on, order
from pipeline.aggregation.sources.near_duplicates import MIN_SHINGLES, SHARED_BANDS, alike, shingles, sketch
from pipeline.aggregation.sources.origins import Finder, near_duplicates_of
from pipeline.ledger.build.context import ArticleView, BuildContext, Lazy, StoredCreditChains
from pipeline.ledger.build.state import OF_CLUSTERS, pack, unpack
from pipeline.records import Credit, OriginEdge

_SPAN = timedelta(days=CREDIT_DAYS + 2)  # wider than any rule on two dates, which then decides
UNDATED = "9999"
_NOWHERE = ("", "", "")  # component, copy_of and origin_id of a new article
_TIED = """
    select one from joined.near_duplicates union select article_id from joined.report_credits where whole = 1
    union select lead from joined.report_credits where whole = 1 union select article_id from joined.outside
"""


class OriginUpdater:
    """Updates which article rests on which, for one build."""

    def __init__(self, context: BuildContext) -> None:
        self.context, self.state = context, context.state
        self.chains = StoredCreditChains(context)
        self.shingles = Lazy(self._shingles, 2_000)
        self._left: set[str] = set()  # origins that lost an article
        self._crediting: set[str] = set()  # noted articles with a credit
        self.changed_origins: set[str] = set()
        self.changed_edges: set[tuple[str, ...]] = set()

    def update(self, changed: Iterable[str], gone: Iterable[str]) -> set[str]:
        """Update origins; return the articles whose origin, near-duplicates or credited reports changed."""
        changed, gone = self.ordered(set(changed)), set(gone)
        here = [id_ for id_ in changed if id_ not in gone]
        seeds, crediting = set(changed), set(here)
        if self.context.full:
            self.state.stage(OF_CLUSTERS)
            self._find_all_near_duplicates()
            crediting = self._crediting
        else:
            for id_ in changed:
                seeds |= self._neighbours(id_)
                crediting |= self._credit_it(id_)
                self._forget(id_, remove=id_ in gone)
            for id_ in here:
                self._enter(id_, self.context.article_views[id_])
            for id_ in here:
                self._find_near_duplicates(id_)
            for id_ in here:
                crediting |= self._credit_it(id_)
        touched = {id_ for id_ in self.ordered(crediting - gone) if self._find_leads(id_)}
        if not self.context.full:
            for id_ in [*here, *touched]:
                seeds |= self._neighbours(id_)
        touched |= self._clusters(seeds - gone)
        self.state.settle()
        for origin_id in self._left - {""}:
            self.drop_origin(origin_id)
        return touched

    def note(self, id_: str, view: ArticleView, text: str) -> None:
        """Store what an article shares with others, in a full build."""
        self._enter(id_, view)
        if view.credits:
            self._crediting.add(id_)
        if bands := sketch(shingles(text)):
            n = self._keep_sketch(id_, bands)
            self.state.put("bands", [(band, n) for band in bands])

    def ordered(self, ids: set[str]) -> list[str]:
        """Return articles in a fixed order: in a full build that of arrival, so that rows of one time lie together."""
        if not self.context.full:
            return sorted(ids)
        return [id_ for id_ in self.state.column("select article_id from joined.articles order by n") if id_ in ids]

    # Shared keys

    def _forget(self, id_: str, *, remove: bool) -> None:
        state = self.state
        row = state.db.execute("select n, origin_id from joined.articles where article_id = ?", (id_,)).fetchone()
        if row is None:
            return
        if blob := state.one("select bands from joined.sketches where n = ?", row[:1]):
            bands = [(band, row[0]) for band in _bands_of(blob)]
            state.db.executemany("delete from joined.bands where bucket = ? and n = ?", bands)
            state.db.execute("delete from joined.sketches where n = ?", row[:1])
        pairs = [
            (id_, other) for other in state.column("select other from joined.near_duplicates where one = ?", (id_,))
        ]
        pairs += [(other, one) for one, other in pairs]
        state.db.executemany("delete from joined.near_duplicates where one = ? and other = ?", pairs)
        for table in ("topics", "crediting", "outside", "credited_urls"):
            state.drop(table, "article_id", [id_])
        self.shingles.forget(id_)
        if remove:
            self._left.add(row[1])
            self.keep_edges([id_], set())
            for table in ("report_credits", "credited_reports", "articles"):
                state.drop(table, "article_id", [id_])
            for known in (
                self.context.article_views,
                self.context.articles,
                self.context.origin_of,
                self.context.leads,
            ):
                known.forget(id_)

    def _enter(self, id_: str, view: ArticleView) -> None:
        state = self.state
        topics = ["\x1f".join(topic) for topic in sorted(view.topics)]
        state.put("topics", ((view.article.source_id, topic, view.moment, id_) for topic in topics))
        sources = {s.source_id for c, _ in view.credits if (s := self.context.publishers.source_named(c.name))}
        state.put("crediting", ((s, topic, view.moment, id_) for s in sorted(sources) for topic in topics))
        urls = {c.url.rstrip("/") for c, _ in view.credits if c.url}
        state.put("credited_urls", ((url, id_) for url in sorted(urls)))

    # Near-duplicates

    def _shingles(self, id_: str) -> frozenset[str]:
        view = self.context.article_views[id_]
        article = self.context.library.article(id_, view.article.version)
        return shingles(article.text if article else "")

    def _find_near_duplicates(self, id_: str) -> None:
        state, found = self.state, self.shingles[id_]
        if len(found) < MIN_SHINGLES:
            return
        bands = sketch(found)
        n = self._keep_sketch(id_, bands)
        state.put("bands", [(band, n) for band in bands])
        marks = ", ".join("?" * len(bands))
        for other in state.column(
            f"select s.article_id from joined.bands b cross join joined.articles s on s.n = b.n "
            f"where bucket in ({marks}) and b.n <> ? group by b.n having count(*) >= {SHARED_BANDS}",
            (*bands, n),
        ):
            self._compare(id_, other)

    def _keep_sketch(self, id_: str, bands: tuple[int, ...]) -> int:
        """Store the bands of an article; return its number."""
        n = self.state.one("select n from joined.articles where article_id = ?", (id_,))
        self.state.put("sketches", [(n, struct.pack(f"<{len(bands)}q", *bands))])
        return n

    def _compare(self, one: str, other: str) -> None:
        similarity = alike(self.shingles[one], self.shingles[other])
        if similarity is not None:
            self.state.put("near_duplicates", [(one, other, similarity), (other, one, similarity)])

    def _find_all_near_duplicates(self) -> None:
        """Find the near-duplicates among all noted articles.

        The bands are scanned in table order: looked up one by one, each of the hundred bands of an article would touch
        a different page of a table larger than memory.
        """
        sql = (
            "select one.article_id, other.article_id from (select a.n as one, b.n as other "
            "from (select bucket from joined.bands group by bucket having count(*) > 1) "
            "cross join joined.bands a using (bucket) cross join joined.bands b on b.bucket = a.bucket and b.n < a.n "
            f"group by a.n, b.n having count(*) >= {SHARED_BANDS}) pair "
            "cross join joined.articles one on one.n = pair.one "
            "cross join joined.articles other on other.n = pair.other order by pair.one, pair.other"
        )
        for one, other in self.state.db.execute(sql):
            self._compare(one, other)

    # Credits

    def _credit_it(self, id_: str) -> set[str]:
        """Return the articles that may credit this one."""
        view = self.context.article_views.get(id_)
        if view is None:
            return set()
        found = set(self.state.column("select article_id from joined.report_credits where lead = ?", (id_,)))
        url = view.article.url.rstrip("/")
        found.update(self.state.column("select article_id from joined.credited_urls where url = ?", (url,)))
        for topic in view.topics:
            found.update(self._in_time("crediting", view.article.source_id, "\x1f".join(topic), view.moment))
        return found - {id_}

    def _in_time(self, table: str, key: str, topic: str, moment: str) -> list[str]:
        """Return the articles of a block near a moment; undated ones are near everything."""
        column = "family" if table == "outside" else "source_id"
        sql = f"select article_id from joined.{table} where {column} = ? and topic = ?"
        if moment == UNDATED:
            return self.state.column(sql, (key, topic))
        first, last = _time_range(moment)
        return self.state.column(f"{sql} and moment between ? and ?", (key, topic, first, last)) + self.state.column(
            f"{sql} and moment = ?", (key, topic, UNDATED)
        )

    def _find_leads(self, id_: str) -> bool:
        """Find the reports that an article credits; return whether they changed."""
        state, context = self.state, self.context
        leads = {
            credit: lead for credit, _ in context.article_views[id_].credits if (lead := self._credited(id_, credit))
        }
        chain, before = self.chains.chain(id_), dict(context.leads[id_])
        context.leads.forget(id_)
        for table in ("credited_reports", "report_credits"):
            state.drop(table, "article_id", [id_])
        if leads:
            state.put("credited_reports", [(id_, pack(leads))])
        state.put("report_credits", sorted((lead, id_, int(credit in chain)) for credit, lead in leads.items()))
        self._note_outside(id_, [c for c in chain if c not in leads])
        return before != leads

    def _credited(self, id_: str, credit: Credit) -> str:
        """Return what CreditChains.credited_article() would, from the state."""
        view, publishers = self.context.article_views[id_], self.context.publishers
        source = publishers.source_named(credit.name)
        links = [credit.url, *(c.url for c, _ in view.credits if source is not None)]
        for url in filter(None, links):
            row = self.state.db.execute(
                "select article_id, source_id from joined.articles where url = ? order by moment desc, article_id desc",
                (url.rstrip("/"),),
            ).fetchone()
            if row and row[0] != id_ and (url == credit.url or (source and row[1] == source.source_id)):
                return row[0]
        if source is None:
            return ""
        options = {
            other
            for topic in view.topics
            for other in self._in_time("topics", source.source_id, "\x1f".join(topic), view.moment)
        }
        ranked = [
            (
                len(view.topics & self.context.article_views[other].topics),
                order(self.context.article_views[other].article),
                other,
            )
            for other in options - {id_}
            if can_rest_on(view.article, self.context.article_views[other].article)
        ]
        return max(ranked)[2] if ranked else ""

    def _note_outside(self, id_: str, credits: list[Credit]) -> None:
        publishers, view = self.context.publishers, self.context.article_views[id_]
        own = publishers.family(self.chains.title(id_))
        families = {publishers.family(publishers.label(c.name)) for c in credits} - {own}
        if not self.context.full:
            self.state.drop("outside", "article_id", [id_])
        rows = [(f, "\x1f".join(t), view.moment, id_) for f in sorted(families) for t in sorted(view.topics)]
        self.state.put("outside", rows)

    # Clusters

    def _neighbours(self, id_: str) -> set[str]:
        """Return the articles that one is, or was, linked to by the state."""
        state = self.state
        found = set(state.column("select other from joined.near_duplicates where one = ?", (id_,)))
        found.update(state.column("select lead from joined.report_credits where article_id = ? and whole = 1", (id_,)))
        found.update(state.column("select article_id from joined.report_credits where lead = ? and whole = 1", (id_,)))
        cluster = state.one("select component from joined.articles where article_id = ?", (id_,))
        if cluster:
            found.update(state.column("select article_id from joined.articles where component = ?", (cluster,)))
        for family, topic, moment in state.rows(
            "select family, topic, moment from joined.outside where article_id = ?", (id_,)
        ):
            found.update(self._in_time("outside", family, topic, moment))
        return found - {id_}

    def _clusters(self, seeds: set[str]) -> set[str]:
        seen: set[str] = set()
        touched: set[str] = set()
        tied = set(self.state.column(_TIED)) if self.context.full else seeds
        for seed in self.ordered(seeds):
            if seed in seen:
                continue
            cluster, edge = {seed}, [seed] if seed in tied else []
            while edge:
                new = {o for id_ in edge for o in self._neighbours(id_)} - cluster
                cluster |= new
                edge = sorted(new)
            seen |= cluster
            touched |= self._find_origins(cluster)
        return touched

    def _find_origins(self, cluster: set[str]) -> set[str]:
        """Find the origins of a cluster's articles; return the articles whose origin changed."""
        context, state = self.context, self.state
        ordered = sorted(cluster, key=lambda id_: order(context.articles[id_]))
        origins, edges = Finder(_Part(self.chains, ordered), self._near_duplicates_among(cluster)).run()
        copy_of = near_duplicates_of(edges)
        touched, left = set(), set()
        sql = "select component, copy_of, origin_id from joined.articles where article_id = ?"
        for origin in origins:
            light = replace(origin, article_ids=origin.article_ids[:1])
            row = None if context.full else state.db.execute(
                "select n, origin from joined.origins where origin_id = ?", (origin.origin_id,)
            ).fetchone()  # fmt: skip
            other = row is None or unpack(row[1]) != light
            if row is None or other or row[0] != len(origin.article_ids):
                state.put("origins", [(origin.origin_id, len(origin.article_ids), pack(light))])
                self.changed_origins.add(origin.origin_id)
            for id_ in origin.article_ids:
                before = _NOWHERE if context.full else state.db.execute(sql, (id_,)).fetchone()
                now = (min(origin.article_ids), copy_of.get(id_, ""), origin.origin_id)
                if before != now:
                    left.add(before[2])
                    state.db.execute(
                        "update joined.articles set component = ?, copy_of = ?, origin_id = ? where article_id = ?",
                        (*now, id_),
                    )
                if other or before[1:] != now[1:]:
                    touched.add(id_)
                    for known in (context.origin_of, context.near_duplicates):
                        known.forget(id_)
        for origin_id in left - {""}:
            self.drop_origin(origin_id)
        self.keep_edges(cluster, {(*self.parts(e), e.article_id) for e in edges})
        return touched

    def drop_origin(self, origin_id: str) -> None:
        """Delete an origin without articles."""
        if not self.state.has("select 1 from joined.articles where origin_id = ?", (origin_id,)):
            self.state.drop("origins", "origin_id", [origin_id])
            self.changed_origins.add(origin_id)

    def _near_duplicates_among(self, cluster: set[str]) -> dict[tuple[str, str], float]:
        rows = (
            row for id_ in cluster
            for row in self.state.db.execute(
                "select one, other, similarity from joined.near_duplicates where one = ? and other > one", (id_,)
            )
        )  # fmt: skip
        return {(one, other): similarity for one, other, similarity in sorted(rows)}

    def keep_edges(self, owners: Iterable[str], now: set[tuple[str, ...]]) -> None:
        """Store the edges of some articles or events, and note those added or removed."""
        state, owners = self.state, list(owners)
        sql = "select article_id, to_article_id, to_name, basis, detail, owner from joined.edges where owner = ?"
        before = set() if self.context.full else {row for owner in owners for row in state.db.execute(sql, (owner,))}
        if before != now:
            if before:
                state.drop("edges", "owner", owners)
            state.put("edges", sorted(now))
            self.changed_edges |= {row[:5] for row in before ^ now}

    @staticmethod
    def parts(edge: OriginEdge) -> tuple[str, str, str, str, str]:
        return edge.article_id, edge.to_article_id, edge.to_name, edge.basis, edge.detail


def _bands_of(blob: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(blob) // 8}q", blob)


class _Part(StoredCreditChains):
    """Some articles of the stored chains, in order."""

    def __init__(self, chains: StoredCreditChains, ids: list[str]) -> None:
        self.__dict__.update(chains.__dict__)
        self.articles = {id_: chains.articles[id_] for id_ in ids}


def _time_range(moment: str) -> tuple[str, str]:
    """Return the first and last day near a time; both compare as text, whatever their UTC offset."""
    when = datetime.fromisoformat(moment)
    return (when - _SPAN).date().isoformat(), (when + _SPAN).date().isoformat()


__all__ = ["OriginUpdater"]
