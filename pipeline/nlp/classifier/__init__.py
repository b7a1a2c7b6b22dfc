"""Runs the trained event model, an int8 ONNX encoder with heads, without PyTorch.

`runtime` loads the weights and decodes their output; `windows` packs sentences. It imports only the records; the
training code is in `pipeline.nlp.training`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["EventModel", "EventReading"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use: they need numpy and the tokenizer."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("pipeline.nlp.classifier.runtime"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
