"""Compares the versions of an article and reports what each edit did to its claims.

The id of a claim changes with its sentence, so the claims of two versions are matched by the similarity of their
sentences, type and trigger. A claim found only in an earlier version supports no event; it is listed here with the day
by which it had been removed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.aggregation.revisions.text_diff import ALIKE, compare, nearest, plain, similarity, squeezed
from pipeline.records import Claim, Findings, digest
from scrapers.items import Article

OTHER_TYPE = 0.75  # sentence similarity at which claims of two types count as one claim
SAME_PARTIES = 0.3  # sentence similarity that suffices if type and all parties are the same


@dataclass(frozen=True, slots=True)
class ArticleVersion:
    """One version of an article as it was seen; times are ISO text."""

    article: Article
    findings: Findings | None
    first_seen_at: str
    last_seen_at: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did to one claim.

    Attributes:
        kind: changed (in `fields`), reworded (same content in other words), vanished or appeared.
        fields: Which of type, modality, direction, date, parties, force, attribution changed.
        old: The claim before.
        new: The claim after.
        old_words: Its sentence before, "" for none.
        new_words: Its sentence after, "" for none.
    """

    kind: str
    fields: tuple[str, ...]  # of type, modality, direction, date, parties, force, attribution
    old: Claim | None
    new: Claim | None
    old_words: str
    new_words: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One step from a version to the next. The edit was made between `old_seen_at` and `new_seen_at`."""

    article_id: str
    nth: int  # 1 for the first edit
    old: Article
    new: Article
    old_seen_at: str  # when the old version was last seen
    new_seen_at: str  # when the new version was first seen
    gone: tuple[str, ...]  # sentences of the old version missing from the new one
    come: tuple[str, ...]
    changes: tuple[Change, ...]
    heirs: Mapping[str, str]  # old claim id -> id of the same claim in the new version, where the id changed

    @property
    def touches_the_text(self) -> bool:
        """False if only clutter, typography or white space was edited."""
        return bool(self.gone or self.come or self.old.title != self.new.title)

    def change_id(self, change: Change) -> str:
        """Return the id of one of its changes: "r" and 16 hex digits."""
        ids = (change.old.claim_id if change.old else "", change.new.claim_id if change.new else "")
        return "r" + digest(self.article_id, str(self.nth), *ids)


def in_order(versions: Iterable[ArticleVersion], current: str) -> tuple[ArticleVersion, ...]:
    """Return the versions in sequence, ending with the current one.

    A version that came back after another one appears twice. Two versions read from the same page are two readings, not
    an edit: the current one is kept, else the one seen last.
    """
    by_page: dict[str, ArticleVersion] = {}
    for version in sorted(versions, key=lambda e: (e.article.version == current, e.last_seen_at, e.article.version)):
        by_page[version.article.page_sha256 or version.article.version] = version
    found = sorted(by_page.values(), key=lambda e: (e.first_seen_at, e.last_seen_at, e.article.version))
    last = next((e for e in found if e.article.version == current), None)
    if last is not None and found[-1] is not last:
        found.append(last)
    return tuple(found)


def edits_of(
    versions: Sequence[ArticleVersion], counts: Callable[[Claim], bool] = lambda claim: True
) -> tuple[Edit, ...]:
    """Return the steps between versions, in order. `counts`: whether a claim is sure enough to be published."""
    steps = []
    seen: set[str] = set()
    for nth, (old, new) in enumerate(zip(versions, versions[1:], strict=False), 1):
        seen.add(old.article.version)
        back = new.article.version in seen
        gone, come = compare(old.article.text, new.article.text)
        changes, heirs = _changes(old, new, gone, come, counts)
        steps.append(
            Edit(
                article_id=new.article.article_id,
                nth=nth,
                old=old.article,
                new=new.article,
                old_seen_at=old.last_seen_at if old.last_seen_at <= new.last_seen_at else old.first_seen_at,
                new_seen_at=new.last_seen_at if back else new.first_seen_at,
                gone=gone,
                come=come,
                changes=changes,
                heirs=heirs,
            )
        )
    return tuple(steps)


def _claims(version: ArticleVersion) -> list[Claim]:
    found = version.findings.claims if version.findings else ()
    return sorted(found, key=lambda c: (c.evidence.start, c.trigger_start, c.type, c.claim_id))


def _changes(
    old: ArticleVersion,
    new: ArticleVersion,
    gone: tuple[str, ...],
    come: tuple[str, ...],
    counts: Callable[[Claim], bool],
) -> tuple[tuple[Change, ...], dict[str, str]]:
    before, after = _claims(old), _claims(new)
    pairs = match(before, after)
    heirs = {a.claim_id: b.claim_id for a, b in pairs if a.claim_id != b.claim_id}
    same_words = {plain(c.evidence.quote) for c in before} == {plain(c.evidence.quote) for c in after}
    if same_words and not gone and not come and _day(old) == _day(new):
        return (), heirs  # nothing was edited
    found = [change for a, b in pairs if (change := _between(a, b, counts))]
    matched = {id(c) for pair in pairs for c in pair}
    # A sentence found in both versions was not edited: a claim that only one of them has is due to extraction.
    for claim in before:
        quote = claim.evidence.quote
        if id(claim) not in matched and counts(claim) and squeezed(quote) not in squeezed(new.article.text):
            found.append(Change("vanished", (), claim, None, quote, nearest(quote, come)))
    for claim in after:
        quote = claim.evidence.quote
        if id(claim) not in matched and counts(claim) and squeezed(quote) not in squeezed(old.article.text):
            found.append(Change("appeared", (), None, claim, nearest(quote, gone), quote))
    return tuple(sorted(found, key=_place)), heirs


def _place(change: Change) -> tuple[int, int, str, str]:
    place = change.new or change.old
    assert place is not None
    return (place.evidence.start, place.trigger_start, change.kind, place.claim_id)


def _day(version: ArticleVersion) -> str:
    return version.article.published_at.date().isoformat() if version.article.published_at else ""


def _between(old: Claim, new: Claim, counts: Callable[[Claim], bool]) -> Change | None:
    """Return how a claim found in both versions changed; None if it did not."""
    same_words = plain(old.evidence.quote) == plain(new.evidence.quote)
    if counts(old) and not counts(new):
        # No longer sure enough. If the sentence is the same, that is due to extraction, not to an edit.
        return None if same_words else Change("vanished", (), old, None, old.evidence.quote, new.evidence.quote)
    if counts(new) and not counts(old):
        return None if same_words else Change("appeared", (), None, new, old.evidence.quote, new.evidence.quote)
    if not counts(new):
        return None
    fields = differing(old, new)
    if not fields and same_words:
        return None
    return Change("changed" if fields else "reworded", fields, old, new, old.evidence.quote, new.evidence.quote)


def differing(old: Claim, new: Claim) -> tuple[str, ...]:
    """Return the fields in which two claims differ."""
    values = {
        "type": (old.type, new.type),
        "modality": (old.modality, new.modality),
        "direction": (old.direction, new.direction),
        "date": (date_words(old), date_words(new)),
        "parties": (_parties(old), _parties(new)),
        "force": (old.force, new.force),
        "attribution": (_said_by(old), _said_by(new)),
    }
    return tuple(name for name, (before, after) in values.items() if before != after)


def date_words(claim: Claim) -> str:
    """Return a stated date as ISO text at its precision; "" if only the day of publication is known."""
    return claim.date.value if claim.date and claim.date.basis != "publication" else ""


def _parties(claim: Claim) -> frozenset[tuple[str, str]]:
    return frozenset((p.role, p.entity_id) for p in claim.participants)


def _said_by(claim: Claim) -> tuple[str, str]:
    return claim.attribution.kind, (claim.attribution.name or "").casefold()


def match(before: Sequence[Claim], after: Sequence[Claim]) -> list[tuple[Claim, Claim]]:
    """Pair the claims of two versions: same id first, then same sentence, then most similar; each at most once."""
    scored = []
    for i, a in enumerate(before):
        for j, b in enumerate(after):
            if (score := _score(a, b)) > 0:
                scored.append((-score, abs(i - j), i, j))
    pairs, used_before, used_after = [], set(), set()
    for _, _, i, j in sorted(scored):
        if i not in used_before and j not in used_after:
            used_before.add(i)
            used_after.add(j)
            pairs.append((before[i], after[j]))
    return sorted(pairs, key=lambda pair: (pair[1].evidence.start, pair[1].trigger_start, pair[1].claim_id))


def _score(a: Claim, b: Claim) -> float:
    if a.claim_id == b.claim_id:
        return 9.0
    alike = similarity(a.evidence.quote, b.evidence.quote)
    shared = len(_parties(a) & _parties(b)) / max(len(_parties(a) | _parties(b)), 1)
    needed = OTHER_TYPE if a.type != b.type else SAME_PARTIES if shared == 1 else ALIKE
    if alike < needed:
        return 0.0
    return alike + 1.0 * (a.type == b.type) + 0.5 * (a.trigger.casefold() == b.trigger.casefold()) + 0.3 * shared


def successors(edits: Iterable[Edit]) -> dict[str, str]:
    """Return, for each claim id that an edit ended, the id of the same claim in the latest version that has it."""
    steps: dict[str, str] = {}
    for edit in sorted(edits, key=lambda e: (e.article_id, e.nth)):
        steps.update(edit.heirs)
    found = {}
    for start in steps:
        at, seen = start, set()
        while at in steps and at not in seen:
            seen.add(at)
            at = steps[at]
        if at != start:
            found[start] = at
    return found


def latest_of(versions: Iterable[ArticleVersion]) -> ArticleVersion | None:
    """Return the version seen last; of several, the one first seen last."""
    return max(versions, key=lambda e: (e.last_seen_at, e.first_seen_at, e.article.version), default=None)
