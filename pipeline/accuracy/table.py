"""Turns stored figures into the rows of the accuracy tables.

The main table has label, meaning, value, 95 % interval and n; further tables show the figures by fold, by group of
claims, and without single parts of the pipeline.
"""

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


FOLD_FIGURES = (  # name, label, what it means
    ("claims.precision", "Claims, precision", "claims made that are right"),
    ("claims.recall", "Claims, recall", "annotated claims that are found"),
    ("claims.f1", "Claims, F1", "their harmonic mean"),
    ("usable.precision", "Usable claims, precision", "modality and every actor are right as well"),
    ("usable.recall", "Usable claims, recall", "of the annotated claims"),
    ("usable.f1", "Usable claims, F1", "their harmonic mean"),
    ("participants.f1", "Participants, F1", "names and roles, in the claims found"),
    ("modality", "Modality", "happened, planned, denied and so on, in the claims found"),
    ("date", "Date", "exactly the date that a reader annotated"),
    ("newness", "News or background", "in the claims found"),
    ("attribution", "Who says so", "the kind of source, in the claims found"),
    ("direction", "Imposed or lifted", "for restrictions"),
    ("b_cubed.f1", "Event grouping, B-cubed F1", "whether claims about one event are grouped together"),
    ("not_done_as_done", "Not done, stored as done", "share of the found claims about what was not done"),
    ("not_done", "found claims about what was not done", "number"),
    ("relevance", "Relevant or not", "whether a document is about the oversight of AI"),
    ("irrelevant.claims", "claims from irrelevant documents", "number"),
    ("irrelevant.shown", "of these shown by default", "number"),
    ("default.precision", "Shown by default, precision", "claims from the default confidence on"),
    ("default.recall", "Shown by default, recall", "of the annotated claims"),
    ("calibration_error", "Expected calibration error", "mean distance of confidence and share right"),
)
COUNTS = frozenset({"not_done", "irrelevant.claims", "irrelevant.shown"})
ABLATED = (  # what the table of parts compares: figure of FOLD_FIGURES, label
    ("usable.f1", "usable F1"),
    ("claims.f1", "claims F1"),
    ("participants.f1", "participants"),
    ("modality", "modality"),
    ("date", "date"),
    ("newness", "newness"),
    ("attribution", "who says so"),
    ("direction", "direction"),
    ("not_done_as_done", "not done as done"),
    ("relevance", "relevance"),
    ("calibration_error", "calibration error"),
)
INTERVALS_OF = ("usable.f1", "claims.f1")  # the figures of ABLATED that are shown with their paired interval
GROUPS = (("novelty", "Trigger word in the training data"), ("register", "Register"), ("jurisdiction", "Jurisdiction"))
_CLAIMS = (
    ("claims", "precision", "predicted", "Claims found that are right (precision)", "right type and right sentence"),
    ("claims", "recall", "gold", "Claims in the text that are found (recall)", "of those that a reader annotated"),
    ("claims", "f1", "gold", "Precision and recall combined (F1)", "their harmonic mean"),
    ("usable_claims", "f1", "gold", "Usable claims (F1)", "modality and every actor are right as well"),
    ("default_view", "precision", "predicted", "Claims shown by default that are right", "those that are sure enough"),
    ("default_view", "recall", "gold", "Claims in the text that are shown by default", "of the annotated ones"),
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
        if family in figures
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


def fold_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Return the table by fold as rows of text: heading, then label, folds, mean and interval; empty if unmeasured."""
    found = figures.get("folds")
    if not found:
        return []
    names = list(found["by_fold"])
    rows = [["", *(f"fold {name}" for name in names), "mean", "95 % interval"]]
    rows.append(
        ["documents", *(str(found["documents"][name]) for name in names), str(sum(found["documents"].values())), ""]
    )
    for name, label, _ in FOLD_FIGURES:
        values = [*(found["by_fold"][fold][name] for fold in names), found["mean"][name]]
        within = found["intervals"].get(name)
        cells = [_cell(value, name in COUNTS) for value in values]
        rows.append([label, *cells, f"{_cell(within[0])} to {_cell(within[1])}" if within else ""])
    return rows


def group_rows(figures: dict[str, Any], family: str) -> list[list[str]]:
    """Return the table of one family of GROUPS as rows of text; empty if unmeasured."""
    if not figures.get(f"by_{family}"):
        return []
    rows = [[dict(GROUPS).get(family, "Type"), "precision", "recall", "F1", "usable F1", "annotated", "found"]]
    for name, row in figures[f"by_{family}"].items():
        cells = []
        for what in ("precision", "recall", "f1"):
            within = _of(figures["intervals"], f"by_{family}.{name}.{what}")
            cells.append(_cell(row[what]) + (f" ({_cell(within[0])} to {_cell(within[1])})" if within else ""))
        rows.append([name, *cells, _cell(row.get("usable_f1")), str(row["gold"]), str(row["predicted"])])
    return rows


def ablation_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Return the table of parts as rows of text: how each figure changes without a part; empty if unmeasured."""
    found = figures.get("ablation")
    if not found:
        return []
    rows = [["without", *(label for _, label in ABLATED)]]
    rows.append(["nothing", *(_cell(found["whole"][name]) for name, _ in ABLATED)])
    for part, row in found["without"].items():
        cells = []
        for name, _ in ABLATED:
            change, within = row[name]["difference"], row[name]["interval"]
            text = "" if change is None else signed(change)
            if within and change is not None and name in INTERVALS_OF:
                text += f" ({signed(within[0])} to {signed(within[1])})"
            cells.append(text)
        rows.append([part.replace("_", " "), *cells])
    return rows


def signed(value: float) -> str:
    """Return a difference with its sign: "+.012", "-.004", "0"."""
    return f"{value:+.3f}".replace("0.", ".", 1) if round(value, 3) else "0"


def _cell(value: float | None, count: bool = False) -> str:
    if value is None:
        return "–"
    return str(int(value)) if count else f"{value:.3f}".removeprefix("0")


def percent(share: float, unit: str = " %") -> str:
    """Return a share in whole percent."""
    return f"{100 * share:.0f}{unit}"


def _of(intervals: dict[str, Any], key: str) -> tuple[float, float] | None:
    if key not in intervals:
        return None
    low, high = intervals[key]
    return low, high
