"""Trains the claim classifier: the corpus of invented stories, its checker, the encoder in PyTorch, and scoring.

It imports `pipeline.nlp.classifier` and the records. `train` and `encoder` need the `train` extra; the rest does not.
"""

from __future__ import annotations

__all__: list[str] = []
