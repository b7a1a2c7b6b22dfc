"""Decides how certain a sentence is of an event: occurred, planned, denied and so on.

The trained model says which; `guard` may only lower the certainty. It imports the records and the classifier.
"""

from __future__ import annotations

__all__: list[str] = []
