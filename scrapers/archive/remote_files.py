"""Random access to large files, local or at an http(s) URL.

URLs are read by Range requests, which are retried on network failures. As in crawls, the IP address of each connection
must be public, whichever name or redirect led to it.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from scrapers.fetching.url_guard import is_loopback_host, judge_ip, judge_url

TIMEOUT_SECONDS = 60.0
TRIES = 6
MAX_REDIRECTS = 5
MAX_WAIT_SECONDS = 60.0
_WINDOW = 4 * 1024 * 1024  # bytes asked for at once
_SAMPLE = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class ArchiveFileError(OSError):
    """A file cannot be read. The message names the file, the reason and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class RangesNotSupported(ArchiveFileError):
    """The server does not support Range requests."""


class ArchiveFile(Protocol):
    """A file that is read at any offset."""

    name: str
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on; fewer only at the end of the file."""

    def close(self) -> None:
        """Close the file or connection."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to access URLs. `allow_loopback` permits this machine itself, for tests."""

    user_agent: str = "OversightLedger/0.1"
    allow_loopback: bool = False


def is_address(name: str) -> bool:
    """Return whether a file name is an http(s) URL."""
    return name.lower().startswith(("http://", "https://"))


def open_archive_file(name: str, access: Access = Access()) -> ArchiveFile:
    """Open a file by path or URL.

    Raises:
        RangesNotSupported: The server does not support Range requests.
        ArchiveFileError: The file cannot be opened for another reason.
    """
    return RemoteFile(name, access) if is_address(name) else LocalFile(name)


def fingerprint(file: ArchiveFile) -> str:
    """Return an id of the file's content, wherever it is stored: a hash of its size, its start and its end."""
    start, end = file.read_at(0, _SAMPLE), file.read_at(max(0, file.size - _SAMPLE), _SAMPLE)
    return hashlib.sha256(b"%d\0%b\0%b" % (file.size, start, end)).hexdigest()[:32]


class LocalFile:
    """A file on this machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        if not Path(name).is_file():
            raise ArchiveFileError(f"{name}: no such file.")
        try:
            self._file = os.open(name, os.O_RDONLY)
        except OSError as error:
            raise ArchiveFileError(f"{name}: {error.strerror}.") from error
        self.size = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        found = os.pread(self._file, length, offset)
        while len(found) < length and (more := os.pread(self._file, length - len(found), offset + len(found))):
            found += more
        return found

    def close(self) -> None:
        os.close(self._file)


class RemoteFile:
    """A file at a URL, read in windows."""

    def __init__(self, name: str, access: Access) -> None:
        self.name = name
        self._connection = _Connection(name, access)
        self._mark = ""  # ETag or Last-Modified, to notice that the file changed
        self._start, self._window = 0, b""
        self.size = -1
        self._window = self._ask(0, _SAMPLE)

    def read_at(self, offset: int, length: int) -> bytes:
        parts, left = [], min(length, max(0, self.size - offset))
        while left:
            if not self._start <= offset < self._start + len(self._window):
                self._window = self._ask(offset, max(left, min(_WINDOW, self.size - offset)))
                self._start = offset
            taken = self._window[offset - self._start : offset - self._start + left]
            parts.append(taken)
            offset, left = offset + len(taken), left - len(taken)
        return b"".join(parts)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, offset: int, length: int) -> bytes:
        why = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(min(MAX_WAIT_SECONDS, 0.5 * 3 ** (attempt - 1)))
            try:
                return self._ask_once(offset, length)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, ArchiveFileError) and not isinstance(error, _Busy):
                    raise
                why = str(error) or type(error).__name__
                self.close()
        raise ArchiveFileError(
            f"{self.name}: cannot be read from byte {offset} on ({why}). Run the command again to continue there."
        )

    def _ask_once(self, offset: int, length: int) -> bytes:
        answer = self._connection.get(Range=f"bytes={offset}-{offset + length - 1}")
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status == 200:
            self.close()
            raise RangesNotSupported(f"{self.name}: the server does not support Range requests.")
        if answer.status != 206 or found is None or int(found[1]) != offset:
            self.close()
            if answer.status == 429 or answer.status >= 500:
                raise _Busy(f"status {answer.status}")
            raise ArchiveFileError(f"{self.name}: the server answered with status {answer.status}.")
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if self.size < 0:
            self.size, self._mark = int(found[3]), mark
        if (int(found[3]), mark) != (self.size, self._mark):
            self.close()
            raise ArchiveFileError(
                f"{self.name}: the file changed while it was read. Run the command again to start over."
            )
        body = answer.read(length)
        if len(body) != int(found[2]) - offset + 1:
            raise OSError(f"received {len(body)} bytes instead of {int(found[2]) - offset + 1}")
        return body


class _Connection:
    """Sends requests for one URL, follows its redirects and reconnects after close()."""

    def __init__(self, url: str, access: Access) -> None:
        self.url, self._access = url, access
        self._address = url  # after redirects
        self._http: http.client.HTTPConnection | None = None

    def get(self, **headers: str) -> http.client.HTTPResponse:
        """Return the response to a GET request."""
        sent = {"User-Agent": self._access.user_agent, "Accept-Encoding": "identity", **headers}
        for _ in range(MAX_REDIRECTS + 1):
            if self._http is None:
                self._http = connect(self._address, self._access)
            parts = urlsplit(self._address)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self._http.request("GET", target, headers=sent)
            answer = self._http.getresponse()
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            self._address = urljoin(self._address, answer.headers.get("Location", ""))
            self.close()
        raise ArchiveFileError(f"{self.url}: more than {MAX_REDIRECTS} redirects.")

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


class _Busy(ArchiveFileError):
    """The server asks for a retry later."""


def connect(address: str, access: Access) -> http.client.HTTPConnection:
    """Return an open connection to the host of a URL. Raises ArchiveFileError if the URL must not be fetched."""
    if reason := judge_url(address, allow_loopback=access.allow_loopback):
        raise ArchiveFileError(f"{address}: not fetched: {reason}.")
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    name = "127.0.0.1" if access.allow_loopback and host != "::1" and is_loopback_host(host) else host
    reasons: list[str] = []
    last: OSError | None = None
    for family, kind, protocol, _, where in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM):
        if reason := judge_ip(str(where[0]), allow_loopback=access.allow_loopback):
            reasons.append(reason)
            continue
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(where)  # the address that was checked, not another one of the same name
            if parts.scheme == "https":
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        except OSError as error:
            connection.close()
            last = error
            continue
        made = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        made.sock = connection
        made.auto_open = 0
        return made
    if last is not None:
        raise last
    raise ArchiveFileError(f"{address}: not fetched: {reasons[0] if reasons else 'its host has no IP address'}.")


def fetch_whole(name: str, file: Path, access: Access) -> None:
    """Download a whole file to the disk, for servers without Range requests; an interrupted download starts over."""
    part = file.with_name(file.name + ".part")
    connection = _Connection(name, access)
    for attempt in range(TRIES):
        try:
            answer = connection.get()
            if answer.status != 200:
                raise ArchiveFileError(f"{name}: the server answered with status {answer.status}.")
            wanted = answer.headers.get("Content-Length")
            with part.open("wb") as out:
                while block := answer.read(1 << 20):
                    out.write(block)
                size = out.tell()
            if wanted is not None and size != int(wanted):
                raise http.client.IncompleteRead(b"", int(wanted) - size)
            part.replace(file)
            return
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, ArchiveFileError) or attempt == TRIES - 1:
                raise ArchiveFileError(
                    getattr(error, "words", "") or f"{name}: cannot be fetched ({error})."
                ) from error
            time.sleep(min(MAX_WAIT_SECONDS, 0.5 * 3**attempt))
        finally:
            connection.close()


class ArchiveFileStream(io.RawIOBase):
    """A forward-only stream of a file's bytes from an offset on."""

    def __init__(self, file: ArchiveFile, offset: int) -> None:
        self._file, self._at = file, offset

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        found = self._file.read_at(self._at, size if size >= 0 else self._file.size - self._at)
        self._at += len(found)
        return found
