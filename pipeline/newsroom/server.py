"""Serves the newsroom's sites on loopback ports, as of any day.

python -m pipeline.newsroom.server --port 8100 --day 2026-04-10
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import threading
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from pipeline.newsroom.cards import write_cards
from pipeline.newsroom.feeds import Odd, feed_documents
from pipeline.newsroom.pages import article_page, front_page
from pipeline.newsroom.stories import FOLDER, LAST_DAY, Publisher, end_of, out_by, publishers, story
from scrapers.items import Feed, FeedShape, Source, SourceType

LOOPBACK = "127.0.0.1"
_FOUNDED = datetime(2026, 3, 1, tzinfo=UTC)

_SHELL = b"""<!doctype html><html><head><meta charset="utf-8"><title>Loading</title></head>
<body><div id="root"></div><noscript>Please turn on JavaScript.</noscript>
<script src="/app.js"></script></body></html>"""
_MEMBERS = b"""<!doctype html><html><head><title>Members</title></head><body><article><h1>The Branscombe interview</h1>
<p>This page is for members, and robots.txt asks crawlers to leave it alone. Whoever quotes from it did not ask.</p>
</article></body></html>"""
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True, slots=True)
class OddAddress:
    """An address that a feed lists from a day on, but that leads to no article.

    `outcome` is the expected outcome of the visit, `reading` that of parsing the page, "" if there is no page.
    """

    publisher_id: str
    path: str
    title: str
    since: date
    answer: str  # gone, pdf, redirect, page, shell, forbidden, elsewhere
    outcome: str
    reading: str = ""
    to: str = ""
    address: str = ""  # full address, if it is not on the publisher's host


@dataclass(frozen=True, slots=True)
class ServedAnswer:
    """The response of a site."""

    status: int
    content_type: str = "text/html; charset=utf-8"
    body: bytes = b""
    modified: datetime = _FOUNDED
    location: str = ""

    @property
    def etag(self) -> str:
        """Entity tag of the body."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


@cache
def odd_addresses() -> tuple[OddAddress, ...]:
    """Return the addresses of odd.toml."""
    rows = tomllib.loads((FOLDER / "odd.toml").read_text(encoding="utf-8"))["odd"]
    return tuple(OddAddress(publisher_id=row.pop("publisher"), since=row.pop("from"), **row) for row in rows)


class Site:
    """The site of one publisher at one origin."""

    def __init__(self, publisher: Publisher, origin: str) -> None:
        self.publisher = publisher
        self.origin = origin

    def odd(self, moment: datetime) -> list[OddAddress]:
        """Return the publisher's odd addresses at a moment."""
        mine = (each for each in odd_addresses() if each.publisher_id == self.publisher.publisher_id)
        return [each for each in mine if each.since <= moment.date()]

    def answer(self, path: str, moment: datetime) -> ServedAnswer:
        """Return the response to a path with its query at a moment; 404 for a story that is not out yet."""
        stories = out_by(moment, self.publisher.publisher_id)
        for each in stories:
            if each.path == path:
                content_type = f"text/html; charset={each.declared or each.encoding}"
                return ServedAnswer(200, content_type, article_page(each), each.modified or each.published)
        newest = max((each.modified or each.published for each in stories), default=_FOUNDED)
        if path == "/":
            return ServedAnswer(200, body=front_page(self.publisher, stories), modified=newest)
        if path == "/robots.txt" and self.publisher.robots is not None:
            text = self.publisher.robots.strip().replace("{origin}", self.origin) + "\n"
            return ServedAnswer(200, "text/plain; charset=utf-8", text.encode())
        odd = self.odd(moment)
        entries: Odd = [(each.title, each.address or self.origin + each.path) for each in odd]
        for feed in self.publisher.feeds:
            documents = feed_documents(self.publisher, feed, stories, entries, self.origin)
            if path in documents:
                return ServedAnswer(200, *documents[path], modified=newest)
        for strange in odd:
            if path in (strange.path, strange.to):
                return _odd_answer(strange)
        return ServedAnswer(404, body=b"<h1>Not found</h1>")


def _odd_answer(odd: OddAddress) -> ServedAnswer:
    if odd.answer == "redirect":
        return ServedAnswer(301, location=odd.to)
    return {
        "gone": ServedAnswer(410, body=b"<h1>Gone</h1><p>This story has been removed.</p>"),
        "pdf": ServedAnswer(200, "application/pdf", _PDF),
        "page": ServedAnswer(200, body=_MEMBERS),
        "shell": ServedAnswer(200, body=_SHELL),
        "forbidden": ServedAnswer(403, body=b"<h1>Readers of the paper edition only</h1>"),
    }[odd.answer]


class Newsroom:
    """Serves all sites of the newsroom from threads; a context manager.

    Args:
        day: serve the stories published by the end of that day, or by that moment.
        port: port of the first publisher, the others follow; 0 for free ports.
        under_own_hosts: address the sites by their own hosts, such as http://www.northline.example/, instead of by
            loopback address and port. Crawlers resolve these hosts with `ports`.

    Raises:
        OSError: a port is in use.
    """

    def __init__(self, day: date | datetime = LAST_DAY, port: int = 0, *, under_own_hosts: bool = False) -> None:
        self.set_day(day)
        self.sites: dict[str, Site] = {}
        self.ports: dict[str, int] = {}  # of each publisher's host
        self.under_own_hosts = under_own_hosts
        self._first_port = port
        self._servers: list[ThreadingHTTPServer] = []

    def set_day(self, day: date | datetime) -> None:
        """Serve the stories as of the end of a day, or of a moment."""
        if isinstance(day, datetime):
            self.moment = day if day.tzinfo else day.replace(tzinfo=UTC)
        else:
            self.moment = end_of(day)

    def __enter__(self) -> Newsroom:
        try:
            for number, publisher in enumerate(publishers().values()):
                port = self._first_port + number if self._first_port else 0
                server = ThreadingHTTPServer((LOOPBACK, port), _Handler)
                self._servers.append(server)
                bound = int(server.server_address[1])
                self.ports[publisher.host] = bound
                site = Site(publisher, f"http://{publisher.host if self.under_own_hosts else f'{LOOPBACK}:{bound}'}")
                server.site, server.newsroom = site, self  # type: ignore[attr-defined]
                self.sites[publisher.publisher_id] = site
                threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop all sites and free their ports."""
        for server in self._servers:
            if getattr(server, "site", None) is not None:
                server.shutdown()
            server.server_close()
        self._servers.clear()
        self.sites.clear()
        self.ports.clear()

    def address(self, story_id: str) -> str:
        """Return the address at which a story is served. Its canonical address is `story(story_id).url`."""
        this = story(story_id)
        return self.sites[this.publisher.publisher_id].origin + this.path

    def cards(self, every_minutes: int = 1) -> tuple[Source, ...]:
        """Return a source card for each publisher, addressed at the running sites.

        `hosts` holds both the site's loopback address with its port and the host that its pages name as canonical.
        """
        return tuple(_card(site, every_minutes) for site in self.sites.values())


def _card(site: Site, every_minutes: int) -> Source:
    publisher = site.publisher
    feeds = tuple(
        Feed(
            url=site.origin + feed.path,
            shape=FeedShape(feed.shape),
            every_minutes=every_minutes,
            pass_all=feed.pass_all,
            items=feed.items,
            link=feed.link,
            title=feed.title,
            date=feed.date,
            summary=feed.summary,
        )
        for feed in publisher.feeds
    )
    return Source(
        source_id=publisher.publisher_id,
        title=publisher.title,
        homepage=site.origin + "/",
        source_type=SourceType(publisher.source_type),
        jurisdiction=publisher.jurisdiction,
        language="en",
        family=publisher.family,
        feeds=feeds,
        hosts=tuple(dict.fromkeys((urlsplit(site.origin).netloc, publisher.host))),
        pause_seconds=0.0,
        agency=publisher.agency,
        note=publisher.note or "A publisher of the invented newsroom.",
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Newsroom"
    sys_version = ""

    def do_GET(self) -> None:
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        self._send(with_body=False)

    def _send(self, with_body: bool) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        answer = site.answer(self.path, self.server.newsroom.moment)  # type: ignore[attr-defined]
        if answer.status == 200 and self._has(answer):
            self.send_response(304)
            self._validators(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, zipped = answer.body, "gzip" in self.headers.get("Accept-Encoding", "") and len(answer.body) > 500
        if zipped:
            body = gzip.compress(body, mtime=0)
        self.send_response(answer.status)
        if answer.location:
            self.send_header("Location", answer.location)
        if answer.status == 200:
            self._validators(answer)
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _has(self, answer: ServedAnswer) -> bool:
        """Return whether the client has this response already; If-None-Match takes precedence."""
        if tags := self.headers.get("If-None-Match"):
            return answer.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        if since := self.headers.get("If-Modified-Since"):
            try:
                return answer.modified.replace(microsecond=0) <= parsedate_to_datetime(since)
            except (TypeError, ValueError):
                return False
        return False

    def _validators(self, answer: ServedAnswer) -> None:
        self.send_header("ETag", answer.etag)
        self.send_header("Last-Modified", format_datetime(answer.modified.astimezone(UTC), usegmt=True))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing; the crawler keeps a log."""


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no port between 1 and 65000")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Serve the newsroom until interrupted, and print the addresses."""
    parser = argparse.ArgumentParser(description="Serve the invented newsroom on loopback.")
    parser.add_argument(
        "--port",
        type=_port,
        default=8100,
        help="port of the first publisher; the others follow",
    )
    parser.add_argument(
        "--day", type=date.fromisoformat, default=LAST_DAY, help="serve the stories published by this day, YYYY-MM-DD"
    )
    parser.add_argument("--cards", type=Path, help="write the source cards of the publishers into this folder")
    chosen = parser.parse_args(arguments)
    try:
        with Newsroom(datetime.combine(chosen.day, time.max, tzinfo=UTC), chosen.port) as newsroom:
            for site in newsroom.sites.values():
                print(f"{site.origin}/  {site.publisher.title}")
            if chosen.cards is not None:
                write_cards(newsroom.cards(), chosen.cards)
                print(f"Source cards are in {chosen.cards}.")
            print("Stop with Ctrl-C.", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        last = chosen.port + len(publishers()) - 1
        print(f"Ports {chosen.port} to {last} on {LOOPBACK}: {error.strerror}. Choose other ports with --port.")
        return 4
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
