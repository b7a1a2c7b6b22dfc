"""The archive returns pages unchanged, detects damage, and survives being killed."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapers.archive.store import Archive, ArchiveError
from scrapers.items import Page

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


def a_page(body: bytes = b"<p>An order was signed.</p>", url: str = "https://gazette.example/1", at: datetime = NOON):
    return Page(
        url, url + "?final", "gazette", at, 200, "text/html", "utf-8",
        (("Content-Type", "text/html; charset=utf-8"), ("X-Note", "caf\xe9"), ("X-Note", "twice"), ("X-Empty", "")),
        body, hashlib.sha256(body).hexdigest(),
    )  # fmt: skip


def test_page_is_returned_unchanged(tmp_path: Path) -> None:
    page = a_page()
    archive = Archive(tmp_path / "archive")
    ref = archive.add(page)
    assert archive.get(page.sha256) == page
    assert list(archive.pages()) == [ref]
    assert ref.warc_file == "2026-05-04.warc.gz"
    again = Archive(tmp_path / "archive")
    assert again.get(page.sha256) == page


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=3000))
def test_any_bytes_are_returned_unchanged(tmp_path: Path, body: bytes) -> None:
    archive = Archive(tmp_path / "archive")
    page = a_page(body)
    archive.add(page)
    assert archive.get(page.sha256).body == body
    archive.close()


def test_same_bytes_of_the_same_url_are_stored_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    first = archive.add(a_page())
    size = (tmp_path / "archive" / first.warc_file).stat().st_size
    assert archive.add(a_page(at=NOON.replace(hour=20))) == first
    assert (tmp_path / "archive" / first.warc_file).stat().st_size == size
    other = archive.add(a_page(url="https://gazette.example/2"))
    assert archive.get(other.sha256, "https://gazette.example/2").url == "https://gazette.example/2"
    assert len(list(archive.pages())) == 2


def test_other_tools_can_read_the_files_and_days_are_utc(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add(a_page())
    archive.add(a_page(b"two", "https://gazette.example/2"))
    late = datetime.fromisoformat("2026-05-04T23:30:00-05:00")
    assert archive.add(a_page(b"three", "https://gazette.example/3", late)).warc_file == "2026-05-05.warc.gz"
    records = list(ArchiveIterator(str(tmp_path / "archive" / "2026-05-04.warc.gz"), verify_digests=True))
    assert [r.headers["X-Requested-URI"] for r in records] == ["https://gazette.example/1", "https://gazette.example/2"]


def test_changed_byte_is_reported_with_file_and_page(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    ref = archive.add(a_page(bytes(range(256)) * 8))
    path = tmp_path / "archive" / ref.warc_file
    original = path.read_bytes()
    for place in range(ref.offset + 12, ref.offset + ref.length - 12, 37):
        damaged = bytearray(original)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            assert archive.read(ref).body == bytes(range(256)) * 8  # a byte of the metadata
        except ArchiveError as error:
            assert ref.sha256 in str(error) and ref.warc_file in str(error)
    path.unlink()
    with pytest.raises(ArchiveError, match="is missing"):
        archive.read(ref)


def test_replaced_record_is_refused(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    ref = archive.add(a_page())
    other = Archive(tmp_path / "other" / "archive")
    forged = other.add(a_page(b"<p>No order was signed.</p>"))
    data = (tmp_path / "other" / "archive" / forged.warc_file).read_bytes()
    (tmp_path / "archive" / ref.warc_file).write_bytes(data)
    with pytest.raises(ArchiveError, match="has changed"):
        archive.read(replace(ref, length=forged.length))


def test_page_with_a_wrong_hash_is_not_archived(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="not that of its body"):
        archive.add(replace(a_page(), body=b"other"))
    assert list(archive.pages()) == []


@pytest.mark.parametrize("kept", [1, 9, 40, 0.5, -1])
def test_incomplete_record_is_truncated_and_the_next_is_complete(tmp_path: Path, kept: float) -> None:
    archive = Archive(tmp_path / "archive")
    first = archive.add(a_page())
    second = archive.append(a_page(b"lost in the crash", "https://gazette.example/2"))
    archive.close()
    path = tmp_path / "archive" / first.warc_file
    whole = path.read_bytes()
    n = {0.5: second.length // 2, -1: second.length - 1}.get(kept, int(kept))
    path.write_bytes(whole[: second.offset + n])
    after = Archive(tmp_path / "archive")
    assert list(after.unindexed()) == []
    assert path.stat().st_size == second.offset
    third = after.add(a_page(b"after the crash", "https://gazette.example/3"))
    assert third.offset == second.offset
    assert after.rebuild_index() == 2


def test_damaged_end_of_file_is_saved_and_does_not_block(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    first = archive.add(a_page())
    archive.close()
    path = tmp_path / "archive" / first.warc_file
    path.write_bytes(path.read_bytes() + bytes(4096))
    after = Archive(tmp_path / "archive")
    assert list(after.unindexed()) == []
    assert path.stat().st_size == first.length
    assert (tmp_path / "archive" / f"{first.warc_file}.damaged-{first.length}").read_bytes() == bytes(4096)
    assert after.add(a_page(b"next", "https://gazette.example/2")).offset == first.length


def test_record_on_disk_but_not_in_the_index_is_found(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add(a_page())
    page = a_page(b"on disk, not in the index", "https://gazette.example/2")
    ref = archive.append(page)
    archive.close()
    after = Archive(tmp_path / "archive")
    assert list(after.unindexed()) == [(page, ref)]


def test_index_is_rebuilt_from_the_files_alone(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    pages = [a_page(b"body %d" % n, f"https://gazette.example/{n}", NOON.replace(day=1 + n % 3)) for n in range(9)]
    refs = {archive.add(page) for page in pages}
    archive.close()
    (tmp_path / "crawl.db").unlink()
    for leftover in tmp_path.glob("crawl.db-*"):
        leftover.unlink()
    again = Archive(tmp_path / "archive")
    assert list(again.pages()) == []
    assert again.rebuild_index() == 9
    assert set(again.pages()) == refs
    assert sorted(again.get(page.sha256).url for page in pages) == sorted(page.url for page in pages)


def test_damaged_record_stops_the_rebuild_and_keeps_the_old_index(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    first = archive.add(a_page())
    archive.add(a_page(b"second", "https://gazette.example/2"))
    path = tmp_path / "archive" / first.warc_file
    data = bytearray(path.read_bytes())
    data[first.length // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged record"):
        archive.rebuild_index()
    assert len(list(archive.pages())) == 2


def test_two_processes_cannot_write_at_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add(a_page())
    with pytest.raises(ArchiveError, match="another process is writing"):
        Archive(tmp_path / "archive").append(a_page(b"second", "https://gazette.example/2"))


def test_full_disk_leaves_no_incomplete_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path / "archive")
    first = archive.add(a_page())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("scrapers.archive.store.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            archive.append(a_page(b"second", "https://gazette.example/2"))
    assert (tmp_path / "archive" / first.warc_file).stat().st_size == first.length
    assert archive.add(a_page(b"third", "https://gazette.example/3")).offset == first.length


def test_headers_cannot_inject_records(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    page = replace(a_page(), headers=(("X-Evil", "a\r\n\r\nWARC/1.1\r\nX: y"),), charset="utf\r\n-8")
    archive.add(page)
    assert archive.get(page.sha256).headers == (("X-Evil", "a WARC/1.1 X: y"),)
    assert archive.rebuild_index() == 1


def test_the_index_is_a_table_of_crawl_db(tmp_path: Path) -> None:
    Archive(tmp_path / "archive").add(a_page())
    row = sqlite3.connect(tmp_path / "crawl.db").execute("select url, warc_file, status from pages").fetchone()
    assert row == ("https://gazette.example/1", "2026-05-04.warc.gz", 200)
