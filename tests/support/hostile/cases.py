"""Hostile URLs of a site, with the outcome that a visit to each must have."""

from __future__ import annotations

from scrapers.items import Outcome as O
from support.hostile import server as s

LATIN = "<html><body><p>Caf\xe9 hearing</p></body></html>".encode("latin-1")

# Visited in alphabetical order, which avoids three consecutive failures of the host.
CASES: dict[str, tuple[s.Route, O]] = {
    "/a-article": (s.article("An ordinary page."), O.SAVED),
    "/b-drip-body": (s.drip_body, O.TIMEOUT),
    "/c-410": (s.status(410), O.GONE),
    "/d-404": (s.status(404), O.GONE),
    "/e-hangs-up": (lambda h: h.hang_up(), O.CONNECTION_FAILED),
    "/f-403": (s.status(403), O.REFUSED),
    "/g-451": (s.status(451), O.REFUSED),
    "/h-500": (s.status(500), O.SERVER_ERROR),
    "/i-circle": (s.redirect("/i-circle"), O.BAD_REDIRECT),
    "/j-six-redirects": (s.redirect("/hop/1"), O.BAD_REDIRECT),
    "/k-to-file": (s.redirect("file:///etc/passwd"), O.BAD_REDIRECT),
    "/k-to-data": (s.redirect("data:text/html,hello"), O.BAD_REDIRECT),
    "/l-to-private": (s.redirect("http://10.0.0.1/secret", 301), O.BLOCKED_ADDRESS),
    "/l-to-metadata": (s.redirect("http://2852039166/latest/meta-data/", 307), O.BLOCKED_ADDRESS),
    "/l-to-mapped": (s.redirect("http://[::ffff:192.168.0.1]/", 308), O.BLOCKED_ADDRESS),
    "/m-to-nowhere": (s.redirect("http://[bad/"), O.BAD_REDIRECT),
    "/n-gzip-bomb": (s.bomb(), O.TOO_LARGE),
    "/n-gzip-in-gzip": (s.bomb_in_a_bomb(), O.TOO_LARGE),
    "/l-to-unspecified": (s.redirect("http://0.0.0.0/"), O.BLOCKED_ADDRESS),
    "/l-to-multicast": (s.redirect("http://224.0.0.1/"), O.BLOCKED_ADDRESS),
    "/l-to-shared": (s.redirect("http://100.64.0.1/"), O.BLOCKED_ADDRESS),
    "/l-to-unique-local": (s.redirect("http://[fd00::1]/"), O.BLOCKED_ADDRESS),
    "/m-to-ftp": (s.redirect("ftp://127.0.0.1/x"), O.BAD_REDIRECT),
    "/m-without-target": (s.status(302), O.BAD_REDIRECT),
    "/m-to-a-page": (s.redirect("/a-article"), O.SAVED),
    "/n-deflate-bomb": (s.deflate_bomb(), O.TOO_LARGE),
    "/n-gzip-cut-short": (s.gzip_cut_short(), O.SAVED),
    "/n-brotli-bomb": (s.brotli_bomb(), O.TOO_LARGE),
    "/o-endless": (s.endless, O.TOO_LARGE),
    "/o-said-to-be-huge": (s.declared_huge, O.TOO_LARGE),
    "/o-endless-chunks": (s.endless_chunks, O.TOO_LARGE),
    "/p-1-401": (s.status(401), O.REFUSED),
    "/p-3-418": (s.status(418), O.REFUSED),
    "/p-0-broken-chunk": (
        s.raw_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked", b"zz\r\nno chunk"),
        O.CONNECTION_FAILED,
    ),
    "/p-7-204": (s.raw_response(b"HTTP/1.1 204 No Content\r\nContent-Type: text/html", b""), O.NO_TEXT),
    "/p-2-negative-length": (
        s.raw_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: -5"),
        O.CONNECTION_FAILED,
    ),
    "/p-4-two-lengths": (
        s.raw_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\nContent-Length: 7"),
        O.CONNECTION_FAILED,
    ),
    "/p-6-999": (
        s.raw_response(b"HTTP/1.1 999 Request denied\r\nContent-Type: text/html\r\nContent-Length: 12"),
        O.SERVER_ERROR,
    ),
    "/q-1-long-header": (s.long_header(), O.CONNECTION_FAILED),
    "/q-0-pdf-again": (b"%PDF-1.4", O.NOT_AN_ARTICLE),
    "/q-3-speaks-http-2": (s.raw_response(b"PRI * HTTP/2.0\r\n\r\nSM", b""), O.CONNECTION_FAILED),
    "/q-4-204-with-a-body": (s.surplus(late=False), O.CONNECTION_FAILED),
    "/q-5-204-with-a-late-body": (s.surplus(late=True), O.NO_TEXT),
    "/q-6-after-the-late-body": (s.article("Nobody else's surplus."), O.SAVED),
    "/q-2-cookies": (lambda h: h.reply(s.article("Cookies."), Set_Cookie="id=1; Domain=.example"), O.SAVED),
    "/p-cut-short": (s.cut_short, O.CONNECTION_FAILED),
    "/q-pdf-called-html": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", O.NOT_AN_ARTICLE),
    "/q-pdf": (lambda h: h.reply(b"%PDF-1.7\n1 0 obj", media="application/pdf"), O.NOT_AN_ARTICLE),
    "/q-json": (lambda h: h.reply(b'{"a": 1}', media="application/json"), O.NOT_AN_ARTICLE),
    "/q-feed": (lambda h: h.reply(b'<?xml version="1.0"?><rss></rss>', media="text/html"), O.NOT_AN_ARTICLE),
    "/r-empty": (b" \n", O.NO_TEXT),
    "/s-not-gzip": (lambda h: h.reply(b"no gzip at all", Content_Encoding="gzip"), O.UNREADABLE),
    "/s-partial": (s.status(206), O.UNREADABLE),
    "/s-304-unasked": (s.status(304), O.UNREADABLE),
    "/t-html-called-png": (lambda h: h.reply(s.article("A page called PNG."), media="image/png"), O.SAVED),
    "/u-latin-called-utf8": (LATIN, O.SAVED),
    "/v-300-headers": (s.many_headers(300), O.SAVED),
    "/v-3000-headers": (s.many_headers(), O.CONNECTION_FAILED),
    "/w-meta-refresh": (b'<meta http-equiv="refresh" content="0;url=http://10.0.0.1/x"><p>Moved</p>', O.SAVED),
    "/x-speaks-ssh": (s.not_http, O.CONNECTION_FAILED),
    "/y-nul-bytes": (b"<html><body><p>one\x00two</p></body></html>", O.SAVED),
    "/z-drip-headers": (s.drip_headers, O.TIMEOUT),
}
HOPS: dict[str, s.Route] = {f"/hop/{n}": s.redirect(f"/hop/{n + 1}") for n in range(1, 9)}

# Links of a feed that must be refused before any request.
LINKS: dict[str, O] = {
    "http://user:pw@elsewhere.example/x": O.OUT_OF_SCOPE,
    "http://elsewhere.example/" + "x" * 3000: O.OUT_OF_SCOPE,
    "http://10.0.0.1/x": O.BLOCKED_ADDRESS,
    "http://0xa9fea9fe/latest/": O.BLOCKED_ADDRESS,
    "http://[fe80::1]/x": O.BLOCKED_ADDRESS,
    "http://167772161/x": O.BLOCKED_ADDRESS,
    "http://[::ffff:10.0.0.1]/x": O.BLOCKED_ADDRESS,
    "http://169.254.169.254/latest/": O.BLOCKED_ADDRESS,
    "http://elsewhere.example/x": O.OUT_OF_SCOPE,
}
