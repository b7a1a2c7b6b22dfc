"""Measures how fast the newsroom, scaled to many pages, is fetched and archived, compared with stock Scrapy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.evaluation.benchmarks.rates import Rate, Runs, against

ROOT = Path(__file__).resolve().parents[3]
OURS = "fetch and archive"
STOCK, STOCK_SAVING = "stock Scrapy, items discarded", "stock Scrapy, pages to WARC"


def measure_crawl(pages: int, runs: int) -> list[Rate]:
    """Return the rates of fetching and archiving and of stock Scrapy over the same sites.

    Each run is a separate process. Its CPU time includes child processes, start-up and imports, but not the server.
    """
    times = {name: Runs(pages) for name in (OURS, STOCK, STOCK_SAVING)}
    with tempfile.TemporaryDirectory() as name, newsroom(pages) as feeds:
        folder = Path(name)
        listed = folder / "feeds"
        listed.write_text("\n".join(feeds))
        for run in range(runs):
            out = folder / f"run-{run}"
            out.mkdir()
            _timed(times[OURS], ["-m", "pipeline.evaluation.benchmarks.crawl", str(listed), str(out / "ours")], pages)
            _timed(times[STOCK], ["-m", "pipeline.evaluation.benchmarks.stock_scrapy", str(listed), "-"], pages)
            _timed(
                times[STOCK_SAVING],
                ["-m", "pipeline.evaluation.benchmarks.stock_scrapy", str(listed), str(out / "stock.warc.gz")],
                pages,
            )
            for who, kept in ((OURS, _kept(out / "ours")), (STOCK_SAVING, _records(out / "stock.warc.gz"))):
                if kept != pages:
                    raise RuntimeError(f"{who}: only {kept} of {pages} pages were saved, so its time is meaningless")
    ours, stock, keeps = (times[name].rate(name) for name in (OURS, STOCK, STOCK_SAVING))
    return [against(ours, keeps), against(stock, keeps), keeps]


def _timed(times: Runs, words: list[str], pages: int) -> None:
    """Run Python with these arguments and record the wall-clock time and the CPU time of it and its children."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": _path()}
        process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(
                f"{words[1]} exited with code {process.returncode}: {errors.read()[-600:].decode(errors='replace')}"
            )
    times.wall.append(wall)
    times.cpu.append(usage.ru_utime + usage.ru_stime)


def _records(path: Path) -> int:
    from fastwarc.warc import ArchiveIterator

    return sum(1 for _ in ArchiveIterator(str(path), parse_http=False))


def _kept(folder: Path) -> int:
    """Return the number of pages in an archive, each read back and hashed."""
    from scrapers.archive.store import Archive

    archive = Archive(folder / "archive")
    kept = sum(archive.read(ref) is not None for ref in archive.pages())
    archive.close()
    return kept


def _path() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


@contextmanager
def newsroom(pages: int) -> Iterator[list[str]]:
    """Serve the scaled newsroom from a separate process; yield the URLs of its feeds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.evaluation.benchmarks.inputs.newsroom_server", str(pages)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": _path()},
    )
    try:
        assert process.stdout is not None
        feeds = []
        for line in process.stdout:
            if line.strip() == "ready":
                break
            feeds.append(line.strip())
        yield feeds
    finally:
        process.communicate()


def crawl_once(feeds: list[str], folder: Path) -> int:
    """Run the crawl and archive step of `oversight crawl` over feeds on loopback; return the number of pages saved."""
    from contextlib import closing
    from urllib.parse import urlsplit

    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier
    from scrapers.items import Feed, FeedShape, Source, SourceType

    sources = [
        Source(
            f"site_{number}",
            f"Site {number}",
            url,
            SourceType.PRESS,
            "INT",
            "en",
            f"site_{number}",
            (Feed(url, FeedShape.RSS, pass_all=True),),
            (urlsplit(url).netloc,),
            daily_pages=100_000,
        )
        for number, url in enumerate(feeds)
    ]
    config = CrawlConfig(allow_loopback=True, pause_seconds=0.0, max_pages=100_000)
    with closing(Frontier(folder / "crawl.db")) as frontier:
        archive = Archive(folder / "archive", frontier.db)
        report = crawl(sources, frontier, archive, config=config)
        archive.close()
    return report.n_pages


if __name__ == "__main__":
    wanted = Path(sys.argv[1]).read_text().split()
    print(crawl_once(wanted, Path(sys.argv[2])))
