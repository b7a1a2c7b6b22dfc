"""The loaded pipeline, shared by all tests of one process: loading it takes about three seconds."""

from __future__ import annotations

from functools import cache

from spacy.language import Language

from pipeline.nlp.pipeline import load


@cache
def load_once(*, always: bool = True) -> Language:
    """Return the pipeline; by default it reads every text, whatever its subject."""
    return load(always=always)
