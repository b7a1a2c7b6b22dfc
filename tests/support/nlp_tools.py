"""The loaded language tools, shared by all tests of one process: loading them takes about two seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pipeline.nlp.pipeline import Tools, load_tools


@cache
def load_once(*, classifier: bool = True, only_relevant: bool = False) -> Tools:
    """Return the tools, with or without the classifier; by default every text is read, relevant or not."""
    return replace(_all_tools(), only_relevant=only_relevant, **({} if classifier else {"classifier": None}))


@cache
def _all_tools() -> Tools:
    return load_tools()
