"""Filters of events and claims by party and by words, as SQL conditions and as masks over the arrays."""

from __future__ import annotations

import asyncio
import difflib
import json
from typing import Any, NamedTuple

import numpy as np
from datasette import hookimpl
from datasette.filters import FilterArguments
from datasette.utils.asgi import BadRequest, Request

from pipeline.site.facets import selection
from pipeline.site.facets.selection import CHOSEN, Choice
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.queries import entities, search
from pipeline.site.renamed import RENAMED_COLUMNS
from pipeline.site.text.labels import words_for


class PartyFilter(NamedTuple):
    """A party argument: the role ("" for any), the kind of entity ("" for any), and a description with a slot."""

    role: str
    kind: str
    words: str


PARTY_ARGUMENTS = {
    "_party": PartyFilter("", "", "{} takes part"),
    "_actor": PartyFilter("actor", "", "{} acts"),
    "_target": PartyFilter("target", "", "directed at {}"),
    "_object": PartyFilter("object", "", "about {}"),
    "_model": PartyFilter("", "model", "about the model {}"),
    "_instrument": PartyFilter("instrument", "", "under {}"),
}

LINKS = {"events": ("event_id", "event_participants"), "claims": ("claim_id", "claim_participants")}
WORDS_SQL = {
    "events": """rowid in (select rowid from events_fts where events_fts match {match})
        or event_id in (select event_id from claims where rowid in
            (select rowid from claims_fts where claims_fts match {match}))""",
    "claims": "rowid in (select rowid from claims_fts where claims_fts match {match})",
}
MOST_NAMED = 40  # entities that the words of a filter may match


class Conditions(NamedTuple):
    """SQL conditions on one table, with parameters, descriptions, and full names of the parties that were given."""

    clauses: list[str]
    params: dict[str, str]
    words: list[str]
    names: dict[str, str]


async def conditions(db: Any, args: Any, table: str) -> Conditions:
    """Return the conditions of the party arguments and of ?_words= in `args` (a MultiParams)."""
    key, link = LINKS[table]
    found = Conditions([], {}, [], {})
    for argument, party in PARTY_ARGUMENTS.items():
        for n, text in enumerate(args.getlist(argument)):
            if not text.strip():
                continue
            ids = await entities.entity_ids_named(db, text)
            role = f" and role = '{party.role}'" if party.role else ""
            one_of = _one_of(ids, f"{argument}_{n}", found.params)
            found.clauses.append(f"{key} in (select {key} from {link} where {one_of}{role})")
            entity = await entities.entity(db, ids[0]) if ids else None
            found.names[text] = entity["name"] if entity else text
            unknown = "" if ids else " (not in the ledger)"
            found.words.append(party.words.format(found.names[text]) + unknown)
    for n, text in enumerate(args.getlist("_words")):
        if match := search.fts_query(text):
            found.params[f"_words_{n}"] = match
            named = _one_of(await entities.entity_ids_like(db, text, MOST_NAMED), f"_named_{n}", found.params)
            by_words = WORDS_SQL[table].format(match=f":_words_{n}")
            found.clauses.append(f"({by_words} or {key} in (select {key} from {link} where {named}))")
            found.words.append(f"with the words “{text}”")
    return found


async def choice(db: Any, table: str, query_string: str) -> Choice | None:
    """Return the rows that a query string selects, found in memory; None if the arrays cannot answer every filter."""
    wanted = selection.asked(query_string, table, PARTY_ARGUMENTS)
    if wanted is None:
        return None
    parties = [
        (PARTY_ARGUMENTS[argument].role, tuple(await entities.entity_ids_named(db, text)))
        for argument, text in wanted.parties
    ]
    words = []
    for text in wanted.words:
        if match := search.fts_query(text):
            words.append((match, await rows_with_words(db, table, text)))
    return await asyncio.to_thread(selection.choose, db.arrays, table, wanted.columns, parties, words)


async def rows_with_words(db: Any, table: str, text: str) -> np.ndarray:
    """Return a mask of the rows that contain the words; see selection.rows_with_words."""
    match, named = search.fts_query(text), await entities.entity_ids_like(db, text, MOST_NAMED)
    db_arrays = db.arrays
    return await db.execute_fn(lambda connection: selection.rows_with_words(connection, db_arrays, table, match, named))


@hookimpl
def filters_from_request(request: Request, table: str, database: str, datasette: LedgerSite) -> Any:
    """Support ?_party=, ?_actor= and so on, with an entity's id or any of its names, and ?_words=."""

    async def inner() -> FilterArguments:
        await refuse_unknown_columns(request, datasette.get_database(database), table)
        if table not in LINKS:
            return FilterArguments([], extra_context={"party_names": {}})
        db = datasette.get_database(database)
        clauses, params, words, names = await conditions(db, request.args, table)
        chosen = await choice(db, table, request.query_string)
        CHOSEN.set(chosen)
        if chosen is not None and chosen.n < len(chosen.counts):
            clauses = [selection.marked(clauses)]
        context = {"party_names": names, "known_parties": await entities.busiest_entities(db), "known_places": []}
        if table == "events":
            places = (str(value) for value in db.counts("events").codes["jurisdiction"].values if value)
            context["known_places"] = sorted(places, key=lambda code: str(words_for("jurisdiction", code)))
        return FilterArguments(clauses, params, words, context)

    return inner


async def refuse_unknown_columns(request: Request, db: Any, table: str) -> None:
    """Raise BadRequest for a filter on a column that does not exist: it would silently match nothing."""
    asked = {name.partition("__")[0] for name in request.args if name and not name.startswith("_")}
    if not asked:
        return
    known = [*await db.table_columns(table), "rowid"]
    if unknown := sorted(asked - set(known)):
        renamed = RENAMED_COLUMNS.get(unknown[0].partition("__")[0])
        near = [renamed] if renamed else difflib.get_close_matches(unknown[0], known, 1, 0.6)
        hint = f"Did you mean {near[0]}?" if near else f"Its columns are {', '.join(known[:-1])}."
        raise BadRequest(f"The table {table} has no column {unknown[0][:60]}. {hint}")


def _one_of(ids: list[str], prefix: str, params: dict[str, str]) -> str:
    """Return the condition that entity_id is one of these ids, and add them to `params`."""
    for i, entity_id in enumerate(ids):
        params[f"{prefix}_{i}"] = entity_id
    return f"entity_id in ({', '.join(f':{prefix}_{i}' for i in range(len(ids)))})"


def facet_names(facets: list) -> list[str]:
    """Return the names of the facets configured for a table, in their order."""
    names = []
    for facet in facets or []:
        config = next(iter(facet.values())) if isinstance(facet, dict) else facet
        names.append(json.loads(config)["simple"] if str(config).startswith("{") else str(config))
    return names
