"""The review queue on a terminal: shows one item after the other and saves the editor's answers as decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.commands.review.session import changes_of
from pipeline.commands.review.shared import (
    claims_named,
    decide_name,
    describe_claim,
    describe_effect,
    open_session,
    save_decisions,
)
from pipeline.errors import OversightError
from pipeline.records import EntityKind
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.ledger.reviews.queue import QueueItem

_CLAIM = "[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit"
_NAME = "[n]ew entity, [i]s another name of ..., [x] not a name, [s]kip, [q]uit"


def go_through(folder: DataFolder, who: str) -> None:
    """Ask about each item of the queue until the editor quits. The lock is held only while writing."""
    with open_session(folder) as session:
        queue = session.library.queue()
    click.echo(f"{count_words(len(queue), 'item')} to review." if queue else "The review queue is empty.")
    for item in queue:
        click.echo(f"\n{item.position} of {len(queue)}. {item.words}")
        if item.was:
            click.echo(f"  decided on: “{item.was}”\n  now reads:  “{item.quote or '(removed)'}”")
        try:
            going = _name(folder, who, item) if item.reason == "name" else _claims(folder, who, item)
        except OversightError as error:
            click.echo(f"Not saved: {error}")
            continue
        if not going:
            return


def _ask(words: str, answers: str) -> str:
    return click.prompt(f"  {words}", type=click.Choice(list(answers)), show_choices=False, prompt_suffix=": ")


def _why(optional: bool = False) -> str:
    return click.prompt("  reason", default="" if optional else None, show_default=False)


def _name(folder: DataFolder, who: str, item: QueueItem) -> bool:
    """Ask what an unknown name is; return False to quit."""
    click.echo(f"  {item.subject}   in {count_words(item.n_claims, 'claim')}: “{item.quote}”")
    answer = _ask(_NAME, "nixsq")
    if answer in "sq":
        return answer == "s"
    kind = click.prompt("  kind", type=click.Choice([k.value for k in EntityKind])) if answer == "n" else None
    entity = click.prompt("  name or id of the entity") if answer == "i" else None
    with open_session(folder, writing=True) as session:
        decision, said = decide_name(session, item.subject, who, _why(optional=True), entity, kind)
        save_decisions(session, [decision], False, [said])
    return True


def _claims(folder: DataFolder, who: str, item: QueueItem) -> bool:
    """Ask about the claims of an item; return False to quit.

    These are one claim, the claims of an event, or those with the sentence of a reopened decision.
    """
    with open_session(folder) as session:
        if item.reason == "reopened":
            reviewed_claims = [
                s for s in session.claims_of(item.article_id) if " ".join(s.claim.evidence.quote.split()) == item.quote
            ]
        else:
            reviewed_claims = claims_named(session, item.subject)
    if not reviewed_claims:
        click.echo(
            "  The article no longer makes this claim. Add one with `oversight review add`, or delete the decision."
        )
    for reviewed in reviewed_claims:
        if any(effect.status == "applied" for effect in reviewed.decisions):
            continue
        click.echo(describe_claim(reviewed))
        answer = _ask(_CLAIM, "aersq")
        if answer == "q":
            return False
        if answer == "s":
            continue
        words = click.prompt("  changes, such as modality=planned; separate several with |") if answer == "e" else ""
        action = {"a": "accept", "e": "edit", "r": "reject"}[answer]
        why = _why(optional=action == "accept")
        try:
            with open_session(folder, writing=True) as session:
                fresh = session.claim(reviewed.claim.claim_id)
                changes = changes_of([part.strip() for part in words.split("|") if part.strip()], fresh.claim)
                decision = session.decide(action, fresh, who, why, changes)
                save_decisions(session, [decision], False, [describe_effect(session, fresh, decision)])
        except OversightError as error:
            click.echo(f"  Not saved: {error}")
    return True
