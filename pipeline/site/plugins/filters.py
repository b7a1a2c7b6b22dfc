"""Names of parties, words and places in an address come in, SQL conditions on events and claims go out."""

from __future__ import annotations

import asyncio
import difflib
import json
from typing import Any, NamedTuple

import numpy as np
from datasette import hookimpl
from datasette.filters import FilterArguments
from datasette.utils.asgi import BadRequest

from pipeline.site.facets import selection
from pipeline.site.facets.selection import CHOSEN, Choice
from pipeline.site.queries import pages
from pipeline.site.renamed import RENAMED_COLUMNS
from pipeline.site.text.words import words_for


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
            ids = await pages.entity_ids_named(db, text)
            role = f" and role = '{party.role}'" if party.role else ""
            one_of = _one_of(ids, f"{argument}_{n}", found.params)
            found.clauses.append(f"{key} in (select {key} from {link} where {one_of}{role})")
            entity = await pages.entity(db, ids[0]) if ids else None
            found.names[text] = entity["name"] if entity else text
            unknown = "" if ids else " (a name that the ledger does not know)"
            found.said.append(party.said.format(found.names[text]) + unknown)
    for n, text in enumerate(args.getlist("_words")):
        if match := pages.fts_query(text):
            found.params[f"_words_{n}"] = match
            named = _one_of(await pages.entity_ids_like(db, text, MOST_NAMED), f"_named_{n}", found.params)
            by_words = WORDS_SQL[table].format(match=f":_words_{n}")
            found.clauses.append(f"({by_words} or {key} in (select {key} from {link} where {named}))")
            found.said.append(f"with the words “{text}”")
    return found


async def choice(db: Any, table: str, query_string: str) -> Choice | None:
    """Return what the filters of an address choose, counted in memory; None where arrays cannot answer them all."""
    wanted = selection.asked(query_string, table, PARTY_ARGUMENTS)
    if wanted is None:
        return None
    parties = [
        (PARTY_ARGUMENTS[argument].role, tuple(await pages.entity_ids_named(db, text)))
        for argument, text in wanted.parties
    ]
    words = []
    for text in wanted.words:
        if match := pages.fts_query(text):
            words.append((match, await rows_with_words(db, table, text)))
    return await asyncio.to_thread(selection.choose, db.arrays, table, wanted.columns, parties, words)


async def rows_with_words(db: Any, table: str, text: str) -> np.ndarray:
    """Return which rows of a table hold words; see selection.rows_with_words."""
    match, named = pages.fts_query(text), await pages.entity_ids_like(db, text, MOST_NAMED)
    db_arrays = db.arrays
    return await db.execute_fn(lambda connection: selection.rows_with_words(connection, db_arrays, table, match, named))


@hookimpl
def filters_from_request(request: Any, table: str, database: str, datasette: Any) -> Any:
    """Understand ?_party=, ?_actor= and so on with an entity's id or any of its names, and ?_words=."""

    async def inner() -> FilterArguments:
        await refuse_unknown_columns(request, datasette.get_database(database), table)
        if table not in LINKS:
            return FilterArguments([], extra_context={"party_names": {}})
        db = datasette.get_database(database)
        clauses, params, said, names = await conditions(db, request.args, table)
        chosen = await choice(db, table, request.query_string)
        CHOSEN.set(chosen)
        if chosen is not None and chosen.n < len(chosen.counts):
            clauses = [selection.marked(clauses)]
        context = {"party_names": names, "known_parties": await pages.busiest_entities(db), "known_places": []}
        if table == "events":
            places = (str(value) for value in db.counts("events").codes["jurisdiction"].values if value)
            context["known_places"] = sorted(places, key=lambda code: str(words_for("jurisdiction", code)))
        return FilterArguments(clauses, params, said, context)

    return inner


async def refuse_unknown_columns(request: Any, db: Any, table: str) -> None:
    """Raise BadRequest for a filter on a column that the table has not: it would choose no row and say nothing."""
    asked = {name.partition("__")[0] for name in request.args if name and not name.startswith("_")}
    if not asked:
        return
    known = [*await db.table_columns(table), "rowid"]
    if unknown := sorted(asked - set(known)):
        renamed = RENAMED_COLUMNS.get(unknown[0].partition("__")[0])
        near = [renamed] if renamed else difflib.get_close_matches(unknown[0], known, 1, 0.6)
        cure = f"Did you mean {near[0]}?" if near else f"Its columns are {', '.join(known[:-1])}."
        raise BadRequest(f"The table {table} has no column {unknown[0][:60]}. {cure}")


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
