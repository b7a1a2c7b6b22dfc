"""Converts a claim to the plain fields that editors read and write, and back.

A date is 2026-05-05, 2026-05, 2026 or "2026-05-04 to 2026-05-10", with its basis in brackets unless stated: "2026-05-05
(relative)". An attribution is "person: Ada Arden" or "own_reporting". A party is its name, followed by the words of the
sentence if they differ: "Meridian Labs = the company".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from pipeline.ledger.reviews.decisions import FIELDS, Fields, Value
from pipeline.records import (
    ATTRIBUTION_KINDS,
    EVENT_TYPES,
    ROLES,
    Attribution,
    Claim,
    DateSpan,
    Force,
    Modality,
    Participant,
)
from scrapers.items import Precision

NONE = "none"  # removes a date or a direction
_CODES: Mapping[str, tuple[str, ...]] = {
    "type": EVENT_TYPES,
    "modality": tuple(m.value for m in Modality),
    "direction": ("impose", "lift", NONE),
    "force": tuple(f.value for f in Force),
    "newness": ("new", "background"),
}
_BASES = ("stated", "relative", "publication")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?: to (\d{4}-\d\d-\d\d))?(?: \((\w+)\))?")
FindParty = Callable[[str, str, str], Participant | None]  # (role, name, words) -> party, None if it is not a name


def problem_with(field: str, value: object) -> str:
    """Return what is wrong with one field of a decision and how to correct it, "" for nothing."""
    if field not in FIELDS:
        return f"unknown field '{field}'; known fields are {', '.join(FIELDS)}"
    if field in ROLES:
        names = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(name, str) and name == name.strip() and name and "\n" not in name for name in names):
            return f'{field} is {value!r}; write names in a list, such as {field} = ["Meta"]'
        return ""
    if not isinstance(value, str):
        return f'{field} is {value!r}; write it in quotes, such as {field} = "{_example(field)}"'
    if field in _CODES:
        known = _CODES[field]
        return "" if value in known else f"{field} is '{value}'; it can be {', '.join(known)}"
    try:
        _span(value) if field == "date" else _attribution(value)
    except ValueError as error:
        return f"{field} is '{value}': {error}"
    return ""


def _example(field: str) -> str:
    return {"date": "2026-05-05", "attribution": "own_reporting"}.get(field, _CODES.get(field, ("...",))[0])


def fields_of(claim: Claim) -> dict[str, Value]:
    """Return the editable fields of a claim, in the order of FIELDS, without empty ones.

    Nothing but offsets is lost: `with_fields(claim, fields_of(claim))` is the claim.
    """
    found: dict[str, Value] = {"type": claim.type, "modality": claim.modality.value}
    if claim.direction:
        found["direction"] = claim.direction
    found |= {"force": claim.force.value, "newness": claim.newness}
    if claim.date:
        found["date"] = date_words(claim.date)
    found["attribution"] = claim.attribution.kind + (f": {claim.attribution.name}" if claim.attribution.name else "")
    for role in ROLES:
        if names := tuple(_party_words(p) for p in claim.participants if p.role == role):
            found[role] = names
    return found


def date_words(span: DateSpan) -> str:
    """Return a date in the format of editors."""
    basis = f" ({span.basis})" if span.basis != "stated" else ""
    if span.precision in (Precision.DAY, Precision.MINUTE, Precision.MONTH, Precision.YEAR):
        return span.value + basis
    return f"{span.start} to {span.end}{basis}"


def _party_words(party: Participant) -> str:
    return party.name if party.text in ("", party.name) else f"{party.name} = {' '.join(party.text.split())}"


def party_of(words: str) -> tuple[str, str]:
    """Split "Meridian Labs = the company" into name and words of the sentence; the words may be ""."""
    name, _, text = words.partition(" = ")
    return name.strip(), text.strip()


def complete(read: Fields) -> dict[str, Value]:
    """Return a reading with the missing fields as empty: no date, no direction, no such party."""
    empty: dict[str, Value] = {"direction": NONE, "date": NONE, **{role: () for role in ROLES}}
    return {**empty, **read}


def with_fields(claim: Claim, fields: Fields, find: FindParty) -> Claim:
    """Return the claim with these fields. Values with the same meaning keep their offsets.

    `find` looks up the party of a role by name and words. A type without direction loses it.
    """
    now = complete(fields_of(claim))
    for name, value in fields.items():
        if name not in ROLES and value != now[name]:
            claim = _with(claim, name, str(value))
    wanted = {role: _names(fields[role]) for role in ROLES if role in fields}
    parties: list[Participant] = []
    for role in ROLES:
        before = [p for p in claim.participants if p.role == role]
        if role not in wanted:
            parties += before
            continue
        known = {_party_words(p): p for p in before} | {p.name: p for p in before}
        made = [p for words in wanted[role] if (p := known.get(words) or find(role, *party_of(words))) is not None]
        same = {p.entity_id: p for p in before}
        parties += [same.get(p.entity_id, p) if not p.text else p for p in made]
    if wanted:
        unique = {(p.role, p.entity_id): p for p in reversed(parties)}
        kept = {id(p) for p in unique.values()}
        parties = [p for p in parties if id(p) in kept]
        if {(p.role, p.entity_id) for p in parties} != {(p.role, p.entity_id) for p in claim.participants}:
            claim = replace(claim, participants=tuple(parties))
    return claim if claim.type == "restriction" else replace(claim, direction=None)


def _names(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _with(claim: Claim, field: str, value: str) -> Claim:
    if field == "type":
        return replace(claim, type=value)
    if field == "modality":
        return replace(claim, modality=Modality(value))
    if field == "direction":
        return replace(claim, direction=None if value == NONE else value)
    if field == "force":
        return replace(claim, force=Force(value))
    if field == "newness":
        return replace(claim, newness=value)
    if field == "date":
        return replace(claim, date=_span(value))
    return replace(claim, attribution=_attribution(value))


def _attribution(value: str) -> Attribution:
    kind, _, name = (part.strip() for part in value.partition(":"))
    if kind not in ATTRIBUTION_KINDS:
        raise ValueError(f"write one of {', '.join(ATTRIBUTION_KINDS)}, and a name after a colon if it has one")
    return Attribution(kind, name or None)


def _span(value: str) -> DateSpan | None:
    if value == NONE:
        return None
    match = _DATE.fullmatch(value)
    if not match:
        raise ValueError("write 2026-05-05, 2026-05, 2026, '2026-05-04 to 2026-05-10', or none")
    year, month, day, until, basis = match.groups()
    if basis not in (None, *_BASES):
        raise ValueError(f"the basis in brackets can be {', '.join(_BASES)}")
    if until and not day:
        raise ValueError("a span needs its first day in full")
    try:
        start = date(int(year), int(month or 1), int(day or 1))
        end = date.fromisoformat(until) if until else _last(start, bool(month), bool(day))
    except ValueError:
        raise ValueError("no such day exists") from None
    if end < start:
        raise ValueError("it ends before it begins")
    precision = (
        _precision(start, end) if until else (Precision.DAY if day else Precision.MONTH if month else Precision.YEAR)
    )
    return DateSpan(start, end, precision, basis or "stated")


def _last(start: date, month: bool, day: bool) -> date:
    if day:
        return start
    if not month:
        return date(start.year, 12, 31)
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _precision(start: date, end: date) -> Precision:
    days = (end - start).days + 1
    return next(p for most, p in ((1, Precision.DAY), (10, Precision.WEEK), (31, Precision.MONTH),
                                  (100, Precision.QUARTER), (10**6, Precision.YEAR)) if days <= most)  # fmt: skip


def differences(before: Fields, after: Fields) -> tuple[tuple[str, str, str], ...]:
    """Return (field, before, after) in words for each field in which two readings differ."""
    one, other = complete(before), complete(after)
    pairs = ((name, in_words(one.get(name, NONE)), in_words(other.get(name, NONE))) for name in FIELDS)
    return tuple((name, was, is_) for name, was, is_ in pairs if was != is_)


def in_words(value: Value) -> str:
    """Return a field as one text; several parties are separated by semicolons."""
    if isinstance(value, str):
        return value.replace("_", " ")
    return "; ".join(party_of(words)[0] for words in value) or NONE


def reading_words(fields: Fields) -> str:
    """Return a whole reading as one line: "type: agreement · modality: occurred · actor: Meta"."""
    return " · ".join(f"{name}: {in_words(fields[name])}" for name in FIELDS if fields.get(name))
