"""A path or an http(s) address of a large file in; any stretch of its bytes out, without holding the rest.

An address is read by Range requests, each tried again where the network fails. Where it leads is judged as everywhere:
the very IP address that is connected to must be public, whatever name or redirect led there.
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
MOST_REDIRECTS = 5
LONGEST_WAIT_SECONDS = 60.0
_WINDOW = 4 * 1024 * 1024  # bytes asked for at once
_SAMPLE = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class PlaceError(OSError):
    """A file cannot be read where it lies; the message names it, the reason and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NoRanges(PlaceError):
    """The server gives the file only as a whole."""


class Place(Protocol):
    """Where the bytes of one file are."""

    name: str
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on: `length` of them, fewer only at the end of the file."""

    def close(self) -> None:
        """Give back what the place holds."""


@dataclass(frozen=True, slots=True)
class Access:
    """How addresses are asked: with which name, and whether this machine itself may be asked (for tests)."""

    user_agent: str = "OversightLedger/0.1"
    allow_loopback: bool = False


def is_address(name: str) -> bool:
    """Tell whether a name of a file is an http(s) address."""
    return name.lower().startswith(("http://", "https://"))


def open_place(name: str, access: Access = Access()) -> Place:
    """Open a file by path or address. Raises PlaceError, NoRanges where an address cannot be read in parts."""
    return WebPlace(name, access) if is_address(name) else LocalPlace(name)


def fingerprint(place: Place) -> str:
    """Return what tells one file from another, wherever it lies: a hash of its size, its beginning and its end."""
    start, end = place.read_at(0, _SAMPLE), place.read_at(max(0, place.size - _SAMPLE), _SAMPLE)
    return hashlib.sha256(b"%d\0%b\0%b" % (place.size, start, end)).hexdigest()[:32]


class LocalPlace:
    """A file on this machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            if not Path(name).is_file():
                raise PlaceError(f"{name}: there is no such file.")
            self._file = os.open(name, os.O_RDONLY)
        except OSError as error:
            raise error if isinstance(error, PlaceError) else PlaceError(f"{name}: {error.strerror}.") from error
        self.size = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        found = os.pread(self._file, length, offset)
        while len(found) < length and (more := os.pread(self._file, length - len(found), offset + len(found))):
            found += more
        return found

    def close(self) -> None:
        os.close(self._file)


class WebPlace:
    """A file at an address, read in windows."""

    def __init__(self, name: str, access: Access) -> None:
        self.name, self._access = name, access
        self._address = name  # where redirects led
        self._connection: http.client.HTTPConnection | None = None
        self._mark = ""  # the server's word for this version of the file
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
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, offset: int, length: int) -> bytes:
        why = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(min(LONGEST_WAIT_SECONDS, 0.5 * 3 ** (attempt - 1)))
            try:
                return self._ask_once(offset, length)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, PlaceError) and not isinstance(error, _Busy):
                    raise
                why = str(error) or type(error).__name__
                self.close()
        raise PlaceError(
            f"{self.name}: cannot be read from byte {offset} on ({why}). Run this again to go on from there."
        )

    def _ask_once(self, offset: int, length: int) -> bytes:
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "User-Agent": self._access.user_agent,
                   "Accept-Encoding": "identity"}  # fmt: skip
        answer = self._answer(headers)
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status == 200:
            self.close()
            raise NoRanges(f"{self.name}: the server gives this file only as a whole.")
        if answer.status != 206 or found is None or int(found[1]) != offset:
            self.close()
            if answer.status == 429 or answer.status >= 500:
                raise _Busy(f"status {answer.status}")
            raise PlaceError(f"{self.name}: the server answered with status {answer.status}.")
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if self.size < 0:
            self.size, self._mark = int(found[3]), mark
        if (int(found[3]), mark) != (self.size, self._mark):
            self.close()
            raise PlaceError(f"{self.name}: the file changed while it was read. Run this again to begin anew.")
        body = answer.read(length)
        if len(body) != int(found[2]) - offset + 1:
            raise OSError(f"{len(body)} bytes came instead of {int(found[2]) - offset + 1}")
        return body

    def _answer(self, headers: dict[str, str]) -> http.client.HTTPResponse:
        for _ in range(MOST_REDIRECTS + 1):
            if self._connection is None:
                self._connection = connect(self._address, self._access)
            parts = urlsplit(self._address)
            self._connection.request(
                "GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", headers=headers
            )
            answer = self._connection.getresponse()
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            self._address = urljoin(self._address, answer.headers.get("Location", ""))
            self.close()
        raise PlaceError(f"{self.name}: more than {MOST_REDIRECTS} redirects.")


class _Busy(PlaceError):
    """The server asks to come again later."""


def connect(address: str, access: Access) -> http.client.HTTPConnection:
    """Return an open connection to the host of an address. Raises PlaceError where the address must not be asked."""
    if reason := judge_url(address, allow_loopback=access.allow_loopback):
        raise PlaceError(f"{address}: is not fetched, because {reason}.")
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
            connection.connect(where)  # the address that was judged, not another answer to the same name
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
    raise PlaceError(f"{address}: is not fetched, because {reasons[0] if reasons else 'its host has no address'}.")


def fetch_whole(name: str, file: Path, access: Access) -> None:
    """Write a file that its server gives only as a whole to the disk; an interrupted one is begun anew."""
    part = file.with_name(file.name + ".part")
    place = object.__new__(WebPlace)
    place.name, place._access, place._address, place._connection = name, access, name, None
    for attempt in range(TRIES):
        try:
            answer = place._answer({"User-Agent": access.user_agent, "Accept-Encoding": "identity"})
            if answer.status != 200:
                raise PlaceError(f"{name}: the server answered with status {answer.status}.")
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
            if isinstance(error, PlaceError) or attempt == TRIES - 1:
                raise PlaceError(getattr(error, "words", "") or f"{name}: cannot be fetched ({error}).") from error
            time.sleep(min(LONGEST_WAIT_SECONDS, 0.5 * 3**attempt))
        finally:
            place.close()


class PlaceStream(io.RawIOBase):
    """The bytes of a place from some offset on, as a stream that is only read forward."""

    def __init__(self, place: Place, offset: int) -> None:
        self._place, self._at = place, offset

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        found = self._place.read_at(self._at, size if size >= 0 else self._place.size - self._at)
        self._at += len(found)
        return found
