"""Records pages with their parsed result, as regression tests of source cards.

A recording is two files in FOLDER/SOURCE_ID: NAME.html.gz with the bytes, and NAME.json with the metadata of the
response and the parsed result.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapers.items import Page, Reading, Source
from scrapers.reading.article import read_page


class RecordingError(ValueError):
    """A recording that cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded page with its expected result. `path`: the JSON file."""

    path: Path
    page: Page
    expected: dict[str, Any]


def answer_of(reading: Reading) -> dict[str, Any]:
    """Return a reading in the form stored in a recording."""
    answer: dict[str, Any] = {"outcome": reading.outcome.value}
    if reading.article is None:
        return answer
    article = reading.article
    return answer | {
        "url": article.url,
        "title": article.title,
        "byline": list(article.byline),
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "published_basis": article.published_basis,
        "published_precision": article.published_precision.value,
        "modified_at": article.modified_at.isoformat() if article.modified_at else None,
        "language": article.language,
        "access": article.access,
        "has_affiliate_content": article.has_affiliate_content,
        "paragraphs": article.text.split("\n\n"),
        "removed": [[block.rule, block.text] for block in article.removed_blocks],
    }


def record(page: Page, reading: Reading, folder: Path) -> Path:
    """Save a page with its reading, replacing an older recording of the same URL; return the path of the JSON file."""
    into = folder / page.source_id
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{_name(page.url)}.json"
    known = {
        "page": {
            "url": page.url,
            "final_url": page.final_url,
            "fetched_at": page.fetched_at.isoformat(),
            "media_type": page.media_type,
            "charset": page.charset,
            "sha256": page.sha256,
        },
        "reading": answer_of(reading),
    }
    path.with_suffix(".html.gz").write_bytes(gzip.compress(page.body, mtime=0))
    path.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def recordings(folder: Path) -> Iterator[Recording]:
    """Yield all recordings in a folder, by source and name. Raises RecordingError for a damaged one."""
    for path in sorted(folder.glob("*/*.json")):
        remedy = "Record it again with `oversight sources record`, or delete it."
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            meta, expected = known["page"], known["reading"]
            body = gzip.decompress(path.with_suffix(".html.gz").read_bytes())
            fetched_at = datetime.fromisoformat(meta["fetched_at"])
            page = Page(meta["url"], meta["final_url"], path.parent.name, fetched_at, 200, meta["media_type"],
                        meta["charset"], (), body, meta["sha256"])  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise RecordingError(f"{path}: the recording cannot be read ({error}). {remedy}") from error
        if hashlib.sha256(body).hexdigest() != page.sha256:
            raise RecordingError(f"{path}: the page does not match its sha256. {remedy}")
        yield Recording(path, page, expected)


def differences(recording: Recording, sources: Mapping[str, Source]) -> list[str]:
    """Read a recorded page with its current card; return a line for each difference from the expected result."""
    source = sources.get(recording.page.source_id)
    if source is None:
        return [f"the card {recording.page.source_id!r} no longer exists"]
    found, lines = answer_of(read_page(recording.page, source)), []
    for key in dict.fromkeys((*recording.expected, *found)):
        was, is_now = recording.expected.get(key), found.get(key)
        if was == is_now:
            continue
        if key in ("paragraphs", "removed") and isinstance(was, list) and isinstance(is_now, list):
            what = "paragraph" if key == "paragraphs" else "removed block"
            lines += [f"{what} missing: {_short(one)}" for one in was if one not in is_now]
            lines += [f"{what} added: {_short(one)}" for one in is_now if one not in was]
            if not any(line.startswith(what) for line in lines):
                lines.append(f"{what}s in a different order")
        else:
            lines.append(f"{key} was {_short(was)}, is {_short(is_now)}")
    return lines


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"“{text[:77]}…”" if len(text) > 78 else f"“{text}”"


def _name(url: str) -> str:
    """Return a file name for a URL: its last words and a few digits of its hash."""
    words = re.findall(r"[a-z0-9]+", urlsplit(url).path.lower())
    return "-".join([*words[-8:], hashlib.sha256(url.encode()).hexdigest()[:6]])[-80:].lstrip("-")
