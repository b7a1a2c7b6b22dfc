"""Works on the events that the trained model reads in an article.

`participants` finds the entities behind the words that the model points to, `document` groups the readings of one
event, `calibration` turns a score into a confidence. It imports the lexicon and the classifier, parsing and entities
packages of nlp.
"""

from __future__ import annotations

__all__: list[str] = []
