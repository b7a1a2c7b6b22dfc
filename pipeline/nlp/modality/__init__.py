"""Determines how certain a sentence is of an event: occurred, planned, denied and so on.

`scope` walks up from the trigger; `auxiliaries` and `nouns` read the words around a verb or noun; `cues` holds the word
lists. It imports the lexicon's inflection tables and `pipeline.nlp.parsing`.
"""

from __future__ import annotations

__all__: list[str] = []
