"""The share of the expectations in feedparser's test files that our feed parser meets.

Each file contains feedparser's result as a Python expression in a comment. The expression is split at each `and`, and
those comparisons are used that concern fields of a FeedEntry:

- `len(entries) == N`: the number of entries, before those without a URL are dropped;
- `entries[i].link`: the URL, joined to the Content-Location that a file specifies;
- `entries[i].title`: as plain text; the expected HTML is converted in the same way;
- `entries[i].id` (and `guid`): the text;
- `entries[i].published_parsed`, `updated_parsed`, `created_parsed`: the time, to the second;
- `entries[i].published`, `updated`: the time in the expected string, if it can be parsed.

Other comparisons (feed titles, sanitised HTML, enclosures, languages, namespaces, bozo) are ignored. A file passes if
all of its comparisons hold. Well-formed files are those in tests/wellformed; all 2,000 files, including broken ones,
must be parsed without an exception, as any shape.
"""

from __future__ import annotations

import ast
import calendar
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pytest
from support.paths import SHARED

from scrapers.feeds.parse import absolute, plain, read_feed, xml_entries
from scrapers.items import Feed, FeedEntry, FeedShape
from scrapers.reading.timestamps import read_moment

ARCHIVE = SHARED / "feeds" / "feedparser-tests.tar.gz"
BASE = "http://127.0.0.1:8097/"
DATES = {"published": "published_at", "updated": "updated_at", "created": "published_at"}

pytestmark = pytest.mark.skipif(not ARCHIVE.is_file(), reason=f"feed files not found ({ARCHIVE})")


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    """Return the test files in the archive by name."""
    with tarfile.open(ARCHIVE) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


def expectations(body: bytes) -> Iterator[tuple[int | None, str, Any]]:
    """Yield (entry number, field, expected value) of a file's comment; (None, "count", n) for the number of entries."""
    found = re.search(rb"Expect:\s*(.*?)\s*-->", body, re.S)
    if not found:
        return
    try:
        tree = ast.parse(found[1].decode("utf-8", "replace").strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return
    for term in tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]:
        if not (isinstance(term, ast.Compare) and len(term.ops) == 1 and isinstance(term.ops[0], ast.Eq)):
            continue
        try:
            expected = ast.literal_eval(term.comparators[0])
        except ValueError:
            continue
        left = ast.unparse(term.left)
        if left == "len(entries)":
            yield None, "count", expected
        elif place := re.fullmatch(r"entries\[(\d+)\](?:\.(\w+)|\['(\w+)'\])", left):
            yield int(place[1]), place[2] or place[3], expected


def comparison(
    entries: list[FeedEntry], base: str, number: int | None, field: str, expected: Any
) -> tuple[Any, Any] | None:
    """Return (found, expected) for one expectation, None if it concerns no field of a FeedEntry."""
    if field == "count":
        return len(entries), expected
    entry = entries[number] if number is not None and number < len(entries) else FeedEntry("")
    if field == "link":
        return absolute(entry.url, base), absolute(expected, base)
    if field == "title":
        return entry.title, plain(expected)
    if field in {"id", "guid"}:
        return entry.entry_id, expected
    name = field.removesuffix("_parsed")
    if name not in DATES:
        return None
    ours = getattr(entry, DATES[name])
    if field.endswith("_parsed"):
        wanted = datetime.fromtimestamp(calendar.timegm(expected), UTC) if expected else None
    else:
        moment = read_moment(expected)
        if moment is None:
            return None
        wanted = moment[0]
    return ours, wanted


def compared(name: str, body: bytes) -> list[tuple[Any, Any]]:
    header = re.search(rb"Header:\s+Content-Location:\s*(\S+)", body)
    base = header[1].decode() if header else BASE
    entries = xml_entries(body, base)
    pairs = (comparison(entries, base, *one) for one in expectations(body))
    return [pair for pair in pairs if pair is not None]


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("shape", [FeedShape.RSS, FeedShape.SITEMAP, FeedShape.JSON_FEED])
def test_no_file_makes_the_parser_raise(shape):
    for body in files().values():
        reading = read_feed(body, Feed(BASE, shape), BASE)
        assert all(entry.url.startswith(("http://", "https://")) for entry in reading.entries)


@pytest.mark.filterwarnings("ignore::Warning")
def test_well_formed_files_give_the_entries_that_feedparser_expects():
    met, missed = 0, []
    for name, body in files().items():
        if "/wellformed/" not in name:
            continue
        pairs = compared(name, body)
        if not pairs:
            continue
        if all(found == expected for found, expected in pairs):
            met += 1
        else:
            missed.append(f"{name}: {[pair for pair in pairs if pair[0] != pair[1]]}")
    assert met + len(missed) >= 100, "too few files have expectations that are understood"
    share = met / (met + len(missed))
    assert share >= 0.95, f"{share:.3f} of {met + len(missed)} files; missed:\n" + "\n".join(missed)
