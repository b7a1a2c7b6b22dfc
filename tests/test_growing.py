"""However a ledger grew, it is the very one that is made when all is joined at once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from whole_ledger import differences, whole_rows

from pipeline.bench.made import Maker
from pipeline.records import Findings
from pipeline.store.build import build
from pipeline.store.library import Library
from scrapers.records import Outcome

PROGRAM = "1"


class Growing:
    """A ledger that things happen to, built after each of them."""

    def __init__(self, folder: Path, seed: int, **world) -> None:
        self.crawl, self.build = folder / "crawl.db", folder / "build.db"
        self.chance = random.Random(seed)
        self.maker = Maker(seed=seed, start=date(2026, 1, 5), filler=300, relevant=0.9, **world)
        self.made = list(self.maker.articles(160))
        self.told: dict[str, tuple] = {}
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
        self.told[article.article_id] = (article, found)

    def step(self, library: Library, n: int) -> None:
        """Let n things happen: most are new articles, in no order; some are edits, other readings, or withdrawals."""
        for _ in range(n):
            what = self.chance.random()
            known = self.chance.choice(sorted(self.told)) if self.told else ""
            if what < 0.72 or not known:
                if self.made:
                    self.add(library, *self.made.pop(self.chance.randrange(len(self.made))), reading="r1")
            elif what < 0.82:
                self.add(library, *self.maker.edited(*self.told[known], self.told[known][0].fetched_at))
            elif what < 0.88:  # the program finds something else in the same text
                article, found = self.told[known]
                claims = tuple(replace(c, confidence=self.chance.choice((0.2, 0.9))) for c in found.claims)
                self.add(library, article, replace(found, claims=claims))
            elif what < 0.92:  # it is not relevant after all
                article, _ = self.told[known]
                self.add(library, article, Findings(article.article_id, article.version, False, 0.0))
            elif what < 0.96:  # another reader reads the same page otherwise
                article, found = self.told[known]
                text = article.text + "\n\nA caption."
                other = replace(article, text=text, version=f"v{self.clock}")
                claims = tuple(replace(c, evidence=replace(c.evidence, version=other.version)) for c in found.claims)
                self.add(library, other, replace(found, version=other.version, claims=claims), reading="r2")
            else:  # an article without a date
                article, found = self.told[known]
                self.add(library, replace(article, version=f"u{self.clock}", published_at=None),
                         replace(found, version=f"u{self.clock}"))  # fmt: skip

    def check(self, library: Library, **more) -> bool:
        """Build, compare with all joined at once, and return whether all was joined anew."""
        wanted = whole_rows(library, self.maker.sources, program_version=PROGRAM, **more)
        report = build(self.crawl, self.build, self.maker.sources, program_version=PROGRAM, **more)
        assert differences(self.build, wanted, library) == []
        return report.whole


@pytest.mark.parametrize("seed", range(8))
def test_a_ledger_that_grew_is_the_one_joined_at_once(tmp_path: Path, seed: int) -> None:
    ledger = Growing(tmp_path, seed, parties=8, outlets=7, per_day=8)
    with Library(ledger.crawl) as library:
        ledger.step(library, 30)
        anew = [ledger.check(library)]
        for n in (1, 4, 12, 3, 20, 1):
            ledger.step(library, n)
            anew.append(ledger.check(library))
    assert anew == [True] + [False] * 6
