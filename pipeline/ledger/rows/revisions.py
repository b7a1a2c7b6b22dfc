"""Returns the rows of `article_edits` and `revisions`. Pure.

A claim found only in an earlier version has a row here and nowhere else: it supports no event. The row names the event
that it would belong to, so that the page of the event can say that the sentence is gone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from pipeline.aggregation.revisions.claim_diff import Change, Edit, date_words, successors
from pipeline.aggregation.summaries.noun_phrases import listing
from pipeline.ledger.rows.records import MAX_QUOTE, Row
from pipeline.records import Claim

_WORDS = {
    "vanished": ("the sentence was removed", "the sentence was rewritten and no longer says it"),
    "appeared": ("a sentence was added", "the sentence was rewritten and says it now"),
    "reworded": ("different words, the same claim",) * 2,
}


def edit_rows(edits: Iterable[Edit]) -> list[Row]:
    """Return the rows of `article_edits`: every step from a version to the next, in order."""
    return [
        {
            "article_id": e.article_id,
            "nth": e.nth,
            "old_version": e.old.version,
            "new_version": e.new.version,
            "old_seen_at": e.old_seen_at,
            "new_seen_at": e.new_seen_at,
            "old_title": e.old.title,
            "new_title": e.new.title,
            "n_sentences_gone": len(e.gone),
            "n_sentences_come": len(e.come),
            "n_revisions": len(e.changes),
        }
        for e in sorted(edits, key=lambda e: (e.article_id, e.nth))
    ]


def lost_claims(edits: Iterable[Edit], claim_event: Container[str]) -> list[Claim]:
    """Return the claims of edits that are in no event now, nor are their successors."""
    edits = list(edits)
    now = successors(edits)
    touched = (c for e in edits for change in e.changes for c in (change.old, change.new) if c)
    lost = [c for c in touched if now.get(c.claim_id, c.claim_id) not in claim_event and c.claim_id not in claim_event]
    return list({c.claim_id: c for c in lost}.values())


def revision_rows(edits: Sequence[Edit], claim_event: Mapping[str, str], lost: Mapping[str, str]) -> list[Row]:
    """Return the rows of `revisions`.

    `claim_event`: the events of the current claims; `lost`: the events that lost_claims() would belong to, if any.
    """
    now = successors(edits)
    rows = []
    for edit in sorted(edits, key=lambda e: (e.article_id, e.nth)):
        for change in edit.changes:
            ids = [c.claim_id for c in (change.new, change.old) if c]
            wanted = [id_ for one in ids for id_ in (now.get(one, one), one)]
            found = [event for id_ in wanted if (event := claim_event.get(id_) or lost.get(id_))]
            rows.append(_row(edit, change, found[0] if found else None))
    return rows


def _row(edit: Edit, change: Change, event_id: str | None) -> Row:
    old, new = change.old, change.new
    kept = new or old
    assert kept is not None
    return {
        "revision_id": edit.change_id(change),
        "article_id": edit.article_id,
        "nth": edit.nth,
        "seen_on": edit.new_seen_at[:10],
        "kind": change.kind,
        "fields": ", ".join(change.fields),
        "event_id": event_id,
        "old_claim_id": old.claim_id if old else None,
        "new_claim_id": new.claim_id if new else None,
        "type": kept.type,
        "old_modality": old.modality.value if old else None,
        "new_modality": new.modality.value if new else None,
        "old_date": date_words(old) or None if old else None,
        "new_date": date_words(new) or None if new else None,
        "old_parties": _parties(old),
        "new_parties": _parties(new),
        "old_quote": _bounded(change.old_words, old),
        "new_quote": _bounded(change.new_words, new),
        "summary": in_words(change),
    }


def in_words(change: Change) -> str:
    """Describe a change: "modality: planned → postponed; date: 2026-03-24 → none"."""
    if change.kind != "changed":
        other = change.new_words if change.kind == "vanished" else change.old_words
        return _WORDS[change.kind][bool(other)]
    assert change.old and change.new
    values = {
        "type": (change.old.type.replace("_", " "), change.new.type.replace("_", " ")),
        "modality": (change.old.modality.value, change.new.modality.value),
        "direction": (change.old.direction or "none", change.new.direction or "none"),
        "date": (date_words(change.old) or "none", date_words(change.new) or "none"),
        "force": (change.old.force.value.replace("_", " "), change.new.force.value.replace("_", " ")),
        "attribution": (_attribution_name(change.old), _attribution_name(change.new)),
    }
    described = {field: f"{field}: {before} → {after}" for field, (before, after) in values.items()}
    return "; ".join([*(described[f] for f in change.fields if f in described), *_party_words(change.old, change.new)])


def _attribution_name(claim: Claim) -> str:
    return claim.attribution.name or claim.attribution.kind.replace("_", " ")


def _party_words(old: Claim, new: Claim) -> list[str]:
    """Return who is no longer named and who is newly named, with roles."""
    before, after = ({(p.role, p.entity_id): p.name for p in c.participants} for c in (old, new))
    gone = [f"{name} ({role})" for (role, id_), name in before.items() if (role, id_) not in after]
    come = [f"{name} ({role})" for (role, id_), name in after.items() if (role, id_) not in before]
    return [f"no longer named: {listing(gone)}"] * bool(gone) + [f"named now: {listing(come)}"] * bool(come)


def _parties(claim: Claim | None) -> str:
    """Return "Vellichor (actor), Corvid 4 (object)"."""
    if claim is None:
        return ""
    return listing(list(dict.fromkeys(f"{p.name} ({p.role})" for p in claim.participants)))


def _bounded(words: str, claim: Claim | None) -> str:
    """Return a sentence cut to the maximum length of a quote, around the trigger if there is one."""
    if len(words) <= MAX_QUOTE:
        return words
    at = words.find(claim.trigger) if claim else -1
    start = max(0, min(max(at, 0) - MAX_QUOTE // 2, len(words) - MAX_QUOTE))
    return words[start : start + MAX_QUOTE]
