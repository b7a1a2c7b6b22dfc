"""Finds the current event, if any, for each event id that is no longer in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping


def trace(
    history: Mapping[str, tuple[str, ...]],
    redirects: Mapping[str, tuple[str | None, str]],
    claim_event: Mapping[str, str],
    all_claims: Container[str],
    heirs: Mapping[str, str] | None = None,
    rejected: Container[str] = (),
    alive: Container[str] | None = None,
) -> dict[str, tuple[str | None, str]]:
    """Return the target (None for nowhere) of each event id that is no longer in use, and why.

    Args:
        history: Claims of the events of the last build, at least of those that are gone.
        redirects: The redirects known before.
        claim_event: The current event of each published claim.
        all_claims: All claims found now, including unpublished ones.
        heirs: Claim id -> id of the same claim after its sentence was edited.
        rejected: Claims that an editor rejected.
        alive: The current events; by default those of `claim_event`.
    """
    heirs = {} if heirs is None else heirs
    alive = set(claim_event.values()) if alive is None else alive
    gone: dict[str, tuple[str | None, str]] = {old: value for old, value in redirects.items() if old not in alive}
    for old, claim_ids in history.items():
        if old in alive:
            continue
        kept = Counter(event for c in claim_ids if (event := claim_event.get(c)))
        edited = Counter(event for c in claim_ids if (heir := heirs.get(c)) and (event := claim_event.get(heir)))
        if kept:
            heir = min(kept, key=lambda e: (-kept[e], e))
            gone[old] = (heir, f"{kept[heir]} of its {len(claim_ids)} claims are now in this event")
        elif edited:
            heir = min(edited, key=lambda e: (-edited[e], e))
            gone[old] = (heir, "the publisher edited its sentence, which is now in this event")
        elif any(c in all_claims for c in claim_ids):
            gone[old] = (None, "its claims are no longer sure enough to be published")
        elif any(c in rejected for c in claim_ids):
            gone[old] = (None, "an editor rejected the claims that it rested on")
        else:
            gone[old] = (None, "the sentences that it rested on are no longer in the articles, or no longer support it")
    for old, (target, reason) in list(gone.items()):
        seen = {old}
        while target in gone and target not in seen:
            seen.add(target)
            target = gone[target][0]
        gone[old] = (target if target is not None and target in alive else None, reason)
    return gone
