"""Sentences on who may use a model, since when and by whose order, read from its timelines.

Only stages reported as reached say "may" or "may not"; plans and denials are worded as open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.aggregation.summaries.noun_phrases import listing, noun
from pipeline.records import EntityKind

_BARRED = frozenset({"imposed", "banned", "suspended", "designated"})
_OPENED = frozenset({"granted", "restored", "widened"})


def _name(side: Mapping[str, str] | None) -> str:
    return noun(side["name"], EntityKind(side["kind"])) if side else ""


def permission(view: Mapping[str, Any], affected: Sequence[Mapping[str, str]] = ()) -> dict[str, str]:
    """Return who may use a model according to one timeline.

    Args:
        view: A timeline from pipeline.site.views.timelines.
        affected: The parties affected by its event, each with name and kind.

    Returns:
        `who`, `may` ("yes", "no", or "" if open), `since`, `by` (whose order) and `words` (a sentence).
    """
    stage = view["done"]
    actor, other = _name(view["actor"]), _name(view["counterpart"])
    touched = listing([_name(each) for each in affected])
    who, by = (actor, other) if view["matter"] == "access" else (touched or other, actor)
    if stage is None:
        return _unsettled(view, who, by)
    since = stage["since"]
    ordered = f", by order of {by}" if by else ""
    reached = stage["stage"]
    if view["matter"] == "release":
        done = {"withdrawn": "Withdrawn", "delayed": "Its release was put off"}.get(reached, "Released")
        who, may = "", "no" if reached in ("withdrawn", "delayed") else "yes"
        to = f" to {touched}" if touched and done == "Released" else ""
        words = f"{done}{f' by {by}' if by else ''}{to}, {since}"
    elif view["matter"] == "access" and reached in _OPENED:
        permission_from = f" with permission from {by}" if by else ""
        may, words = "yes", f"{who or 'An unnamed party'} may use it{permission_from}: {reached}, {since}"
    elif view["matter"] == "access" and reached == "refused":
        refused = f"was refused{f' by {by}' if by else ''}"
        may, words = "no", f"{who or 'An unnamed party'} asked for access and {refused}, {since}"
    elif view["matter"] == "restriction" and reached == "lifted":
        may, words = "yes", f"{who or 'Those who were barred'} may use it again{ordered}, {since}"
    elif view["matter"] == "restriction" and reached in _BARRED:
        limit = "may not use it" if touched or reached == "banned" else "is restricted in using it"
        may, words = "no", f"{who or 'An unnamed party'} {limit}{ordered}: {reached}, {since}"
    else:
        return _unsettled(view, who, by)
    return {"who": who, "may": may, "since": since, "by": by, "words": _sentence(words, stage)}


def _unsettled(view: Mapping[str, Any], who: str, by: str) -> dict[str, str]:
    head = view["head"]
    brief = head["brief"][:1].lower() + head["brief"][1:]
    words = _sentence(f"Open: {head['summary'].rstrip('.')} ({brief})", head)
    return {"who": who, "may": "", "since": head["since"], "by": by, "words": words}


def _sentence(words: str, stage: Mapping[str, Any]) -> str:
    words = words[:1].upper() + words[1:] if not words[1:2].isupper() else words
    return f"{words}.{' Reports disagree.' if stage['contradicted'] else ''}"


def permitted(
    models: Iterable[Mapping[str, Any]], affected: Mapping[str, Sequence[Mapping[str, str]]]
) -> list[dict[str, Any]]:
    """Return the models with a `permission` on each timeline; settled ones come before open ones.

    Args:
        models: Models from pipeline.site.views.timelines.models().
        affected: Affected parties by event id.
    """
    found = []
    for model in models:
        lines = [
            {**view, "permission": permission(view, affected.get(view["head"]["event_id"], ()))}
            for view in model["lines"]
        ]
        lines.sort(key=lambda view: view["permission"]["may"] == "")
        found.append({**model, "lines": lines})
    return found
