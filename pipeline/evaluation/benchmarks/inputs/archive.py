"""Generates WARC archives of realistic size with a given share of relevant pages.

The pages come from a folder, each repeated with other numbers in its text, or are generated: shipped stories in frames
of scripts, styles and menus as large as those of news sites. A relevant page is a frame around an article about the
oversight of AI.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import random
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.errors import WrongUse
from pipeline.evaluation.benchmarks.inputs import texts, warcs
from pipeline.nlp.relevance.score import judge_relevance
from scrapers.items import Article, Page
from scrapers.reading.article import read_page

FETCHED = datetime(2026, 6, 1, tzinfo=UTC)
VARIANTS = 6  # of each irrelevant page
_NUMBER = re.compile(rb"(?<=[\s>])[1-9]\d{1,2}(?=[\s<.,])")
_OWN_WORDS = re.compile(
    rb"<script\b[^>]*ld\+json[^>]*>.*?</script\s*>|<meta\b[^>]*(?:title|description|url)[^>]*>|<title\b.*?</title\s*>|"
    rb"<link\b[^>]*canonical[^>]*>|<h1\b.*?</h1\s*>|<p\b[^>]*>(?:(?!<p\b).){60,}?</p\s*>",
    re.I | re.S,
)
_BODY = re.compile(rb"<body\b[^>]*>", re.I)


@dataclass(frozen=True, slots=True)
class GeneratedArchive:
    """A generated archive.

    Attributes:
        file: The archive.
        n_pages: Number of pages.
        n_bytes: Size of the pages before compression.
        planted: URLs of the relevant pages.
        data_hash: 16 hex digits over all records.
    """

    file: Path
    n_pages: int
    n_bytes: int
    planted: frozenset[str]
    data_hash: str


def make_archive(
    file: Path, n_pages: int, share: float, frames: Path | None = None, edition: int = 0, sample: list | None = None
) -> GeneratedArchive:
    """Write an archive. The same arguments give the same bytes.

    Args:
        file: Where to write it.
        n_pages: Number of pages.
        share: Share of relevant pages.
        frames: Folder of saved pages; None to generate the frames.
        edition: Varies the texts.
        sample: Receives (URL, HTML) of every page.
    """
    chance = random.Random(f"archive {edition}")
    n_relevant = round(n_pages * share)
    relevant_at = set(chance.sample(range(n_pages), n_relevant))
    bodies = real_pages(frames) if frames else made_pages()
    others = [_packed(_varied(body, number)) for body in bodies for number in range(VARIANTS)]
    articles = iter(texts.relevant_articles(n_relevant, edition))
    empty = [body for body in bodies if _is_usable_frame(body)] if n_relevant else []
    planted, digest, n_bytes = set(), hashlib.sha256(), 0
    with file.open("wb") as out:
        out.write(warcs.member(warcs.info()))
        for number in range(n_pages):
            url = f"https://news-{number % 40}.example/{edition}/{number}"
            if number in relevant_at:
                article = next(articles)
                body = framed(article.title, article.text, empty[number % len(empty)])
                packed = _packed(body)
                planted.add(url)
            else:
                packed = others[number % len(others)]
            data = _member(url, packed, FETCHED + timedelta(seconds=number))
            digest.update(data)
            n_bytes += len(packed.body)
            out.write(data)
            if sample is not None:
                sample.append((url, packed.body))
    return GeneratedArchive(file, n_pages, n_bytes, frozenset(planted), digest.hexdigest()[:16])


def real_pages(folder: Path) -> list[bytes]:
    """Return the irrelevant pages of a folder (.html or .html.gz, at any depth)."""
    files = sorted([*folder.rglob("*.html"), *folder.rglob("*.html.gz")])
    bodies = [gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files]
    bodies = [body for body in bodies if not _is_relevant(body)]
    if not bodies:
        raise WrongUse(f"{folder} has no irrelevant pages (.html or .html.gz). Name a folder with saved news pages.")
    return bodies


def _is_relevant(body: bytes) -> bool:
    article = _article_on(body)
    return article is not None and judge_relevance(article.title, article.text).relevant


def _is_usable_frame(body: bytes) -> bool:
    """Return whether the article extracted from a page is the one put into it, not one of its own."""
    probe = texts.relevant_articles(1, 99)[0]
    article = _article_on(framed(probe.title, probe.text, body))
    return article is not None and abs(len(article.text) - len(probe.text)) < 0.2 * len(probe.text)


def _article_on(body: bytes) -> Article | None:
    address = "https://bench.example/page"
    page = Page(address, address, "", FETCHED, 200, "text/html", "", (), body, hashlib.sha256(body).hexdigest())
    return read_page(page, None).article


def made_pages(count: int = 24) -> list[bytes]:
    """Return irrelevant pages in generated frames of some 150 to 400 kB."""
    return [
        framed(article.title, article.text, _frame(number))
        for number, article in enumerate(texts.irrelevant_articles(count, 77))
    ]


def framed(title: str, text: str, frame: bytes) -> bytes:
    """Return a frame with an article in place of its own."""
    parts = "".join(f"<p>{html.escape(part)}</p>\n" for part in text.split("\n\n"))
    head = f"<title>{html.escape(title)}</title>".encode()
    body = f"<main><article><h1>{html.escape(title)}</h1>\n{parts}</article></main>".encode()
    bare = _OWN_WORDS.sub(b"", frame)
    found = _BODY.search(bare)
    if found is None:
        return b"<html><head>" + head + b"</head><body>" + body + bare
    return head + bare[: found.end()] + body + bare[found.end() :]


def _frame(number: int) -> bytes:
    """Return a page without an article: scripts, styles, menus and teasers."""
    chance = random.Random(f"frame {number}")
    names = [f"{chance.choice('abcdefgh')}{chance.randrange(10**6):x}" for _ in range(400)]
    script = ";".join(
        f"var {name}=function(e,t){{return e.{chance.choice(names)}&&t?{{key:'{chance.choice(names)}',"
        f"value:{chance.random():.6f}}}:null}}"
        for name in chance.choices(names, k=chance.randrange(500, 2_500))
    )
    style = "".join(f".{name}{{margin:{chance.randrange(40)}px;display:flex}}" for name in chance.choices(names, k=800))
    sections = ("Home", "World", "Politics", "Business", "Sport", "Weather", "Culture", "Travel", "Opinion", "Video")
    menu = "".join(
        f'<li class="{chance.choice(names)}"><a href="/{name}" data-track="{name}">{chance.choice(sections)}</a></li>'
        for name in chance.choices(names, k=120)
    )
    teasers = "".join(
        f'<div class="{chance.choice(names)} card"><a href="/{name}"><img src="/i/{name}.jpg" alt=""><h3>'
        f"{html.escape(article.title)}</h3></a></div>"
        for name, article in zip(names, texts.irrelevant_articles(40, 1_000 + number), strict=False)
    )
    return (
        f"<!doctype html><html lang=en><head><script>{script}</script><style>{style}</style></head>"
        f'<body class="{names[0]}"><nav><ul>{menu}</ul></nav><section>{teasers}</section>'
        f"<footer><ul>{menu}</ul></footer>"
        f"<script>{script[: len(script) // 3]}</script></body></html>"
    ).encode()


def _varied(body: bytes, number: int) -> bytes:
    """Return a page with other numbers in its text."""
    if not number:
        return body
    return _NUMBER.sub(lambda found: b"%d" % (10 + (int(found[0]) * 7 + 13 * number) % 900), body)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A body with its deflated bytes, so that a page that occurs often is compressed only once."""

    body: bytes
    deflated: bytes


def _packed(body: bytes) -> _Packed:
    packer = zlib.compressobj(6, wbits=-15)
    return _Packed(body, packer.compress(body + b"\r\n\r\n") + packer.flush())


def _member(url: str, page: _Packed, at: datetime) -> bytes:
    """Return a record as a gzip member made of two deflated parts."""
    data = warcs.response(url, page.body, at)
    head = data[: len(data) - len(page.body) - 4]
    packer = zlib.compressobj(6, wbits=-15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    end = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + first + page.deflated + end


def sample_of(sample: list[tuple[str, bytes]], count: int, planted: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Yield `count` pages of a sample with the same share of relevant ones."""
    ours = [pair for pair in sample if pair[0] in planted]
    other = [pair for pair in sample if pair[0] not in planted]
    n_ours = min(len(ours), max(1 if ours else 0, round(count * len(ours) / max(1, len(sample)))))
    yield from ours[:n_ours]
    yield from other[:: max(1, len(other) // max(1, count - n_ours))][: count - n_ours]
