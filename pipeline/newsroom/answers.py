"""The expected claims of the newsroom's articles, and the planted cases for tests."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.newsroom.stories import FOLDER, Story, stories

EXPECTED = FOLDER / "expected"


@cache
def expected() -> dict[str, dict[str, Any]]:
    """Return the expected claims by document id, in the format of the annotation guidelines.

    A document is the first version of an article, under its id, or a later one, under "ID@2".
    """
    files = sorted((EXPECTED / "claims").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


@cache
def planted() -> dict[str, Any]:
    """Return the planted cases of planted.toml."""
    return tomllib.loads((EXPECTED / "planted.toml").read_text(encoding="utf-8"))


def version(document_id: str) -> Story:
    """Return the version of an article with this document id; raise KeyError if there is none."""
    story_id, _, number = document_id.partition("@")
    for story in stories():
        if story.story_id == story_id:
            return story.versions[int(number or 1) - 1]
    raise KeyError(document_id)


def document(document_id: str) -> dict[str, Any]:
    """Return a document in the input format of `oversight claims`."""
    story = version(document_id)
    return {
        "id": document_id,
        "url": story.url,
        "title": story.title,
        "published": story.published.date().isoformat(),
        "site": story.publisher.host,
        "text": story.text,
    }


def write_documents(texts: Path, claims: Path) -> int:
    """Write every document to `texts` and its expected claims to `claims`, one ID.json each; return their number."""
    for folder in (texts, claims):
        folder.mkdir(parents=True, exist_ok=True)
    for document_id, findings in expected().items():
        for folder, content in ((texts, document(document_id)), (claims, findings)):
            body = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            (folder / f"{document_id}.json").write_text(body, encoding="utf-8")
    return len(expected())
