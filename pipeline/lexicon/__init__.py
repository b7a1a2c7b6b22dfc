"""Background knowledge in TOML files, with loaders: names and word lists.

Imports only pipeline.records. Its exports are loaded on first use, since pydantic takes a tenth of a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.lexicon.entities import Lexicon
    from pipeline.lexicon.load import load_lexicon

__all__ = ["Lexicon", "load_lexicon"]
_MODULES = {"Lexicon": "entities", "load_lexicon": "load"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
