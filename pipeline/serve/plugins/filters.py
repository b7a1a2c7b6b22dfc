"""Names of parties, words and places in an address come in, SQL conditions on events and claims go out."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from datasette import hookimpl
from datasette.filters import FilterArguments

from pipeline.serve import queries
from pipeline.serve.counting import COLUMNS, DAY
from pipeline.serve.words import day_words, title_for, words_for


class Party(NamedTuple):
    """What a party argument asks for: a role ("": any), a kind of entity ("": any), and the words for it."""

    role: str
    kind: str
    said: str


PARTY_ARGUMENTS = {
    "_party": Party("", "", "{} takes part"),
    "_actor": Party("actor", "", "{} acts"),
    "_target": Party("target", "", "towards {}"),
    "_object": Party("object", "", "about {}"),
    "_model": Party("", "model", "about the model {}"),
    "_instrument": Party("instrument", "", "under {}"),
}
SAID = {argument: party.said for argument, party in PARTY_ARGUMENTS.items()}
LINKS = {"events": ("event_id", "event_participants"), "claims": ("claim_id", "claim_participants")}
WORDS_SQL = {
    "events": """rowid in (select rowid from events_fts where events_fts match {match})
        or event_id in (select event_id from claims where rowid in
            (select rowid from claims_fts where claims_fts match {match}))""",
    "claims": "rowid in (select rowid from claims_fts where claims_fts match {match})",
}
MOST_NAMED = 40  # entities that the words of a search may stand for


class Conditions(NamedTuple):
    """SQL conditions on one table with their parameters, the words for them, and the names that parties go by."""

    clauses: list[str]
    params: dict[str, str]
    said: list[str]
    names: dict[str, str]


async def conditions(db: Any, args: Any, table: str) -> Conditions:
    """Return the conditions that the party arguments and ?_words= in `args` (a MultiParams) stand for."""
    key, link = LINKS[table]
    found = Conditions([], {}, [], {})
    for argument, party in PARTY_ARGUMENTS.items():
        for n, text in enumerate(args.getlist(argument)):
            if not text.strip():
                continue
            ids = await queries.entity_ids_named(db, text)
            role = f" and role = '{party.role}'" if party.role else ""
            one_of = _one_of(ids, f"{argument}_{n}", found.params)
            found.clauses.append(f"{key} in (select {key} from {link} where {one_of}{role})")
            entity = await queries.entity(db, ids[0]) if ids else None
            found.names[text] = entity["name"] if entity else text
            unknown = "" if ids else " (a name that the ledger does not know)"
            found.said.append(party.said.format(found.names[text]) + unknown)
    for n, text in enumerate(args.getlist("_words")):
        if match := queries.fts_query(text):
            found.params[f"_words_{n}"] = match
            named = _one_of(await queries.entity_ids_like(db, text, MOST_NAMED), f"_named_{n}", found.params)
            by_words = WORDS_SQL[table].format(match=f":_words_{n}")
            found.clauses.append(f"({by_words} or {key} in (select {key} from {link} where {named}))")
            found.said.append(f"with the words “{text}”")
    return found


def column_conditions(pairs: list[tuple[str, str]]) -> Conditions | None:
    """Return the conditions of an address on the facet columns and the day of events; None where one has another."""
    found = Conditions([], {}, [], {})
    for n, (key, value) in enumerate(pairs):
        column, _, operator = key.partition("__")
        if column in COLUMNS and operator in ("", "exact", "in"):
            values = value.split(",") if operator == "in" else [value]
            shown = ", ".join(str(words_for(column, one)) for one in values)
            found.said.append(f"{title_for(column).lower()}: {shown}")
            marks = [f":_column_{n}_{i}" for i in range(len(values))]
            found.params.update(zip((mark[1:] for mark in marks), values, strict=True))
            found.clauses.append(f"{column} in ({', '.join(marks)})")
        elif column == DAY and operator in ("gte", "lte"):
            found.params[f"_day_{n}"] = value
            found.clauses.append(f"{column} {'>=' if operator == 'gte' else '<='} :_day_{n}")
            found.said.append(f"{'from' if operator == 'gte' else 'up to'} {day_words(value) or value}")
        else:
            return None
    return found


@hookimpl
def filters_from_request(request: Any, table: str, database: str, datasette: Any) -> Any:
    """Understand ?_party=, ?_actor= and so on with an entity's id or any of its names, and ?_words=."""

    async def inner() -> FilterArguments:
        if table not in LINKS:
            return FilterArguments([], extra_context={"party_names": {}})
        db = datasette.get_database(database)
        clauses, params, said, names = await conditions(db, request.args, table)
        context = {"party_names": names, "known_parties": await queries.busiest_entities(db), "known_places": []}
        if table == "events":
            places = (str(value) for value in db.event_counts.codes["jurisdiction"].values if value)
            context["known_places"] = sorted(places, key=lambda code: str(words_for("jurisdiction", code)))
        return FilterArguments(clauses, params, said, context)

    return inner


def _one_of(ids: list[str], prefix: str, params: dict[str, str]) -> str:
    """Return the condition that an entity is one of these, and put the ids into `params`."""
    for i, entity_id in enumerate(ids):
        params[f"{prefix}_{i}"] = entity_id
    return f"entity_id in ({', '.join(f':{prefix}_{i}' for i in range(len(ids)))})"


def facet_names(facets: list) -> list[str]:
    """Return the names of the facets of a table's metadata, in the order in which they stand there."""
    names = []
    for facet in facets or []:
        config = next(iter(facet.values())) if isinstance(facet, dict) else facet
        names.append(json.loads(config)["simple"] if str(config).startswith("{") else str(config))
    return names
