"""Finds the event that a user means by an id, the beginning of an id, or words of its summary."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from pipeline.commands.common import rows as _rows
from pipeline.errors import WrongUse


def find_event(db: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Return the event that `name` identifies, following merged ids; raise WrongUse if none or several match."""
    if not name.strip():
        raise WrongUse("Which event? Give an id such as e1234567890abcdef, or words of its summary.")
    found = _rows(db, "select * from events where event_id = ? or event_id like ? limit 2", name, name + "%")
    if len(found) == 1:
        return found[0]
    if found:
        raise WrongUse(f"More than one event begins with '{name}'. Give more of the id.")
    gone = _rows(db, "select * from event_redirects where old_event_id = ?", name)
    if gone and gone[0]["event_id"]:
        click.echo(f"{name} is now part of {gone[0]['event_id']} ({gone[0]['reason']}).", err=True)
        return find_event(db, gone[0]["event_id"])
    if gone:
        raise WrongUse(f"Event {name} was withdrawn: {gone[0]['reason']}.")
    return _search_event(db, name)


def _search_event(db: sqlite3.Connection, words: str) -> dict[str, Any]:
    """Return the only event that contains these words; raise WrongUse with the candidates otherwise."""
    quoted = " ".join('"' + word.replace('"', "") + '"' for word in words.split())
    found = _rows(
        db,
        """select e.* from events_fts f join events e on e.rowid = f.rowid where events_fts match ?
           order by e.n_origins desc, e.last_reported_on desc, e.event_id""",
        quoted,
    )
    if len(found) == 1:
        return found[0]
    if found:
        lines = "\n".join(f"  {row['event_id']}  {row['summary']}" for row in found[:10])
        raise WrongUse(f"{len(found)} events match '{words}'. Give one of these ids, or more words:\n{lines}")
    raise WrongUse(f"There is no event '{words}'. Give an id such as e1234567890abcdef, or words of its summary.")
