"""A web server on loopback that misbehaves in configurable ways and records its requests."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import brotli


@dataclass
class Asked:
    """One request received."""

    path: str
    headers: dict[str, str]
    at: float = field(default_factory=time.monotonic)


class Handler(BaseHTTPRequestHandler):
    """Answers from the site's routes."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:  # the name that http.server calls
        self.site.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}))
        route = self.site.routes.get(self.path) or self.site.routes.get("*")
        with contextlib.suppress(OSError):
            if route is None:
                self.reply(b"not here", status=404)
            elif callable(route):
                route(self)
            else:
                self.reply(route)

    def reply(
        self, body: bytes | str, status: int = 200, media: str = "text/html; charset=utf-8", **headers: str
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", media)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 304:
            self.wfile.write(data)

    def raw(self, data: bytes) -> None:
        """Send raw bytes and close the connection."""
        self.close_connection = True
        self.wfile.write(data)

    def hang_up(self) -> None:
        """Close the connection without a response."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


Route = bytes | str | Callable[[Handler], None]


class Site:
    """A server on a loopback address, with its routes and the requests received."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        handler = type("SiteHandler", (Handler,), {"site": self})
        self.server = ThreadingHTTPServer((address, 0), handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.host = f"{address}:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def paths(self, *, without_robots: bool = True) -> list[str]:
        """Return the requested paths, in order."""
        return [a.path for a in self.asked if not (without_robots and a.path == "/robots.txt")]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def feed(self, links: list[str], titles: dict[str, str] | None = None) -> bytes:
        """Return an RSS feed of links; paths are joined to this site."""
        items = []
        for link in links:
            url = self.url(link) if link.startswith("/") else link
            title = (titles or {}).get(link, f"On {link}")
            items.append(
                f"<item><title>{escape(title)}</title><link>{escape(url)}</link><guid>{escape(url)}</guid></item>"
            )
        channel = f"<title>Gazette</title><link>{self.url('/')}</link><description>News</description>{''.join(items)}"
        return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{channel}</channel></rss>'.encode()


def article(text: str = "The ministry signed the order on Monday.") -> bytes:
    """Return an ordinary article page."""
    body = f"<article><p>{text}</p></article>"
    return f"<!doctype html><html><head><title>News</title></head><body>{body}</body></html>".encode()


def redirect(to: str, status: int = 302) -> Route:
    return lambda h: h.reply(b"", status=status, Location=to)


def status(code: int, **headers: str) -> Route:
    return lambda h: h.reply(b"no", status=code, **headers)


def bomb(n_bytes: int = 64 * 1024 * 1024) -> Route:
    packed = gzip.compress(b"\0" * n_bytes)
    return lambda h: h.reply(packed, Content_Encoding="gzip")


def bomb_in_a_bomb(n_bytes: int = 64 * 1024 * 1024) -> Route:
    packed = gzip.compress(gzip.compress(b"\0" * n_bytes))
    return lambda h: h.reply(packed, Content_Encoding="gzip, gzip")


def brotli_bomb(n_bytes: int = 64 * 1024 * 1024) -> Route:
    packed = brotli.compress(b"\0" * n_bytes)
    return lambda h: h.reply(packed, Content_Encoding="br")


def endless(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        h.wfile.write(b"<p>and so on</p>" * 4096)


def declared_huge(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000000000\r\n\r\n<p>small</p>")


def drip_body(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(300):
        h.wfile.write(b"x")
        time.sleep(0.1)


def drip_headers(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\n")
    for n in range(300):
        h.wfile.write(b"X-%d: y\r\n" % n)
        time.sleep(0.1)


def cut_short(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<p>only this")


def many_headers(n: int = 3000) -> Route:
    def route(h: Handler) -> None:
        lines = b"".join(b"X-Header-%d: %s\r\n" % (i, b"v" * 50) for i in range(n))
        body = article()
        h.raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), lines, body)
        )

    return route


def deflate_bomb(n_bytes: int = 64 * 1024 * 1024) -> Route:
    packed = zlib.compress(b"\0" * n_bytes)
    return lambda h: h.reply(packed, Content_Encoding="deflate")


def gzip_cut_short() -> Route:
    packed = gzip.compress(b"<html><body>" + bytes(range(256)) * 400 + b"</body></html>")
    return lambda h: h.reply(packed[: len(packed) // 2], Content_Encoding="gzip")


def raw_response(head: bytes, body: bytes = b"<p>small</p>") -> Route:
    """Send these bytes as status line and headers."""
    return lambda h: h.raw(head + b"\r\n\r\n" + body)


def surplus(*, late: bool) -> Route:
    """Send a body after a response without one, at once or a moment later, and keep the connection open."""

    def route(h: Handler) -> None:
        parts = (b"HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n", b"no")
        for part in parts if late else (b"".join(parts),):
            h.wfile.write(part)
            time.sleep(0.05)

    return route


def long_header(n_bytes: int = 1_000_000) -> Route:
    return raw_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Long: " + b"v" * n_bytes)


def endless_chunks(h: Handler) -> None:
    h.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        h.wfile.write(b"8000\r\n" + b"y" * 0x8000 + b"\r\n")


def not_http(h: Handler) -> None:
    h.raw(b"SSH-2.0-OpenSSH_9.6\r\n")
