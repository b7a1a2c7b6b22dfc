"""Editors' decisions on the command line: an id and what is right come in; a decision in the file goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline.app.commands.common import reviews_of, settings_of
from pipeline.app.commands.output import json_option, say_json
from pipeline.app.commands.review.shared import (
    as_dict,
    at_desk,
    decided_already,
    editor,
    effect_words,
    event_of,
    keep,
    name_decision,
    need,
    subject_dict,
    subject_words,
    subjects_of,
)
from pipeline.errors import PROBLEM, WrongUse
from pipeline.site.text.formatting import support_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.app.commands.review.editor import Desk


@click.group()
def review() -> None:
    """Confirm, change or reject what the program read; merge and split events; settle unknown names.

    Every decision goes into reviews.toml in the data folder, which you can also write by hand, and is applied at each
    build. `oversight review list` shows what to look at first, `oversight review next` goes through it.
    """


def deciding(command: Callable) -> Callable:
    """Give a command the options that every decision takes."""
    command = json_option(command)
    command = click.option("--who", help="Who decides (else `editor` in oversight.toml, else this user).")(command)
    return click.option("--why", default="", help="Why: it is published with the decision.")(command)


# looking


@review.command("list")
@click.option("--all", "everything", is_flag=True, help="The whole queue, not only the first 20.")
@click.option("--decided", is_flag=True, help="The decisions made so far and what became of them, not the queue.")
@json_option
@click.pass_obj
def list_(folder: DataFolder, everything: bool, decided: bool, as_json: bool) -> None:
    """Show what awaits an editor, the decisions that would change most first."""
    with at_desk(folder) as desk:
        if decided:
            _list_decided(desk, as_json)
            return
        queue = desk.library.queue()
        if as_json:
            from dataclasses import asdict

            say_json([asdict(item) for item in queue])
            return
        click.echo(f"{len(queue)} await review." if queue else "Nothing awaits review.")
        for item in queue if everything else queue[:20]:
            click.echo(f"\n{item.position:>3}. {item.reason}: {item.subject}   {item.words}")
            if item.n_origins:
                click.echo(f"     {support_words(item.n_origins, item.n_articles)}: {item.event_id}")
            if item.was:
                click.echo(f"     was: “{item.was}”")
            if item.quote:
                click.echo(f"     {'now: ' if item.was else ''}“{item.quote}”")
        if len(queue) > 20 and not everything:
            click.echo(f"\n... and {len(queue) - 20} more: --all shows them.")


def _list_decided(desk: Desk, as_json: bool) -> None:
    became = {row["review_id"]: row for row in desk.rows("select * from reviews")}
    found = []
    for decision in desk.file.decisions:
        row = became.get(decision.review_id)
        status = row["status"] if row else "not built yet"
        found.append(as_dict(decision) | {"status": status, "effect": row["effect"] if row else ""})
    if as_json:
        say_json(found)
        return
    for one in found:
        about = one.get("name") or one["sentences"][0]["quote"][:90]
        click.echo(f"{one['when'][:10]}  {one['action']:<7} {one['status']:<13} {one['who']}: {about}")
        if one["effect"]:
            click.echo(f"            {one['effect']}")
    if not found:
        click.echo("No decision was made so far.")


@review.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_obj
def show(folder: DataFolder, id_: str, as_json: bool) -> None:
    """Show a claim with all that can be decided on it; or an event's claims. ID: of a claim or event, or words."""
    with at_desk(folder) as desk:
        subjects = subjects_of(desk, id_)
        if as_json:
            say_json([subject_dict(subject) for subject in subjects])
            return
        for number, subject in enumerate(subjects):
            click.echo(("\n" if number else "") + subject_words(subject))


# claims


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Also the same sentence in other articles.")
@deciding
@click.pass_obj
def accept(folder: DataFolder, ids: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool) -> None:
    """Confirm claims as they are read. ID: of a claim, or of an event for all its claims."""
    _on_claims(folder, "accept", ids, copies, why, who, as_json)


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Also the same sentence in other articles.")
@deciding
@click.pass_obj
def reject(folder: DataFolder, ids: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool) -> None:
    """Take claims out: they say no such thing. ID: of a claim, or of an event for all its claims."""
    _on_claims(folder, "reject", ids, copies, why, who, as_json)


@review.command()
@click.argument("id_", metavar="ID")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Also the same sentence in other articles.")
@deciding
@click.pass_obj
def edit(
    folder: DataFolder, id_: str, fields: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool
) -> None:
    """Change fields of the claim ID: modality=planned, date=2026-05, actor=Meta, target+=Ofcom, type=commitment ...

    Fields: type, modality, direction, force, mention, date, attribution, actor, target, object, instrument, affected,
    body. A role given anew replaces its parties; += adds one, -= takes one away, an empty value takes all away.
    """
    _on_claims(folder, "edit", (id_,), copies, why, who, as_json, fields)


def _on_claims(
    folder: DataFolder, action: str, ids: Sequence[str], copies: bool, why: str, who: str | None, as_json: bool,
    fields: Sequence[str] = (),
) -> None:  # fmt: skip
    from pipeline.app.commands.review.editor import changes_of

    if action != "accept":
        need(why)
    with at_desk(folder, writing=True) as desk:
        subjects = [subject for id_ in ids for subject in subjects_of(desk, id_)]
        if action == "edit" and len(subjects) != 1:
            raise WrongUse("An edit changes one claim: give its id (`oversight review show EVENT` lists them).")
        subjects += [copy for subject in subjects for copy in desk.copies(subject)] if copies else []
        decisions, said = [], []
        for subject in {s.claim.claim_id: s for s in subjects}.values():
            decision = desk.decide(action, subject, editor(folder, who), why, changes_of(fields, subject.claim))
            words = decided_already(subject, decision)
            if words:
                click.echo(words, err=True)
                continue
            decisions.append(decision)
            said.append(effect_words(desk, subject, decision))
        keep(desk, decisions, as_json, said)


@review.command()
@click.argument("article")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--quote", required=True, help="The whole sentence, as it stands in the article.")
@click.option("--trigger", required=True, help="The word or words of it that name the event.")
@click.option("--nth", default=1, show_default=True, type=click.IntRange(1), help="Which occurrence of the sentence.")
@deciding
@click.pass_obj
def add(
    folder: DataFolder, article: str, fields: tuple[str, ...], quote: str, trigger: str, nth: int, why: str,
    who: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Add a claim that the program missed in ARTICLE (address or id): type=..., modality=..., actor=... and more."""
    from pipeline.app.commands.review.editor import changes_of, now
    from pipeline.ledger.reviews.decisions import Decision, Sentence
    from pipeline.ledger.reviews.locate import locate

    need(why)
    with at_desk(folder, writing=True) as desk:
        page = desk.article(article)
        span = locate(page.text, quote, nth)
        if span is None:
            raise WrongUse(f"These words do not stand in {page.url}. Copy the sentence exactly as it is there.")
        sentence = Sentence(page.url, page.text[slice(*span)], "", trigger, "", nth)
        decision = Decision("add", editor(folder, who), now(), why, (sentence,), changes=changes_of(fields, None))
        effect = desk.preview(decision)
        if effect.status != "applied":
            raise WrongUse(f"{effect.detail[:1].upper()}{effect.detail[1:]}.")
        keep(desk, [decision], as_json, [f"{effect.claim_ids[0]}: added. {effect.detail}".strip()])


# events


@review.command()
@click.argument("events", metavar="EVENT EVENT...", nargs=-1, required=True)
@deciding
@click.pass_obj
def merge(folder: DataFolder, events: tuple[str, ...], why: str, who: str | None, as_json: bool) -> None:
    """Make one event of two or more."""
    from pipeline.app.commands.review.editor import now
    from pipeline.ledger.reviews.decisions import Decision

    need(why)
    with at_desk(folder, writing=True) as desk:
        ids = tuple(dict.fromkeys(event_of(desk, name) for name in events))
        if len(ids) < 2:
            raise WrongUse("A merge needs two different events.")
        kinds = {row["type"] for id_ in ids for row in desk.rows("select type from events where event_id = ?", id_)}
        if len(kinds) > 1:
            kinds_ = " and ".join(sorted(kinds))
            raise WrongUse(f"These events are of different kinds ({kinds_}). Edit the type of the claims first.")
        sentences = tuple(s.sentence for id_ in ids for s in subjects_of(desk, id_))
        decision = Decision("merge", editor(folder, who), now(), why, sentences, events=ids)
        keep(desk, [decision], as_json, [f"{' and '.join(ids)} become one event of {len(sentences)} claims."])


@review.command()
@click.argument("event")
@click.argument("claims", metavar="CLAIM...", nargs=-1, required=True)
@deciding
@click.pass_obj
def split(folder: DataFolder, event: str, claims: tuple[str, ...], why: str, who: str | None, as_json: bool) -> None:
    """Take CLAIMs off an EVENT: they tell of another one, which they make together."""
    from pipeline.app.commands.review.editor import now
    from pipeline.ledger.reviews.decisions import Decision

    need(why)
    with at_desk(folder, writing=True) as desk:
        id_ = event_of(desk, event)
        subjects = subjects_of(desk, id_)
        off = {desk.claim(claim).claim.claim_id for claim in claims}
        if strangers := off - {s.claim.claim_id for s in subjects}:
            raise WrongUse(f"{', '.join(sorted(strangers))} does not stand in event {id_}.")
        leave = tuple(s.sentence for s in subjects if s.claim.claim_id in off)
        stay = tuple(s.sentence for s in subjects if s.claim.claim_id not in off)
        if not stay:
            raise WrongUse("All claims of the event would leave it: at least one must stay.")
        decision = Decision("split", editor(folder, who), now(), why, leave, stay, (id_,))
        keep(desk, [decision], as_json, [f"{len(leave)} of {len(subjects)} claims leave event {id_}."])


# names


@review.command()
@click.argument("name")
@click.option("--is", "entity", help="It is another name of this entity (its name or id).")
@click.option("--new", "kind", help="It is a new entity of this kind: organisation, agency, person, model ...")
@click.option("--no-name", is_flag=True, help="It is no name at all.")
@click.option("--id", "id_", help="With --new: its id, else made of the name.")
@click.option("--jurisdiction", default="", help="With --new: US, EU, GB ...")
@click.option("--parent", default="", help="With --new: the entity that it belongs to.")
@deciding
@click.pass_obj
def gap(
    folder: DataFolder, name: str, entity: str | None, kind: str | None, no_name: bool, id_: str | None,
    jurisdiction: str, parent: str, why: str, who: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Settle an unknown NAME (see `oversight unknown-names`): --is ENTITY, --new KIND or --no-name."""
    with at_desk(folder, writing=True) as desk:
        if sum((entity is not None, kind is not None, no_name)) != 1:
            raise WrongUse("Say one of --is ENTITY, --new KIND, --no-name.")
        if not desk.is_gap(name):
            raise WrongUse(
                f"No claim has an unknown party '{name}'. `oversight unknown-names` lists the unknown names."
            )
        more = {"jurisdiction": jurisdiction, "parent": desk.entity_id(parent) if parent else ""}
        decision, said = name_decision(desk, name, editor(folder, who), why, entity, kind, id_, more)
        keep(desk, [decision], as_json, [said])


# the file


@review.command()
@json_option
@click.pass_obj
def check(folder: DataFolder, as_json: bool) -> int:
    """Read the file of decisions and say what is wrong with it, and which decisions wait or were reopened."""
    from pipeline.ledger.reviews.file import read_reviews

    path = reviews_of(folder, settings_of(folder))
    read = read_reviews(path)
    became: dict[str, Any] = {}
    if folder.build_db.exists() and not read.problems:
        with at_desk(folder) as desk:
            became = {row["review_id"]: dict(row) for row in desk.rows("select * from reviews")}
    open_ = [
        (decision, became[decision.review_id])
        for decision in read.file.decisions
        if became.get(decision.review_id, {}).get("status") in ("waiting", "reopened")
    ]
    if as_json:
        say_json({
            "file": str(path), "decisions": len(read.file.decisions), "problems": read.problems,
            "open": [as_dict(d) | {"status": row["status"], "effect": row["effect"]} for d, row in open_],
        })  # fmt: skip
        return PROBLEM if read.problems else 0
    for problem in read.problems:
        click.echo(problem)
    for decision, row in open_:
        click.echo(f"decision {decision.place} ({decision.action}) is {row['status']}: {row['effect']}.")
    if not read.problems:
        click.echo(f"{path}: {len(read.file.decisions)} decisions, all readable.")
    return PROBLEM if read.problems else 0


@review.command("next")
@click.option("--who", help="Who decides (else `editor` in oversight.toml, else this user).")
@click.pass_obj
def next_(folder: DataFolder, who: str | None) -> None:
    """Go through the queue, one question after the other; each answer is written at once."""
    from pipeline.app.commands.review.session import go_through

    go_through(folder, editor(folder, who))
