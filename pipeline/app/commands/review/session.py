"""The review queue on a terminal: one item after the other is shown, an editor's answers become decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.app.commands.review.editor import changes_of
from pipeline.app.commands.review.shared import at_desk, effect_words, keep, name_decision, subject_words, subjects_of
from pipeline.errors import OversightError
from pipeline.records import EntityKind
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.ledger.reviews.queue import QueueItem

_CLAIM = "[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit"
_NAME = "[n]ew entity, [i]s another name of ..., [x] no name, [s]kip, [q]uit"


def go_through(folder: DataFolder, who: str) -> None:
    """Ask about each item of the queue until it ends or the editor leaves. The lock is held only while writing."""
    with at_desk(folder) as desk:
        queue = desk.library.queue()
    click.echo(f"{len(queue)} await review." if queue else "Nothing awaits review.")
    for item in queue:
        click.echo(f"\n{item.position} of {len(queue)}. {item.words}")
        if item.was:
            click.echo(f"  decided on: “{item.was}”\n  now reads:  “{item.quote or '(taken out)'}”")
        try:
            going = _name(folder, who, item) if item.reason == "name" else _claims(folder, who, item)
        except OversightError as error:
            click.echo(f"Not done: {error}")
            continue
        if not going:
            return


def _ask(words: str, answers: str) -> str:
    return click.prompt(f"  {words}", type=click.Choice(list(answers)), show_choices=False, prompt_suffix=": ")


def _why(optional: bool = False) -> str:
    return click.prompt("  why", default="" if optional else None, show_default=False)


def _name(folder: DataFolder, who: str, item: QueueItem) -> bool:
    """Ask what an unknown name is; return False to leave."""
    click.echo(f"  {item.subject}   in {count_words(item.n_claims, 'claim')}: “{item.quote}”")
    answer = _ask(_NAME, "nixsq")
    if answer in "sq":
        return answer == "s"
    kind = click.prompt("  kind", type=click.Choice([k.value for k in EntityKind])) if answer == "n" else None
    entity = click.prompt("  name or id of the entity") if answer == "i" else None
    with at_desk(folder, writing=True) as desk:
        decision, said = name_decision(desk, item.subject, who, _why(optional=True), entity, kind)
        keep(desk, [decision], False, [said])
    return True


def _claims(folder: DataFolder, who: str, item: QueueItem) -> bool:
    """Show the claim of an item, each claim of an event, or those of a reopened decision's article; False to leave."""
    with at_desk(folder) as desk:
        if item.reason == "reopened":
            subjects = [
                s for s in desk.claims_of(item.article_id) if " ".join(s.claim.evidence.quote.split()) == item.quote
            ]
        else:
            subjects = subjects_of(desk, item.subject)
    if not subjects:
        click.echo("  No claim stands there now. Add one with `oversight review add`, or take the decision out.")
    for subject in subjects:
        if any(effect.status == "applied" for effect in subject.decisions):
            continue
        click.echo(subject_words(subject))
        answer = _ask(_CLAIM, "aersq")
        if answer == "q":
            return False
        if answer == "s":
            continue
        words = click.prompt("  changes, such as modality=planned; several are parted by |") if answer == "e" else ""
        action = {"a": "accept", "e": "edit", "r": "reject"}[answer]
        why = _why(optional=action == "accept")
        try:
            with at_desk(folder, writing=True) as desk:
                fresh = desk.claim(subject.claim.claim_id)
                changes = changes_of([part.strip() for part in words.split("|") if part.strip()], fresh.claim)
                decision = desk.decide(action, fresh, who, why, changes)
                keep(desk, [decision], False, [effect_words(desk, fresh, decision)])
        except OversightError as error:
            click.echo(f"  Not done: {error}")
    return True
