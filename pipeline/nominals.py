"""The word tables of kinds/shared/nouns.toml -> what a noun stands for: "company" an organisation, "chatbot" a
model."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline.records import EntityKind

_TABLES = tomllib.loads((Path(__file__).parent / "kinds" / "shared" / "nouns.toml").read_text(encoding="utf-8"))

# Singular noun -> kind.
NOUN_KINDS: dict[str, EntityKind] = {}
for _kind, _nouns in _TABLES["kinds"].items():
    for _noun in _nouns:
        NOUN_KINDS.setdefault(_noun, EntityKind(_kind))

PERSON_TITLES = frozenset(_TABLES["words"]["person_titles"])  # before a name: a person follows
RANKS = frozenset(_TABLES["words"]["ranks"])  # may stand before such a title
TIME_WORDS = frozenset(_TABLES["words"]["time"])
ENVOYS = frozenset(_TABLES["words"]["envoys"])  # who acts for the body they are named with
GROUP_OF = {said: name for name, sayings in _TABLES["groups"].items() for said in sayings}  # class as said -> as kept
SENTENCE_OPENERS = frozenset(_TABLES["words"]["sentence_openers"])  # begin a sentence, never a name
