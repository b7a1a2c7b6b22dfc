"""Hostile pages, with the expected result. They are built on demand, since some are large."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from scrapers.items import Outcome as O
from scrapers.items import Reading

STORY = (
    "The ministry signed an order on Monday that bars agencies from buying the models of Halden Labs.",
    "A spokesman for the company said that it would challenge the order before the federal court in Harbourtown.",
    "The institute for AI safety had tested the models in March and found that two of them could be misused.",
    "Members of both parties asked for a hearing, which the committee on science set for the second week of June.",
)


@dataclass(frozen=True)
class Case:
    """One page. `holds`: a check of the reading in addition to its outcome."""

    body: Callable[[], bytes]
    outcome: O
    holds: Callable[[Reading], bool] = lambda reading: True
    charset: str = "utf-8"


def html(inner: str, head: str = "<title>Order signed</title>") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{inner}</body></html>".encode()


def story(more: str = "", head: str = "<title>Order signed</title>", paragraphs: tuple[str, ...] = STORY) -> bytes:
    text = "".join(f"<p>{p}</p>" for p in paragraphs)
    return html(f"<article><h1>Order signed</h1>{text}</article>{more}", head)


def whole(reading: Reading) -> bool:
    """Return whether all paragraphs of the story are in the text."""
    return reading.article is not None and all(p in reading.article.text for p in STORY)


def dated(day: str) -> str:
    return f'<title>Order signed</title><meta property="article:published_time" content="{day}">'


def linked(json: str) -> str:
    return f'<title>Order signed</title><script type="application/ld+json">{json}</script>'


ACCENTED = tuple(p.replace("Harbourtown", "Málaga").replace("Monday", "São João") for p in STORY)
FUTURE = "2094-01-01T00:00:00Z"

PAGES: dict[str, Case] = {
    "an ordinary page": Case(story, O.SAVED, whole),
    "ten megabytes in one line": Case(lambda: html("<p>" + "word " * 2_000_000 + "</p>"), O.TOO_LARGE),
    "100,000 nested elements": Case(lambda: html("<div>" * 100_000 + "deep" + "</div>" * 100_000), O.UNREADABLE),
    "5,000 nested elements": Case(lambda: html("<div>" * 5_000 + "deep" + "</div>" * 5_000), O.UNREADABLE),
    "100,000 small paragraphs": Case(lambda: html("<p>A few words.</p>" * 100_000), O.UNREADABLE),
    "100,000 attributes on one tag": Case(
        lambda: html("<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x</p>"), O.UNREADABLE
    ),
    "90,000 unclosed tags": Case(lambda: html("<b>" * 90_000 + "x"), O.UNREADABLE),
    "a cell of nine quadrillion columns": Case(
        lambda: story("<table><tr><td colspan=9000000000000000>x</td></tr></table>"), O.SAVED, whole
    ),
    "an unclosed comment": Case(lambda: story("<!-- " + "x" * 100_000), O.SAVED, whole),
    "an unclosed script": Case(lambda: story("<script>" + "var x;" * 20_000), O.SAVED, whole),
    "an unclosed attribute": Case(lambda: story('<a href="' + "x" * 100_000), O.SAVED, whole),
    "an inline picture of three megabytes": Case(
        lambda: story('<img src="data:image/png;base64,' + "A" * 3_000_000 + '">'), O.SAVED, whole
    ),
    "a million entities": Case(lambda: html("<p>" + "&amp;" * 900_000 + "</p>"), O.NO_TEXT),
    "a title of a megabyte": Case(lambda: story(head=f"<title>{'Order ' * 170_000}</title>"), O.SAVED, whole),
    "10,000 links and nothing else": Case(
        lambda: html("".join(f'<a href="/{n}">Story number {n} of the day</a> ' for n in range(10_000))),
        O.NO_TEXT,
    ),
    "NUL and control characters": Case(lambda: story().replace(b"signed an", b"signed\x00\x01 an"), O.SAVED),
    "no body at all": Case(lambda: b"<!doctype html><html><head><title>Gone fishing</title></head></html>", O.NO_TEXT),
    "an empty response": Case(lambda: b" \n ", O.NO_TEXT),
    "a page built by a script": Case(lambda: html('<div id="root"></div><script src="/app.js"></script>'), O.NO_TEXT),
    "a frame around another page": Case(lambda: html('<iframe src="https://elsewhere.example/"></iframe>'), O.NO_TEXT),
    "a refresh to an internal address": Case(
        lambda: html("", '<meta http-equiv="refresh" content="0;url=http://169.254.169.254/">'), O.NO_TEXT
    ),
    "a soft 404": Case(
        lambda: html("<h1>Page not found</h1><p>The page that you want is not here.</p>",
                     "<title>Page not found</title>"),
        O.NOT_AN_ARTICLE,
    ),
    "a consent box before the story": Case(
        lambda: story('<div class="cookie-consent"><p>We and our 812 partners store and access information on your '
                      "device. Accept all cookies to go on.</p></div>"),
        O.SAVED, lambda r: whole(r) and "812 partners" not in r.article.text,
    ),
    "a paywall after the first paragraphs": Case(
        lambda: story('<div class="paywall"><p>Subscribe to continue reading. Already a subscriber? Log in.</p></div>',
                      paragraphs=STORY[:2]),
        O.SAVED, lambda r: r.article.access == "partial",
    ),
    "a date in the next century": Case(lambda: story(head=dated(FUTURE)), O.SAVED, lambda r: not _of_year(r, 2094)),
    "an invalid date": Case(lambda: story(head=dated("Invalid Date")), O.SAVED, whole),
    "a date of the year 0": Case(lambda: story(head=dated("0000-00-00")), O.SAVED, whole),
    "JSON-LD that is not JSON": Case(lambda: story(head=linked('{"@type": "NewsArticle", ')), O.SAVED, whole),
    "JSON-LD 5,000 levels deep": Case(lambda: story(head=linked("[" * 5_000 + "]" * 5_000)), O.SAVED, whole),
    "a canonical URL on another site": Case(
        lambda: story(head='<title>Order signed</title><link rel="canonical" href="https://elsewhere.example/x">'),
        O.SAVED, lambda r: r.article.url.startswith("https://gazette.example/"),
    ),
    "the AMP version of a page": Case(
        lambda: story(head='<title>Order signed</title><link rel="canonical" href="https://gazette.example/order">'),
        O.SAVED, lambda r: r.article.url == "https://gazette.example/order",
    ),
    "Latin-1 labelled UTF-8": Case(
        lambda: story(paragraphs=ACCENTED).decode().encode("cp1252"), O.SAVED, lambda r: "Málaga" in r.article.text
    ),
    "UTF-8 labelled Latin-1": Case(
        lambda: story(paragraphs=ACCENTED), O.SAVED, lambda r: "Málaga" in r.article.text, charset="iso-8859-1"
    ),
    "an unknown charset": Case(story, O.SAVED, whole, charset="x-klingon"),
    "UTF-16 with a byte order mark": Case(lambda: story().decode().encode("utf-16"), O.SAVED, whole, charset=""),
    "a gzip file": Case(lambda: gzip.compress(story()), O.NOT_AN_ARTICLE),
    "a PDF labelled HTML": Case(lambda: b"%PDF-1.7\n1 0 obj", O.NOT_AN_ARTICLE),
    "random bytes": Case(lambda: bytes((n * 7919 + n // 256) % 256 for n in range(100_000)), O.NO_TEXT),
    "a feed instead of a page": Case(
        lambda: b'<?xml version="1.0"?><rss><channel></channel></rss>', O.NOT_AN_ARTICLE
    ),
    "expanding entities": Case(
        lambda: b'<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        + story().replace(b"signed an", b"signed &b;&b; an"), O.SAVED,
    ),
    "lone surrogates": Case(lambda: story().replace(b"Monday", b"Mon\xed\xa0\x80day"), O.SAVED),
}  # fmt: skip


def _of_year(reading: Reading, year: int) -> bool:
    article = reading.article
    return article is not None and article.published_at is not None and article.published_at.year == year
