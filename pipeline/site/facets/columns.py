"""Loads the events and claims of a snapshot as arrays, and saves them in a file beside it.

Reading them from SQLite takes some ten seconds for a million events. `oversight publish` therefore saves them, so that
a server can switch to a new snapshot at once.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.site.facets.counts import COLUMNS, DAYS, Codes, Counts, Parties, day_number

FORMAT = 3  # of the saved file; raise it when names or meanings change
SUFFIX = ".arrays.npz"
BATCH = 50_000
LINKS = {"events": ("event_participants", "event_id"), "claims": ("claim_participants", "claim_id")}


@dataclass(frozen=True)
class Arrays:
    """The arrays of a snapshot: about 100 bytes per event and per claim."""

    events: Counts
    claims: Counts
    event_of_claim: np.ndarray  # the place of each claim's event
    reported_as_new: np.ndarray  # by event: whether a report presents it as news, not as background
    modality_differs: np.ndarray  # by event: whether its claims differ in modality
    titles: bytes  # article titles in lower case, one per line, newest first
    title_rowids: np.ndarray

    @cached_property
    def title_ends(self) -> np.ndarray:
        """Where each title ends in `titles`."""
        return np.flatnonzero(np.frombuffer(self.titles + b"\n", dtype=np.uint8) == ord("\n"))

    def with_title(self, words: str, size: int) -> list[int]:
        """Return the row ids of the newest articles whose titles contain `words` as a phrase."""
        wanted = " ".join(words.casefold().split()).encode()
        found: list[int] = []
        at = self.titles.find(wanted) if wanted else -1
        while at >= 0 and len(found) < size:
            line = int(np.searchsorted(self.title_ends, at))
            found.append(int(self.title_rowids[line]))
            at = self.titles.find(wanted, int(self.title_ends[line]))
        return found


class _Numbers(dict):
    """Numbers values in the order in which they are first looked up; None has the number -1."""

    def __init__(self) -> None:
        super().__init__({None: -1})

    def __missing__(self, value: object) -> int:
        self[value] = number = len(self) - 1
        return number

    @property
    def values_in_order(self) -> tuple[object, ...]:
        return tuple(value for value in self if value is not None)


class _Days(dict):
    def __missing__(self, day: str | None) -> int:
        self[day] = number = day_number(day)
        return number


def arrays_of(path: Path) -> Arrays:
    """Return the arrays of a snapshot: saved ones if there are any, otherwise read from its tables."""
    return saved_arrays(path) or read_arrays(path)


def read_arrays(path: Path) -> Arrays:
    """Read the arrays from the tables of a snapshot."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
        return load_arrays(connection)


def load_arrays(connection: sqlite3.Connection) -> Arrays:
    """Read the arrays over an open connection."""
    rows = connection.execute("select entity_id, name, kind from entities order by entity_id").fetchall()
    kinds = {kind: i for i, kind in enumerate(sorted({row[2] for row in rows}))}
    entities = Parties(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        np.array([kinds[row[2]] for row in rows], dtype=np.int16),
        tuple(kinds),
    )
    events, place_of_event, _ = _counts(connection, "events", entities)
    claims, _, event_ids = _counts(connection, "claims", entities, "event_id")
    event_of_claim = np.fromiter(map(place_of_event.__getitem__, event_ids), dtype=np.int32, count=len(claims))
    titles = connection.execute("select rowid, title from articles order by published_on desc, article_id").fetchall()
    text = "\n".join(" ".join(title.casefold().split()) for _, title in titles)
    return Arrays(
        events,
        claims,
        event_of_claim,
        *_differences(events, claims, event_of_claim),
        text.encode(),
        np.array([row[0] for row in titles], dtype=np.int64),
    )


def _counts(
    connection: sqlite3.Connection, table: str, entities: Parties, more: str = "''"
) -> tuple[Counts, dict[str, int], list[str]]:
    """Return a table's arrays, the index of each row by its id, and the values of one more column."""
    link, key = LINKS[table]
    columns, days = COLUMNS[table], DAYS[table]
    numbers = {column: _Numbers() for column in columns}
    seen_days = _Days()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("rowid", *days, *columns)}
    place: dict[str, int] = {}
    besides: list[str] = []
    cursor = connection.execute(
        f"select rowid, {key}, {more}, {', '.join((*days, *columns))} from {table} order by rowid"
    )
    while batch := cursor.fetchmany(BATCH):
        rowid, ids, others, *values = zip(*batch, strict=True)
        place.update(zip(ids, range(len(place), len(place) + len(ids)), strict=True))
        besides += others
        parts["rowid"].append(np.array(rowid, dtype=np.int64))
        for name, some in zip((*days, *columns), values, strict=True):
            known: dict = numbers.get(name, seen_days)  # type: ignore[assignment]
            parts[name].append(np.fromiter(map(known.__getitem__, some), dtype=np.int32, count=len(some)))
    roles, links = _Numbers(), []
    cursor = connection.execute(f"select {key}, entity_id, role from {link}")
    while batch := cursor.fetchmany(BATCH):
        rows, ids, some = zip(*batch, strict=True)
        known_as = (place, entities.place_of, roles)
        each = [
            np.fromiter(map(known.__getitem__, values), dtype=np.int32, count=len(batch))
            for known, values in zip(known_as, (rows, ids, some), strict=True)
        ]
        links.append(np.stack(each))
    joined = np.concatenate(links, axis=1) if links else np.zeros((3, 0), dtype=np.int32)
    joined = joined[:, np.argsort(joined[0], kind="stable")]  # in the order of rows
    labels = {"source_id": dict(connection.execute("select source_id, title from sources"))}
    codes = {
        name: Codes(numbers[name].values_in_order, _small(_joined(parts[name], np.int32)), labels.get(name, {}))
        for name in columns
    }
    counts = Counts(
        table=table,
        rowids=_joined(parts["rowid"], np.int64),
        days={name: _joined(parts[name], np.int32) for name in days},
        codes=codes,
        entities=entities,
        role_names=tuple(map(str, roles.values_in_order)),
        link_row=np.ascontiguousarray(joined[0]),
        link_entity=np.ascontiguousarray(joined[1]),
        link_role=joined[2].astype(np.int8),
    )
    return counts, place, besides


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def _small(codes: np.ndarray) -> np.ndarray:
    """Return codes in the smallest integer type that fits: reading less memory makes counting faster."""
    highest = int(codes.max(initial=0))
    return codes.astype(np.int8 if highest < 127 else np.int16 if highest < 32_767 else np.int32)


def _differences(events: Counts, claims: Counts, event_of_claim: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which events are reported as new, and which have claims that differ in modality."""
    reported_as_new, modality_differs = np.zeros(len(events), dtype=bool), np.zeros(len(events), dtype=bool)
    newness, modality = claims.codes["newness"], claims.codes["modality"].of
    if "new" in newness.values:
        reported_as_new[event_of_claim[newness.of == newness.values.index("new")]] = True
    first = np.full(len(events), -1, dtype=np.int32)
    first[event_of_claim[::-1]] = modality[::-1]
    modality_differs[event_of_claim[modality != first[event_of_claim]]] = True
    return reported_as_new, modality_differs


def save_arrays(path: Path, snapshot: Path | None = None) -> Path:
    """Save the arrays of a snapshot beside it and return the file.

    Args:
        path: The snapshot to read.
        snapshot: Its final path, if it will be renamed.
    """
    arrays = read_arrays(path)
    target = arrays_path(snapshot or path)
    about: dict[str, Any] = {
        "format": FORMAT,
        "bytes": path.stat().st_size,
        "entities": [arrays.events.entities.ids, arrays.events.entities.names, arrays.events.entities.kind_names],
    }
    found: dict[str, np.ndarray] = {
        "kinds": arrays.events.entities.kinds,
        "event_of_claim": arrays.event_of_claim,
        "reported_as_new": arrays.reported_as_new,
        "modality_differs": arrays.modality_differs,
        "titles": np.frombuffer(arrays.titles, dtype=np.uint8),
        "title_rowids": arrays.title_rowids,
    }
    for counts in (arrays.events, arrays.claims):
        name = counts.table
        about[name] = {
            "roles": counts.role_names,
            "values": {column: codes.values for column, codes in counts.codes.items()},
            "labels": {column: list(codes.labels.items()) for column, codes in counts.codes.items()},
        }
        found |= {f"{name}.rowids": counts.rowids, f"{name}.row": counts.link_row}
        found |= {f"{name}.entity": counts.link_entity, f"{name}.role": counts.link_role}
        found |= {f"{name}.day.{column}": days for column, days in counts.days.items()}
        found |= {f"{name}.code.{column}": codes.of for column, codes in counts.codes.items()}
    found["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    temporary = target.with_suffix(".tmp")
    with temporary.open("wb") as handle:
        np.savez(handle, **found)  # type: ignore[arg-type]
    temporary.replace(target)
    for other in target.parent.glob(f"*{SUFFIX}"):  # files of deleted snapshots
        if other != target and not other.with_name(other.name.removesuffix(SUFFIX)).exists():
            with suppress(OSError):
                other.unlink()
    return target


def arrays_path(snapshot: Path) -> Path:
    """Return the path of the saved arrays of a snapshot."""
    return snapshot.with_name(snapshot.name + SUFFIX)


def saved_arrays(path: Path) -> Arrays | None:
    """Return the saved arrays of a snapshot; None if there are none, or if they are outdated or damaged."""
    try:
        with np.load(arrays_path(path), allow_pickle=False) as held:
            about = json.loads(held["about"].tobytes())
            if about["format"] != FORMAT or about["bytes"] != path.stat().st_size:
                return None
            return _restored(about, held.__getitem__)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _restored(about: dict[str, Any], held: Callable[[str], np.ndarray]) -> Arrays:
    ids, names, kind_names = map(tuple, about["entities"])
    entities = Parties(ids, names, held("kinds"), kind_names)

    def counts(table: str, columns: Iterable[str], days: Iterable[str]) -> Counts:
        facts = about[table]
        codes = {
            name: Codes(tuple(facts["values"][name]), held(f"{table}.code.{name}"), dict(facts["labels"][name]))
            for name in columns
        }
        return Counts(
            table=table,
            rowids=held(f"{table}.rowids"),
            days={name: held(f"{table}.day.{name}") for name in days},
            codes=codes,
            entities=entities,
            role_names=tuple(facts["roles"]),
            link_row=held(f"{table}.row"),
            link_entity=held(f"{table}.entity"),
            link_role=held(f"{table}.role"),
        )

    return Arrays(
        counts("events", COLUMNS["events"], DAYS["events"]),
        counts("claims", COLUMNS["claims"], DAYS["claims"]),
        held("event_of_claim"),
        held("reported_as_new"),
        held("modality_differs"),
        held("titles").tobytes(),
        held("title_rowids"),
    )
