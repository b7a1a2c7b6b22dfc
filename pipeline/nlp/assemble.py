"""Turns drafts into claims with evidence, attribution, date and id, and collects their entities and unknown names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.lexicon.inflection import words
from pipeline.nlp.dates.clauses import dates_for, lasts, read_back
from pipeline.nlp.dates.document import settle_dates
from pipeline.nlp.dates.expressions import DateMention, find_dates
from pipeline.nlp.dates.resolve import claim_date, last_past_date, lead_day, spoken_dates
from pipeline.nlp.newness import continues_story, is_as_of_now, judge_newness
from pipeline.nlp.parsing.spans import quoted_spans
from pipeline.records import (
    Attribution,
    Claim,
    DateSpan,
    Entity,
    EntityKind,
    Evidence,
    Modality,
    Participant,
    UnknownName,
    claim_id,
)
from scrapers.items import Article, Precision

if TYPE_CHECKING:
    from pipeline.nlp.attribution import Speakers
    from pipeline.nlp.events.frames import Draft

LONGEST_QUOTE = 700  # characters of evidence
LAST_WEEK = 7  # days
_REPORTEDLY = re.compile(r"\breportedly\b|\baccording to\b", re.IGNORECASE)
_BEGINS = words("takes take kicks kick begins begin starts start comes come goes go")
_AT_A_DISTANCE = re.compile(r"\b(?:allegedly|purportedly|supposedly)\b", re.IGNORECASE)
_SHORT = re.compile(r" \((?:the )?[“\"]?[A-Z][A-Za-z.&-]{1,11}[”\"]?\)")
_WHOSE = re.compile(r"(?:\b[Tt]he )?\b[A-Z][\w.-]+(?: [A-Z][\w.-]+)*[’']s? \Z")
_BREAK = re.compile(r"[;:—–,]\s")


def assemble(
    article: Article, drafts: list[Draft], speakers: Speakers, lexicon: Lexicon, day: date | None
) -> tuple[tuple[Claim, ...], tuple[Entity, ...], tuple[UnknownName, ...]]:
    """Return the claims in text order, the entities in them, and the names missing from the lexicon."""
    drafts = sorted(drafts, key=lambda draft: (draft.words, draft.type))
    spans = [evidence_span(article.text, draft) for draft in drafts]
    dates = spoken_dates(find_dates(article.text, day), article.text, day)
    news = lead_day(dates, article.text, day, spans[0] if spans else None)
    dating = _Dating(article.text, dates, day)
    first = [dating.date_of(draft, span) for draft, span in zip(drafts, spans, strict=True)]
    before = [_sentence_before(draft, dates, day) for draft in drafts]
    newness_of_drafts = judge_newness(drafts, first, before, day, news.start if news else None)
    seen: Counter[tuple[str, int, str, str]] = Counter()
    claims = []
    for draft, span, newness in zip(drafts, spans, newness_of_drafts, strict=True):
        settled, when = dating.settle(replace(draft, newness=newness), span)
        claims.append(_claim(article, settled, span, when, speakers.attribute(draft.trigger), seen))
    continued = [
        _recent_day(span, day) if continues_story(draft) else None for draft, span in zip(drafts, before, strict=True)
    ]
    now = [is_as_of_now(draft.trigger) for draft in drafts]
    kin = EntityGraph(lexicon.entities.values(), holders_of(lexicon))
    dated = settle_dates(claims, article.text, day, continued, now, kin)
    return dated, *_entities(dated, lexicon)


@dataclass(frozen=True)
class _Dating:
    """Dates the drafts of one article, each by its own sentence."""

    text: str
    dates: list[DateMention]
    day: date | None  # of publication

    def date_of(self, draft: Draft, span: tuple[int, int]) -> DateSpan | None:
        """Return the date of a draft whose evidence has this span."""
        own = self.dates
        if draft.modality not in (Modality.POSTPONED, Modality.CANCELLED):  # "put off the launch, which was due in May"
            own = dates_for(draft.trigger, draft.sent, draft.passage.start, self.dates)
        return claim_date(
            sentence=span,
            trigger=draft.words,
            modality=draft.modality,
            dates=read_back(draft.sent, draft.passage.start, own),
            published=self.day,
            text=self.text,
            newness=draft.newness,
            promise=draft.type == "commitment",
        )

    def settle(self, draft: Draft, span: tuple[int, int]) -> tuple[Draft, DateSpan | None]:
        """Return a draft with its date; a present tense with a future date becomes planned and new."""
        when = self.date_of(draft, span)
        if draft.modality is Modality.OCCURRED and self.day is not None and _refers_to_future(draft):
            planned = replace(draft, modality=Modality.PLANNED)
            ahead = self.date_of(planned, span)
            if ahead is not None and _is_after(ahead, self.day):
                draft, when = replace(planned, newness="new"), ahead
        if when is not None and when.basis == "publication" and lasts(draft.trigger):
            return replace(draft, newness="background"), None
        return draft, when


def _is_after(span: DateSpan, day: date) -> bool:
    return span.start > day or span.end > day and span.precision is not Precision.DAY


def _claim(
    article: Article,
    draft: Draft,
    span: tuple[int, int],
    when: DateSpan | None,
    attribution: Attribution,
    seen: Counter[tuple[str, int, str, str]],
) -> Claim:
    """Turn a draft into a claim; `seen` counts claims with the same words, so that their ids differ."""
    start, end = span
    quote = article.text[start:end]
    nth = article.text.count(quote, 0, start) + 1
    trigger = article.text[slice(*draft.words)]
    key = (quote, nth, draft.type, trigger)
    seen[key] += 1
    return Claim(
        claim_id(article.article_id, *key, seen[key]),
        draft.type,
        _without_rumour(draft.modality, attribution, quote),
        Evidence(article.article_id, article.version, start, end, quote),
        *draft.words,
        trigger,
        _within(draft.participants, article.text, start, end),
        attribution,
        when,
        draft.direction,
        draft.force,
        draft.newness,
        draft.confidence,
        draft.rule,
    )


def _sentence_before(draft: Draft, dates: list[DateMention], day: date | None) -> DateSpan | None:
    """Return the last past date in the sentence before a draft's, within its paragraph."""
    before = [sent for sent in draft.passage.doc.sents if sent.end <= draft.sent.start]
    start = draft.passage.start
    return last_past_date(dates, start + before[-1].start_char, start + before[-1].end_char, day) if before else None


def _recent_day(before: DateSpan | None, day: date | None) -> DateSpan | None:
    """Return the date of the sentence before if it is a day of the last week.

    An older date does not carry over: as much time may have passed between the two sentences.
    """
    if before is None or day is None or (day - before.end).days > LAST_WEEK:
        return None
    return before if before.precision is Precision.DAY else None


def _refers_to_future(draft: Draft) -> bool:
    """Return whether a present tense may mean the future: "takes effect", "is leaving", "is suspended as of"."""
    verb = draft.trigger
    if verb.pos_ == "NOUN" and verb.dep_ == "nsubj" and verb.head.lower_ in _BEGINS:
        verb = verb.head  # "the ban takes effect on Friday"
    helpers = {child.lower_ for child in verb.children if child.dep_ in ("aux", "auxpass")}
    if helpers & {"has", "have", "had", "'ve", "’ve", "been"}:
        return False
    past = verb.tag_ in ("VBD", "VBN", "VB") and not helpers & {"is", "are", "'s", "’s", "may", "must"}
    return draft.type != "access_request" and verb.pos_ == "VERB" and not past and not helpers & {"was", "were"}


def _without_rumour(modality: Modality, attribution: Attribution, quote: str) -> Modality:
    """Count "reportedly" as occurred if a source is named: that is a report, not a rumour."""
    reported = _REPORTEDLY.search(quote) and not _AT_A_DISTANCE.search(quote)
    if modality is Modality.ALLEGED and attribution.name and reported:
        return Modality.OCCURRED
    return modality


def evidence_span(text: str, draft: Draft) -> tuple[int, int]:
    """Return the span of the sentence, or of the clauses around the trigger if it exceeds LONGEST_QUOTE."""
    passage, sent = draft.passage, draft.sent
    start, end = passage.start + sent.start_char, passage.start + sent.end_char
    # A quotation mark that closes after the sentence belongs to it.
    while end < len(text) and text[end] in "”\"’'" and (end + 1 == len(text) or text[end + 1].isspace()):
        opened = any(
            s <= end - passage.start - 1 < e - 1 and s >= sent.start_char for s, e in quoted_spans(passage.text)
        )
        if not opened:
            break
        end += 1
    if end - start <= LONGEST_QUOTE:
        return start, end
    middle = (draft.words[0] + draft.words[1]) // 2
    low, high = max(start, middle - LONGEST_QUOTE // 2), min(end, middle + LONGEST_QUOTE // 2)
    breaks = [match.end() for match in _BREAK.finditer(text, low, high)]
    before = [at for at in breaks if at <= draft.words[0]]
    after = [at - 1 for at in breaks if at - 1 >= draft.words[1]]
    if low > start:
        low = before[0] if before else _blank(text, low, draft.words[0])
    if high < end:
        high = after[-1] if after else _blank(text, high, draft.words[1], step=-1)
    return low, high


def _blank(text: str, at: int, limit: int, step: int = 1) -> int:
    """Move an offset towards a limit up to the next space, so that no word is cut."""
    moved = at
    while moved != limit and not text[moved - (step > 0)].isspace():
        moved += step
    return moved


def _within(parties: tuple[Participant, ...], text: str, start: int, end: int) -> tuple[Participant, ...]:
    """Drop the offsets of participants named outside the evidence; give the others their full name."""
    found = []
    for p in parties:
        if p.start < 0 or start <= p.start and p.end <= end:
            found.append(_in_full(p, text, start, end))
        else:
            found.append(Participant(p.role, p.entity_id, p.name, p.kind, p.text))
    return tuple(found)


def _in_full(party: Participant, text: str, start: int, end: int) -> Participant:
    """Extend a participant's words by the abbreviation after it and the owner before it.

    Example: "Norland's Office for Compute (OFC)".
    """
    if party.start < 0 or text[party.start : party.end] != party.text or not party.text[:1].isupper():
        return party
    first, last = party.start, party.end
    short = _SHORT.match(text, last, end)
    last = short.end() if short else last
    if party.kind is EntityKind.AGENCY:
        whose = _WHOSE.search(text, max(start, first - 40), first)
        first = whose.start() if whose else first
    return replace(party, text=text[first:last], start=first, end=last)


def _entities(claims: tuple[Claim, ...], lexicon: Lexicon) -> tuple[tuple[Entity, ...], tuple[UnknownName, ...]]:
    entities: dict[str, Entity] = {}
    gaps: dict[str, UnknownName] = {}
    for claim in claims:
        for party in claim.participants:
            known = lexicon.entities.get(party.entity_id)
            entities.setdefault(party.entity_id, known or Entity(party.entity_id, party.name, party.kind, known=False))
            if known is None and party.start >= 0 and _is_name(party.name):
                gaps.setdefault(party.entity_id, UnknownName(party.name, party.kind, party.start, party.end))
    return tuple(entities.values()), tuple(gaps.values())


def _is_name(name: str) -> bool:
    """Return whether a participant has a name: "Ofcom", not "Meta's AI models" or "federal agencies"."""
    words = name.split()
    return (
        "'s " not in name
        and bool(words)
        and sum(word[:1].isupper() or word[:1].isdigit() for word in words) * 2 > len(words)
    )
