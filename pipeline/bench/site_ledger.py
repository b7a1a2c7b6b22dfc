"""A number of events comes in; a published ledger of that size, made up of invented names, goes out as a snapshot file.

Nothing in it was read from a report. Parties, kinds and months follow Zipf's law, as they do in news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from pipeline.records import EVENT_TYPES
from pipeline.store.indexes import create_indexes
from pipeline.store.schema import SCHEMA_VERSION, make_published_tables

PLACES = ("US", "EU", "GB", "CN", "FR", "DE", "IN", "JP", "KR", "CA", "AU", "BR")
MODALITIES = ("occurred",) * 6 + ("planned", "planned", "considered", "alleged", "denied", "negated", "postponed")
KINDS = ("organisation", "agency", "model", "instrument", "person", "government")
STANDINGS = ("primary", "lab", "wire", "press", "press", "trade")
WORDS = (
    "model test safety order agency court access weights release signed rule draft hearing fine board export licence",
    "audit compute filing appeal pledge contract review panel minister deadline evaluation limit duty report",
)
VOCABULARY = " ".join(WORDS).split()
MOMENT = "2026-06-30T12:00:00+00:00"
N_SOURCES, LAST_DAY, DAYS = 90, date(2026, 6, 30), 900
Row = tuple[Any, ...]


class Chance:
    """Repeatable choices, the early ones of a list far more often than the late ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def place(self, n: int) -> int:
        """Return a place from 0 to n - 1 by Zipf's law."""
        return min(int(n ** self.random.random()) - 1, n - 1)

    def one(self, values: tuple[str, ...]) -> str:
        return values[self.place(len(values))]

    def words(self, n: int) -> str:
        return " ".join(self.random.choices(VOCABULARY, k=n))


def make_ledger(path: Path, n_events: int) -> None:
    """Write a ledger of `n_events` events with three parties and a claim each, and a fifth as many articles."""
    chance = Chance(n_events)
    n_articles, n_entities = max(n_events // 5, 1), max(min(n_events // 20, 20_000), 12)
    events = list(_events(chance, n_events))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("pragma journal_mode=off; pragma synchronous=off; pragma foreign_keys=off;")
        make_published_tables(db)
        db.execute("begin")
        _insert(db, "sources", _sources())
        _insert(db, "entities", _entities(chance, n_entities, n_events))
        _insert(
            db, "entity_names", ((f"n{i}", f"Former Name {i}", "former", None, None) for i in range(0, n_entities, 7))
        )
        _insert(db, "articles", _articles(chance, n_articles))
        _insert(db, "origins", ((f"o{i}", "original", f"Origin {i}", f"a{i}", 1) for i in range(n_articles)))
        _insert(db, "events", events)
        _insert(db, "event_participants", _parties(chance, n_events, n_entities))
        _insert(db, "claims", _claims(chance, events, n_articles))
        _insert(db, "claim_participants", _claim_parties(chance, n_events, n_entities))
        _insert(db, "conflicts", ((f"k{i}", f"e{i:016d}", "date", "Reports differ.") for i in range(0, n_events, 90)))
        _insert(db, "facts", [("schema_version", str(SCHEMA_VERSION)), ("program_version", "bench")])
        for table in ("events", "claims"):
            db.execute(f"insert into {table}_fts ({table}_fts) values ('rebuild')")
        create_indexes(db)
        db.execute("analyze")
        db.execute("commit")


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows that fill the first columns of a table; later columns keep their defaults."""
    rows = iter(rows)
    first = next(rows)
    columns = [row[1] for row in db.execute(f"pragma table_info({table})")][: len(first)]
    marks = ", ".join("?" * len(first))
    db.executemany(f"insert into {table} ({', '.join(columns)}) values ({marks})", chain([first], rows))


def _day(chance: Chance) -> date:
    return LAST_DAY - timedelta(days=int(DAYS * chance.random.random() ** 1.2))  # more of late, as news are


def _sources() -> Iterator[Row]:
    for i in range(N_SOURCES):
        yield (f"s{i}", f"Source {i}", f"https://s{i}.example/", STANDINGS[i % 6], "", PLACES[i % 12], "en", 10, 9,
               "2024-01-01", "2026-06-30", MOMENT, MOMENT, "good")  # fmt: skip


def _entities(chance: Chance, n: int, n_events: int) -> Iterator[Row]:
    for i in range(n):
        expected = int(3 * n_events / (i + 1) / 9) + 1  # about what Zipf's law gives
        yield (
            f"n{i}",
            f"Name {i} {chance.words(1)}",
            KINDS[i % 6],
            PLACES[i % 12],
            None,
            "",
            "",
            1,
            expected,
            expected,
        )


def _articles(chance: Chance, n: int) -> Iterator[Row]:
    for i in range(n):
        day = _day(chance).isoformat()
        moment = f"{day}T09:00:00+00:00"
        source = f"s{i % N_SOURCES}"
        yield (f"a{i}", "v1", source, f"https://{source}.example/{i}", chance.words(8), "", moment, day,
               "json-ld", "minute", None, moment, "en", "full", 0, 0, 1, 3000, 5, f"{i:064x}", f"o{i}")  # fmt: skip


def _events(chance: Chance, n: int) -> Iterator[Row]:
    for i in range(n):
        day, reported = _day(chance).isoformat(), _day(chance).isoformat()
        origins = 1 + chance.place(6)
        band = "1" if origins == 1 else "2-3" if origins < 4 else "4+"
        yield (f"e{i:016d}", chance.one(tuple(EVENT_TYPES)), chance.one(MODALITIES), f"Event {i}: {chance.words(14)}.",
               "", None, ("not_stated", "binding", "voluntary")[i % 3], chance.one(PLACES), day, day, "day", day[:7],
               "", "", "", "", 1, 1, origins, band, int(i % 90 == 0), chance.one(STANDINGS), 0.8, reported,
               reported)  # fmt: skip


def _parties(chance: Chance, n: int, n_entities: int) -> Iterator[Row]:
    for i in range(n):
        seen = set()
        for role in ("actor", "target", "object"):
            place = chance.place(n_entities)
            while place in seen:
                place = (place + 1) % n_entities
            seen.add(place)
            yield f"e{i:016d}", f"n{place}", role, 1


def _claims(chance: Chance, events: list[Row], n_articles: int) -> Iterator[Row]:
    for i, event in enumerate(events):
        quote = f"Name {i % 50} said that {chance.words(18)}."
        at = i % n_articles
        yield (f"c{i:016d}", event[0], f"a{at}", "v1", f"s{at % N_SOURCES}", f"o{at}", event[1],
               event[2], None, event[6], "new", event[8], event[9], "day", "stated", None, "own_reporting",
               None, quote, 0, len(quote), "said", quote.index("said"), quote.index("said") + 4, 0.8, "bench",
               event[-1], "")  # fmt: skip


def _claim_parties(chance: Chance, n: int, n_entities: int) -> Iterator[Row]:
    for i in range(n):
        yield f"c{i:016d}", 0, "actor", f"n{chance.place(n_entities)}", "Name", "Name", 0, 4
