"""Generates a published ledger of any size from invented names, to time the site over.

Nothing in it was extracted from text. Parties, types and months follow Zipf's law, as they do in news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from itertools import chain, product
from pathlib import Path
from random import Random
from typing import Any

from pipeline.ledger.publish.indexes import create_indexes
from pipeline.ledger.schema import SCHEMA_VERSION, make_published_tables
from pipeline.records import EVENT_TYPES

PLACES = ("US", "EU", "GB", "CN", "FR", "DE", "IN", "JP", "KR", "CA", "AU", "BR")
MODALITIES = ("occurred",) * 6 + ("planned", "planned", "considered", "alleged", "denied", "negated", "postponed")
KINDS = ("organisation", "agency", "model", "instrument", "person", "government")
ATTRIBUTIONS = ("own_reporting", "person", "organisation", "anonymous", "document", "outlet")
MATTERS = ("agreement", "access", "restriction", "case", "inquiry", "rule", "commitment", "release", "evaluation")
SOURCE_TYPES = ("primary", "lab", "wire", "press", "press", "trade")
WORDS = (
    "model test safety order agency court access weights release signed rule draft hearing fine board export licence",
    "audit compute filing appeal pledge contract review panel minister deadline evaluation limit duty report",
)
SYLLABLES = tuple(
    ["ba", "ce", "di", "fo", "gu", "ha", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "kel", "mar", "ton"]
)
N_WORDS, FIRST_KNOWN, BETWEEN_KNOWN = 5_800, 40, 10
MOMENT = "2026-06-30T12:00:00+00:00"
N_SOURCES, LAST_DAY, DAYS = 90, date(2026, 6, 30), 900
EDITED = 50  # one in 50 articles was edited
Row = tuple[Any, ...]


def vocabulary() -> tuple[str, ...]:
    """Return the words of all texts, the most frequent first: invented words, with English ones among the rarer."""
    made = ("".join(three) for three in product(SYLLABLES, repeat=3))
    words = [word for word, _ in zip(made, range(N_WORDS), strict=False)]
    for n, word in enumerate(" ".join(WORDS).split()):
        words[FIRST_KNOWN + n * BETWEEN_KNOWN] = word
    return tuple(words)


VOCABULARY = vocabulary()
COMMON_WORD = VOCABULARY[0]  # in about two thirds of all sentences


class Chance:
    """Reproducible random choices by Zipf's law: early values of a list are far more frequent than late ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def place(self, n: int) -> int:
        """Return an index from 0 to n - 1."""
        return min(int(n ** self.random.random()) - 1, n - 1)

    def one(self, values: tuple[str, ...]) -> str:
        return values[self.place(len(values))]

    def words(self, n: int) -> str:
        return " ".join(VOCABULARY[self.place(N_WORDS)] for _ in range(n))


def make_ledger(path: Path, n_events: int) -> None:
    """Write a ledger of `n_events` events with three parties each, somewhat more claims, and a fifth as many articles.

    Everything else is proportional: timeline entries (a third of the events), upcoming days (a twentieth),
    contradictions (a ninetieth), edits, reviews and merged events. Every ninetieth event has nine claims, the others
    one.
    """
    chance = Chance(n_events)
    n_articles, n_entities = max(n_events // 5, 1), max(min(n_events // 20, 20_000), 12)
    names = [f"Name {i} {chance.words(1)}" for i in range(n_entities)]
    parties = [_three(chance, n_entities) for _ in range(n_events)]
    events = list(_events(chance, parties, names))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("pragma journal_mode=off; pragma synchronous=off; pragma foreign_keys=off;")
        make_published_tables(db)
        db.execute("begin")
        # The order matters: all tables share one random generator.
        _insert(db, "articles", _articles(chance, n_articles))
        _insert(db, "events", events)
        _insert(db, "claims", _claims(chance, events, n_articles))
        _insert(db, "timeline_entries", _timeline_entries(chance, events, parties))
        _insert(db, "upcoming", _due(chance, events))
        _insert(db, "revisions", _revisions(chance, events, n_articles))
        _insert(db, "unsure_claims", _unsure(chance, events, n_articles))
        for table, rows in _regular_tables(names, n_articles, parties):
            _insert(db, table, rows)
        _insert(db, "reviews", _reviews(events))
        _insert(db, "build_info", [("schema_version", str(SCHEMA_VERSION)), ("program_version", "bench")])
        for table in ("events", "claims"):
            db.execute(f"insert into {table}_fts ({table}_fts) values ('rebuild')")
        create_indexes(db)
        db.execute("analyze")
        db.execute("commit")


def _regular_tables(
    names: Sequence[str], n_articles: int, parties: Sequence[tuple[int, ...]]
) -> Iterator[tuple[str, Iterable[Row]]]:
    """Yield the tables without random values, with their rows."""
    n_events, n_entities = len(parties), len(names)
    contradicted = range(0, n_events, 90)
    outcomes = ("saved", "unchanged", "gone")
    yield "sources", _sources()
    yield "fetch_outcomes", ((f"s{i}", outcome, 5) for i in range(N_SOURCES) for outcome in outcomes)
    yield "entities", _entities(names, n_events)
    yield "entity_names", ((f"n{i}", f"Former Name {i}", "former", None, None) for i in range(0, n_entities, 7))
    yield "entity_relations", ((f"n{i}", "part_of", f"n{i // 7}", None, None) for i in range(7, n_entities))
    yield "article_versions", _versions(n_articles)
    yield "article_edits", _edits(n_articles)
    yield "origins", ((f"o{i}", "original", f"Origin {i}", f"a{i}", 1) for i in range(n_articles))
    yield "origin_edges", _credits(n_articles)
    yield "event_participants", _participants(parties)
    yield "claim_participants", _claim_parties(parties)
    yield "contradictions", ((f"k{i}", f"e{i:016d}", "date", "Reports differ.") for i in contradicted)
    yield (
        "contradiction_sides",
        ((f"k{i}", f"2026-0{1 + n % 2}-01", f"c{i:016d}{n}") for i in contradicted for n in range(9)),
    )
    yield "timeline_claims", ((f"t{i}", f"c{3 * i:016d}0") for i in range(n_events // 3))
    yield (
        "event_redirects",
        ((f"m{i}", f"e{i:016d}", "It was the same.", "2026-06-29") for i in range(0, n_events, 500)),
    )


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows that fill the first columns of a table; later columns keep their defaults."""
    rows = iter(rows)
    first = next(rows)
    columns = [row[1] for row in db.execute(f"pragma table_info({table})")][: len(first)]
    marks = ", ".join("?" * len(first))
    db.executemany(f"insert into {table} ({', '.join(columns)}) values ({marks})", chain([first], rows))


def _day(chance: Chance) -> date:
    return LAST_DAY - timedelta(days=int(DAYS * chance.random.random() ** 1.2))  # recent days are more frequent


def _sources() -> Iterator[Row]:
    for i in range(N_SOURCES):
        yield (f"s{i}", f"Source {i}", f"https://s{i}.example/", SOURCE_TYPES[i % 6], "", PLACES[i % 12], "en", 10, 9,
               "2024-01-01", "2026-06-30", MOMENT, MOMENT, "good")  # fmt: skip


def _entities(names: Sequence[str], n_events: int) -> Iterator[Row]:
    for i, name in enumerate(names):
        expected = int(3 * n_events / (i + 1) / 9) + 1  # approximately, by Zipf's law
        yield (f"n{i}", name, KINDS[i % 6], PLACES[i % 12], None, "", "", 1, expected, expected)


def _articles(chance: Chance, n: int) -> Iterator[Row]:
    for i in range(n):
        day = _day(chance).isoformat()
        moment = f"{day}T09:00:00+00:00"
        source = f"s{i % N_SOURCES}"
        yield (f"a{i}", "v1", source, f"https://{source}.example/{i}", chance.words(8), "", moment, day,
               "json-ld", "minute", None, moment, "en", "full", 0, 0, 1, 3000, 5, f"{i:064x}", f"o{i}")  # fmt: skip


def _three(chance: Chance, n_entities: int) -> tuple[int, ...]:
    seen: dict[int, None] = {}
    while len(seen) < 3:
        place = chance.place(n_entities)
        while place in seen:
            place = (place + 1) % n_entities
        seen[place] = None
    return tuple(seen)


def _events(chance: Chance, parties: Sequence[tuple[int, ...]], names: Sequence[str]) -> Iterator[Row]:
    for i, (actor, target, thing) in enumerate(parties):
        day, reported = _day(chance), _day(chance)
        origins = 1 + chance.place(6)
        band = "1" if origins == 1 else "2-3" if origins < 4 else "4+"
        last = min(reported + timedelta(days=chance.place(60)), LAST_DAY)
        yield (f"e{i:016d}", chance.one(tuple(EVENT_TYPES)), chance.one(MODALITIES), f"Event {i}: {chance.words(14)}.",
               "", None, ("not_stated", "binding", "voluntary")[i % 3], chance.one(PLACES), day.isoformat(),
               day.isoformat(), "day", day.isoformat()[:7], names[actor], names[target],
               "" if _is_instrument(thing) else names[thing], names[thing] if _is_instrument(thing) else "",
               9 if i % 90 == 0 else 1, 1, origins, band, int(i % 90 == 0), chance.one(SOURCE_TYPES), 0.8,
               reported.isoformat(), last.isoformat())  # fmt: skip


def _participants(parties: Sequence[tuple[int, ...]]) -> Iterator[Row]:
    for i, (actor, target, thing) in enumerate(parties):
        yield f"e{i:016d}", f"n{actor}", "actor", 1
        yield f"e{i:016d}", f"n{target}", "target", 1
        yield f"e{i:016d}", f"n{thing}", "instrument" if _is_instrument(thing) else "object", 1


def _is_instrument(place: int) -> bool:
    return KINDS[place % 6] == "instrument"


def _claims(chance: Chance, events: Sequence[Row], n_articles: int) -> Iterator[Row]:
    for i, event in enumerate(events):
        for n in range(event[16]):
            quote = f"{event[12]} said that {chance.words(18)}."
            at = (i + 11 * n) % n_articles
            yield (f"c{i:016d}{n}", event[0], f"a{at}", "v1", f"s{at % N_SOURCES}", f"o{at}", event[1],
                   event[2] if n % 3 == 0 else "planned", None, event[6], chance.one(("new", "background")), event[8],
                   event[9], "day", "stated", None, chance.one(ATTRIBUTIONS), None, quote, 0, len(quote), "said",
                   quote.index("said"), quote.index("said") + 4, 0.8, "bench", event[23], "")  # fmt: skip


def _claim_parties(parties: Sequence[tuple[int, ...]]) -> Iterator[Row]:
    for i, (actor, target, _) in enumerate(parties):
        for n in range(9 if i % 90 == 0 else 1):
            yield f"c{i:016d}{n}", 0, "actor", f"n{actor}", "Name", "Name", 0, 4
            yield f"c{i:016d}{n}", 1, "target", f"n{target}", "Name", "Name", 0, 4


def _timeline_entries(chance: Chance, events: Sequence[Row], parties: Sequence[tuple[int, ...]]) -> Iterator[Row]:
    """Yield the timeline entries of every third event, three per timeline."""
    for i in range(len(events) // 3):
        event, (actor, other, thing) = events[3 * i], parties[3 * (i - i % 3)]
        yield (f"t{i}", f"l{i // 3}", i % 3, MATTERS[i // 3 % len(MATTERS)], f"n{actor}", f"n{other}",
               f"n{thing}" if i // 3 % 2 else None, ("asked", "signed", "ended")[i % 3], event[2], event[3], event[8],
               event[9], "day", "stated", event[8], None if i % 3 == 2 else event[24], 0, event[0], 1,
               event[23])  # fmt: skip


def _due(chance: Chance, events: Sequence[Row]) -> Iterator[Row]:
    for i in range(0, len(events), 20):
        day = (LAST_DAY + timedelta(days=chance.place(400) - 200)).isoformat()
        status = chance.one(("open", "open", "happened", "put_off", "moved"))
        yield (f"d{i}", day, day, "day", ("deadline", "effect", "hearing", "plan")[i // 20 % 4], "planned",
               events[i][3], status, None if status == "open" else "2026-06-20", events[i][0], f"c{i:016d}0",
               "that day", 1, events[i][23])  # fmt: skip


def _versions(n_articles: int) -> Iterator[Row]:
    for i in range(n_articles):
        for version in range(2 if i % EDITED == 0 else 1):
            yield f"a{i}", f"v{version}", MOMENT, MOMENT, f"{i:064x}", 5


def _credits(n_articles: int) -> Iterator[Row]:
    for i in range(5, n_articles, 5):
        yield f"a{i}", f"a{i - 1}", "Source", "credit", "first reported by"


def _edits(n_articles: int) -> Iterator[Row]:
    for i in range(0, n_articles, EDITED):
        yield f"a{i}", 1, "v0", "v1", MOMENT, MOMENT, "Before", "After", 1, 1, 1


def _revisions(chance: Chance, events: Sequence[Row], n_articles: int) -> Iterator[Row]:
    for i in range(0, n_articles, EDITED):
        yield (f"r{i}", f"a{i}", 1, _day(chance).isoformat(), "changed", "modality", events[i][0], None,
               f"c{i:016d}0", events[i][1], "planned", events[i][2], None, None, "", "", "It will.", "It did.",
               "modality")  # fmt: skip


def _reviews(events: Sequence[Row]) -> Iterator[Row]:
    for i in range(0, len(events), 1000):
        yield (f"w{i}", "accept", "applied", MOMENT, MOMENT[:10], "Editor", "", events[i][0], f"c{i:016d}0", None,
               "A sentence.", "", "", "")  # fmt: skip


def _unsure(chance: Chance, events: Sequence[Row], n_articles: int) -> Iterator[Row]:
    for i in range(0, len(events), 10):
        at = i % n_articles
        quote = f"Perhaps {chance.words(18)}."
        yield (f"u{i}", f"a{at}", "v1", f"s{at % N_SOURCES}", events[i][1], events[i][2], None, "not_stated", "new",
               None, None, None, None, None, "own_reporting", None, quote, 0, len(quote), "Perhaps", 0, 7,
               round(0.5 * chance.random.random(), 3),
               "bench", events[i][23], "actor: Name")  # fmt: skip
