"""Turns the model's readings of an article into claims with evidence, participants, date, attribution and id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from pipeline.lexicon.entities import Lexicon
from pipeline.nlp.attribution import attribution_of
from pipeline.nlp.classifier.runtime import BASES, FORCES, MODALITIES, EventModel, EventReading, PointedSpan
from pipeline.nlp.dates.event_dates import event_date, of_publication
from pipeline.nlp.dates.expressions import DateMention, find_dates
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.events.document import SETTLED, group_events, own_times, stated_once
from pipeline.nlp.events.participants import Participants, distinct
from pipeline.nlp.modality.guard import modality_of
from pipeline.nlp.parsing.parser import Passage, sentences
from pipeline.nlp.parsing.spans import quoted_spans
from pipeline.records import (
    ROLES,
    Claim,
    DateSpan,
    Entity,
    EntityKind,
    Evidence,
    Force,
    Modality,
    Participant,
    UnknownName,
    claim_id,
)
from scrapers.items import Article

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

LONGEST_QUOTE = 700  # characters of evidence
RECENT = 31  # days
RULE = "model"
_SHORT = re.compile(r" \((?:the )?[“\"]?[A-Z][A-Za-z.&-]{1,11}[”\"]?\)")
_WHOSE = re.compile(r"(?:\b[Tt]he )?\b[A-Z][\w.-]+(?: [A-Z][\w.-]+)*[’']s? \Z")
_BREAK = re.compile(r"[;:—–,]\s")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the body: `span` in the Doc of its paragraph, `start` and `end` in the article."""

    passage: Passage
    span: Span
    start: int
    end: int


def sentences_of(passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences of the body in order."""
    return [
        Sentence(passage, sent, passage.start + sent.start_char, passage.start + sent.end_char)
        for passage in passages
        for sent in sentences(passage)
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A reading with what rules make of it, before its event is known. Offsets in the article."""

    reading: EventReading
    sentence: Sentence
    trigger: tuple[int, int]
    modality: Modality
    participants: tuple[Participant, ...]
    date: DateSpan | None  # that a time expression gives


class Assembler:
    """Makes the claims of one article."""

    def __init__(
        self,
        article: Article,
        body: Sequence[Sentence],
        referents: Referents,
        model: EventModel,
        day: date | None,
        without: Collection[str] = (),
    ) -> None:
        self.article, self.body, self.referents, self.model, self.day = article, body, referents, model, day
        self.without = without  # names of `pipeline.nlp.switches.PARTS`
        self._participants = Participants(referents)
        self._dates: list[DateMention] = find_dates(article.text, day)

    def claims(self, readings: Sequence[EventReading], confidences: Sequence[float]) -> tuple[Claim, ...]:
        """Return the claims in text order.

        Args:
            readings: The readings to make claims of.
            confidences: The calibrated probability of each.
        """
        alone = [[n] for n in range(len(readings))]
        groups = alone if "document" in self.without else group_events(readings, self.model.same_event)
        times = own_times(readings, groups)
        groups = [stated_once(readings, group) for group in groups]
        drafts = {n: self._draft(readings[n], times[n]) for numbers in groups for n in numbers}
        newness: dict[int, str] = {}
        dates: dict[int, DateSpan | None] = {}
        for numbers in groups:
            self._share([drafts[n] for n in numbers], numbers, newness, dates)
        seen: Counter[tuple[str, int, str, str]] = Counter()
        order = sorted(drafts, key=lambda n: (drafts[n].trigger, drafts[n].reading.type))
        return tuple(self._claim(drafts[n], newness[n], dates[n], confidences[n], seen) for n in order)

    def _draft(self, reading: EventReading, time: PointedSpan | None) -> Draft:
        sentence = self.body[reading.sentence]
        trigger = self._span(PointedSpan("trigger", reading.sentence, reading.start, reading.end, 1.0))
        likely = Modality(MODALITIES[int(reading.modality.argmax())])
        modality = likely if "guard" in self.without else modality_of(reading.modality, _token(trigger))
        parties = [
            party
            for pointed in reading.spans
            if pointed.what in ROLES
            for party in self._participants.of_span(pointed.what, self._span(pointed), sentence.passage)
        ]
        at = self._offsets(time) if time is not None else None
        when = event_date(at, self._dates, modality, self.day)
        start, end = sentence.start + reading.start, sentence.start + reading.end
        return Draft(reading, sentence, (start, end), modality, distinct(parties), when)

    def _offsets(self, pointed: PointedSpan) -> tuple[int, int]:
        start = self.body[pointed.sentence].start
        return start + pointed.start, start + pointed.end

    def _span(self, pointed: PointedSpan) -> Span:
        sentence = self.body[pointed.sentence]
        begin = sentence.span.start_char
        span = sentence.passage.doc.char_span(begin + pointed.start, begin + pointed.end, alignment_mode="expand")
        return span if span is not None and len(span) else sentence.span

    def _share(
        self, drafts: list[Draft], numbers: list[int], newness: dict[int, str], dates: dict[int, DateSpan | None]
    ) -> None:
        """Say which claims of one event are news, and give those without a date that of the others."""
        background = [draft.reading.background for draft in drafts]
        new = float(np.average(background, weights=[draft.reading.score for draft in drafts])) < SETTLED
        told = [d.date for d in drafts if d.date is not None and (not new or self._is_recent(d.date))]
        common = Counter(span.value for span in told).most_common(1)
        shared = next((span for span in told if span.value == common[0][0]), None) if common else None
        for n, draft in zip(numbers, drafts, strict=True):
            newness[n] = "new" if draft.reading.background < SETTLED else "background"
            dates[n] = draft.date or shared
            if (
                dates[n] is None
                and (new or newness[n] == "new" or _of_publication(drafts))
                and "basis" not in self.without
            ):
                dates[n] = of_publication(self.day, draft.modality)

    def _is_recent(self, span: DateSpan) -> bool:
        """Return whether a date can be that of news: an older one belongs to what led to it."""
        return self.day is None or (self.day - span.end).days <= RECENT

    def _claim(
        self,
        draft: Draft,
        newness: str,
        when: DateSpan | None,
        confidence: float,
        seen: Counter[tuple[str, int, str, str]],
    ) -> Claim:
        """Return the claim of a draft; `seen` counts claims with the same words, so that their ids differ."""
        article, reading = self.article, draft.reading
        start, end = _evidence(article.text, draft)
        quote = article.text[start:end]
        trigger = article.text[slice(*draft.trigger)]
        key = (quote, article.text.count(quote, 0, start) + 1, reading.type, trigger)
        seen[key] += 1
        speaker = next((each for each in reading.spans if each.what == "speaker"), None)
        said_by = (self._span(speaker), self.body[speaker.sentence].passage) if speaker is not None else None
        return Claim(
            claim_id(article.article_id, *key, seen[key]),
            reading.type,
            draft.modality,
            Evidence(article.article_id, article.version, start, end, quote),
            *draft.trigger,
            trigger,
            _within(draft.participants, article.text, start, end),
            attribution_of(reading.attribution, said_by, self.referents, article.publisher),
            when,
            reading.direction,
            Force(FORCES[int(reading.force.argmax())]),
            newness,
            confidence,
            RULE,
        )


def _of_publication(drafts: list[Draft]) -> bool:
    """Return whether the model takes an event for the news of the day of publication."""
    basis = np.average([d.reading.basis for d in drafts], axis=0, weights=[d.reading.score for d in drafts])
    return BASES[int(basis.argmax())] == "publication"


def _token(span: Span) -> Token | None:
    return span[0] if len(span) == 1 else span.root


def _evidence(text: str, draft: Draft) -> tuple[int, int]:
    """Return the span of the sentence, or of the clauses around the trigger if it exceeds LONGEST_QUOTE."""
    passage, start, end = draft.sentence.passage, draft.sentence.start, draft.sentence.end
    # A quotation mark that closes after the sentence belongs to it.
    while end < len(text) and text[end] in "”\"’'" and (end + 1 == len(text) or text[end + 1].isspace()):
        opened = any(
            s <= end - passage.start - 1 < e - 1 and s >= draft.sentence.span.start_char
            for s, e in quoted_spans(passage.text)
        )
        if not opened:
            break
        end += 1
    if end - start <= LONGEST_QUOTE:
        return start, end
    first, last = draft.trigger
    middle = (first + last) // 2
    low, high = max(start, middle - LONGEST_QUOTE // 2), min(end, middle + LONGEST_QUOTE // 2)
    breaks = [match.end() for match in _BREAK.finditer(text, low, high)]
    before = [at for at in breaks if at <= first]
    after = [at - 1 for at in breaks if at - 1 >= last]
    if low > start:
        low = before[0] if before else _blank(text, low, first)
    if high < end:
        high = after[-1] if after else _blank(text, high, last, step=-1)
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


def entities_of(claims: Sequence[Claim], lexicon: Lexicon) -> tuple[tuple[Entity, ...], tuple[UnknownName, ...]]:
    """Return the entities that claims refer to, and the names among them that the lexicon lacks."""
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
