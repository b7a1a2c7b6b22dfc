"""What common nouns refer to ("company": an organisation, "chatbot": a model), from words/nouns.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.records import EntityKind

if TYPE_CHECKING:
    from spacy.tokens import Token

_TABLES = tomllib.loads((Path(__file__).parent / "words" / "nouns.toml").read_text(encoding="utf-8"))

# Kind of entity by singular noun.
NOUN_KINDS: dict[str, EntityKind] = {}
for _kind, _nouns in _TABLES["kinds"].items():
    for _noun in _nouns:
        NOUN_KINDS.setdefault(_noun, EntityKind(_kind))

PERSON_TITLES = frozenset(_TABLES["words"]["person_titles"])  # precede the name of a person
RANKS = frozenset(_TABLES["words"]["ranks"])  # may precede such a title
TIME_WORDS = frozenset(_TABLES["words"]["time"])
REGIONAL = frozenset(_TABLES["words"]["regional"])  # "European": not a name by itself
ENVOYS = frozenset(_TABLES["words"]["envoys"])  # people who act for the body named beside them
GROUP_OF = {said: name for name, sayings in _TABLES["groups"].items() for said in sayings}  # canonical name by wording
SENTENCE_OPENERS = frozenset(_TABLES["words"]["sentence_openers"])  # begin a sentence, never a name
# A body called one of these has the word in its name: "the commission" is not a bureau.
_IN_NAME = frozenset(_TABLES["words"]["called_so"])
_NO_COURT = r"^(?!.*\b(?:{}court|tribunal|parliament|senate|congress))"
_FITS = {
    **dict.fromkeys(("office", "agency", "bureau"), re.compile(_NO_COURT.format(""), re.I)),
    **dict.fromkeys(  # institutes are not called any of these either
        ("regulator", "watchdog", "enforcer", "authority"),
        re.compile(_NO_COURT.format("institute|cent(?:re|er)|laborator|"), re.I),
    ),
    "military": re.compile(r"Defen[cs]e|War|Pentagon|Army|Military", re.I),
}


def agencies_called(word: str) -> re.Pattern[str] | None:
    """Return a pattern for the names of bodies that "the WORD" can refer to, None if it can refer to any body."""
    return re.compile(rf"\b{word}", re.I) if word in _IN_NAME else _FITS.get(word)


def may_be_called(name: str, token: Token) -> bool:
    """Return whether a phrase such as "the State Council" can refer to the entity of this name.

    Capitalised words before the noun must be in the name; plain "the council" always fits, but "the markets
    authority" must be one of markets.

    Args:
        name: the entity's name.
        token: the noun of the phrase.
    """
    if not token.text[:1].isupper():
        fields = [c.lower_ for c in token.lefts if c.dep_ == "compound" and c.tag_ in ("NN", "NNS")]
        return token.lower_ != "authority" or not fields or any(field in name.casefold() for field in fields)
    before = [c.lower_ for c in token.lefts if c.dep_ in ("compound", "amod", "nmod") and c.text[:1].isupper()]
    return all(word in name.casefold() for word in before)
