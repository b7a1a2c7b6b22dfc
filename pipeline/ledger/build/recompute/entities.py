"""Updates the tables of entities.

Only entities whose counts changed, or that are named for the first time, are rewritten, with their parents. If an
entity may have disappeared or changed, all are.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable

from pipeline.ledger.build.changes import Changes, EventChanges
from pipeline.ledger.build.context import BuildContext, Lazy
from pipeline.ledger.build.writer import Writer
from pipeline.ledger.rows.entities import name_rows, related_ids, relation_rows, role_rows
from pipeline.ledger.rows.tables import entity_rows, name_rows_of
from pipeline.lexicon.entities import Relation, Role


class _Published:
    """The ids in the published table of entities, plus `new` ones about to be written."""

    def __init__(self, db: sqlite3.Connection, new: Collection[str] = ()) -> None:
        self._db, self._new = db, new

    def __contains__(self, id_: object) -> bool:
        found = "select 1 from main.entities where entity_id = ?"
        return id_ in self._new or self._db.execute(found, (id_,)).fetchone() is not None


class EntityUpdater:
    """Counts the events and claims of each entity, and writes the rows of those that have any."""

    def __init__(self, context: BuildContext, writer: Writer) -> None:
        self.context, self.state, self.writer = context, context.state, writer
        self._met: Counter[tuple[str, str]] = Counter()  # changes of the counts of an entity
        lexicon = context.lexicon
        self._roles: tuple[Role, ...] = lexicon.roles if lexicon else ()
        self._relations: tuple[Relation, ...] = lexicon.relations if lexicon else ()

    def meet(self, event_changes: EventChanges, sign: int) -> None:
        """Subtract (-1) or add (1) the entities of the events that change."""
        if self.writer.full:
            return  # all are counted at the end
        sql = (
            "select entity_id, count(distinct claim_id) from main.claims cross join main.claim_participants "
            "using (claim_id) where event_id = ? group by entity_id"
        )
        for id_ in sorted(event_changes.events | event_changes.gone):
            for entity_id, n in self.writer.db.execute(sql, (id_,)):
                self._met[entity_id, "n_events"] += sign
                self._met[entity_id, "n_claims"] += sign * n

    def write(self, changes: Changes) -> None:
        """Update the tables of entities."""
        db = self.writer.db
        if self.writer.full:
            db.execute(
                "insert into joined.entity_counts select entity_id, count(distinct event_id), count(distinct claim_id) "
                "from main.claim_participants join main.claims using (claim_id) group by entity_id"
            )
            self._write_all()
            return
        for (entity_id, column), n in self._met.items():
            if n:
                db.execute("insert or ignore into joined.entity_counts values (?, 0, 0)", (entity_id,))
                db.execute(
                    f"update joined.entity_counts set {column} = {column} + ? where entity_id = ?", (n, entity_id)
                )
        left = db.execute("delete from joined.entity_counts where n_claims = 0").rowcount
        if left or changes.entities_changed:
            self._write_all()
        else:
            self._write_some({entity_id for (entity_id, _), n in self._met.items() if n}, changes.new_entities)

    def _write_all(self) -> None:
        context, writer = self.context, self.writer
        seen = {row[0]: (row[1], row[2]) for row in self.state.rows("select * from joined.entity_counts")}
        rows = entity_rows({*seen, *related_ids(seen, self._roles, self._relations)}, seen, context.entity_of)
        known = {row["entity_id"] for row in rows}
        writer.sync_all("entities", rows)
        writer.sync_all("entity_roles", role_rows(self._roles, known))
        writer.sync_all("entity_relations", relation_rows(rows, self._relations, known))
        writer.sync_all("entity_names", name_rows_of(name_rows(context.lexicon), rows))

    def _write_some(self, met: set[str], new: set[str]) -> None:
        """Write the entities in `met`, whose counts changed, and those that depend on a `new` one."""
        wanted = {*met, *related_ids(met, self._roles, self._relations), *self._belonging_to(new)}
        rows = entity_rows(wanted, Lazy(self._counts), self.context.entity_of)
        ids = {row["entity_id"] for row in rows}
        before = _Published(self.writer.db)
        unwritten = {id_ for id_ in ids if id_ not in before}
        published = _Published(self.writer.db, unwritten)
        writer = self.writer
        writer.sync("entities", "entity_id", sorted(ids), rows)
        persons = {role.person_id for role in self._roles if role.body_id in unwritten or role.person_id in ids}
        roles = [role for role in self._roles if role.person_id in persons]
        writer.sync("entity_roles", "person_id", sorted(persons), role_rows(roles, published))
        related = {r.entity_id for r in self._relations if r.other_id in unwritten and r.entity_id in published} | ids
        relations = [r for r in self._relations if r.entity_id in related]
        others = [self._row(id_) for id_ in sorted(related - ids)]
        writer.sync(
            "entity_relations", "entity_id", sorted(related), relation_rows([*rows, *others], relations, published)
        )
        names = [row for row in name_rows(self.context.lexicon) if row["entity_id"] in ids]
        writer.sync("entity_names", "entity_id", sorted(ids), name_rows_of(names, rows))

    def _belonging_to(self, ids: Iterable[str]) -> set[str]:
        """Return the published entities whose parent is one of `ids`."""
        sql = "select distinct entity_id from joined.entities where belongs = ?1 or belongs >= ?2 and belongs < ?3"
        found, published = set(), _Published(self.writer.db)
        for id_ in ids:
            for child in self.state.column(sql, (id_, f"{id_} ", f"{id_}!")):
                entity = self.context.entity_of.get(child)
                if entity is not None and entity.parent_id == id_ and child in published:
                    found.add(child)
        return found

    def _counts(self, id_: str) -> tuple[int, int] | None:
        rows = self.state.rows("select n_events, n_claims from joined.entity_counts where entity_id = ?", (id_,))
        return rows[0] if rows else None

    def _row(self, id_: str) -> dict[str, str | None]:
        sql = "select entity_id, kind, parent_id from main.entities where entity_id = ?"
        row = self.writer.db.execute(sql, (id_,)).fetchone()
        return dict(zip(("entity_id", "kind", "parent_id"), row, strict=True))
