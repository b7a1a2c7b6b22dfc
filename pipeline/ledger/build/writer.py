"""Writes rows to the published tables, touching only rows that differ."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pipeline.ledger.publish.indexes import FACETS
from pipeline.ledger.rows.records import Row

SEARCHED = {"events": ("summary", "actors", "targets", "objects", "instruments"), "claims": ("quote",)}


class Writer:
    """Writes the published tables of build.db. `full`: they are empty, so nothing is compared."""

    def __init__(self, db: sqlite3.Connection, *, full: bool) -> None:
        self.db, self.full = db, full
        self.key_of, self.columns_of = cache(self._key_of), cache(self._columns_of)
        self._facets: Counter[tuple[str, str, str]] = Counter()  # change of the count of a value

    def _key_of(self, table: str) -> tuple[str, ...]:
        """Return the primary key of a table, or its rowid."""
        rows = self.db.execute(f"pragma main.table_info({table})").fetchall()
        return tuple(row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5]) or ("rowid",)

    def sync(self, table: str, column: str, values: Iterable[Any], rows: Iterable[Row]) -> None:
        """Make these the only rows whose `column` has one of `values`."""
        rows = list(rows)
        if self.full:
            self._insert(table, rows)
            return
        where = f"where {column} = ?"
        self._replace(table, (row for value in values for row in self._read(table, where, (value,))), rows)

    def add(self, table: str, rows: list[Row]) -> None:
        """Insert new rows."""
        self._insert(table, rows)

    def sync_all(self, table: str, rows: Iterable[Row]) -> None:
        """Make these the only rows of a table."""
        rows = list(rows)
        self._insert(table, rows) if self.full else self._replace(table, self._read(table, "", ()), rows)

    def _columns_of(self, table: str) -> tuple[str, ...]:
        return tuple(row[1] for row in self.db.execute(f"pragma main.table_info({table})"))

    def _read(self, table: str, where: str, values: Sequence[Any]) -> Iterable[tuple[tuple, tuple]]:
        """Yield (key, values of all columns) of rows."""
        columns = self.columns_of(table)
        sql = f"select {', '.join((*self.key_of(table), *columns))} from main.{table} {where}"
        n = len(self.key_of(table))
        for row in self.db.execute(sql, values).fetchall():
            yield row[:n], row[n:]

    def _replace(self, table: str, before: Iterable[tuple[tuple, tuple]], rows: list[Row]) -> None:
        columns = self.columns_of(table)
        wanted = {tuple(row[name] for name in columns): row for row in rows}
        stale = []
        for key, values in before:
            if values in wanted:
                del wanted[values]
            else:
                stale.append(key)
                self._count(table, dict(zip(columns, values, strict=True)), -1)
        self._delete(table, stale)
        self._insert(table, list(wanted.values()))

    def _delete(self, table: str, keys: list[tuple]) -> None:
        if not keys:
            return
        condition = " and ".join(f"{name} = ?" for name in self.key_of(table))
        if table in SEARCHED:
            names = ", ".join(SEARCHED[table])
            self.db.executemany(
                f"insert into main.{table}_fts ({table}_fts, rowid, {names}) "
                f"select 'delete', rowid, {names} from main.{table} where {condition}", keys,
            )  # fmt: skip
        self.db.executemany(f"delete from main.{table} where {condition}", keys)

    def _insert(self, table: str, rows: list[Row]) -> None:
        if not rows:
            return
        names = list(rows[0])
        marks = ", ".join(f":{name}" for name in names)
        self.db.executemany(f"insert into main.{table} ({', '.join(names)}) values ({marks})", rows)
        if not self.full:
            for row in rows:
                self._count(table, row, 1)
        if table in SEARCHED and not self.full:
            (key,) = self.key_of(table)
            columns = ", ".join(SEARCHED[table])
            self.db.executemany(
                f"insert into main.{table}_fts (rowid, {columns}) select rowid, {columns} from main.{table} "
                f"where {key} = ?", [(row[key],) for row in rows],
            )  # fmt: skip

    def _count(self, table: str, row: Row, n: int) -> None:
        for column in FACETS.get(table, ()):
            if row[column] is not None:
                value = int(row[column]) if isinstance(row[column], bool) else row[column]
                self._facets[table, column, str(value)] += n

    def count_facets(self) -> None:
        """Count how often each value of each facet occurs in its table."""
        if not self.full:
            place = "where table_name = ? and column_name = ? and value = ?"
            for facet, n in self._facets.items():
                if n:
                    self.db.execute("insert or ignore into main.facet_counts values (?, ?, ?, 0)", facet)
                    self.db.execute(f"update main.facet_counts set n = n + ? {place}", (n, *facet))
                    self.db.execute(f"delete from main.facet_counts {place} and n = 0", facet)
            return
        found = []
        for table, columns in FACETS.items():
            for column in columns:
                sql = f"select {column}, count(*) from main.{table} where {column} is not null group by {column}"
                found += [
                    {"table_name": table, "column_name": column, "value": str(value), "n": n}
                    for value, n in self.db.execute(sql)
                ]
        found.sort(key=lambda r: (r["table_name"], r["column_name"], r["value"]))
        self.sync_all("facet_counts", found)
