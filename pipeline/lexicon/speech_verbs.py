"""Verbs of speech from words/speech_verbs.toml, in all their forms."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline.lexicon.inflection import verb_forms

_VERBS = tomllib.loads((Path(__file__).parent / "words" / "speech_verbs.toml").read_text(encoding="utf-8"))


# Verbs that state their clause, in all their forms: "The agency said that it had fined Acme".
STATING = frozenset(form for verb in _VERBS["stating"] for form in verb_forms(verb))
