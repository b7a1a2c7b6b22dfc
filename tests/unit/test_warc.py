"""Reading WARC files made by others, in whole or in ranges, with and without damage."""

from __future__ import annotations

import gzip
import random
import re
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.evaluation.benchmarks.inputs import warcs
from scrapers.archive import gzip_members
from scrapers.archive.remote_files import ArchiveFileError, LocalFile, fingerprint
from scrapers.archive.warc import MAX_RECORD, BadRecord, Fault, Packing, Record, Scan, packing_of
from scrapers.archive.warc_pages import NoPage, answer_of, page_of

DAY = datetime(2026, 5, 4, 9, tzinfo=UTC)


def page(number: int, size: int = 3000) -> bytes:
    chance = random.Random(number)
    return f"<html><p>Page {number} ".encode() + bytes(chance.choices(b"abcdefgh <>/", k=size)) + b"</html>"


def some(count: int = 6) -> list[bytes]:
    return [warcs.response(f"https://a.example/{n}", page(n), DAY) for n in range(count)]


def archive(tmp_path: Path, data: bytes, name: str = "a.warc.gz") -> LocalFile:
    file = tmp_path / name
    file.write_bytes(data)
    return LocalFile(str(file))


def members(records: list[bytes]) -> bytes:
    return b"".join(map(warcs.member, records))


def scanned(file: LocalFile, start: int = 0, stop: int | None = None, exact: bool = True) -> tuple[list, Scan]:
    scan = Scan(file, packing_of(file), start, file.size if stop is None else stop, lambda fields: True, exact=exact)
    return list(scan), scan


def urls(found: list) -> list[int]:
    return [int(dict(one.fields)["WARC-Target-URI"].rpartition("/")[2]) for one in found if isinstance(one, Record)]


def faults(found: list) -> list[Fault]:
    return [one.fault for one in found if isinstance(one, BadRecord)]


def test_records_are_yielded_in_order_with_their_offsets(tmp_path: Path) -> None:
    parts = [warcs.member(record) for record in some()]
    file = archive(tmp_path, b"".join(parts))
    found, scan = scanned(file)
    assert urls(found) == list(range(6)) and faults(found) == []
    assert [one.offset for one in found] == [sum(map(len, parts[:n])) for n in range(6)]
    assert (scan.first, scan.end, scan.n_records) == (0, file.size, 6)
    assert found[2].part().endswith(page(2))


@pytest.mark.parametrize("cut", [1, 100, 777, 2000, 5000])
@pytest.mark.parametrize("compressed", [True, False])
def test_ranges_of_any_size_join_without_gap_or_overlap(tmp_path: Path, cut: int, compressed: bool) -> None:
    records = some(5)
    file = archive(tmp_path, members(records) if compressed else b"".join(records))
    found, due = [], 0
    for start in range(0, file.size, cut):
        here, scan = scanned(file, start, min(file.size, start + cut), exact=False)
        found += here
        if scan.first is not None:
            assert scan.first == due
            due = scan.end
    assert urls(found) == list(range(5)) and due == file.size


def test_packing_is_recognised_by_the_first_bytes(tmp_path: Path) -> None:
    records = some(3)
    whole = b"".join(records)
    assert packing_of(archive(tmp_path, members(records))) is Packing.MEMBERS
    assert packing_of(archive(tmp_path, whole)) is Packing.PLAIN
    assert packing_of(archive(tmp_path, gzip.compress(whole))) is Packing.STREAM
    assert packing_of(archive(tmp_path, b"<html>no archive</html>")) is None
    assert packing_of(archive(tmp_path, gzip.compress(b"<html>no archive</html>"))) is None
    assert packing_of(archive(tmp_path, b"")) is None


def test_stream_is_read_by_record_numbers(tmp_path: Path) -> None:
    file = archive(tmp_path, gzip.compress(b"".join(some(7))))
    found, scan = scanned(file, 0, 3)
    assert urls(found) == [0, 1, 2] and scan.end == 3
    found, scan = scanned(file, 3, 10)
    assert urls(found) == [3, 4, 5, 6] and scan.end is None
    assert scanned(file, 10, 20)[0] == []


@pytest.mark.parametrize("writer", ["ZstdWriter", "Lz4Writer"])
def test_zstandard_and_lz4_are_read(tmp_path: Path, writer: str) -> None:
    from fastwarc import stream_io

    with (tmp_path / "a.warc").open("wb") as file:
        for record in some(3):
            packer = getattr(stream_io, writer)(file)
            packer.write(record)
            packer.finish()
            packer.flush()
    file = LocalFile(str(tmp_path / "a.warc"))
    assert packing_of(file) is Packing.STREAM
    assert urls(scanned(file, 0, 100)[0]) == [0, 1, 2]


def damaged(parts: list[bytes], which: int, fault: str) -> bytes:
    part = bytearray(parts[which])
    if fault == "body":
        part[400:440] = b"\x00" * 40
    elif fault == "magic":
        part[:3] = b"xxx"
    elif fault == "checksum":
        part[-8:-4] = b"\x01\x02\x03\x04"
    return b"".join([*parts[:which], bytes(part), *parts[which + 1 :]])


@pytest.mark.parametrize("fault", ["body", "magic"])
@pytest.mark.parametrize("which", [0, 2, 5])
def test_damaged_record_does_not_affect_others(tmp_path: Path, fault: str, which: int) -> None:
    if (fault, which) == ("magic", 0):
        pytest.skip("without its first bytes, a file is not recognised as an archive")
    parts = [warcs.member(record) for record in some()]
    file = archive(tmp_path, damaged(parts, which, fault))
    found, scan = scanned(file)
    assert urls(found) == [n for n in range(6) if n != which]
    assert faults(found) == [Fault.DAMAGED] and scan.end == file.size


def test_garbage_between_records_is_reported_and_skipped(tmp_path: Path) -> None:
    parts = [warcs.member(record) for record in some()]
    for garbage in (b"garbage! " * 30, gzip.compress(b"<html>hello</html>" * 9)):
        found, _ = scanned(archive(tmp_path, b"".join([*parts[:3], garbage, *parts[3:]])))
        assert urls(found) == list(range(6)) and len(faults(found)) == 1


@pytest.mark.parametrize("length", [0, 10, 4000, 100_000, MAX_RECORD + 1, 10**15])
@pytest.mark.parametrize("compressed", [True, False])
def test_record_with_a_wrong_length_hides_no_other(tmp_path: Path, length: int, compressed: bool) -> None:
    records = some()
    records[2] = re.sub(rb"Content-Length: \d+\r\n\r\n", b"Content-Length: %d\r\n\r\n" % length, records[2], count=1)
    found, _ = scanned(archive(tmp_path, members(records) if compressed else b"".join(records)))
    assert [n for n in urls(found) if n != 2] == [0, 1, 3, 4, 5]
    assert urls(found).count(2) == 0 and len(faults(found)) >= 1


def test_truncated_file_gives_all_complete_records(tmp_path: Path) -> None:
    data = members(some())
    for lost in (1, 9, 400, 1500):
        found, scan = scanned(archive(tmp_path, data[:-lost]))
        assert urls(found) == list(range(5)) and faults(found) == [Fault.CUT_SHORT], lost
        assert scan.end == len(data) - lost


def test_huge_record_is_skipped_without_loading_it(tmp_path: Path) -> None:
    import tracemalloc

    huge = warcs.response("https://a.example/9", b"0" * (6 * MAX_RECORD), DAY)
    small = some(2)
    file = archive(tmp_path, members([small[0], huge, small[1]]))
    del huge
    tracemalloc.start()
    found, _ = scanned(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert urls(found) == [0, 1] and faults(found) == [Fault.TOO_LARGE]
    assert peak < MAX_RECORD


def test_unwanted_records_are_not_read(tmp_path: Path) -> None:
    file = archive(tmp_path, members(some()))
    scan = Scan(file, Packing.MEMBERS, 0, file.size, lambda r: dict(r)["WARC-Target-URI"].endswith("4"), exact=True)
    assert urls(list(scan)) == [4] and scan.n_records == 6


def test_archive_inside_a_page_adds_no_records(tmp_path: Path) -> None:
    """Uncompressed in the outer archive, the inner archive looks like the start of records."""
    inner = members([warcs.response("https://forged.example/99", page(99), DAY) for _ in range(3)])
    noise = random.Random(1).randbytes(1000)
    outer = warcs.response("https://a.example/1", noise + inner + noise, DAY)
    packer = zlib.compressobj(0, wbits=31)
    stored = packer.compress(outer) + packer.flush()
    records = some(3)
    data = warcs.member(records[0]) + stored + warcs.member(records[2])
    file = archive(tmp_path, data)
    assert inner in data
    assert urls(scanned(file)[0]) == [0, 1, 2]
    middle = data.index(inner) - 10
    found, scan = scanned(file, middle, middle + len(inner), exact=False)
    _, before = scanned(file, 0, middle)
    assert before.end != scan.first  # which is how the caller notices


def test_page_of_a_record_equals_the_archived_page(tmp_path: Path) -> None:
    headers = (("Content-Type", "text/html; charset=ISO-8859-1"), ("X-Served-By", "a"))
    record = scanned(
        archive(tmp_path, members([warcs.response("https://a.example/1", page(1), DAY, headers=headers)]))
    )[0][0]
    answer = answer_of(record)
    made = page_of(answer, record.fields, "https://a.example/1", "the_source")
    assert made.body == answer.body == page(1) and answer.charset == "ISO-8859-1"
    assert made.fetched_at == DAY and made.source_id == "the_source" and made.media_type == "text/html"
    assert ("X-Served-By", "a") in made.headers


def record_with(tmp_path: Path, body: bytes, **more) -> Record:
    return scanned(archive(tmp_path, members([warcs.response("https://a.example/1", body, DAY, **more)])))[0][0]


def test_compressed_and_chunked_bodies_are_decoded(tmp_path: Path) -> None:
    zipped = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    assert answer_of(record_with(tmp_path, gzip.compress(page(1)), headers=zipped)).body == page(1)
    assert answer_of(record_with(tmp_path, page(1), headers=zipped)).body == page(1)
    parts = [page(1)[:1000], page(1)[1000:]]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    sent = (("Content-Type", "text/html"), ("Transfer-Encoding", "chunked"))
    assert answer_of(record_with(tmp_path, chunked, headers=sent)).body == page(1)


@pytest.mark.parametrize(
    ("body", "more", "why"),
    [
        (b"\x89PNG....", {"headers": (("Content-Type", "image/png"),)}, "no web page"),
        (b"moved", {"status": "301 Moved Permanently"}, "answer without a page"),
        (b"   \n ", {}, "empty"),
        (b"<p>" + b"x" * 5_000_001, {}, "too large"),
        (b"\x1f\x8bnot gzip", {"headers": (("Content-Encoding", "gzip"),)}, "damaged compression"),
        (gzip.compress(b"0" * 50_000_000), {"headers": (("Content-Encoding", "gzip"),)}, "too large"),
    ],
)
def test_record_without_a_page_gives_the_reason(tmp_path: Path, body: bytes, more: dict, why: str) -> None:
    with pytest.raises(NoPage) as error:
        answer_of(record_with(tmp_path, body, **more))
    assert error.value.why == why


def test_wrong_digest_is_refused_and_a_missing_one_is_accepted(tmp_path: Path) -> None:
    wrong = record_with(tmp_path, page(1), digest=warcs.sha1(b"something else"))
    with pytest.raises(NoPage, match="digest does not match"):
        page_of(answer_of(wrong), wrong.fields, "https://a.example/1", "")
    for digest in (None, "crc32:12345678"):
        fine = record_with(tmp_path, page(1), digest=digest)
        assert page_of(answer_of(fine), fine.fields, "https://a.example/1", "").body == page(1)


def test_fingerprint_depends_on_content_not_on_the_name(tmp_path: Path) -> None:
    data = members(some())
    first, second = archive(tmp_path, data, "a.warc.gz"), archive(tmp_path, data, "b.warc.gz")
    other = archive(tmp_path, members(some(5)), "c.warc.gz")
    marks = [fingerprint(file) for file in (first, second, other)]
    assert marks[0] == marks[1] != marks[2]


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ArchiveFileError, match="no such file"):
        LocalFile(str(tmp_path / "none.warc.gz"))


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_stops_the_reader(tmp_path: Path, seed: int) -> None:
    """Bytes are changed, deleted and inserted at random; all other records are found."""
    chance = random.Random(seed)
    parts = [warcs.member(record) for record in some(8)]
    touched = chance.randrange(1, 8)
    part = bytearray(parts[touched])
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(part))
        match chance.randrange(3):
            case 0:
                part[at] ^= 1 << chance.randrange(8)
            case 1:
                del part[at : at + chance.randrange(1, 50)]
            case 2:
                part[at:at] = chance.randbytes(chance.randrange(1, 50))
        part = part or bytearray(b"x")
    file = archive(tmp_path, b"".join([*parts[:touched], bytes(part), *parts[touched + 1 :]]))
    found, scan = scanned(file)
    assert {n for n in range(8) if n != touched} <= set(urls(found)) and scan.end == file.size
    assert all(a < b for a, b in pairwise([one.offset for one in found]))


@pytest.mark.parametrize("cut", [100, 5000, 1 << 20])
def test_fast_and_tolerant_readers_agree(tmp_path: Path, cut: int, monkeypatch) -> None:
    """Well-formed members are decompressed by another library than irregular ones."""
    chance = random.Random(7)
    parts = [warcs.member(warcs.info())]
    for number, record in enumerate(some(30)):
        data = bytearray(warcs.member(record, level=number % 10))
        match number % 6:
            case 1:
                data[chance.randrange(20, len(data))] ^= 1 << number % 8
            case 2 if number % 4 == 2:
                data += b"\0" * chance.randrange(1, 40)
            case 3 if number % 4 == 3:
                data = bytearray(warcs.member(record + record))  # two records in one member
            case 4 if number % 4 == 0:
                data = bytearray(warcs.member(record.replace(b"WARC/1.0\r\n", b"WARC/1.1\r\n").replace(b": ", b":   ")))
        parts.append(bytes(data))
    file = archive(tmp_path, b"".join(parts))

    def all_of_it() -> list:
        error, at = [], 0
        while at < file.size:
            found, scan = scanned(file, at, min(file.size, at + cut))
            assert scan.n_records == len(found)
            error += [one if isinstance(one, BadRecord) else (one.offset, one.fields, one.part()) for one in found]
            at = scan.end
        return error

    fast = all_of_it()
    assert gzip_members.AVAILABLE
    monkeypatch.setattr(gzip_members, "AVAILABLE", False)
    tolerant = all_of_it()
    assert fast == tolerant
    assert sum(isinstance(one, BadRecord) for one in fast) > 4 and sum(isinstance(one, tuple) for one in fast) > 15
