"""Verbs of speech from words/speech_verbs.toml, in all their forms."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline.lexicon.inflection import verb_forms

_VERBS = tomllib.loads((Path(__file__).parent / "words" / "speech_verbs.toml").read_text(encoding="utf-8"))


def _forms(*lists: str) -> frozenset[str]:
    return frozenset(form for name in lists for verb in _VERBS[name] for form in verb_forms(verb))


# Verbs whose clause counts as stated: its modality is that of its own verb.
STATING = _forms("stating_and_attributing", "stating_only")
# Verbs whose subject is the speaker of their clause.
ATTRIBUTING = _forms("stating_and_attributing", "attributing_only")
