"""Remote archives are read in ranges despite network errors, and never from a private network."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest
from support import backfill_world as world

from pipeline.app.backfill.work import WorkerSettings
from scrapers.archive import remote_files
from scrapers.archive.remote_files import (
    Access,
    ArchiveFileError,
    RangesNotSupported,
    RemoteFile,
    fetch_whole,
    fingerprint,
    open_archive_file,
)

HERE = Access(allow_loopback=True)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "MAX_WAIT_SECONDS", 0.01)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(random.Random(1).randbytes(300_000))
    return path


def test_any_range_of_a_remote_file_equals_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_WINDOW", 50_000)
    data = file.read_bytes()
    with world.serving(file) as server:
        remote = open_archive_file(server.url, HERE)
        assert remote.size == len(data)
        for start, length in ((0, 10), (299_990, 10), (299_990, 99), (100, 200_000), (49_990, 30), (300_000, 5)):
            assert remote.read_at(start, length) == data[start : start + length]
        assert fingerprint(remote) == fingerprint(open_archive_file(str(file)))
        remote.close()


def test_truncated_responses_and_busy_servers_are_retried(file: Path) -> None:
    with world.serving(file) as server:
        remote = RemoteFile(server.url, HERE)
        server.break_after, server.status = [1000, 0], [200, 503, 200, 429]
        assert remote.read_at(100_000, 150_000) == file.read_bytes()[100_000:250_000]
        assert len(server.asked) >= 4


def test_server_that_stays_down_is_reported_with_the_offset(file: Path) -> None:
    with world.serving(file) as server:
        remote = RemoteFile(server.url, HERE)
        server.status = [500] * 99
        with pytest.raises(ArchiveFileError, match="cannot be read from byte 100000 on .* Run the command again"):
            remote.read_at(100_000, 10)


def test_file_that_changes_during_reading_is_refused(file: Path) -> None:
    with world.serving(file) as server:
        remote = RemoteFile(server.url, HERE)
        server.tag = "v2"
        with pytest.raises(ArchiveFileError, match="changed while it was read"):
            remote.read_at(100_000, 10)


def test_missing_file_is_reported_with_its_status(file: Path) -> None:
    with world.serving(file) as server:
        server.status = [404]
        with pytest.raises(ArchiveFileError, match="status 404"):
            RemoteFile(server.url, HERE)


def test_file_without_range_support_is_downloaded_whole(file: Path, tmp_path: Path) -> None:
    with world.serving(file, ranges=False) as server:
        with pytest.raises(RangesNotSupported):
            RemoteFile(server.url, HERE)
        server.break_after = [5_000]
        fetch_whole(server.url, tmp_path / "copy", HERE)
        assert (tmp_path / "copy").read_bytes() == file.read_bytes()
        assert not (tmp_path / "copy.part").exists()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/a", "http://localhost:9/a", "http://10.0.0.1/a", "http://[::1]/a", "http://2130706433/a",
     "http://169.254.169.254/latest", "ftp://a.example/a", "http://user:word@a.example/a"],
)  # fmt: skip
def test_private_addresses_are_never_connected_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda self, where: pytest.fail(f"asked {where}"))
    with pytest.raises(ArchiveFileError, match="not fetched:"):
        RemoteFile(url, Access())


def test_public_name_of_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(host, port, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.1.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    monkeypatch.setattr(socket.socket, "connect", lambda self, where: pytest.fail(f"asked {where}"))
    with pytest.raises(ArchiveFileError, match="private network"):
        RemoteFile("https://public.example/a.warc.gz", Access())


def test_redirects_are_checked_like_the_first_url(file: Path) -> None:
    with world.serving(file) as server:
        server.redirect = "/final"
        assert RemoteFile(server.url, HERE).size == 300_000
        server.redirect = "http://10.0.0.1/secret"
        with pytest.raises(ArchiveFileError, match="10.0.0.1"):
            RemoteFile(server.url, HERE)
        server.redirect = server.url
        with pytest.raises(ArchiveFileError, match="redirects"):
            RemoteFile(server.url, HERE)


@pytest.mark.parametrize("ranges", [True, False])
def test_remote_archive_gives_the_same_result_as_the_file(ranges: bool, tmp_path: Path) -> None:
    archive = world.write(tmp_path / "news.warc.gz", world.records(8))
    order = WorkerSettings(world.wanted(8), (), access=HERE)
    world.fill(tmp_path / "file", [str(archive)], order_=order)
    with world.serving(archive, ranges=ranges) as server:
        server.break_after = [30_000] if ranges else [40_000]
        tally = world.fill(tmp_path / "web", [server.url], order_=order)
        assert tally.problems == [] and tally.finished == 1 and tally.relevant > 2
        assert world.held(tmp_path / "web") == world.held(tmp_path / "file")
        assert not list((tmp_path / "web").glob("backfill/*"))
        assert world.fill(tmp_path / "web", [server.url], order_=order).records == 0


def test_unreadable_file_does_not_stop_others(tmp_path: Path) -> None:
    archive = world.write(tmp_path / "news.warc.gz", world.records(8))
    order = WorkerSettings(world.wanted(8), (), access=HERE)
    with world.serving(archive) as server:
        server.status = [404]
        tally = world.fill(tmp_path / "data", [server.url, str(archive)], order_=order)
    assert tally.finished == 1 and len(tally.problems) == 1 and "404" in tally.problems[0]
