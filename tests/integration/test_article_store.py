"""Articles and findings are stored whole, and the same archive gives the same ledger, byte for byte."""

from __future__ import annotations

import dataclasses
import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SIGNED, article, claim, findings, signing, source

from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.build.redirects import trace
from pipeline.ledger.publish.export import export
from pipeline.ledger.rows.records import (
    MAX_QUOTE,
    article_of,
    article_row,
    bounded,
    claim_row,
    findings_of,
    findings_text,
)
from pipeline.ledger.sqlite_errors import StoreError
from pipeline.records import Entity, EntityKind, Findings, UnknownName
from scrapers.items import Article, Outcome, RemovedBlock, Visit

SOURCES = (source("courier"), source("signal"), source("beacon"))
WORLD = (
    signing("courier", "a", day=1),
    signing("signal", "b", day=2, on="2026-05"),
    signing("beacon", "c", day=3, modality="planned", on="2026-05-20", trigger="signed"),
)


def fill(path: Path, reports=WORLD, program: str = "1") -> Path:
    with Library(path) as library:
        for art, found in reports:
            library.save(art, found, program)
    return path


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def exported(folder: Path, database: Path) -> dict[str, bytes]:
    export(database, folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def make(tmp_path: Path, name: str, reports=WORLD) -> Path:
    crawl = fill(tmp_path / f"{name}.crawl.db", reports)
    build(crawl, tmp_path / f"{name}.build.db", SOURCES)
    return tmp_path / f"{name}.build.db"


# the article store


def test_article_is_returned_as_it_was_stored(tmp_path: Path) -> None:
    art = dataclasses.replace(
        WORLD[0][0], byline=("Ada Arden", "B. Bellow"), links=(("https://x.example/", "the “order”"),),
        removed_blocks=(RemovedBlock("Buy now", "affiliate"),), has_affiliate_content=True, access="partial",
    )  # fmt: skip
    with Library(tmp_path / "crawl.db") as library:
        assert library.save_article(art) is True
        assert library.save_article(art) is False
        assert library.article(art.article_id) == art
        assert library.article_at(art.url) == art
        assert (library.count(), library.article("nobody")) == (1, None)


def test_every_version_is_kept_and_the_one_seen_last_is_the_latest(tmp_path: Path) -> None:
    one = article("courier", "a", "First text.", day=1)
    two = article("courier", "a", "Second text.", day=2)
    with Library(tmp_path / "crawl.db") as library:
        for art in (one, two):
            library.save_article(art)
        assert library.article(one.article_id) == two
        library.save_article(one, seen_at=article("courier", "a", "", day=3).fetched_at)
        assert library.article(one.article_id) == one
        assert [v.article.version for v in library.versions(one.article_id)] == [two.version, one.version]


def test_article_unread_by_this_version_is_pending(tmp_path: Path) -> None:
    with Library(fill(tmp_path / "crawl.db", program="1")) as library:
        assert list(library.pending("1")) == []
        assert [a.article_id for a in library.pending("2", limit=2)] == [a.article_id for a, _ in WORLD[:2]]
        assert (library.n_pending("2"), library.last_program_version()) == (3, "1")
        assert list(library.findings("1", relevant_only=True)) == sorted(
            (f for _, f in WORLD), key=lambda f: f.article_id
        )


def test_only_articles_that_were_read_once_and_are_irrelevant_need_no_closer_look(tmp_path: Path) -> None:
    plain, edited, reread, wanted = (article("osten", f"a-{n}", f"Text {n}.") for n in range(4))
    with Library(tmp_path / "crawl.db") as library:
        for art in (plain, edited, reread, wanted):
            library.save(art, findings(art, relevant=art is wanted), "1")
            library.save_reading(f"page of {art.url}", art.url, art.source_id, "r1", Outcome.SAVED, art)
        library.save_article(dataclasses.replace(edited, text="Edited.", version="v2"))
        library.save_reading(f"page of {reread.url}", reread.url, reread.source_id, "r2", Outcome.SAVED, reread)
        assert library.relevant_ids("1") == {wanted.article_id}
        assert library.relevant_ids("2") == set()
        assert library.read_otherwise() == {edited.article_id, reread.article_id}
        every = [art.article_id for art in (plain, edited, reread, wanted, edited)]
        assert [id_ for id_, _ in library.sources()] == every
        assert {source_id for _, source_id in library.sources()} == {plain.source_id}


def test_article_and_findings_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    art, found = WORLD[0]
    other = dataclasses.replace(found, article_id="a0")
    with Library(tmp_path / "crawl.db") as library:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            library.save(art, other, "1")
        assert library.count() == 0
        library.save_reading("ab", art.url, "courier", "r1", Outcome.SAVED, art)
        assert library.was_read("ab", art.url, "r1")
        assert not library.was_read("ab", art.url, "r2")
        assert library.end_of("ab", art.url, "r1", "1") is Outcome.SAVED
        assert library.count() == 1


def test_damaged_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "crawl.db"
    path.write_bytes(b"this is no database, whatever its name says" * 40)
    with pytest.raises(StoreError, match=r"crawl\.db is damaged or not a database .*backup"):
        Library(path)


def test_a_locked_database_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    path = fill(tmp_path / "crawl.db", WORLD[:1])
    with closing(sqlite3.connect(path, isolation_level=None)) as holder, Library(path) as library:
        library._db.execute("pragma busy_timeout=20")
        holder.execute("begin immediate")
        with pytest.raises(StoreError, match="locked by another process"):
            library.save(*WORLD[1], "1")
        holder.execute("rollback")
        library.save(*WORLD[1], "1")
        assert library.count() == 2


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    with Library(fill(tmp_path / "crawl.db", WORLD[:1])) as library:
        pages = library._db.execute("pragma page_count").fetchone()[0]
        library._db.execute(f"pragma max_page_count={pages}")
        big = article("courier", "big", "Many words. " * 100_000)
        with pytest.raises(StoreError, match="disk is full"):
            library.save_article(big)
        assert library.count() == 1


# records and rows


def test_an_article_row_is_lossless() -> None:
    assert article_of(article_row(WORLD[0][0])) == WORLD[0][0]


TEXTS = st.text(max_size=40)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_findings_survive_json(data: st.DataObject) -> None:
    body = data.draw(st.text(min_size=1, max_size=80))
    art = Article("a1", "v1", "s", "https://s.example/", "T", body)
    found = claim(
        art, body, data.draw(st.sampled_from([body, body[:1]])), "agreement",
        on=data.draw(st.sampled_from([None, "2026-05", "2026-05-05"])),
        direction=data.draw(st.sampled_from([None, "impose"])),
        modality=data.draw(st.sampled_from(["occurred", "denied", "conditional"])),
        confidence=data.draw(st.floats(0, 1)), actor=data.draw(st.lists(st.text(min_size=1, max_size=9), max_size=3)),
    )  # fmt: skip
    whole = Findings(
        "a1", "v1", data.draw(st.booleans()), data.draw(st.floats(0, 1)), (found,), (),
        (UnknownName(data.draw(TEXTS), EntityKind.MODEL, 0, 1),), (Entity("x", data.draw(TEXTS), EntityKind.PERSON,
        False),),
    )  # fmt: skip
    text = findings_text(whole)
    assert findings_of(text) == whole
    assert findings_text(findings_of(text)) == text


def test_findings_with_missing_and_unknown_keys_take_defaults() -> None:
    found = findings_of('{"article_id": "a1", "version": "v1", "relevant": true, "relevance_score": 1, "new_key": [1]}')
    assert found == Findings("a1", "v1", True, 1.0)


def test_a_long_quote_is_cut_around_its_trigger_and_still_quotes_the_text() -> None:
    sentence = "Well, " * 200 + "Meridian Labs signed the accord" + " and so on" * 200 + "."
    art = article("courier", "long", f"Before it.\n\n{sentence}")
    long = claim(art, sentence, "signed", "agreement", actor="Meridian Labs")
    row = claim_row(long, art, "e1", None)
    assert len(row["quote"]) == MAX_QUOTE
    assert art.text[row["quote_start"] : row["quote_end"]] == row["quote"]
    assert "signed the accord" in row["quote"]
    assert bounded(WORLD[0][1].claims[0])[0] == SIGNED


# the ledger


def test_build_reports_its_results_and_stores_no_full_text(tmp_path: Path) -> None:
    secret = "A sentence that no claim rests on and that must stay private."
    reports = (*WORLD, signing("courier", "d", text=secret, day=4))
    crawl = fill(tmp_path / "crawl.db", reports)
    report = build(crawl, tmp_path / "build.db", SOURCES)
    assert (report.n_articles, report.n_claims, report.n_events, report.n_pending) == (4, 4, 1, 0)
    with Library(crawl) as library:
        assert any(secret in v.article.text for v in library.versions())
    assert secret.encode() not in (tmp_path / "build.db").read_bytes()
    (event,) = rows(
        tmp_path / "build.db", "select modality, date_start, n_articles, n_origins, origins_band from events"
    )
    assert event == ("occurred", "2026-05-05", 4, 2, "2-3")  # one of the four only reports a plan
    assert dict(rows(tmp_path / "build.db", "select key, value from build_info"))["n_claims"] == "4"
    assert rows(tmp_path / "build.db", "select count(*) from events_fts where events_fts match 'harbour'") == [(1,)]


def test_order_of_arrival_makes_no_difference(tmp_path: Path) -> None:
    expected = exported(tmp_path / "out", make(tmp_path, "first"))
    for seed in range(3):
        shuffled = random.Random(seed).sample(WORLD, len(WORLD))
        assert exported(tmp_path / f"out{seed}", make(tmp_path, f"s{seed}", shuffled)) == expected


def test_a_second_build_changes_nothing(tmp_path: Path) -> None:
    database = make(tmp_path, "w")
    before = exported(tmp_path / "one", database)
    build(tmp_path / "w.crawl.db", database, SOURCES)
    assert exported(tmp_path / "two", database) == before


def test_an_added_article_keeps_the_ids_and_never_lowers_n_articles(tmp_path: Path) -> None:
    before = dict(rows(make(tmp_path, "few"), "select event_id, n_articles from events"))
    more = (*WORLD, signing("courier", "later", day=6, on=None), signing("signal", "last", day=7, on="2026-05-05"))
    after = dict(rows(make(tmp_path, "more", more), "select event_id, n_articles from events"))
    assert set(before) <= set(after)
    assert all(after[id_] >= n for id_, n in before.items())
    again = make(tmp_path, "again", (more[3], *WORLD[:2], more[4], WORLD[2]))
    assert dict(rows(again, "select event_id, n_articles from events")) == after


def test_an_event_whose_earliest_article_comes_late_redirects_its_old_id(tmp_path: Path) -> None:
    crawl = fill(tmp_path / "crawl.db", WORLD[1:])
    build(crawl, tmp_path / "build.db", SOURCES)
    ((old,),) = rows(tmp_path / "build.db", "select event_id from events")
    fill(crawl, WORLD[:1])
    build(crawl, tmp_path / "build.db", SOURCES)
    ((new,),) = rows(tmp_path / "build.db", "select event_id from events")
    redirects = "select old_event_id, event_id, reason, gone_on from event_redirects"
    ((day,),) = rows(tmp_path / "build.db", "select substr(value, 1, 10) from build_info where key = 'last_fetched_at'")
    assert rows(tmp_path / "build.db", redirects) == [(old, new, "2 of its 2 claims are now in this event", day)]


def test_a_withdrawn_event_says_why_and_a_returning_one_is_no_redirect() -> None:
    history = {"e1": ("c1",), "e2": ("c2",), "e3": ("c3", "c4")}
    gone = trace(history, {"e0": ("e1", "moved")}, {"c3": "e9", "c4": "e9", "c9": "e8"}, {"c1", "c3", "c4", "c9"})
    assert gone["e1"] == (None, "its claims are no longer sure enough to be published")
    assert gone["e2"][0] is None
    assert "no longer in the articles" in gone["e2"][1]
    assert gone["e3"][0] == "e9"
    assert gone["e0"] == (None, "moved")
    assert trace({}, {"e9": ("e8", "x")}, {"c3": "e9"}, {"c3"}) == {}


def test_claims_below_the_threshold_and_irrelevant_articles_stay_private(tmp_path: Path) -> None:
    weak = signing("signal", "weak", confidence=0.3)
    art = article("beacon", "football", "A match was played.")
    crawl = fill(tmp_path / "crawl.db", (WORLD[0], weak, (art, findings(art, relevant=False))))
    report = build(crawl, tmp_path / "build.db", SOURCES)
    assert (report.n_articles, report.n_relevant, report.n_claims, report.n_withheld) == (3, 2, 1, 1)
    assert rows(tmp_path / "build.db", "select n_articles, n_relevant from sources order by source_id") == [
        (1, 0), (1, 1), (1, 1),
    ]  # fmt: skip
    assert build(crawl, tmp_path / "build.db", SOURCES, min_confidence=0.1).n_claims == 2


def test_outcomes_and_health_of_sources_come_from_the_visits(tmp_path: Path) -> None:
    at = WORLD[0][0].fetched_at
    assert at is not None
    visits = [Visit("u", "courier", at, Outcome.SAVED), Visit("v", "courier", at.replace(hour=10), Outcome.TIMEOUT)]
    build(fill(tmp_path / "crawl.db"), tmp_path / "build.db", SOURCES, visits=visits)
    health = dict(rows(tmp_path / "build.db", "select source_id, health from sources"))
    assert health["courier"] == f"last visit ended in TIMEOUT, last good visit {at.date()}"
    assert health["beacon"] == "never visited"
    assert rows(tmp_path / "build.db", "select outcome, n from fetch_outcomes order by outcome") == [
        ("SAVED", 1),
        ("TIMEOUT", 1),
    ]


def test_a_failing_build_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make(tmp_path, "w")
    before = database.read_bytes()
    full_disk = OSError(28, "No space")
    monkeypatch.setattr("pipeline.ledger.build.build.create_indexes", lambda _: (_ for _ in ()).throw(full_disk))
    with pytest.raises(StoreError, match="Free some space"):
        build(tmp_path / "w.crawl.db", database, SOURCES, full=True)
    assert database.read_bytes() == before


def test_facet_queries_read_an_index_alone(tmp_path: Path) -> None:
    database = make(tmp_path, "w")
    for column, where in (("type", "modality = 'occurred'"), ("jurisdiction", "date_start >= '2026-01-01'")):
        plan = rows(
            database, f"explain query plan select {column}, count(*) from events where {where} group by {column}"
        )
        assert any("COVERING INDEX" in row[3] for row in plan), plan


def test_the_export_has_a_dictionary_and_hashes_that_hold(tmp_path: Path) -> None:
    metadata = tmp_path / "m.json"
    metadata.write_text(
        json.dumps({"databases": {"oversight": {"tables": {"events": {"columns": {"event_id": "stable id"}}}}}})
    )
    report = export(make(tmp_path, "w"), tmp_path / "out", metadata=metadata)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["sha256"] == dict(report.files)
    assert manifest["rows"]["claims"] == 3
    words = {
        (t["table"], c["column"]): c["meaning"]
        for t in json.loads((tmp_path / "out/data_dictionary.json").read_text())["tables"]
        for c in t["columns"]
    }
    assert words["events", "event_id"] == "stable id"
    lines = (tmp_path / "out/claims.jsonl").read_text().splitlines()
    assert [json.loads(line)["claim_id"] for line in lines] == sorted(c.claim_id for _, f in WORLD for c in f.claims)
    assert not any("fts" in name or "migrations" in name for name in report.files)


def test_low_confidence_claims_are_published_separately_and_do_not_count(tmp_path: Path) -> None:
    weak = signing("signal", "weak", confidence=0.3)
    crawl = fill(tmp_path / "crawl.db", (WORLD[0], weak))
    build(crawl, tmp_path / "build.db", SOURCES)
    database = tmp_path / "build.db"
    ((claim, article_id, confidence, parties),) = rows(
        database, "select claim_id, article_id, confidence, participants from unsure_claims"
    )
    assert (claim, article_id, confidence) == (weak[1].claims[0].claim_id, weak[0].article_id, 0.3)
    assert parties.startswith("actor: ")
    assert (claim,) not in rows(database, "select claim_id from claims")
    assert rows(database, "select n_claims, n_articles, n_origins from events") == [(1, 1, 1)]
    ((quote, start, end),) = rows(database, "select quote, quote_start, quote_end from unsure_claims")
    assert weak[0].text[start:end] == quote
    assert rows(database, "select value from build_info where key = 'n_withheld'") == [("1",)]


def test_event_of_low_confidence_claims_alone_does_not_exist(tmp_path: Path) -> None:
    crawl = fill(tmp_path / "crawl.db", (signing("signal", "weak", confidence=0.2),))
    build(crawl, tmp_path / "build.db", SOURCES)
    assert rows(tmp_path / "build.db", "select count(*) from events") == [(0,)]
    assert rows(tmp_path / "build.db", "select count(*) from unsure_claims") == [(1,)]
