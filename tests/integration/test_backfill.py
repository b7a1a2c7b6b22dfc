"""Backfill from web archives gives the articles that crawling would have given, whatever interrupts it."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from support import backfill_world as world
from support.nlp_tools import load_once

from pipeline.app.backfill import engines
from pipeline.app.backfill.engines import LocalEngine
from pipeline.app.backfill.hosts import ADDED, hosts_of, read_hosts
from pipeline.app.backfill.run import CRASHED
from pipeline.app.backfill.work import Part, WorkerSettings, worker
from pipeline.commands.operate.backfill import bar, duration_words, progress_words
from pipeline.errors import WrongUse
from pipeline.evaluation.benchmarks.inputs import warcs
from pipeline.ledger.article_store import Library
from pipeline.newsroom.pages import article_page
from pipeline.newsroom.stories import stories
from pipeline.nlp.pipeline import extract
from pipeline.nlp.relevance.score import judge_relevance
from scrapers.process_pool import Limits
from scrapers.reading.article import read_page


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.write(tmp_path_factory.mktemp("archive") / "news.warc.gz", world.records())


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    data = tmp_path_factory.mktemp("undisturbed")
    tally = world.fill(data, [str(archive)], workers=1)
    assert tally.problems == [] and tally.finished == 1
    return {**world.held(data), "data": data, "tally": tally}


def differences(found: dict, wanted: dict) -> list[str]:
    return [name for name in found if found[name] != wanted[name]]


def test_an_archive_gives_the_articles_that_crawling_its_pages_gives(undisturbed: dict) -> None:
    from scrapers.archive.store import Archive

    nlp, archived = load_once(always=False), 0
    with Library(undisturbed["data"] / "crawl.db") as library:
        archive = Archive(undisturbed["data"] / "archive", undisturbed["data"] / "crawl.db")
        for ref in archive.pages():
            article = read_page(archive.read(ref), None).article
            kept = library.article(article.article_id)
            assert kept == article and kept.fetched_at.date() == world.FETCHED.date()
            (findings,) = [f for f in library.findings(library.last_program_version()) if f.version == article.version]
            assert findings == extract(article, nlp)
            archived += 1
        archive.close()
    relevant = [
        s
        for s in world.chosen()
        if (a := read_page(_page(s), None).article) and judge_relevance(a.title, a.text).relevant
    ]
    assert archived == len(relevant) == undisturbed["tally"].relevant > 5
    assert undisturbed["faults"] == []


def _page(story):
    import hashlib

    from scrapers.items import Page

    body = article_page(story)
    return Page(story.url, story.url, "", world.FETCHED, 200, "text/html", story.encoding, (), body,
                hashlib.sha256(body).hexdigest())  # fmt: skip


def test_every_record_ends_in_one_named_outcome(undisturbed: dict) -> None:
    tally = undisturbed["tally"]
    assert tally.records == len(world.records())
    assert tally.records == tally.relevant + tally.passed_over.total() + tally.bad.total()
    assert {"another host", "not a response", "no web page", "answer without a page"} <= set(tally.passed_over)
    assert tally.claims > tally.relevant and not tally.bad


def test_a_second_run_adds_nothing_and_reads_nothing(undisturbed: dict, archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "moved" / "other-name.warc.gz"
    copy.parent.mkdir()
    copy.write_bytes(archive.read_bytes())
    said: list[str] = []
    tally = world.fill(undisturbed["data"], [str(archive), str(copy)], said=said)
    assert (tally.records, tally.new, tally.finished) == (0, 0, 2)
    assert all("nothing to do" in line for line in said) and len(said) == 2
    assert differences(world.held(undisturbed["data"]), undisturbed) == []


def test_file_read_again_for_other_hosts_duplicates_nothing(archive: Path, tmp_path: Path) -> None:
    few = hosts_of((), world.hosts()[:2])
    first = world.fill(tmp_path, [str(archive)], order_=WorkerSettings(few, ()))
    second = world.fill(tmp_path, [str(archive)])
    held = world.held(tmp_path)
    assert 0 < first.relevant < second.relevant
    assert second.new == second.relevant - first.relevant
    assert len(held["records"]) == len(held["articles"]) == second.relevant and len(held["files"]) == 2


@pytest.mark.parametrize(("part_bytes", "workers"), [(500, 0), (6_000, 2), (10_000_000, 0)])
def test_neither_the_size_of_parts_nor_the_number_of_workers_changes_a_row(
    archive: Path, undisturbed: dict, tmp_path: Path, part_bytes: int, workers: int
) -> None:
    world.fill(tmp_path, [str(archive)], part_bytes=part_bytes, workers=workers)
    assert differences(world.held(tmp_path), undisturbed) == []


def test_archive_in_one_gzip_stream_is_read_too(undisturbed: dict, tmp_path: Path) -> None:
    file = tmp_path / "stream.warc.gz"
    file.write_bytes(gzip.compress(b"".join(world.records())))
    plain = tmp_path / "plain.warc"
    plain.write_bytes(b"".join(world.records()))
    for name in (file, plain):
        data = tmp_path / name.stem
        tally = world.fill(data, [str(name)])
        held = world.held(data)
        assert {n for n in differences(held, undisturbed)} <= {"records", "files"}
        assert tally.records == undisturbed["tally"].records and tally.finished == 1
        assert world.fill(data, [str(name)]).records == 0


def test_backfill_killed_repeatedly_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    archive, hosts, data = tmp_path / "news.warc.gz", tmp_path / "hosts.txt", tmp_path / "data"
    world.write(archive, world.records(1))
    hosts.write_text("\n".join(world.hosts(1)))
    everything = world.hosts_of((), world.hosts(1))
    world.fill(tmp_path / "undisturbed", [str(archive)], order_=WorkerSettings(everything, ()), workers=2)
    words = (str(archive), "--hosts", str(hosts), "--part-mb", "0.004", "--workers", "1", "--no-build")
    chance, positions = random.Random(7), [0]
    for _ in range(3):
        process = world.command(data, *words)
        _wait_for_rows(process, data, positions[-1], chance)
        os.killpg(process.pid, signal.SIGKILL) if chance.random() < 0.5 else process.kill()
        process.communicate()
        positions.append(_position(data))
    process = world.command(data, *words)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert len({at for at in positions if 0 < at < archive.stat().st_size}) > 1, "the kills missed the file's middle"
    assert "continuing at byte" in out
    assert differences(world.held(data), world.held(tmp_path / "undisturbed")) == []


def _wait_for_rows(process, data: Path, behind: int, chance: random.Random) -> None:
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if _position(data) > behind:
            time.sleep(chance.uniform(0, 0.1))
            return
        time.sleep(0.005)


def _position(data: Path) -> int:
    import sqlite3
    from contextlib import closing

    if not (data / "crawl.db").exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{data / 'crawl.db'}?mode=ro", uri=True)) as db:
            return (db.execute("select max(position) from backfill_files").fetchone() or [0])[0] or 0
    except sqlite3.OperationalError:
        return 0


def test_damage_is_counted_by_reason_and_costs_no_other_article(undisturbed: dict, tmp_path: Path) -> None:
    story = world.chosen()[0]
    page = article_page(story)
    at = world.FETCHED
    torn = bytearray(warcs.member(warcs.response(story.url + "?torn", page, at)))
    torn[300:340] = b"\0" * 40
    extra = [
        bytes(torn),
        b"rubbish between two records " * 5,
        warcs.member(warcs.response(story.url + "?digest", page, at, digest=warcs.sha1(b"other"))),
        warcs.member(
            warcs.response(story.url + "?short", page, at).replace(b"Content-Length: ", b"Content-Length: 9", 1)
        ),
        warcs.member(warcs.response(story.url + "?huge", b"<p>" + b"0" * 20_000_000, at)),
        warcs.member(warcs.response(story.url + "?date", page, at).replace(b"WARC-Date: 2", b"WARC-Date: x", 1)),
        warcs.member(warcs.record({"WARC-Type": "response", "WARC-Target-URI": story.url + "?no"}, b"no answer")),
        warcs.member(warcs.response(story.url + "?pdf", b"%PDF-1.4 ...", at)),
        warcs.member(warcs.response(story.url + "?empty", b"", at)),
    ]
    whole = [warcs.member(record) for record in world.records()]
    last = warcs.member(warcs.response(story.url + "?end", page, at))[:-200]
    mixed = [part for pair in zip(whole, [*extra, *[b""] * len(whole)], strict=False) for part in pair]
    file = tmp_path / "bad.warc.gz"
    file.write_bytes(b"".join([*mixed, last]))
    tally = world.fill(tmp_path / "data", [str(file)], part_bytes=8_000)
    assert tally.bad == Counter(
        {"damaged compression": 2, "digest does not match": 1, "wrong length": 1, "too large": 1, "no date": 1,
         "no HTTP answer": 1, "cut short": 1}
    )  # fmt: skip
    assert tally.passed_over["empty"] == 1
    assert tally.records == tally.relevant + tally.passed_over.total() + tally.bad.total()
    held = world.held(tmp_path / "data")
    assert {name for name in differences(held, undisturbed)} == {"records", "files"}


class _Deadly:
    """Works off parts, but ends its process at the page of one story, as a fault in a library would."""

    def __init__(self, order: WorkerSettings, address: str) -> None:
        from pipeline.app.backfill import work

        real, self.work = work._read, worker(order)

        def deadly(record, *more):
            if dict(record.fields)["WARC-Target-URI"] == address:
                os._exit(1)
            return real(record, *more)

        work._read = deadly

    def __call__(self, part: Part):
        return self.work(part)


def deadly_at_third(order: WorkerSettings) -> _Deadly:
    return _Deadly(order, world.chosen()[2].url)


def test_page_that_crashes_its_reader_is_the_only_one_lost(archive: Path, undisturbed: dict, tmp_path: Path) -> None:
    order = world.order()
    tally = world.fill(tmp_path, [str(archive)], LocalEngine(order, 1, deadly_at_third))
    assert tally.bad == Counter({CRASHED: 1})
    lost = world.chosen()[2].url
    assert {row[3] for row in undisturbed["records"]} - {row[3] for row in world.held(tmp_path)["records"]} == {lost}
    assert tally.records == tally.relevant + tally.passed_over.total() + tally.bad.total()


def slow_at_third(order: WorkerSettings):
    from pipeline.app.backfill import work

    real, address, inner = work._read, world.chosen()[2].url, worker(order)

    def endless(record, *more):
        while dict(record.fields)["WARC-Target-URI"] == address:
            pass
        return real(record, *more)

    work._read = endless
    work._reader(order.lexicon)  # loaded before time is limited
    return inner


def test_page_that_hangs_its_reader_is_given_up(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mb=4096, renewed_after=500)
    monkeypatch.setattr(engines, "LIMITS", short)
    monkeypatch.setattr(engines, "ONE_PAGE", short)
    tally = world.fill(tmp_path, [str(archive)], LocalEngine(world.order(), 1, slow_at_third))
    assert tally.bad == Counter({CRASHED: 1}) and tally.finished == 1


def test_an_edited_page_of_two_archives_makes_two_versions_of_one_article(tmp_path: Path) -> None:
    story = next(s for s in world.chosen() if s.language == "en" and not s.broken)
    first = article_page(story)
    second = first.replace(b"</p>", b" This sentence about the AI safety institute was added later.</p>")
    files = []
    for number, body in enumerate((first, second)):
        made = warcs.response(story.url, body, world.FETCHED + timedelta(days=number))
        files.append(str(world.write(tmp_path / f"{number}.warc.gz", [warcs.info(), made])))
    world.fill(tmp_path / "data", files)
    with Library(tmp_path / "data" / "crawl.db") as library:
        versions = list(library.versions())
    assert len({v.article.article_id for v in versions}) == 1 and len(versions) == 2
    days = sorted(v.first_seen_at[:10] for v in versions)
    assert days == ["2026-06-01", "2026-06-02"]


# the command


def test_the_command_reads_builds_and_publishes(archive: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("# the newsroom\n" + "\n".join(world.hosts()))
    process = world.command(tmp_path / "data", str(archive), "--hosts", str(hosts), "--workers", "1")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "on AI oversight" in out and "Skipped:" in out and "Published" in out
    assert (tmp_path / "data" / "published" / "current").exists()
    again = world.command(tmp_path / "data", str(archive), "--hosts", str(hosts), "--json")
    out, _ = again.communicate(timeout=100)
    assert again.returncode == 0
    assert json.loads(out)["records"] == 0 and json.loads(out)["finished"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.warc.gz"], "no such file"),
        (["README.md"], "not a WARC file"),
        (["README.md", "--workers", "2", "--dask", "tcp://127.0.0.1:1"], "give one of them"),
        (["README.md", "--hosts", "Makefile", "--all-hosts"], "give one of them"),
        (["http://127.0.0.1:1/a.warc.gz"], "contact"),
    ],
)
def test_usage_error_exits_with_2_and_a_hint(tmp_path: Path, words: list[str], said: str) -> None:
    process = world.command(tmp_path, *words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and said in err and "Traceback" not in err


def test_a_list_of_hosts_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("news.example\n.bbc.example # and all under it\n\n")
    assert read_hosts(file) == ["news.example", ".bbc.example"]
    for wrong in ("https://news.example/", "news example", "", "# nothing"):
        file.write_text(wrong)
        with pytest.raises(WrongUse, match="host"):
            read_hosts(file)


def test_host_is_matched_as_a_whole() -> None:
    from support.builders import source

    cards = (source("paper"), source("gov"))
    found = hosts_of(cards, [".bbc.example", "paper.example", "news.example:8080"]).finder()
    for url, wanted in {
        "https://bbc.example/a": ADDED,
        "https://www.bbc.example/a": ADDED,
        "https://notbbc.example/a": None,
        "https://bbc.example.evil.example/": None,
        "https://paper.example/a?x=https://bbc.example/": "paper",
        "https://PAPER.example/a": "paper",
        "https://www.paper.example/": None,
        "https://evil.example/?https://paper.example/": None,
        "https://paper.example@evil.example/": None,
        "http://news.example:8080/a": ADDED,
        "http://news.example/a": None,
        "dns:paper.example": None,
        "": None,
    }.items():
        assert found.source_of(url) == wanted, url
    everything = hosts_of(cards, every=True).finder()
    assert everything.source_of("https://gov.example/x") == "gov"
    assert everything.source_of("https://any.example/x") == ADDED


def test_progress_is_reported() -> None:
    from pipeline.app.backfill.run import Tally

    tally = Tally(4, share=0.5, share_before=0.25, records=12_000, pages=5_000, relevant=60, claims=300)
    words = progress_words(tally, 60.0)
    assert words == ("50% of 4 files, 200 records/s, 5,000 pages, 60 on AI oversight, 300 claims, about 2 min left")
    assert bar(0.5) == "[##########----------]" and bar(2) == "[####################]"
    assert [duration_words(s) for s in (4, 89, 600, 7_500)] == ["4 s", "89 s", "10 min", "2 h 5 min"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """The parent holds a few parts at a time, a worker one record."""
    import tracemalloc

    filler = [warcs.response(f"https://elsewhere.example/{n}", random.Random(n).randbytes(400_000), world.FETCHED)
              for n in range(5)]  # fmt: skip
    packed = [warcs.member(record) for record in filler]
    peaks = []
    for times in (4, 24):
        file = tmp_path / f"{times}.warc.gz"
        file.write_bytes(warcs.member(warcs.info()) + b"".join(packed * times))
        tracemalloc.start()
        tally = world.fill(tmp_path / str(times), [str(file)], world.InProcess(world.order()), part_bytes=500_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert tally.records == 5 * times + 1
    assert peaks[1] < 1.2 * peaks[0] + 1_000_000


def test_archive_of_the_tests_has_stories() -> None:
    assert len(world.chosen()) >= 12 and len(stories()) > 40


# what is measured


def test_an_archive_made_to_measure_holds_just_the_relevant_pages_that_were_planted(tmp_path: Path) -> None:
    from pipeline.evaluation.benchmarks.inputs.archive import make_archive

    made = make_archive(tmp_path / "a.warc.gz", 120, 0.1)
    again = make_archive(tmp_path / "b.warc.gz", 120, 0.1)
    other = make_archive(tmp_path / "c.warc.gz", 120, 0.1, edition=1)
    assert made.data_hash == again.data_hash != other.data_hash
    assert (tmp_path / "a.warc.gz").read_bytes() == (tmp_path / "b.warc.gz").read_bytes()
    assert len(made.planted) == 12 and made.n_bytes / 120 > 100_000
    tally = world.fill(
        tmp_path, [str(made.file)], order_=WorkerSettings(hosts_of((), every=True), ()), part_bytes=1_000_000
    )
    assert {row[3] for row in world.held(tmp_path)["records"]} == made.planted and tally.records == 121


def test_backfill_benchmark_prints_rates_ratios_and_findings() -> None:
    from click.testing import CliRunner

    from pipeline.commands.bench import bench

    result = CliRunner().invoke(bench, ["backfill", "--quick", "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["missed"] == report["extra"] == 0 and report["relevant"] == 9 and report["claims"] > 0
    assert len(report["lines"]) == 4 and all(line["per_cpu_second"] > 0 for line in report["lines"])
    assert len(report["ratios"]) == 4 and report["peer"]["pages"] == 40 and len(report["data_hash"]) == 32


@pytest.mark.parametrize("words", [["backfill", "relevance"], ["backfill", "--pages", "5"]])
def test_backfill_benchmark_runs_alone(words: list[str]) -> None:
    from click.testing import CliRunner

    from pipeline.commands.bench import bench

    assert isinstance(CliRunner().invoke(bench, words).exception, WrongUse)
