"""The word tables of lexicon/words/nouns.toml -> what a noun stands for: "company" an organisation, "chatbot" a
model."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.records import EntityKind

if TYPE_CHECKING:
    from spacy.tokens import Token

_TABLES = tomllib.loads((Path(__file__).parent / "words" / "nouns.toml").read_text(encoding="utf-8"))

# Singular noun -> kind.
NOUN_KINDS: dict[str, EntityKind] = {}
for _kind, _nouns in _TABLES["kinds"].items():
    for _noun in _nouns:
        NOUN_KINDS.setdefault(_noun, EntityKind(_kind))

PERSON_TITLES = frozenset(_TABLES["words"]["person_titles"])  # before a name: a person follows
RANKS = frozenset(_TABLES["words"]["ranks"])  # may stand before such a title
TIME_WORDS = frozenset(_TABLES["words"]["time"])
REGIONAL = frozenset(_TABLES["words"]["regional"])  # "European": nobody's name by itself
CONSUMERS = frozenset(_TABLES["words"]["consumers"])  # whose consent is no agreement
ENVOYS = frozenset(_TABLES["words"]["envoys"])  # who acts for the body they are named with
GROUP_OF = {said: name for name, sayings in _TABLES["groups"].items() for said in sayings}  # class as said -> as kept
SENTENCE_OPENERS = frozenset(_TABLES["words"]["sentence_openers"])  # begin a sentence, never a name
# Bodies called so have the word in their name: "the commission" is no bureau, "the commissioner" no institute.
_CALLED_SO = frozenset(_TABLES["words"]["called_so"])
_NO_COURT = r"^(?!.*\b(?:{}court|tribunal|parliament|senate|congress))"
_FITS = {
    **dict.fromkeys(("office", "agency", "bureau"), re.compile(_NO_COURT.format(""), re.I)),
    **dict.fromkeys(  # what no institute is called either
        ("regulator", "watchdog", "enforcer", "authority"),
        re.compile(_NO_COURT.format("institute|cent(?:re|er)|laborator|"), re.I),
    ),
    "military": re.compile(r"Defen[cs]e|War|Pentagon|Army|Military", re.I),
}


def agencies_called(word: str) -> re.Pattern[str] | None:
    """Return what the name of a body must be like for "the WORD" to mean it; None where any body is called so."""
    return re.compile(rf"\b{word}", re.I) if word in _CALLED_SO else _FITS.get(word)


def may_be_called(name: str, token: Token) -> bool:
    """Tell whether "the State Council", of which `token` is the noun, can stand for an entity of some name: capitalised
    words before the noun must be in it. The plain "the council" and "the Council" may always, but "the markets
    authority" is one of markets."""
    if not token.text[:1].isupper():
        fields = [c.lower_ for c in token.lefts if c.dep_ == "compound" and c.tag_ in ("NN", "NNS")]
        return token.lower_ != "authority" or not fields or any(field in name.casefold() for field in fields)
    before = [c.lower_ for c in token.lefts if c.dep_ in ("compound", "amod", "nmod") and c.text[:1].isupper()]
    return all(word in name.casefold() for word in before)
