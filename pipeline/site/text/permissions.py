"""Lines about one model come in; who may use it and who may not, since when and by whose order, goes out. Pure.

A plan, a hope or a denial is never told as in force: only stages that were reached say "may" or "may not".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.aggregation.summaries.noun_phrases import listing, noun
from pipeline.records import EntityKind

_BARRED = frozenset({"imposed", "banned", "suspended", "designated"})
_OPENED = frozenset({"granted", "restored", "widened"})


def _said(side: Mapping[str, str] | None) -> str:
    return noun(side["name"], EntityKind(side["kind"])) if side else ""


def permission(view: Mapping[str, Any], affected: Sequence[Mapping[str, str]] = ()) -> dict[str, str]:
    """Return `who`, whether they `may` ("yes", "no", "" where it is open), `since` when, `by` whose order, and `words`.

    `view`: a line as pipeline.site.views.status makes it; `affected`: whom its act touches, each with name and kind.
    """
    stage = view["done"]
    actor, other = _said(view["actor"]), _said(view["counterpart"])
    touched = listing([_said(each) for each in affected])
    who, by = (actor, other) if view["matter"] == "access" else (touched or other, actor)
    if stage is None:
        return _open(view, who, by)
    since = stage["since"]
    ordered = f", by order of {by}" if by else ""
    reached = stage["stage"]
    if view["matter"] == "release":
        done = {"withdrawn": "Withdrawn", "delayed": "Its release was put off"}.get(reached, "Released")
        who, may = "", "no" if reached in ("withdrawn", "delayed") else "yes"
        to = f" to {touched}" if touched and done == "Released" else ""
        words = f"{done}{f' by {by}' if by else ''}{to}, {since}"
    elif view["matter"] == "access" and reached in _OPENED:
        may, words = "yes", f"{who or 'Somebody'} may use it{f', by leave of {by}' if by else ''}: {reached}, {since}"
    elif view["matter"] == "access" and reached == "refused":
        may, words = "no", f"{who or 'Somebody'} asked for access and was refused{f' by {by}' if by else ''}, {since}"
    elif view["matter"] == "restriction" and reached == "lifted":
        may, words = "yes", f"{who or 'Those who were barred'} may use it again{ordered}, {since}"
    elif view["matter"] == "restriction" and reached in _BARRED:
        limit = "may not use it" if touched or reached == "banned" else "is limited in using it"
        may, words = "no", f"{who or 'Who is concerned'} {limit}{ordered}: {reached}, {since}"
    else:
        return _open(view, who, by)
    return {"who": who, "may": may, "since": since, "by": by, "words": _sentence(words, stage)}


def _open(view: Mapping[str, Any], who: str, by: str) -> dict[str, str]:
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
    """Return the models, each line with its `permission`, what is in force before what is open.

    `affected`: event id -> whom the event touches.
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
