"""Measures the extraction: metrics against annotated claims, gold documents, fitted confidence and clustering.

`fitting` fits confidence and clustering to annotated texts, `synthetic_news` generates news for tests and benchmarks,
and `benchmarks` measures speed (source checkout only). The package may import everything but the commands; only
the `bench` command may import `benchmarks`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["evaluate"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use: they need numpy."""
    from importlib import import_module

    if name == "evaluate":
        return import_module("pipeline.evaluation.metrics").evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
