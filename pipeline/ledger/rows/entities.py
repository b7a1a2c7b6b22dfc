"""Returns the rows of the names, offices and relations of entities. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from datetime import date, timedelta

from pipeline.ledger.rows.records import Row
from pipeline.lexicon.entities import Name, Relation, Role
from pipeline.records import EntityKind


def name_rows(lexicon) -> list[Row]:
    """Return the rows of `entity_names` from the lexicon, without descriptions ("the company").

    The current name of a renamed body starts on the day after its last former name ended.
    """
    if lexicon is None:
        return []
    ended: dict[str, date] = {}
    for name in lexicon.names:
        if name.kind == "former" and name.used_until:
            ended[name.entity_id] = max(name.used_until, ended.get(name.entity_id, name.used_until))
    return [
        {
            "entity_id": name.entity_id,
            "name": name.text,
            "kind": name.kind,
            "used_from": _iso(_begin(name, ended)),
            "used_until": _iso(name.used_until),
        }
        for name in lexicon.names
        if name.kind != "nominal"
    ]


def _begin(name: Name, ended: dict[str, date]) -> date | None:
    if name.kind == "canonical" and name.used_from is None and name.entity_id in ended:
        return ended[name.entity_id] + timedelta(days=1)
    return name.used_from


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def related_ids(seen: Collection[str], roles: Iterable[Role], relations: Iterable[Relation]) -> set[str]:
    """Return the bodies led by persons in the ledger, and the ancestors of its entities."""
    bodies = {role.body_id for role in roles if role.person_id in seen and role.body_id}
    return bodies | {r.other_id for r in relations if r.entity_id in seen}


def role_rows(roles: Iterable[Role], known: Container[str]) -> list[Row]:
    """Return the rows of `entity_roles`, in order of time. `known`: ids of the ledger."""
    rows = []
    of_person: dict[str, list[Role]] = {}
    for role in roles:
        if role.person_id in known and (not role.body_id or role.body_id in known):
            of_person.setdefault(role.person_id, []).append(role)
    for person_id in sorted(of_person):
        ordered = sorted(of_person[person_id], key=lambda r: (r.start or date.min, r.end or date.max, r.office))
        rows += [
            {
                "person_id": person_id,
                "position": position,
                "office": role.office,
                "body_id": role.body_id or None,
                "held_from": _iso(role.start),
                "held_until": _iso(role.end),
            }
            for position, role in enumerate(ordered)
        ]
    return rows


def relation_rows(entities: Iterable[Row], relations: Iterable[Relation], known: Container[str]) -> list[Row]:
    """Return the rows of `entity_relations`: parents, and the lexicon's relations.

    A model is "made by" its parent, anything else "part of" it; a relation of the lexicon adds dates. `known`: ids of
    the ledger.
    """
    found: dict[tuple[str, str, str], Row] = {}
    for row in entities:
        if row["parent_id"]:
            kind = "made_by" if row["kind"] == EntityKind.MODEL.value else "part_of"
            found[row["entity_id"], kind, row["parent_id"]] = _relation(row["entity_id"], kind, row["parent_id"])
    for r in relations:
        if r.entity_id in known and r.other_id in known:
            found[r.entity_id, r.kind, r.other_id] = _relation(r.entity_id, r.kind, r.other_id, r.start, r.end)
    return [found[key] for key in sorted(found)]


def _relation(entity_id: str, kind: str, other_id: str, start: date | None = None, end: date | None = None) -> Row:
    return {
        "entity_id": entity_id,
        "kind": kind,
        "other_id": other_id,
        "holds_from": _iso(start),
        "holds_until": _iso(end),
    }
