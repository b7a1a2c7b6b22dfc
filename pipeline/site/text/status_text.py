"""A stage, or how a line stood on a day, comes in; plain English goes out, in which no plan reads like a fact."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.aggregation.timelines.status import Stage, StatusOnDay
from pipeline.lexicon.months import MONTHS
from pipeline.site.text.words import day_words, span_words

# Stages that are no participle: how each reads when it was reached.
_REACHED = {
    "in talks": "in talks", "in force": "in force", "hearing": "heard", "in court": "taken to court",
    "deadline set": "given a deadline", "brief filed": "brief filed", "moved": "moved ahead", "left": "left",
    "ruled": "ruled on", "filed": "filed", "appealed": "appealed", "opposed": "opposed in court",
}  # fmt: skip


_CASES = {"in court": "legal action dropped", "filed": "legal action dropped", "appealed": "appeal dropped"}


def stage_words(stage: str, modality: str) -> str:
    """Return a stage in a few words: "signed", "to be signed, only planned", "said to be signed, unconfirmed"."""
    if stage == "delayed" and modality == "postponed":  # not a delay that was put off
        return "put off"
    if modality == "cancelled" and stage in _CASES:  # a suit that was filed is dropped as well as one that was planned
        return _CASES[stage]
    done = _REACHED.get(stage, stage)
    to_be = f"to be {done}"
    return {
        "occurred": done,
        "planned": f"{to_be}, planned only",
        "considered": f"{to_be}, under consideration only",
        "postponed": f"{to_be}, but put off",
        "cancelled": f"{to_be}, but called off",
        "negated": f"not {done}",
        "denied": f"said to be {done}, which is denied",
        "alleged": f"said to be {done}, unconfirmed",
        "conditional": f"{to_be} under a condition only",
    }.get(modality, f"{done} ({modality})")


def latest_words(day: str | None) -> str:
    """Return "by the end of June 2026 at the latest" for a month's last day, "by 12 May 2026 at the latest" else."""
    if not day:
        return ""
    year, month, number = (int(part) for part in day.split("-"))
    last = {2: 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 4: 30, 6: 30, 9: 30, 11: 30}
    if number == last.get(month, 31):
        return f"by the end of {MONTHS[month - 1]} {year} at the latest"
    return f"by {day_words(day)} at the latest"


def since_words(stage: Stage) -> str:
    """Return since when a stage holds, no finer than it is known."""
    if not stage.done:
        return f"reported {day_words(stage.first_reported_on)}" if stage.first_reported_on else "on an unknown day"
    if not stage.dated:
        return f"day not known, {latest_words(stage.sure_from)}" if stage.sure_from else "day not known"
    if stage.from_basis == "publication":
        return f"reported {day_words(stage.from_start)}, the day itself is not named"
    if stage.from_start == stage.from_end:
        return day_words(stage.from_start)
    return f"{span_words(stage.from_start, stage.from_end, stage.from_precision)}, {latest_words(stage.sure_from)}"


def brief(stage: Stage) -> str:
    """Return a stage as a cell shows it: "Signed, 9 April 2026"."""
    words = f"{stage_words(stage.stage, stage.modality)}, {since_words(stage)}"
    return words[:1].upper() + words[1:]


def sentence_words(status: StatusOnDay) -> str:
    """Return how a line stood on its day in one or two plain sentences; "" where nothing is known by then."""
    parts = [f"{stage.summary} ({since_words(stage)}{_contradicted(stage)})" for stage in _settled(status)]
    parts += [f"Possibly already: {stage.summary} ({since_words(stage)})" for stage in status.maybe]
    parts += [f"{stage.summary} ({since_words(stage)}{_contradicted(stage)})" for stage in status.ahead]
    return " ".join(parts)


def _settled(status: StatusOnDay) -> Iterable[Stage]:
    return (*((status.done,) if status.done else ()), *status.besides, *status.undated)


def _contradicted(stage: Stage) -> str:
    return "; reports disagree" if stage.contradicted else ""


def due_state(row: dict, day: str) -> str:
    """Return what became of a row of table `upcoming`, seen from a day, in words."""
    settled = day_words(row["settled_on"])
    if row["fate"] == "happened":
        return f"Reported as done{', ' + settled if settled else ''}."
    if row["fate"] == "put_off":
        return f"Put off, as reported {settled}; no new day is named."
    if row["fate"] == "called_off":
        return f"Called off, as reported {settled}."
    if row["fate"] == "moved":
        return f"Moved: a report of {settled} names another day."
    if row["due_end"] < day:
        return "Was due; no report that it happened."
    if row["due_start"] <= day < row["due_end"]:
        return "Due in these days; no report that it happened."
    return "Ahead."


def due_when(row: dict) -> str:
    """Return when something is due, no finer than it is known."""
    when = span_words(row["due_start"], row["due_end"], row["due_precision"])
    if row["due_start"] != row["due_end"]:
        return f"{when}, {latest_words(row['due_end'])}"
    return when
