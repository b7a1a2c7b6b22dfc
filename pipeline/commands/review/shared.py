"""Shared by the review commands: opening a session, finding claims, describing claims and decisions."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.common import lexicon_of, reviews_of, settings_of
from pipeline.commands.output import say_json
from pipeline.errors import WrongUse
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.commands.review.session import ReviewedClaim, ReviewSession
    from pipeline.ledger.reviews.decisions import Decision

NEXT = "The next `oversight build` applies it."


def require_reason(why: str) -> None:
    """Raise WrongUse if no reason is given."""
    if not why.strip():
        raise WrongUse('Give a reason: --why "...". It is published with the decision.')


@contextmanager
def open_session(folder: DataFolder, *, writing: bool = False) -> Iterator[ReviewSession]:
    """Open a review session; with `writing`, hold the lock of the ledger."""
    from contextlib import nullcontext

    from pipeline.commands.common import plain_errors
    from pipeline.commands.review.session import ReviewSession
    from pipeline.lexicon.load import load_lexicon

    settings = settings_of(folder)
    folder.need(folder.build_db, "Run `oversight build` first.")
    with (
        folder.lock() if writing else nullcontext(),
        plain_errors(),
        ReviewSession(folder, reviews_of(folder, settings), load_lexicon(*lexicon_of(settings))) as session,
    ):
        yield session


def editor_name(folder: DataFolder, who: str | None) -> str:
    """Return who decides: `who`, else `editor` in the settings, else the current user."""
    if who or (who := settings_of(folder).editor):
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise WrongUse('Give the name of the editor: --who NAME, or editor = "NAME" in oversight.toml.') from None


def save_decisions(session: ReviewSession, decisions: Sequence[Decision], as_json: bool, said: Sequence[str]) -> None:
    """Append decisions to the file and print their effects."""
    from pipeline.ledger.reviews.file import append_decisions

    append_decisions(session.path, decisions)
    if as_json:
        say_json([decision_dict(decision) | {"effect": words} for decision, words in zip(decisions, said, strict=True)])
        return
    for words in said:
        click.echo(words)
    click.echo(f"Saved to {session.path}. {NEXT}" if decisions else "Nothing was saved.")


def decision_dict(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values, without empty ones."""
    from dataclasses import asdict

    found = {"review_id": decision.review_id, **asdict(decision)}
    found["when"] = decision.when.isoformat()
    del found["place"]
    return {name: value for name, value in found.items() if value not in ("", (), {})}


def claims_named(session: ReviewSession, id_: str) -> list[ReviewedClaim]:
    """Return the claim with this id, or all claims of an event given by id or words."""
    if id_[:1] == "c" and id_[1:] and all(c in "0123456789abcdef" for c in id_[1:]):
        return [session.claim(id_)]
    event_id = find_event_id(session, id_)
    return [
        session.claim(row["claim_id"])
        for row in session.rows(
            "select claim_id from claims where event_id = ? order by published_on, claim_id", event_id
        )
    ]


def find_event_id(session: ReviewSession, name: str) -> str:
    """Return the id of an event given by id, beginning of an id, or words of its summary."""
    from pipeline.commands.lookup import find_event

    return find_event(session.db, name)["event_id"]


def claim_dict(reviewed: ReviewedClaim) -> dict[str, Any]:
    """Return a claim as plain values: its fields, the fields as extracted, and its decisions."""
    from pipeline.ledger.reviews.fields import fields_of

    claim, extracted = reviewed.claim, reviewed.extracted
    return {
        "claim_id": claim.claim_id,
        "event_id": reviewed.event_id,
        "article_id": reviewed.article.article_id,
        "url": reviewed.article.url,
        "quote": claim.evidence.quote,
        "trigger": claim.trigger,
        "confidence": round(extracted.confidence, 4) if extracted else None,
        "fields": fields_of(claim),
        "program_reads": fields_of(extracted) if extracted else None,
        "decisions": [
            {"status": one.status, "detail": one.detail, **decision_dict(one.decision)} for one in reviewed.decisions
        ],
    }


def describe_claim(reviewed: ReviewedClaim) -> str:
    """Return a claim with its fields and decisions as text."""
    from pipeline.ledger.reviews.decisions import FIELDS
    from pipeline.ledger.reviews.fields import fields_of

    claim = reviewed.claim
    sure = f"{round(100 * reviewed.extracted.confidence)} %" if reviewed.extracted else "added by an editor"
    lines = [
        f"{claim.claim_id}  {reviewed.article.title}",
        f"  {reviewed.article.url}",
        f"  “{claim.evidence.quote}”",
        f"  trigger: {claim.trigger}; confidence: {sure}; event: {reviewed.event_id or 'none yet'}",
    ]
    fields, extracted = fields_of(claim), fields_of(reviewed.extracted) if reviewed.extracted else {}
    for name in FIELDS:
        value, was = fields.get(name), extracted.get(name)
        if value:
            shown = value if isinstance(value, str) else "; ".join(value)
            before = was if isinstance(was, str) else "; ".join(was or ())
            changed = f"   (as extracted: {before or 'none'})" if reviewed.extracted and was != value else ""
            lines.append(f"    {name:<12} {shown}{changed}")
    for effect in reviewed.decisions:
        d = effect.decision
        lines.append(f"  {d.day} {d.who}: {d.action}, {effect.status}. {d.why or effect.detail}")
    return "\n".join(lines)


def describe_earlier_decision(reviewed: ReviewedClaim, decision: Decision) -> str:
    """Return a note if the claim has been accepted before, so that nothing is saved twice; otherwise ""."""
    for effect in reviewed.decisions:
        if decision.action == "accept" and effect.decision.action in ("accept", "edit") and effect.status == "applied":
            other = effect.decision
            return f"{reviewed.claim.claim_id}: already decided by {other.who} on {other.day} ({other.action})."
    return ""


def describe_effect(session: ReviewSession, reviewed: ReviewedClaim, decision: Decision) -> str:
    """Return what a decision will change; raise WrongUse if it cannot apply or changes nothing."""
    effect = session.preview(decision)
    if effect.status != "applied":
        raise WrongUse(f"{reviewed.claim.claim_id}: {effect.detail}.")
    before = [e for e in reviewed.decisions if e.status == "applied"]
    if decision.action == "edit":
        from pipeline.ledger.reviews.fields import differences, fields_of

        after = next(
            s.claim
            for s in session.claims_of(reviewed.article.article_id, [decision])
            if s.claim.claim_id == reviewed.claim.claim_id
        )
        changed = differences(fields_of(reviewed.claim), fields_of(after))
        if not changed:
            raise WrongUse(f"{reviewed.claim.claim_id} has these values already: nothing would change.")
        if after.type == "restriction" and not after.direction:
            raise WrongUse("A restriction needs a direction: add direction=impose or direction=lift.")
        words = "; ".join(f"{name}: {was} → {is_}" for name, was, is_ in changed)
    else:
        words = "confirmed as extracted" if decision.action == "accept" else "rejected"
    if before and decision.action != "accept":
        old = before[-1].decision
        words += f" (replaces the decision of {old.who} on {old.day})"
    return f"{reviewed.claim.claim_id}: {words}.{_event_words(session, reviewed, decision)}"


def _event_words(session: ReviewSession, reviewed: ReviewedClaim, decision: Decision) -> str:
    """Return what happens to the event of a rejected or edited claim."""
    if not reviewed.event_id or decision.action == "accept":
        return ""
    (row,) = session.rows("select n_claims, summary from events where event_id = ?", reviewed.event_id)
    if row["n_claims"] == 1 and decision.action == "reject":
        return f" It is the only claim of event {reviewed.event_id}, which will be withdrawn: {row['summary']}"
    if row["n_claims"] == 1:
        return f" It is the only claim of event {reviewed.event_id}: {row['summary']}"
    others = row["n_claims"] - 1
    return f" Event {reviewed.event_id} has {others} other claim{'' if others == 1 else 's'}: {row['summary']}"


def decide_name(
    session: ReviewSession,
    name: str,
    who: str,
    why: str,
    entity: str | None,
    kind: str | None,
    id_: str | None = None,
    more: dict[str, str] | None = None,
) -> tuple[Decision, str]:
    """Return the decision on an unknown name and its effect in words; raise WrongUse if the id is taken."""
    from pipeline.commands.review.session import now
    from pipeline.ledger.reviews.decisions import Decision
    from pipeline.ledger.reviews.names import slug

    decision = Decision("gap", who, now(), why, name=" ".join(name.split()))
    if entity:
        found = session.entity_id(entity)
        return replace(decision, entity=found), f"“{name}” is another name of {found}."
    if kind:
        id_ = id_ or slug(name)
        if session.names.lexicon and id_ in session.names.lexicon.entities:
            other = session.names.lexicon.entities[id_].name
            raise WrongUse(f"The id '{id_}' is taken by {other}. Use --is {id_}, or give another --id.")
        more = {key: value for key, value in (more or {}).items() if value}
        return replace(decision, entity=id_, kind=kind, more=more), f"“{name}” is a new {kind}: {id_}."
    return decision, f"“{name}” is not a name; claims will not have it as a party."
