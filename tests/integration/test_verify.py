"""Verification finds one changed byte anywhere and names the claims that depend on it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.builders import signing, source

from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.publish import publish
from pipeline.ledger.publish.verify import verify
from scrapers.archive.store import Archive
from scrapers.items import Page

BODY = b"<html><p>Meridian Labs signed the Harbour Accord.</p>" + bytes(range(256)) * 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one archived page, its article, a built and a published ledger."""
    sha = hashlib.sha256(BODY).hexdigest()
    art, found = signing("courier", "a")
    archive = Archive(tmp_path / "archive")
    archive.add(
        Page(art.url, art.url, "courier", datetime(2026, 5, 6, tzinfo=UTC), 200, "text/html", "utf-8", (), BODY, sha)
    )
    archive.close()
    with Library(tmp_path / "crawl.db") as library:
        library.save(replace(art, page_sha256=sha), found, "1")
        library.save(*signing("signal", "b"), "1")
    build(tmp_path / "crawl.db", tmp_path / "build.db", [source("courier"), source("signal")])
    publish(tmp_path / "build.db", tmp_path / "published")
    return tmp_path


CLAIM = signing("courier", "a")[1].claims[0].claim_id


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path.resolve(), isolation_level=None)) as connection:
        connection.execute("pragma foreign_keys=off")
        connection.execute(sql)


def test_an_untouched_ledger_has_no_fault(data: Path) -> None:
    assert verify(data) == []


@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_one_changed_byte_of_an_archived_page_names_the_claims_that_rest_on_it(data: Path, place: float) -> None:
    (warc,) = (data / "archive").glob("*.warc.gz")
    content = bytearray(warc.read_bytes())
    content[int(len(content) * place)] ^= 0x40
    warc.write_bytes(content)
    (fault,) = verify(data)
    assert (fault.what, fault.claims) == ("page", (CLAIM,))
    assert f"claim {CLAIM}" in str(fault)


def test_a_lost_archive_file_is_found(data: Path) -> None:
    for warc in (data / "archive").glob("*.warc.gz"):
        warc.unlink()
    (fault,) = verify(data)
    assert (fault.what, fault.claims) == ("page", (CLAIM,))


def test_one_changed_letter_of_a_stored_text_names_the_article_and_its_claims(data: Path) -> None:
    change(
        data / "crawl.db",
        "update articles set text = replace(text, 'known to', 'Known to') where source_id = 'courier'",
    )
    (fault,) = verify(data)
    assert (fault.what, fault.claims) == ("text", (CLAIM,))
    assert "is not the text that was read" in str(fault)


def test_a_text_that_moved_under_its_quote_is_found_in_findings_and_ledgers(data: Path) -> None:
    change(data / "crawl.db", "update articles set text = 'X' || text where source_id = 'courier'")
    faults = verify(data)
    assert [f.what for f in faults] == ["text", "finding", "claim", "claim"]
    assert all(f.claims == (CLAIM,) for f in faults)


def test_a_changed_quote_in_the_published_ledger_is_found(data: Path) -> None:
    change(data / "published/current", f"update claims set quote = 'Nobody signed.' where claim_id = '{CLAIM}'")
    fault, file = verify(data)
    assert file.what == "snapshot"
    assert (fault.what, fault.claims) == ("claim", (CLAIM,))


def test_an_event_without_claims_and_one_made_occurred_are_found(data: Path) -> None:
    change(data / "build.db", "update claims set modality = 'planned'")
    assert "no claim says that it occurred" in str(verify(data)[0])
    with closing(sqlite3.connect(data / "build.db", isolation_level=None)) as connection:
        for table in ("contradiction_sides", "claim_participants", "timeline_claims", "upcoming", "claims"):
            connection.execute(f"delete from {table}")
    assert {(f.what, "has no claim behind it" in str(f)) for f in verify(data)} == {("event", True), ("event", False)}


def test_one_changed_byte_of_a_kept_snapshot_is_found(data: Path) -> None:
    old = (data / "published" / "current").resolve()
    publish(data / "build.db", data / "published")
    content = bytearray(old.read_bytes())
    content[len(content) // 2] ^= 1
    old.write_bytes(content)
    (fault,) = verify(data)
    assert fault.what == "snapshot" and old.name in fault.words and "SHA-256" in fault.words


def test_a_damaged_database_is_one_fault_in_plain_words(data: Path) -> None:
    for leftover in ("crawl.db-wal", "crawl.db-shm"):
        (data / leftover).unlink(missing_ok=True)
    content = bytearray((data / "crawl.db").read_bytes())
    content[5000:20000] = b"\x00" * 15000
    (data / "crawl.db").write_bytes(content)
    faults = verify(data)
    assert faults
    assert faults[0].what == "database"
    assert "damaged" in str(faults[0])


def test_a_folder_without_a_ledger_says_so(tmp_path: Path) -> None:
    (fault,) = verify(tmp_path)
    assert "nothing has been crawled" in str(fault)
