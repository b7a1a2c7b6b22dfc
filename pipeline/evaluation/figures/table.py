"""Stored figures come in; the lines that a reader sees go out: each with its words, value, 95 % interval and n."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.evaluation.reliability import wilson


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `value` is a share from 0 to 1, `n` what it is a share of; `interval` None where there is none."""

    label: str
    meaning: str
    value: float
    interval: tuple[float, float] | None
    n: int

    def words(self) -> str:
        """Return "90 % (85 to 94)", the share and its 95 % interval in hundredths."""
        return percent(self.value) + (
            f" ({percent(self.interval[0], '')} to {percent(self.interval[1], '')})" if self.interval else ""
        )


_CLAIMS = (
    ("claims", "precision", "predicted", "Claims shown that are right", "so many of them a reader noted too"),
    ("claims", "recall", "gold", "Claims found of those there are", "so many of a careful reader’s claims are found"),
    ("claims", "f1", "gold", "Both together (F1)", "one number for the two above"),
    ("usable_claims", "f1", "gold", "Usable as they are (F1)", "how sure it is and all who act are right as well"),
    ("participants_of_matched", "f1", "gold", "Who takes part (F1)", "names and roles, in the claims found"),
)  # fmt: skip
_ATTRIBUTES = (
    ("modality", "How sure it is", "happened, planned, denied and so on, in the claims found"),
    ("direction", "Imposed or lifted", "for restrictions"),
    ("attribution_kind", "Who says so", "a person, a document, the outlet itself and so on"),
    ("date", "When", "the date is exactly that of the careful reader"),
    ("mention", "News or background", "whether the report tells it as news or recalls it"),
)


def lines(figures: dict[str, Any]) -> list[Line]:
    """Return the figures of a report, the most important first."""
    intervals = figures["intervals"]
    found = [
        Line(label, meaning, figures[family][name], _of(intervals, f"{family}.{name}"), figures[family][of])
        for family, name, of, label, meaning in _CLAIMS
    ]
    asked = figures.get("asked_of_matched", {})
    found += [
        Line(label, meaning, figures["accuracy_of_matched"][name],
             _of(intervals, f"accuracy_of_matched.{name}"), asked.get(name, 0))
        for name, label, meaning in _ATTRIBUTES
        if name in figures["accuracy_of_matched"]
    ]  # fmt: skip
    wrong, not_done = figures["not_occurred_claims_stored_as_occurred"]
    events = figures["events_b_cubed"]
    found.append(Line("Claims about one event stand together (B-cubed F1)", "how well claims are joined into events",
                      events["f1"], None, events["claims"]))  # fmt: skip
    if not_done:
        found.append(Line("Not done, but shown as done", "of what did not happen; fewer is better",
                          wrong / not_done, wilson(wrong, not_done), not_done))  # fmt: skip
    found.append(Line("Articles rightly taken or left out", "whether an article is about the oversight of AI at all",
                      figures["relevance_accuracy"], _of(intervals, "relevance_accuracy"),
                      figures["documents"]))  # fmt: skip
    return found


def by_type(figures: dict[str, Any]) -> Iterator[tuple[str, Line, Line]]:
    """Yield each kind of event with its precision and its recall."""
    intervals = figures["intervals"]
    for name, row in figures["by_type"].items():
        yield (
            name,
            Line("right", "", row["precision"], _of(intervals, f"by_type.{name}.precision"), row["predicted"]),
            Line("found", "", row["recall"], _of(intervals, f"by_type.{name}.recall"), row["gold"]),
        )


def percent(share: float, unit: str = " %") -> str:
    """Return a share in whole hundredths."""
    return f"{100 * share:.0f}{unit}"


def _of(intervals: dict[str, Any], key: str) -> tuple[float, float] | None:
    return tuple(intervals[key]) if key in intervals else None
