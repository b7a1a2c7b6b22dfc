"""What the review commands share: the desk of a ledger, ids and words that become claims, claims that become words."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pipeline.app.commands.common import lexicon_of, reviews_of, settings_of
from pipeline.app.commands.output import say_json
from pipeline.errors import WrongUse
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.app.commands.review.editor import Desk, Subject
    from pipeline.ledger.reviews.decisions import Decision

NEXT = "It counts from the next `oversight build` on."


def need(why: str) -> None:
    """Raise WrongUse where no reason is given."""
    if not why.strip():
        raise WrongUse('Say why: --why "...". It is published with the decision.')


@contextmanager
def at_desk(folder: DataFolder, *, writing: bool = False):
    """Open the desk of a ledger, holding its lock where something is to be written."""
    from contextlib import nullcontext

    from pipeline.app.commands.common import plain_errors
    from pipeline.app.commands.review.editor import Desk
    from pipeline.lexicon.load import load_lexicon

    settings = settings_of(folder)
    folder.need(folder.build_db, "Run `oversight build` first.")
    with (
        folder.lock() if writing else nullcontext(),
        plain_errors(),
        Desk(folder, reviews_of(folder, settings), load_lexicon(*lexicon_of(settings))) as desk,
    ):
        yield desk


def editor(folder: DataFolder, who: str | None) -> str:
    """Return who decides: as told, by the settings, or this user of the machine."""
    if who or (who := settings_of(folder).editor):
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise WrongUse('Say who decides: --who NAME, or editor = "NAME" in oversight.toml.') from None


def keep(desk: Desk, decisions: Sequence[Decision], as_json: bool, said: Sequence[str]) -> None:
    """Write decisions and say what they will do."""
    from pipeline.ledger.reviews.file import append_decisions

    append_decisions(desk.path, decisions)
    if as_json:
        say_json([as_dict(decision) | {"effect": words} for decision, words in zip(decisions, said, strict=True)])
        return
    for words in said:
        click.echo(words)
    click.echo(f"Written to {desk.path}. {NEXT}" if decisions else "Nothing was written.")


def as_dict(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values."""
    from dataclasses import asdict

    found = {"review_id": decision.review_id, **asdict(decision)}
    found["when"] = decision.when.isoformat()
    del found["place"]
    return {name: value for name, value in found.items() if value not in ("", (), {})}


def subjects_of(desk: Desk, id_: str) -> list[Subject]:
    """Return the claim of an id, or the claims of an event given by id or words."""
    if id_[:1] == "c" and id_[1:] and all(c in "0123456789abcdef" for c in id_[1:]):
        return [desk.claim(id_)]
    event_id = event_of(desk, id_)
    return [desk.claim(row["claim_id"]) for row in desk.rows(
        "select claim_id from claims where event_id = ? order by published_on, claim_id", event_id)]  # fmt: skip


def event_of(desk: Desk, name: str) -> str:
    """Return the id of an event given by id, beginning of an id, or words of its summary."""
    from pipeline.app.commands.lookup import find_event

    return find_event(desk.db, name)["event_id"]


def subject_dict(subject: Subject) -> dict[str, Any]:
    """Return a claim with both readings and its decisions as plain values."""
    from pipeline.ledger.reviews.fields import fields_of

    claim = subject.claim
    return {
        "claim_id": claim.claim_id, "event_id": subject.event_id, "article_id": subject.article.article_id,
        "url": subject.article.url, "quote": claim.evidence.quote, "trigger": claim.trigger,
        "confidence": round(subject.machine.confidence, 4) if subject.machine else None, "fields": fields_of(claim),
        "program_reads": fields_of(subject.machine) if subject.machine else None,
        "decisions": [{"status": e.status, "detail": e.detail, **as_dict(e.decision)} for e in subject.decisions],
    }  # fmt: skip


def subject_words(subject: Subject) -> str:
    """Return a claim as an editor reads it."""
    from pipeline.ledger.reviews.decisions import FIELDS
    from pipeline.ledger.reviews.fields import fields_of

    claim = subject.claim
    sure = f"{round(100 * subject.machine.confidence)} in 100" if subject.machine else "not found by the program"
    lines = [
        f"{claim.claim_id}  {subject.article.title}",
        f"  {subject.article.url}",
        f"  “{claim.evidence.quote}”",
        f"  told by: {claim.trigger}; read correctly: {sure}; event: {subject.event_id or 'none yet'}",
    ]
    fields, machine = fields_of(claim), fields_of(subject.machine) if subject.machine else {}
    for name in FIELDS:
        value, was = fields.get(name), machine.get(name)
        if value:
            shown = value if isinstance(value, str) else "; ".join(value)
            before = was if isinstance(was, str) else "; ".join(was or ())
            changed = f"   (the program reads: {before or 'none'})" if subject.machine and was != value else ""
            lines.append(f"    {name:<12} {shown}{changed}")
    for effect in subject.decisions:
        d = effect.decision
        lines.append(f"  {d.day} {d.who}: {d.action}, {effect.status}. {d.why or effect.detail}")
    return "\n".join(lines)


def decided_already(subject: Subject, decision: Decision) -> str:
    """Return in words that a claim was accepted before, so that nothing is written twice; "" if it was not."""
    for effect in subject.decisions:
        if decision.action == "accept" and effect.decision.action in ("accept", "edit") and effect.status == "applied":
            other = effect.decision
            return f"{subject.claim.claim_id}: {other.who} decided so on {other.day} ({other.action})."
    return ""


def effect_words(desk: Desk, subject: Subject, decision: Decision) -> str:
    """Return what a decision will change, in words; raise WrongUse where it could not apply or changes nothing."""
    effect = desk.preview(decision)
    if effect.status != "applied":
        raise WrongUse(f"{subject.claim.claim_id}: {effect.detail}.")
    before = [e for e in subject.decisions if e.status == "applied"]
    if decision.action == "edit":
        from pipeline.ledger.reviews.fields import differences, fields_of

        after = next(s.claim for s in desk.claims_of(subject.article.article_id, [decision])
                     if s.claim.claim_id == subject.claim.claim_id)  # fmt: skip
        changed = differences(fields_of(subject.claim), fields_of(after))
        if not changed:
            raise WrongUse(f"{subject.claim.claim_id} reads so already: nothing would change.")
        if after.type == "restriction" and not after.direction:
            raise WrongUse("A restriction is imposed or lifted: give direction=impose or direction=lift too.")
        words = "; ".join(f"{name}: {was} → {is_}" for name, was, is_ in changed)
    else:
        words = "confirmed as it is read" if decision.action == "accept" else "taken out"
    if before and decision.action != "accept":
        old = before[-1].decision
        words += f" (instead of the decision of {old.who} on {old.day})"
    return f"{subject.claim.claim_id}: {words}.{_event_words(desk, subject, decision)}"


def _event_words(desk: Desk, subject: Subject, decision: Decision) -> str:
    """Return what becomes of the event behind a claim that is rejected or retyped."""
    if not subject.event_id or decision.action == "accept":
        return ""
    (row,) = desk.rows("select n_claims, summary from events where event_id = ?", subject.event_id)
    if row["n_claims"] == 1 and decision.action == "reject":
        return f" Event {subject.event_id} rests on it alone and will be withdrawn: {row['summary']}"
    if row["n_claims"] == 1:
        return f" Event {subject.event_id} rests on it alone: {row['summary']}"
    others = row["n_claims"] - 1
    return f" Event {subject.event_id} has {others} other claim{'' if others == 1 else 's'}: {row['summary']}"


def name_decision(
    desk: Desk, name: str, who: str, why: str, entity: str | None, kind: str | None, id_: str | None = None,
    more: dict[str, str] | None = None,
) -> tuple[Decision, str]:  # fmt: skip
    """Return the decision on an unknown name, and what it does in words; raise WrongUse for an unknown answer."""
    from pipeline.app.commands.review.editor import now
    from pipeline.ledger.reviews.decisions import Decision
    from pipeline.ledger.reviews.names import slug

    common = {"action": "gap", "who": who, "when": now(), "why": why, "name": " ".join(name.split())}
    if entity:
        found = desk.entity_id(entity)
        return Decision(**common, entity=found), f"“{name}” is another name of {found}."
    if kind:
        id_ = id_ or slug(name)
        if desk.names.lexicon and id_ in desk.names.lexicon.entities:
            other = desk.names.lexicon.entities[id_].name
            raise WrongUse(f"The id '{id_}' is taken by {other}. Say --is {id_}, or give another --id.")
        more = {key: value for key, value in (more or {}).items() if value}
        return Decision(**common, entity=id_, kind=kind, more=more), f"“{name}” is a new {kind}: {id_}."
    return Decision(**common), f"“{name}” is no name: no party is made of it."
