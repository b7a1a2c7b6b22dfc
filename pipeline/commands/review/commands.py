"""The subcommands of `oversight review`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.common import reviews_of, settings_of
from pipeline.commands.groups import SuggestingGroup
from pipeline.commands.output import json_option, say_json
from pipeline.commands.review.shared import (
    claim_dict,
    claims_named,
    decide_name,
    decision_dict,
    describe_claim,
    describe_earlier_decision,
    describe_effect,
    editor_name,
    find_event_id,
    open_session,
    require_reason,
    save_decisions,
)
from pipeline.errors import DONE, PROBLEM, WrongUse
from pipeline.site.text.formatting import count_words, support_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.commands.review.session import ReviewSession


@click.group(cls=SuggestingGroup)
def review() -> None:
    """Confirm, correct or reject claims; merge and split events; resolve unknown names.

    Decisions are written to reviews.toml in the data folder, which can also be edited by hand, and applied at each
    build. `oversight review list` shows the review queue, `oversight review next` goes through it.
    """


def decision_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options common to all decisions."""
    command = json_option(command)
    command = click.option("--who", help="Who decides; by default `editor` in oversight.toml, else the current user.")(
        command
    )
    return click.option("--why", default="", help="Reason; it is published with the decision.")(command)


@review.command("list")
@click.option("--all", "everything", is_flag=True, help="Show the whole queue, not just the first 20 items.")
@click.option("--decided", is_flag=True, help="List past decisions and their status instead.")
@json_option
@click.pass_obj
def list_(folder: DataFolder, everything: bool, decided: bool, as_json: bool) -> None:
    """List the review queue, items with the greatest effect first."""
    with open_session(folder) as session:
        if decided:
            _list_decided(session, as_json)
            return
        queue = session.library.queue()
        if as_json:
            from dataclasses import asdict

            say_json([asdict(item) for item in queue])
            return
        click.echo(f"{count_words(len(queue), 'item')} to review." if queue else "The review queue is empty.")
        for item in queue if everything else queue[:20]:
            click.echo(f"\n{item.position:>3}. {item.reason}: {item.subject}   {item.words}")
            if item.n_origins:
                click.echo(f"     {support_words(item.n_origins, item.n_articles)}: {item.event_id}")
            if item.was:
                click.echo(f"     was: “{item.was}”")
            if item.quote:
                click.echo(f"     {'now: ' if item.was else ''}“{item.quote}”")
        if len(queue) > 20 and not everything:
            click.echo(f"\n... and {len(queue) - 20} more; --all shows all.")


def _list_decided(session: ReviewSession, as_json: bool) -> None:
    became = {row["review_id"]: row for row in session.rows("select * from reviews")}
    found = []
    for decision in session.file.decisions:
        row = became.get(decision.review_id)
        status = row["status"] if row else "not built yet"
        found.append(decision_dict(decision) | {"status": status, "effect": row["effect"] if row else ""})
    if as_json:
        say_json(found)
        return
    for one in found:
        about = one.get("name") or one["sentences"][0]["quote"][:90]
        click.echo(f"{one['when'][:10]}  {one['action']:<7} {one['status']:<13} {one['who']}: {about}")
        if one["effect"]:
            click.echo(f"            {one['effect']}")
    if not found:
        click.echo("There are no decisions yet.")


@review.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_obj
def show(folder: DataFolder, id_: str, as_json: bool) -> None:
    """Show a claim with its fields and decisions, or all claims of an event. ID: a claim id, an event id, or words."""
    with open_session(folder) as session:
        reviewed_claims = claims_named(session, id_)
        if as_json:
            say_json([claim_dict(reviewed) for reviewed in reviewed_claims])
            return
        for number, reviewed in enumerate(reviewed_claims):
            click.echo(("\n" if number else "") + describe_claim(reviewed))


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Apply to the same sentence in other articles, too.")
@decision_options
@click.pass_obj
def accept(folder: DataFolder, ids: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool) -> None:
    """Confirm claims as extracted. ID: a claim id, or an event id for all its claims."""
    _on_claims(folder, "accept", ids, copies, why, who, as_json)


@review.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Apply to the same sentence in other articles, too.")
@decision_options
@click.pass_obj
def reject(folder: DataFolder, ids: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool) -> None:
    """Reject claims that the article does not make. ID: a claim id, or an event id for all its claims."""
    _on_claims(folder, "reject", ids, copies, why, who, as_json)


@review.command()
@click.argument("id_", metavar="ID")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--copies", is_flag=True, help="Apply to the same sentence in other articles, too.")
@decision_options
@click.pass_obj
def edit(
    folder: DataFolder, id_: str, fields: tuple[str, ...], copies: bool, why: str, who: str | None, as_json: bool
) -> None:
    """Change fields of the claim ID: modality=planned, date=2026-05, actor=Meta, target+=Ofcom, type=commitment ...

    Fields: type, modality, direction, force, newness, date, attribution, actor, target, object, instrument, affected,
    body. For roles, = replaces all parties, += adds one, -= removes one, and an empty value removes all.
    """
    _on_claims(folder, "edit", (id_,), copies, why, who, as_json, fields)


def _on_claims(
    folder: DataFolder,
    action: str,
    ids: Sequence[str],
    copies: bool,
    why: str,
    who: str | None,
    as_json: bool,
    fields: Sequence[str] = (),
) -> None:
    from pipeline.commands.review.session import changes_of

    if action != "accept":
        require_reason(why)
    with open_session(folder, writing=True) as session:
        reviewed_claims = [reviewed for id_ in ids for reviewed in claims_named(session, id_)]
        if action == "edit" and len(reviewed_claims) != 1:
            raise WrongUse("An edit changes one claim: give a claim id (`oversight review show EVENT` lists them).")
        reviewed_claims += [copy for reviewed in reviewed_claims for copy in session.copies(reviewed)] if copies else []
        decisions, said = [], []
        for reviewed in {s.claim.claim_id: s for s in reviewed_claims}.values():
            decision = session.decide(
                action, reviewed, editor_name(folder, who), why, changes_of(fields, reviewed.claim)
            )
            words = describe_earlier_decision(reviewed, decision)
            if words:
                click.echo(words, err=True)
                continue
            decisions.append(decision)
            said.append(describe_effect(session, reviewed, decision))
        save_decisions(session, decisions, as_json, said)


@review.command()
@click.argument("article")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--quote", required=True, help="The complete sentence, exactly as in the article.")
@click.option("--trigger", required=True, help="The word or words in it that name the event.")
@click.option(
    "--nth",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Which occurrence of the sentence, if it is repeated.",
)
@decision_options
@click.pass_obj
def add(
    folder: DataFolder,
    article: str,
    fields: tuple[str, ...],
    quote: str,
    trigger: str,
    nth: int,
    why: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Add a missed claim to ARTICLE (address or id): type=..., modality=..., actor=... and other fields."""
    from pipeline.commands.review.session import changes_of, now
    from pipeline.ledger.reviews.decisions import Decision, Sentence
    from pipeline.ledger.reviews.locate import locate

    require_reason(why)
    with open_session(folder, writing=True) as session:
        page = session.article(article)
        span = locate(page.text, quote, nth)
        if span is None:
            raise WrongUse(f"This sentence is not in {page.url}. Copy it exactly as in the article.")
        sentence = Sentence(page.url, page.text[slice(*span)], "", trigger, "", nth)
        decision = Decision("add", editor_name(folder, who), now(), why, (sentence,), changes=changes_of(fields, None))
        effect = session.preview(decision)
        if effect.status != "applied":
            raise WrongUse(f"{effect.detail[:1].upper()}{effect.detail[1:]}.")
        save_decisions(session, [decision], as_json, [f"{effect.claim_ids[0]}: added. {effect.detail}".strip()])


@review.command()
@click.argument("events", metavar="EVENT EVENT...", nargs=-1, required=True)
@decision_options
@click.pass_obj
def merge(folder: DataFolder, events: tuple[str, ...], why: str, who: str | None, as_json: bool) -> None:
    """Merge two or more events into one."""
    from pipeline.commands.review.session import now
    from pipeline.ledger.reviews.decisions import Decision

    require_reason(why)
    with open_session(folder, writing=True) as session:
        ids = tuple(dict.fromkeys(find_event_id(session, name) for name in events))
        if len(ids) < 2:
            raise WrongUse("A merge needs two different events.")
        types = {row["type"] for id_ in ids for row in session.rows("select type from events where event_id = ?", id_)}
        if len(types) > 1:
            raise WrongUse(
                f"These events have different types ({' and '.join(sorted(types))}). Edit the type of the claims first."
            )
        sentences = tuple(s.sentence for id_ in ids for s in claims_named(session, id_))
        decision = Decision("merge", editor_name(folder, who), now(), why, sentences, events=ids)
        save_decisions(
            session,
            [decision],
            as_json,
            [f"{' and '.join(ids)} become one event with {count_words(len(sentences), 'claim')}."],
        )


@review.command()
@click.argument("event")
@click.argument("claims", metavar="CLAIM...", nargs=-1, required=True)
@decision_options
@click.pass_obj
def split(folder: DataFolder, event: str, claims: tuple[str, ...], why: str, who: str | None, as_json: bool) -> None:
    """Move claims out of EVENT into a new event."""
    from pipeline.commands.review.session import now
    from pipeline.ledger.reviews.decisions import Decision

    require_reason(why)
    with open_session(folder, writing=True) as session:
        id_ = find_event_id(session, event)
        reviewed_claims = claims_named(session, id_)
        off = {session.claim(claim).claim.claim_id for claim in claims}
        if strangers := off - {s.claim.claim_id for s in reviewed_claims}:
            raise WrongUse(f"Not in event {id_}: {', '.join(sorted(strangers))}.")
        leave = tuple(s.sentence for s in reviewed_claims if s.claim.claim_id in off)
        stay = tuple(s.sentence for s in reviewed_claims if s.claim.claim_id not in off)
        if not stay:
            raise WrongUse("At least one claim must stay in the event.")
        decision = Decision("split", editor_name(folder, who), now(), why, leave, stay, (id_,))
        save_decisions(
            session,
            [decision],
            as_json,
            [f"{len(leave)} of {len(reviewed_claims)} claims move from event {id_} into a new event."],
        )


@review.command()
@click.argument("name")
@click.option("--is", "entity", help="Record it as another name of this entity (name or id).")
@click.option("--new", "kind", help="Add it as a new entity of this kind: organisation, agency, person, model ...")
@click.option("--no-name", is_flag=True, help="Record that it is not a name.")
@click.option("--id", "id_", help="With --new: its id; by default derived from the name.")
@click.option("--jurisdiction", default="", help="With --new: jurisdiction, such as US, EU or GB.")
@click.option("--parent", default="", help="With --new: the parent entity.")
@decision_options
@click.pass_obj
def gap(
    folder: DataFolder,
    name: str,
    entity: str | None,
    kind: str | None,
    no_name: bool,
    id_: str | None,
    jurisdiction: str,
    parent: str,
    why: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Resolve an unknown NAME (see `oversight unknown-names`) with --is ENTITY, --new KIND or --no-name."""
    with open_session(folder, writing=True) as session:
        if sum((entity is not None, kind is not None, no_name)) != 1:
            raise WrongUse("Give one of --is ENTITY, --new KIND and --no-name.")
        if not session.is_unknown_name(name):
            raise WrongUse(f"No claim has an unknown party '{name}'. `oversight unknown-names` lists unknown names.")
        more = {"jurisdiction": jurisdiction, "parent": session.entity_id(parent) if parent else ""}
        decision, said = decide_name(session, name, editor_name(folder, who), why, entity, kind, id_, more)
        save_decisions(session, [decision], as_json, [said])


@review.command()
@json_option
@click.pass_obj
def check(folder: DataFolder, as_json: bool) -> int:
    """Validate the file of decisions, and list decisions that are waiting or reopened."""
    from pipeline.ledger.reviews.file import read_reviews

    path = reviews_of(folder, settings_of(folder))
    read = read_reviews(path)
    became: dict[str, Any] = {}
    if folder.build_db.exists() and not read.problems:
        with open_session(folder) as session:
            became = {row["review_id"]: dict(row) for row in session.rows("select * from reviews")}
    open_ = [
        (decision, became[decision.review_id])
        for decision in read.file.decisions
        if became.get(decision.review_id, {}).get("status") in ("waiting", "reopened")
    ]
    if as_json:
        say_json(
            {
                "file": str(path),
                "decisions": len(read.file.decisions),
                "problems": read.problems,
                "open": [decision_dict(d) | {"status": row["status"], "effect": row["effect"]} for d, row in open_],
            }
        )
        return PROBLEM if read.problems else DONE
    for problem in read.problems:
        click.echo(problem)
    for decision, row in open_:
        click.echo(f"decision {decision.place} ({decision.action}) is {row['status']}: {row['effect']}.")
    if not read.problems:
        click.echo(f"{path}: {count_words(len(read.file.decisions), 'decision')}, all valid.")
    return PROBLEM if read.problems else DONE


@review.command("next")
@click.option("--who", help="Who decides; by default `editor` in oversight.toml, else the current user.")
@click.pass_obj
def next_(folder: DataFolder, who: str | None) -> None:
    """Go through the review queue interactively. Each answer is saved at once."""
    from pipeline.commands.review.interactive import go_through

    go_through(folder, editor_name(folder, who))
