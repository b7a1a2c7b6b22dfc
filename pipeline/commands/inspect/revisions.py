"""The command `revisions`."""

from __future__ import annotations

from typing import Any

import click

from pipeline.commands.common import open_ledger, rows
from pipeline.commands.output import json_option, say_json
from pipeline.errors import WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder


@click.command()
@click.argument("article", metavar="URL_OR_ARTICLE")
@click.option("--claims", "with_claims", is_flag=True, help="Also show which claims each edit changed.")
@json_option
@click.pass_obj
def revisions(folder: DataFolder, article: str, with_claims: bool, as_json: bool) -> None:
    """Show the versions of an article and what its publisher changed.

    URL_OR_ARTICLE is an address, an id or words of the headline. The changed sentences are shown if crawl.db, which
    has the full texts, is in the data folder.
    """
    db = open_ledger(folder)
    found = _find_article(db, article)
    id_ = found["article_id"]
    versions = rows(db, "select * from article_versions where article_id = ? order by first_seen_at, version", id_)
    edits = rows(db, "select * from article_edits where article_id = ? order by nth", id_)
    for edit in edits:
        edit |= _sentences(folder, id_, edit)
        if with_claims:
            edit["claims"] = rows(
                db, "select * from revisions where article_id = ? and nth = ? order by rowid", id_, edit["nth"]
            )
    if as_json:
        say_json({"article": found, "versions": versions, "edits": edits})
        return
    click.echo(f"{found['title']} ({id_})\n  {found['source']}, {found['published_on']} · {found['url']}")
    for version in versions:
        latest = ", the latest" if version["version"] == found["version"] else ""
        click.echo(f"  version {version['version']}: first seen {version['first_seen_at'][:16]}{latest}")
    if not edits:
        click.echo("  No edits found.")
    for edit in edits:
        _say_edit(edit)


def _find_article(db: Any, words: str) -> dict[str, Any]:
    """Return the article with this address, id or headline; raise WrongUse if none or several match."""
    sql = "select a.*, s.title as source from articles a join sources s using (source_id) where "
    found = rows(db, sql + "a.article_id = ?1 or a.url = ?1 or rtrim(a.url, '/') = rtrim(?1, '/')", words)
    if not found and words:
        like = f"{words}%" if words[:1] == "a" and words[1:].isalnum() else ""
        found = rows(db, sql + "a.article_id like ?1 or instr(lower(a.title), lower(?2)) order by a.url", like, words)
    if len(found) == 1:
        return found[0]
    if found:
        lines = "\n".join(f"  {row['article_id']}  {row['title']}" for row in found[:10])
        raise WrongUse(f"{len(found)} articles match '{words}'. Give one of these ids, or more words:\n{lines}")
    raise WrongUse(f"The ledger has no article '{words}'. Give its address, its id, or words of its headline.")


def _sentences(folder: DataFolder, article_id: str, edit: dict[str, Any]) -> dict[str, Any]:
    """Return the deleted and added sentences, None if the texts are not available."""
    if not folder.crawl_db.exists():
        return {"gone": None, "come": None}
    from pipeline.aggregation.revisions.text_diff import compare
    from pipeline.ledger.article_store import Library

    with Library(folder.crawl_db) as library:
        old, new = (library.article(article_id, edit[key]) for key in ("old_version", "new_version"))
    if old is None or new is None:
        return {"gone": None, "come": None}
    gone, come = compare(old.text, new.text)
    return {"gone": list(gone), "come": list(come)}


def _say_edit(edit: dict[str, Any]) -> None:
    click.echo(f"\nEdit {edit['nth']}: between {edit['old_seen_at'][:16]} and {edit['new_seen_at'][:16]} UTC")
    if edit["old_title"] != edit["new_title"]:
        click.echo(f"  headline: {edit['old_title']} → {edit['new_title']}")
    if not edit["n_sentences_gone"] and not edit["n_sentences_come"]:
        click.echo("  no sentence changed, only typography or boilerplate")
    elif edit["gone"] is None:
        click.echo(f"  {count_words(edit['n_sentences_gone'], 'sentence')} deleted, {edit['n_sentences_come']} added")
    for sign, sentences in (("-", edit["gone"]), ("+", edit["come"])):
        for sentence in sentences or ():
            click.echo(f"  {sign} {sentence}")
    for claim in edit.get("claims", ()):
        click.echo(f"  {claim['kind']}: {claim['type'].replace('_', ' ')}: {claim['summary']}")
        click.echo(f"    event {claim['event_id'] or 'withdrawn: this was its only claim'}")
    if edit.get("claims") == []:
        click.echo("  no claim changed")
