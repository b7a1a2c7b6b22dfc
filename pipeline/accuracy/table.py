"""Turns stored figures into the rows of the accuracy table: label, meaning, value, 95 % interval and n."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.accuracy.reliability import wilson


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `value` is a share from 0 to 1 of `n`; `interval` is None if there is none."""

    label: str
    meaning: str
    value: float
    interval: tuple[float, float] | None
    n: int

    def words(self) -> str:
        """Return the share with its 95 % interval in percent: "90 % (85 to 94)"."""
        return percent(self.value) + (
            f" ({percent(self.interval[0], '')} to {percent(self.interval[1], '')})" if self.interval else ""
        )


_CLAIMS = (
    ("claims", "precision", "predicted", "Claims shown that are right (precision)", "right type and right sentence"),
    ("claims", "recall", "gold", "Claims in the text that are found (recall)", "of those that a reader annotated"),
    ("claims", "f1", "gold", "Precision and recall combined (F1)", "their harmonic mean"),
    ("usable_claims", "f1", "gold", "Usable claims (F1)", "modality and every actor are right as well"),
    ("participants_of_matched", "f1", "gold", "Participants (F1)", "names and roles, in the claims found"),
)
_ATTRIBUTES = (
    ("modality", "Whether it happened (modality)", "happened, planned, denied and so on, in the claims found"),
    ("direction", "Imposed or lifted", "for restrictions"),
    ("attribution_kind", "Who says so", "a person, a document, the outlet itself and so on"),
    ("date", "Date", "exactly the date that a reader annotated"),
    ("mention", "News or background", "whether the article reports the event as new or recalls it"),
)


def lines(figures: dict[str, Any]) -> list[Figure]:
    """Return the rows of a report, the most important first."""
    intervals = figures["intervals"]
    found = [
        Figure(label, meaning, figures[family][name], _of(intervals, f"{family}.{name}"), figures[family][of])
        for family, name, of, label, meaning in _CLAIMS
    ]
    asked = figures.get("asked_of_matched", {})
    found += [
        Figure(
            label,
            meaning,
            figures["accuracy_of_matched"][name],
            _of(intervals, f"accuracy_of_matched.{name}"),
            asked.get(name, 0),
        )
        for name, label, meaning in _ATTRIBUTES
        if name in figures["accuracy_of_matched"]
    ]
    events, relevance = figures["events_b_cubed"], "whether an article is about the oversight of AI"
    found.append(
        Figure(
            "Event grouping (B-cubed F1)",
            "whether claims about one event are grouped together",
            events["f1"],
            None,
            events["claims"],
        )
    )
    wrong, not_done = figures["not_occurred_claims_stored_as_occurred"]
    if not_done:
        label, meaning = "Shown as done, but not done", "share of claims about what was not done; lower is better"
        found.append(Figure(label, meaning, wrong / not_done, wilson(wrong, not_done), not_done))
    interval = _of(intervals, "relevance_accuracy")
    found.append(Figure("Relevant or not", relevance, figures["relevance_accuracy"], interval, figures["documents"]))
    return found


def by_type(figures: dict[str, Any]) -> Iterator[tuple[str, Figure, Figure]]:
    """Yield each event type with its precision and recall."""
    intervals = figures["intervals"]
    for name, row in figures["by_type"].items():
        yield (
            name,
            Figure("precision", "", row["precision"], _of(intervals, f"by_type.{name}.precision"), row["predicted"]),
            Figure("recall", "", row["recall"], _of(intervals, f"by_type.{name}.recall"), row["gold"]),
        )


def percent(share: float, unit: str = " %") -> str:
    """Return a share in whole percent."""
    return f"{100 * share:.0f}{unit}"


def _of(intervals: dict[str, Any], key: str) -> tuple[float, float] | None:
    if key not in intervals:
        return None
    low, high = intervals[key]
    return low, high
