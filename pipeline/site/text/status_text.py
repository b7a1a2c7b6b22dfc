"""Stages, timelines and upcoming days in plain English, worded so that a plan does not read like a fact."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.aggregation.timelines.status import Stage, StatusOnDay
from pipeline.lexicon.months import MONTHS
from pipeline.site.text.formatting import day_words, span_words

# How a stage reads once reached, where its name is not the participle to use.
_REACHED = {
    "in talks": "in talks",
    "in force": "in force",
    "hearing": "heard",
    "in court": "taken to court",
    "deadline set": "given a deadline",
    "brief filed": "brief filed",
    "moved": "moved ahead",
    "left": "left",
    "ruled": "ruled on",
    "filed": "filed",
    "appealed": "appealed",
    "opposed": "opposed in court",
}
_DROPPED_CASES = {"in court": "legal action dropped", "filed": "legal action dropped", "appealed": "appeal dropped"}


def stage_words(stage: str, modality: str) -> str:
    """Return a stage in a few words: "signed", "to be signed, only planned", "said to be signed, unconfirmed"."""
    if stage == "delayed" and modality == "postponed":  # "to be delayed, but put off" would be wrong
        return "put off"
    if modality == "cancelled" and stage in _DROPPED_CASES:
        return _DROPPED_CASES[stage]
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
    """Return "by 12 May 2026 at the latest"; for the last day of a month, "by the end of June 2026 at the latest"."""
    if not day:
        return ""
    year, month, number = (int(part) for part in day.split("-"))
    last = {2: 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 4: 30, 6: 30, 9: 30, 11: 30}
    if number == last.get(month, 31):
        return f"by the end of {MONTHS[month - 1]} {year} at the latest"
    return f"by {day_words(day)} at the latest"


def since_words(stage: Stage) -> str:
    """Return since when a stage has held, as precisely as it is known."""
    if not stage.done:
        return f"reported {day_words(stage.first_reported_on)}" if stage.first_reported_on else "on an unknown day"
    if not stage.dated:
        return f"day not known, {latest_words(stage.sure_from)}" if stage.sure_from else "day not known"
    if stage.from_basis == "publication":
        return f"reported {day_words(stage.from_start)}, exact day not given"
    if stage.from_start == stage.from_end:
        return day_words(stage.from_start)
    return f"{span_words(stage.from_start, stage.from_end, stage.from_precision)}, {latest_words(stage.sure_from)}"


def brief(stage: Stage) -> str:
    """Return a stage in one phrase: "Signed, 9 April 2026"."""
    words = f"{stage_words(stage.stage, stage.modality)}, {since_words(stage)}"
    return words[:1].upper() + words[1:]


def sentence_words(status: StatusOnDay) -> str:
    """Return a timeline's status on a day in one or two sentences; "" if nothing was known by then."""
    parts = [f"{stage.summary} ({since_words(stage)}{_contradicted(stage)})" for stage in _settled(status)]
    parts += [f"Possibly already: {stage.summary} ({since_words(stage)})" for stage in status.maybe]
    parts += [f"{stage.summary} ({since_words(stage)}{_contradicted(stage)})" for stage in status.ahead]
    return " ".join(parts)


def _settled(status: StatusOnDay) -> Iterable[Stage]:
    return (*((status.done,) if status.done else ()), *status.besides, *status.undated)


def _contradicted(stage: Stage) -> str:
    return "; reports disagree" if stage.contradicted else ""


def upcoming_state(row: dict, day: str) -> str:
    """Return the state of a row of table `upcoming`, as of a day, as a sentence."""
    settled = day_words(row["settled_on"])
    if row["fate"] == "happened":
        return f"Reported as done{', ' + settled if settled else ''}."
    if row["fate"] == "put_off":
        return f"Postponed, as reported {settled}; no new date."
    if row["fate"] == "called_off":
        return f"Cancelled, as reported {settled}."
    if row["fate"] == "moved":
        return f"Moved: a report of {settled} gives another date."
    if row["due_end"] < day:
        return "Date passed; no report that it happened."
    if row["due_start"] <= day < row["due_end"]:
        return "Due about now; no report that it happened."
    return "Upcoming."


def upcoming_when(row: dict) -> str:
    """Return when something is due, as precisely as it is known."""
    when = span_words(row["due_start"], row["due_end"], row["due_precision"])
    if row["due_start"] != row["due_end"]:
        return f"{when}, {latest_words(row['due_end'])}"
    return when
