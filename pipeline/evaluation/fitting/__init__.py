"""Fits parameters to annotated texts: the confidence of claims and the weights that group claims into events.

Each module is a script, run with `python -m`; its results are stored in the code or beside the weights. It may import
the newsroom and everything that `pipeline.evaluation` may import.
"""

from __future__ import annotations

__all__: list[str] = []
