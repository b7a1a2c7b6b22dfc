"""Builds small invented articles, claims and findings with correct offsets and ids."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pipeline.records import (
    Attribution,
    Claim,
    Credit,
    DateSpan,
    Entity,
    EntityKind,
    Evidence,
    Findings,
    Force,
    Modality,
    Participant,
    claim_id,
)
from scrapers.items import Article, Precision, Source, SourceType, article_id, text_version

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
KINDS = {"object": EntityKind.MODEL, "instrument": EntityKind.INSTRUMENT, "body": EntityKind.AGENCY}
Said = tuple[str, str]  # a sentence and the trigger in it


def source(
    source_id: str, *, family: str = "", agency: bool = False, source_type: SourceType = SourceType.PRESS
) -> Source:
    title = source_id.replace("_", " ").title()
    return Source(
        source_id, title, f"https://{source_id}.example/", source_type, "US", "en", family, (),
        (f"{source_id}.example",),
        agency=agency,
    )  # fmt: skip


def article(source_id: str, slug: str, text: str, *, day: int = 0, sha: str = "") -> Article:
    """An article of the `day`-th day after START."""
    url = f"https://{source_id}.example/{slug}"
    when = START + timedelta(days=day)
    return Article(
        article_id(url), text_version(text), source_id, url, slug.replace("-", " ").capitalize(), text,
        published_at=when, published_basis="meta", published_precision=Precision.MINUTE, fetched_at=when,
        page_sha256=sha, publisher=source_id.title(),
    )  # fmt: skip


def day_span(value: str, basis: str = "stated") -> DateSpan:
    """2026-05-05, or 2026-05 for a month."""
    if len(value) == 7:
        first = date.fromisoformat(f"{value}-01")
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return DateSpan(first, last, Precision.MONTH, basis, value)
    return DateSpan(date.fromisoformat(value), date.fromisoformat(value), Precision.DAY, basis, value)


def parties(**roles: str | Iterable[str]) -> tuple[Participant, ...]:
    """parties(actor="Meta", target=["Ofcom", "CNIL"]); a lower-case name is a class without a name."""
    found = []
    for role, names in roles.items():
        for name in [names] if isinstance(names, str) else names:
            kind = EntityKind.GROUP if name[0].islower() else KINDS.get(role, EntityKind.ORGANISATION)
            found.append(Participant(role, name.casefold().replace(" ", "-"), name, kind, name))
    return tuple(found)


def claim(
    art: Article,
    sentence: str,
    trigger: str,
    type_: str,
    *,
    modality: str = "occurred",
    on: str | None = None,
    basis: str = "stated",
    direction: str | None = None,
    force: str = "not_stated",
    newness: str = "new",
    says: Attribution | None = None,
    confidence: float = 0.9,
    **roles: str | Iterable[str],
) -> Claim:
    start = art.text.index(sentence)
    at = start + sentence.index(trigger)
    return Claim(
        claim_id(art.article_id, sentence, 1, type_, trigger, 1), type_, Modality(modality),
        Evidence(art.article_id, art.version, start, start + len(sentence), sentence), at, at + len(trigger), trigger,
        parties(**roles), says or Attribution(), day_span(on, basis) if on else None, direction, Force(force), newness,
        confidence, "test",
    )  # fmt: skip


def credit(art: Article, name: str, cue: str, url: str = "") -> Credit:
    start = art.text.index(name)
    return Credit(name, start, start + len(name), cue, url)


def findings(art: Article, *claims: Claim, credits: Iterable[Credit] = (), relevant: bool = True) -> Findings:
    entities = {p.entity_id: Entity(p.entity_id, p.name, p.kind) for c in claims for p in c.participants}
    return Findings(
        art.article_id, art.version, relevant, 0.8, tuple(claims), tuple(credits), (),
        tuple(entities[key] for key in sorted(entities)),
    )  # fmt: skip


SIGNED = "Meridian Labs signed the Harbour Accord with the Office of Machine Safety on 5 May 2026."


def signing(source_id: str, slug: str, *, day: int = 1, text: str = "", on: str | None = "2026-05-05", **more) -> tuple:
    """An article that reports the signing of an accord, with its findings."""
    sentence = more.pop("sentence", SIGNED)
    art = article(
        source_id, slug, f"{sentence}\n\n{text or f'More was not known to {source_id} about {slug}.'}", day=day
    )
    credits = tuple(credit(art, *c) for c in more.pop("credits", ()))
    found = claim(
        art, sentence, more.pop("trigger", "signed"), "agreement", on=on,
        actor=["Meridian Labs", "Office of Machine Safety"], instrument="Harbour Accord", **more,
    )  # fmt: skip
    return art, findings(art, found, credits=credits)
