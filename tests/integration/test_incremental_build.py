"""A ledger updated in any way equals one that is rebuilt."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.whole_ledger import differences, whole_rows

from pipeline.evaluation.synthetic_news import NewsGenerator
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.build.state import INDEXES, state_path
from pipeline.ledger.publish.publish import publish
from pipeline.ledger.reviews.decisions import Decision, ReviewFile, Sentence
from pipeline.records import Findings
from scrapers.items import Outcome

PROGRAM = "1"


class Growing:
    """A ledger that things happen to, built after each of them."""

    def __init__(self, folder: Path, seed: int, **world) -> None:
        self.crawl, self.build = folder / "crawl.db", folder / "build.db"
        self.chance = random.Random(seed)
        self.maker = NewsGenerator(seed=seed, start=date(2026, 1, 5), filler=300, relevant=0.9, **world)
        self.made = list(self.maker.articles(160))
        self.articles: dict[str, tuple] = {}
        self.clock = 0

    def add(self, library: Library, article, found, *, reading: str = "") -> None:
        self.clock += 1
        seen = article.fetched_at + timedelta(days=40, minutes=self.clock)
        with library.transaction():
            library.save(article, found, PROGRAM, seen)
            if reading:
                library.save_reading(
                    article.page_sha256, article.url, article.source_id, reading, Outcome.SAVED, article
                )
        self.articles[article.article_id] = (article, found)

    def step(self, library: Library, n: int) -> None:
        """Let n things happen: most are new articles, in no order; some are edits, other readings, or withdrawals."""
        for _ in range(n):
            what = self.chance.random()
            known = self.chance.choice(sorted(self.articles)) if self.articles else ""
            if what < 0.72 or not known:
                if self.made:
                    self.add(library, *self.made.pop(self.chance.randrange(len(self.made))), reading="r1")
            elif what < 0.82:
                self.add(library, *self.maker.edited(*self.articles[known], self.articles[known][0].fetched_at))
            elif what < 0.88:  # the program finds something else in the same text
                article, found = self.articles[known]
                claims = tuple(replace(c, confidence=self.chance.choice((0.2, 0.9))) for c in found.claims)
                self.add(library, article, replace(found, claims=claims))
            elif what < 0.92:  # it is not relevant after all
                article, _ = self.articles[known]
                self.add(library, article, Findings(article.article_id, article.version, False, 0.0))
            elif what < 0.96:  # another reader reads the same page otherwise
                article, found = self.articles[known]
                text = article.text + "\n\nA caption."
                other = replace(article, text=text, version=f"v{self.clock}")
                claims = tuple(replace(c, evidence=replace(c.evidence, version=other.version)) for c in found.claims)
                self.add(library, other, replace(found, version=other.version, claims=claims), reading="r2")
            else:  # an article without a date
                article, found = self.articles[known]
                self.add(library, replace(article, version=f"u{self.clock}", published_at=None),
                         replace(found, version=f"u{self.clock}"))  # fmt: skip

    def check(self, library: Library, **more) -> bool:
        """Build, compare with all joined at once, and return whether all was joined anew."""
        wanted = whole_rows(library, self.maker.sources, program_version=PROGRAM, **more)
        report = build(self.crawl, self.build, self.maker.sources, program_version=PROGRAM, **more)
        assert differences(self.build, wanted, library) == []
        return report.whole


@pytest.mark.parametrize("seed", range(8))
def test_an_updated_ledger_equals_a_rebuilt_one(tmp_path: Path, seed: int) -> None:
    ledger = Growing(tmp_path, seed, parties=8, outlets=7, per_day=8)
    with Library(ledger.crawl) as library:
        ledger.step(library, 30)
        anew = [ledger.check(library)]
        for n in (1, 4, 12, 3, 20, 1):
            ledger.step(library, n)
            anew.append(ledger.check(library))
    assert anew == [True] + [False] * 6


@pytest.mark.parametrize("seed", range(20, 24))
def test_an_updated_ledger_equals_a_rebuilt_one_if_only_the_nearest_claims_are_compared(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large ledger a claim is compared with its nearest neighbours alone; who they are shifts with each claim."""
    for module in (
        "pipeline.aggregation.clustering.cluster",
        "pipeline.ledger.build.candidates",
        "support.whole_ledger",
    ):
        monkeypatch.setattr(f"{module}.MAX_NEIGHBOURS", 3)
    monkeypatch.setattr("pipeline.aggregation.clustering.cluster.REPRESENTATIVES", 2)
    monkeypatch.setattr("pipeline.ledger.build.recompute.clusters._MOST_GROUPS", 15)
    ledger = Growing(tmp_path, seed, parties=4, outlets=5, per_day=6)
    with Library(ledger.crawl) as library:
        ledger.step(library, 60)
        ledger.check(library)
        for n in (2, 10, 25):
            ledger.step(library, n)
            assert not ledger.check(library)


def test_a_rebuilt_state_has_every_index_and_no_staged_rows(tmp_path: Path) -> None:
    """Without one of its indexes a state would give the same ledger, only later and later."""
    ledger = Growing(tmp_path, 5, parties=6, outlets=5, per_day=8)
    with Library(ledger.crawl) as library:
        ledger.step(library, 30)
        ledger.check(library)
    wanted = {word.split(" on ")[0].removeprefix("joined.") for word in INDEXES.split("create index ")[1:]}
    with closing(sqlite3.connect(state_path(ledger.build))) as db:
        sql = "select name from sqlite_master where type = 'index' and sql is not null"
        found = {row[0] for row in db.execute(sql)}
        n = [db.execute(f"select count(*) from {t}").fetchone()[0] for t in ("topics", "entities", "bands")]
    assert len(wanted) > 30 and found == wanted
    assert all(n)


def test_incremental_build_equals_full_build_when_pages_vanish_and_return(tmp_path: Path) -> None:
    ledger = Growing(tmp_path, 9, parties=6, outlets=5, per_day=8)
    with Library(ledger.crawl) as library:
        for _ in range(6):
            ledger.add(library, *ledger.made.pop(), reading="r1")
        one, other, third = sorted(article.url for article, _ in ledger.articles.values())[:3]
        first, second = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
        shown = []
        for gone in ({}, {one: first, other: first}, {other: first, third: second}, {other: second}, {}):
            ledger.check(library, gone=gone)
            with closing(sqlite3.connect(ledger.build)) as db:
                days = db.execute("select url, gone_on from articles where gone_on is not null order by url").fetchall()
            shown.append({url: day[8:] for url, day in days})
    assert shown == [{}, {one: "01", other: "01"}, {other: "01", third: "09"}, {other: "09"}, {}]


def decided(ledger: Growing, library: Library) -> tuple[Decision, ...]:
    """Some decisions on claims that the ledger has: confirmed, taken out, put together, kept apart."""
    claims = [(art, c) for art, found in ledger.articles.values() for c in found.claims]
    decisions = []
    for place, action in enumerate(("accept", "reject", "merge", "merge", "split", "add"), 1):
        some = ledger.chance.sample(claims, 2)
        sentences = [Sentence(art.url, c.evidence.quote, c.claim_id, c.trigger, c.type) for art, c in some]
        if action == "add":  # a claim that nobody reads there: another word of the sentence names another type
            word = some[0][1].evidence.quote.split()[-1].rstrip(".")
            sentences = [Sentence(some[0][0].url, some[0][1].evidence.quote, "", word, "evaluation")]
        read = {"type": some[0][1].type, "modality": some[0][1].modality.value}
        decisions.append(
            Decision(
                action, "desk", datetime(2026, 5, place, tzinfo=UTC), "looked at",
                tuple(sentences if action == "merge" else sentences[:1]),
                stays=tuple(sentences[1:]) if action == "split" else (), read=read if action == "accept" else {},
                changes={"type": "evaluation", "modality": "occurred", "actor": ("Halden Office",)}
                if action == "add" else {}, place=place,
            )
        )  # fmt: skip
    return tuple(decisions)


@pytest.mark.parametrize("seed", range(40, 43))
def test_incremental_build_equals_full_build_with_review_decisions(tmp_path: Path, seed: int) -> None:
    ledger = Growing(tmp_path, seed, parties=6, outlets=5, per_day=8)
    with Library(ledger.crawl) as library:
        ledger.step(library, 40)
        reviews = ReviewFile(decided(ledger, library))
        ledger.check(library, reviews=reviews)
        ledger.step(library, 5)
        assert not ledger.check(library, reviews=reviews)
        more = ReviewFile(
            tuple(replace(d, place=n) for n, d in enumerate((*reviews.decisions, *decided(ledger, library))))
        )
        assert not ledger.check(library, reviews=more)
        ledger.step(library, 12)
        assert not ledger.check(library, reviews=ReviewFile(more.decisions[3:]))
        assert not ledger.check(library)


def test_a_killed_build_leaves_the_former_ledger_and_the_next_build_catches_up(tmp_path: Path) -> None:
    """Killed after any of its writes, before or after the history in crawl.db was written."""
    ledger = Growing(tmp_path, 3, parties=6, outlets=5, per_day=8)
    with Library(ledger.crawl) as library:
        ledger.step(library, 40)
        ledger.check(library)
        ledger.step(library, 8)
    library = "pipeline.ledger.article_store.Library"
    moments = ("pipeline.ledger.build.incremental.regroup", "pipeline.ledger.build.tables.Tables.count")
    for when in (*moments, f"{library}.save_history", f"{library}.save_queue"):
        module, _, name = when.rpartition(".")
        killer = (
            "import os, sys, pickle, importlib, pkgutil\n"
            f"target = pkgutil.resolve_name({module!r})\n"
            f"real = getattr(target, {name!r})\n"
            f"setattr(target, {name!r}, lambda *a, **k: (real(*a, **k), os.kill(os.getpid(), 9)))\n"
            "from pathlib import Path\nfrom pipeline.ledger.build.build import build\n"
            "crawl, ledger, sources = sys.argv[1:]\n"
            "build(Path(crawl), Path(ledger), pickle.loads(Path(sources).read_bytes()), program_version='1')\n"
        )
        (tmp_path / "sources").write_bytes(pickle.dumps(ledger.maker.sources))
        call = [sys.executable, "-c", killer, str(ledger.crawl), str(ledger.build), str(tmp_path / "sources")]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        assert subprocess.run(call, env=env, check=False).returncode == -signal.SIGKILL
        report = publish(ledger.build, tmp_path / "published", force=True)  # the former ledger, whole
        assert report.counts["claims"] > 0
    with Library(ledger.crawl) as library:
        ledger.step(library, 6)  # the history that was written last is of events which never came to be
        assert not ledger.check(library)
