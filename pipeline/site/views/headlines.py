"""What stands at the head of an event: a quote, and a short description by the program only where that is certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.site.text import formatting, labels

SURE = 0.9  # confidence from which the program's own sentence is shown
MOST_PARTIES = 3
_IN_A_LABEL = ("actor", "target", "object", "instrument")


def is_sure(event: Mapping[str, Any]) -> bool:
    """Return whether the program's sentence for an event may be shown: read with confidence, and not disputed."""
    return event["confidence"] >= SURE and not event["contradicted"]


def label_of(event: Mapping[str, Any]) -> str:
    """Return a description that claims no relation: "Agreement: Vellichor, Corvid 4"."""
    parties = [party["name"] for party in event.get("parties", ()) if party["role"] in _IN_A_LABEL]
    names = list(dict.fromkeys(parties))
    shown = ", ".join(names[:MOST_PARTIES]) + (f" and {len(names) - MOST_PARTIES} more" if names[MOST_PARTIES:] else "")
    return labels.words_for("type", event["type"]) + (f": {shown}" if shown else "")


def short_title(event: Mapping[str, Any]) -> str:
    """Return the program's sentence for an event where that is certain, and otherwise its label."""
    return formatting.with_day_words(event["summary"]) if is_sure(event) else label_of(event)
