"""Serves the newsroom, scaled to a number of pages, on loopback until standard input ends.

Each publisher has its own address. Responses are prepared in advance, so that the server is not the bottleneck. Run
`python -m pipeline.evaluation.benchmarks.inputs.newsroom_server PAGES`; it prints the URLs of the feeds, one per line,
then "ready".
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
from functools import partial
from xml.sax.saxutils import escape

from pipeline.newsroom.pages import article_page
from pipeline.newsroom.stories import publishers, stories

Answers = dict[bytes, tuple[bytes, bytes]]  # path -> response, plain and gzipped


class _Connection(asyncio.Protocol):
    def __init__(self, answers: Answers) -> None:
        self.answers, self.waiting = answers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            plain, zipped = self.answers.get(path, _NOT_FOUND)
            self.transport.write(zipped if b"gzip" in head.lower() else plain)  # type: ignore[attr-defined]


def _answer(body: bytes, media: str, status: str = "200 OK") -> tuple[bytes, bytes]:
    made = []
    for sent, more in ((body, ""), (gzip.compress(body, mtime=0), "Content-Encoding: gzip\r\n")):
        etag = hashlib.sha256(body).hexdigest()[:20]
        head = (
            f'HTTP/1.1 {status}\r\nServer: Newsroom\r\nETag: "{etag}"\r\n'
            f"Last-Modified: Mon, 01 Jun 2026 08:00:00 GMT\r\n{more}Vary: Accept-Encoding\r\n"
            f"Content-Type: {media}\r\nContent-Length: {len(sent)}\r\n\r\n"
        )
        made.append(head.encode() + sent)
    return made[0], made[1]


_NOT_FOUND = _answer(b"<h1>Not found</h1>", "text/html; charset=utf-8", "404 Not Found")


def _sites(pages: int) -> list[tuple[str, Answers, list[tuple[str, str]]]]:
    """Return each publisher's id, responses and (path, title) list; repeated stories get numbered titles."""
    by_id: dict[str, tuple[str, Answers, list[tuple[str, str]]]] = {id_: (id_, {}, []) for id_ in publishers()}
    sound = [story for story in stories() if not story.broken]
    for number in range(pages):
        story = sound[number % len(sound)]
        _, answers, listed = by_id[story.publisher.publisher_id]
        edition = number // len(sound)
        path = f"{story.path}-{edition}"
        body = article_page(story).replace(
            story.title.encode(story.encoding, "xmlcharrefreplace"),
            f"{story.title} ({edition})".encode(story.encoding, "xmlcharrefreplace"),
        )
        answers[path.encode()] = _answer(body + b"<!-- %d -->" % number, f"text/html; charset={story.encoding}")
        listed.append((path, story.title))
    return [site for site in by_id.values() if site[2]]


async def _serve(pages: int) -> None:
    loop = asyncio.get_running_loop()
    for number, (_, answers, listed) in enumerate(_sites(pages)):
        server = await loop.create_server(partial(_Connection, answers), f"127.0.0.{number + 1}", 0)
        origin = "http://{}:{}".format(*server.sockets[0].getsockname())
        items = "".join(
            f"<item><title>{escape(title)}</title><link>{origin}{escape(path)}</link>"
            "<pubDate>Mon, 01 Jun 2026 08:00:00 GMT</pubDate></item>"
            for path, title in listed
        )
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        answers[b"/feed"] = _answer(feed.encode(), "application/rss+xml; charset=utf-8")
        print(f"{origin}/feed")
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
