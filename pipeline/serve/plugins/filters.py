"""Names of parties and months in an address come in, SQL conditions and facets of events and claims go out."""

from __future__ import annotations

import json
from typing import Any

from datasette import hookimpl
from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.filters import FilterArguments
from datasette.utils import path_with_added_args, path_with_removed_args

from pipeline.serve import queries
from pipeline.serve.words import words_for

PARTY_ARGUMENTS = {
    "_party": "",
    "_actor": "actor",
    "_target": "target",
    "_object": "object",
    "_instrument": "instrument",
}
LINKS = {"events": ("event_id", "event_participants"), "claims": ("claim_id", "claim_participants")}
SAID = {
    "_party": "{} takes part",
    "_actor": "{} acts",
    "_target": "towards {}",
    "_object": "about {}",
    "_instrument": "under {}",
}


@hookimpl
def filters_from_request(request: Any, table: str, database: str, datasette: Any) -> Any:
    """Understand ?_party=, ?_actor=, ?_target=, ?_object= and ?_instrument= with an entity's id or any of its names."""

    async def inner() -> FilterArguments:
        if table not in LINKS:
            return FilterArguments([], extra_context={"party_names": {}})
        key, link = LINKS[table]
        db = datasette.get_database(database)
        clauses, params, said, names = [], {}, [], {}
        for argument, role in PARTY_ARGUMENTS.items():
            for n, text in enumerate(request.args.getlist(argument)):
                if not text.strip():
                    continue
                ids = await queries.entity_ids_named(db, text)
                for i, entity_id in enumerate(ids):
                    params[f"{argument}_{n}_{i}"] = entity_id
                marks = ", ".join(f":{argument}_{n}_{i}" for i in range(len(ids)))
                role_clause = f" and role = '{role}'" if role else ""
                clauses.append(f"{key} in (select {key} from {link} where entity_id in ({marks}){role_clause})")
                entity = await queries.entity(db, ids[0]) if ids else None
                names[text] = entity["name"] if entity else text
                said.append(
                    SAID[argument].format(names[text]) + ("" if ids else " (a name that the ledger does not know)")
                )
        known = await queries.busiest_entities(db)
        return FilterArguments(clauses, params, said, {"party_names": names, "known_parties": known})

    return inner


class PartyFacet(Facet):
    """Counts rows by the entities that take part in them: {"party": "party"} for any role, or "actor" and so on."""

    type = "party"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks, and the names of those that timed out."""
        results, timed_out = [], []
        for source_and_config in self.get_configs():
            name = source_and_config["config"].get("column") or source_and_config["config"]["simple"]
            argument = f"_{name}"
            if self.table not in LINKS or argument not in PARTY_ARGUMENTS:
                continue
            size = self.get_facet_size()
            sql = self._count_sql(PARTY_ARGUMENTS[argument], size)
            try:
                found = await self.ds.execute(
                    self.database, sql, self.params, custom_time_limit=self.ds.setting("facet_time_limit_ms")
                )
            except QueryInterrupted:
                timed_out.append(name)
                continue
            pairs = self.get_querystring_pairs()
            values = [self._value(row, argument, pairs) for row in found.rows[:size]]
            results.append(
                {
                    "name": name,
                    "type": "column",
                    "hideable": source_and_config["source"] != "metadata",
                    "toggle_url": self.ds.urls.path(path_with_removed_args(self.request, {"_facet_party": name})),
                    "results": values,
                    "truncated": len(found.rows) > size,
                }
            )
        return results, timed_out

    def _count_sql(self, role: str, size: int) -> str:
        """Return the SQL that counts; over a whole table the counts that every entity carries are taken."""
        key, link = LINKS[self.table]
        if not self.params and self.sql.rstrip().endswith(f" from {self.table}") and not role:
            n = f"n_{self.table}"
            return f"""
                select entity_id as value, name as label, {n} as count from entities
                where {n} > 0 order by {n} desc, name limit {size + 1}
            """
        return f"""
            select p.entity_id as value, e.name as label, count(distinct p.{key}) as count
            from {link} p join entities e using (entity_id)
            where p.{key} in (select {key} from ({self.sql})) {f"and p.role = '{role}'" if role else ""}
            group by p.entity_id order by count desc, e.name limit {size + 1}
        """

    def _value(self, row: Any, argument: str, pairs: list[tuple[str, str]]) -> dict:
        chosen = next((v for k, v in pairs if k == argument and v in (row["value"], row["label"])), None)
        if chosen is None:
            path = path_with_added_args(self.request, {argument: row["value"]})
        else:
            path = path_with_removed_args(self.request, {argument: chosen})
        return {
            "value": row["value"],
            "label": row["label"],
            "count": row["count"],
            "toggle_url": self.ds.absolute_url(self.request, self.ds.urls.path(path)),
            "selected": chosen is not None,
        }


class MonthFacet(Facet):
    """Counts rows by a column of months, the newest first: {"month": "event_month"}."""

    type = "month"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks, and the names of those that timed out."""
        results, timed_out = [], []
        for source_and_config in self.get_configs():
            column = source_and_config["config"].get("column") or source_and_config["config"]["simple"]
            if column != "event_month" or self.table != "events":
                continue
            size = self.get_facet_size()
            sql = f"""
                select event_month as value, count(*) as count from ({self.sql})
                where event_month is not null group by event_month order by event_month desc limit {size + 1}
            """
            try:
                found = await self.ds.execute(
                    self.database, sql, self.params, custom_time_limit=self.ds.setting("facet_time_limit_ms")
                )
            except QueryInterrupted:
                timed_out.append(column)
                continue
            pairs = self.get_querystring_pairs()
            values = []
            for row in found.rows[:size]:
                selected = (column, row["value"]) in pairs
                change = path_with_removed_args if selected else path_with_added_args
                path = self.ds.urls.path(change(self.request, {column: row["value"]}))
                values.append(
                    {
                        "value": row["value"],
                        "label": words_for(column, row["value"]),
                        "count": row["count"],
                        "toggle_url": self.ds.absolute_url(self.request, path),
                        "selected": selected,
                    }
                )
            results.append(
                {
                    "name": column,
                    "type": "column",
                    "hideable": source_and_config["source"] != "metadata",
                    "toggle_url": self.ds.urls.path(path_with_removed_args(self.request, {"_facet_month": column})),
                    "results": values,
                    "truncated": len(found.rows) > size,
                }
            )
        return results, timed_out


@hookimpl
def register_facet_classes() -> list[type[Facet]]:
    """Facets by party and by month."""
    return [PartyFacet, MonthFacet]


def facet_names(facets: list) -> list[str]:
    """Return the names of the facets of a table's metadata, in the order in which they stand there."""
    names = []
    for facet in facets or []:
        config = next(iter(facet.values())) if isinstance(facet, dict) else facet
        names.append(json.loads(config)["simple"] if str(config).startswith("{") else str(config))
    return names
