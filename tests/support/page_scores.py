"""Scores the page reader against recorded pages: body, title, date and authors.

The body metric is that of scrapinghub/article-extraction-benchmark: four-word shingles as multisets, precision and
recall of each page, their means over the pages, and F1 of the two means. Gold body = summary, then each section's
headline and paragraphs.

    PYTHONPATH=tests python -m support.page_scores    # the table over shared/pages
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scrapers.cards import load_sources
from scrapers.items import Page, Reading, Source
from scrapers.reading.article import read_page
from support.paths import SHARED

WORD = re.compile(r"\w+")
CANONICAL = re.compile(rb"""<link[^>]*rel=["']?canonical["']?[^>]*>""", re.I)
HREF = re.compile(rb"""href=["']?([^"'\s>]+)""", re.I)
DAY_IN_NAME = re.compile(r"_(\d{4})_(\d\d)_(\d\d)\.html\.gz$")


@dataclass(frozen=True)
class GoldPage:
    """One recorded page with its answer; `name` is "us/APNews_2023_04_28"."""

    name: str
    page: Page
    body: str
    title: str
    authors: tuple[str, ...]
    published_at: datetime | None


@dataclass(frozen=True)
class Score:
    """What one page's reading is worth: precision and recall of the body, and right or wrong for the rest."""

    name: str
    precision: float
    recall: float
    title: bool
    day: bool
    authors: bool
    reading: Reading


def gold_pages(folder: Path) -> list[GoldPage]:
    """Return the recorded pages under `folder`: the answers V1, V1_1, ... of an outlet go with its pages by date."""
    found = []
    for answers_path in sorted(folder.glob("*/*.json")):
        answers = json.loads(answers_path.read_text(encoding="utf-8"))
        outlet_pages = sorted(answers_path.parent.glob(f"{answers_path.stem}_[0-9]*.html.gz"))
        for page_path, answer in zip(outlet_pages, answers.values(), strict=True):
            found.append(_gold_page(page_path, answer))
    return found


def _gold_page(path: Path, answer: dict) -> GoldPage:
    body = gzip.decompress(path.read_bytes())
    recorded = datetime(*map(int, DAY_IN_NAME.search(path.name).groups()), tzinfo=UTC)
    link = CANONICAL.search(body)
    url = HREF.search(link.group()).group(1).decode() if link else "https://recorded.example/page"
    published = answer.get("publishing_date")
    page = Page(
        url=url,
        final_url=url,
        source_id="",
        fetched_at=recorded + timedelta(days=1),
        status=200,
        media_type="text/html",
        charset="",
        headers=(),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return GoldPage(
        name=f"{path.parent.name}/{path.name.removesuffix('.html.gz')}",
        page=page,
        body=gold_body(answer["body"]),
        title=answer.get("title") or "",
        authors=tuple(answer.get("authors") or ()),
        published_at=datetime.fromisoformat(published) if published else None,
    )


def gold_body(body: dict) -> str:
    """Return a gold body as text: summary, then every section's headline and paragraphs, one a line."""
    lines = list(body["summary"])
    for section in body["sections"]:
        lines += [*section["headline"], *section["paragraphs"]]
    return "\n\n".join(lines)


def shingles(text: str, size: int = 4) -> Counter[tuple[str, ...]]:
    """Return the multiset of runs of `size` words; a text shorter than that is one shingle."""
    words = WORD.findall(text)
    if not words:
        return Counter()
    return Counter(tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1)))


def precision_recall(gold: str, found: str) -> tuple[float, float]:
    """Return the share of found shingles that are gold, and of gold shingles that are found."""
    want, have = shingles(gold), shingles(found)
    common = sum((want & have).values())
    return (common / max(1, sum(have.values())), common / max(1, sum(want.values())))


def score(gold: GoldPage, source: Source | None) -> Score:
    """Read one recorded page and compare the reading with its gold answer."""
    reading = read_page(gold.page, source)
    article = reading.article
    if article is None:
        return Score(gold.name, 0.0, 0.0, False, False, False, reading)
    precision, recall = precision_recall(gold.body, article.text)
    day = bool(
        gold.published_at
        and article.published_at
        and gold.published_at.astimezone(UTC).date() == article.published_at.astimezone(UTC).date()
    )
    same_title = " ".join(gold.title.split()) == " ".join(article.title.split())
    return Score(gold.name, precision, recall, same_title, day, article.byline == gold.authors, reading)


def source_for(gold: GoldPage, sources: tuple[Source, ...]) -> Source | None:
    """Return the source whose hosts hold the recorded page's address, as the crawler would."""
    host = re.sub(r"^https?://([^/:]+).*", r"\1", gold.page.url)
    for source in sources:
        for known in source.hosts:
            if host == known or (known.startswith(".") and (host.endswith(known) or host == known[1:])):
                return source
    return None


def score_all(folder: Path, *, recipes: bool) -> list[Score]:
    """Score every recorded page under `folder`, with the recipes of the packaged cards or with none at all."""
    sources = load_sources() if recipes else ()
    return [score(gold, source_for(gold, sources)) for gold in gold_pages(folder)]


def summary(scores: list[Score]) -> dict[str, float]:
    """Return the macro figures: precision, recall, F1 of their means, and the shares of right titles, days, authors."""
    n = len(scores)
    precision, recall = sum(s.precision for s in scores) / n, sum(s.recall for s in scores) / n
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "title": sum(s.title for s in scores) / n,
        "day": sum(s.day for s in scores) / n,
        "authors": sum(s.authors for s in scores) / n,
    }


def main() -> None:
    """Print one line a page and the macro figures, without and with recipes."""
    folder = SHARED / "pages"
    for recipes in (False, True):
        began = time.process_time()
        scores = score_all(folder, recipes=recipes)
        spent = time.process_time() - began
        print(f"\n{'with' if recipes else 'without'} recipes: {len(scores) / spent:.0f} pages per CPU second")
        for s in scores:
            marks = "".join(k if ok else "-" for k, ok in zip("tda", (s.title, s.day, s.authors), strict=True))
            print(f"  {s.name:38} P {s.precision:.3f}  R {s.recall:.3f}  {marks}  {s.reading.outcome}")
        print("  " + "  ".join(f"{k} {v:.3f}" for k, v in summary(scores).items()))


if __name__ == "__main__":
    main()
