"""Finds the claims in parsed paragraphs, with frames and with the classifier, and the roles of their participants.

`frames` and `fusion` produce drafts, which `pipeline.nlp.assemble` turns into claims. It imports the lexicon and the
parsing, entities, modality and classifier packages of nlp.
"""

from __future__ import annotations

__all__: list[str] = []
