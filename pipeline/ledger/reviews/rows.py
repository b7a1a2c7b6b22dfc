"""Returns the rows of the published table `reviews`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ledger.reviews.decisions import Effect
from pipeline.ledger.reviews.fields import reading_words

MAX_QUOTE = 700  # maximum length of a published quote


def review_rows(
    effects: Iterable[Effect], public_names: Mapping[str, str], claim_event: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return one row for each decision. Editors are named only if the file gives a public name."""
    rows = []
    for effect in effects:
        decision = effect.decision
        sentence = next(iter(decision.sentences), None)
        events = [claim_event[id_] for id_ in effect.claim_ids if id_ in claim_event]
        one = effect.claim_ids[0] if len(effect.claim_ids) == 1 else None
        rows.append(
            {
                "review_id": decision.review_id,
                "decision": decision.action,
                "status": effect.status,
                "decided_at": decision.when.isoformat(),
                "decided_on": decision.day,
                "editor": public_names.get(decision.who, ""),
                "why": decision.why,
                "event_id": events[0] if events else None,
                "claim_id": one if one and decision.action != "gap" else None,
                "article_id": sentence.article_id if sentence else None,
                "subject": decision.name or (" ".join(sentence.quote.split())[:MAX_QUOTE] if sentence else ""),
                "effect": effect.detail or _said(effect),
                "machine_reading": reading_words(effect.machine),
                "now_reads": " ".join(effect.new_wording.split())[:MAX_QUOTE],
            }
        )
    return sorted(rows, key=lambda row: row["review_id"])


def _said(effect: Effect) -> str:
    return {"accept": "confirmed as the program read it", "edit": "the claim already reads so"}.get(
        effect.decision.action, ""
    )
