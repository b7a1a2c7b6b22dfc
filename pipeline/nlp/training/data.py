"""Turns examples into labelled windows: what the model should answer for each word and each trigger.

The windows are those of extraction (`pipeline.nlp.classifier.windows`); labels are numbers of tokens and classes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.nlp.classifier.runtime import BASES, FORCES, MODALITIES
from pipeline.nlp.classifier.windows import MAX_TOKENS, Packer, Place, Window
from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.training.corpus import Example, Note
from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES

IGNORED = -100  # class of an attribute that a claim does not have
SPEAKER_REACH = 5  # sentences before a claim in which its speaker is looked for
DATE_REACH = 11  # sentences before and after a claim in which its time expression is looked for
_STRETCH = 160  # groups of windows among which those of similar length are put into one batch
# A trigger is marked at its first word that is not one of these: "had been [signed]", "is not [planning]".
_FUNCTION_WORDS = {
    "has", "have", "had", "having", "is", "are", "was", "were", "be", "been", "being", "will", "would", "to", "the",
    "a", "an", "its", "their", "his", "her", "not", "n't", "did", "does", "do", "can", "could", "may", "might",
    "must", "should", "of", "in", "for", "on",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledTrigger:
    """One claim in a window.

    Attributes:
        token: The token of the window that stands for the trigger.
        others: The other tokens of the trigger's words; whether they are triggers is not asked.
        type: The number of its type in EVENT_TYPES.
        attributes: Class of modality, newness, direction, force, attribution and date basis, or IGNORED.
        pointers: For each of POINTERS, the tokens it should mark.
        optional: Whether the claim may be left out.
        event: The key of its event in the document, if known.
        inside: The first and the last token (exclusive) of its sentence in the window.
        sentence: The number of its sentence in the document.
    """

    token: int
    others: tuple[int, ...]
    type: int
    attributes: tuple[int, ...]
    pointers: tuple[tuple[int, ...], ...]
    optional: bool
    event: str | None
    sentence: int
    inside: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LabelledWindow:
    """A window with its claims. `own` holds the token range of each sentence that is read in this window."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    own: tuple[tuple[int, int], ...]
    triggers: tuple[LabelledTrigger, ...]
    source: str


def labelled_documents(packer: Packer, examples: Iterable[Example]) -> dict[str, list[LabelledWindow]]:
    """Return the labelled windows of each story or document, by its name."""
    documents: dict[str, list[Example]] = {}
    for each in examples:
        documents.setdefault(each.source, []).append(each)
    return {source: label(packer, sentences) for source, sentences in documents.items()}


def label(packer: Packer, sentences: Sequence[Example]) -> list[LabelledWindow]:
    """Return the windows of one document with their labels. `sentences`: all its sentences in order."""
    first = sentences[0]
    found = []
    for window in packer.pack(first.title, [each.sentence for each in sentences]):
        places = {place.sentence: place for place in window.places}
        triggers = [
            trigger
            for place in window.places
            for note in sentences[place.sentence].notes
            if (trigger := _trigger(note, place, places, sentences)) is not None
        ]
        found.append(_labelled(window, triggers, first))
    return found


def _labelled(window: Window, triggers: Sequence[LabelledTrigger], first: Example) -> LabelledWindow:
    own = tuple((place.first, place.first + len(place.offsets)) for place in window.places)
    return LabelledWindow(window.ids, window.segments, own, tuple(triggers), first.source)


def _trigger(
    note: Note, place: Place, places: Mapping[int, Place], sentences: Sequence[Example]
) -> LabelledTrigger | None:
    """Return the labels of a claim, None if its trigger lies beyond the tokens read of an overlong sentence."""
    tokens = _tokens(place, note.start, note.end)
    if not tokens:
        return None
    sentence = sentences[place.sentence]
    token = _content_token(sentence.sentence, note, place) or tokens[0]
    return LabelledTrigger(
        token,
        tuple(each for each in tokens if each != token),
        EVENT_TYPES.index(note.type),
        _attributes(note),
        (*_participants(note, sentence.sentence, place), _speaker(note, place, places, sentences),
         _time(note, place, places, sentences)),
        note.optional,
        note.event,
        place.sentence,
        (place.first, place.first + len(place.offsets)),
    )  # fmt: skip


def _attributes(note: Note) -> tuple[int, ...]:
    """Return the class of each attribute, in the order of `classifier.runtime.ATTRIBUTES`."""
    return (
        MODALITIES.index(note.modality),
        int(note.newness == "background"),
        {None: IGNORED, "impose": 0, "lift": 1}[note.direction],
        FORCES.index(note.force),
        ATTRIBUTION_KINDS.index(note.attribution),
        BASES.index(note.date_basis) if note.date and note.date_basis else 0,
    )


def _content_token(sentence: str, note: Note, place: Place) -> int | None:
    """Return the first token of the trigger's first content word."""
    at = note.start
    for word in sentence[note.start : note.end].split():
        at = sentence.index(word, at)
        if word.lower().strip('.,"“”') not in _FUNCTION_WORDS and (tokens := _tokens(place, at, at + len(word))):
            return tokens[0]
        at += len(word)
    return None


def _participants(note: Note, sentence: str, place: Place) -> list[tuple[int, ...]]:
    """Return for each role the tokens of its participants; of repeated words those nearest to the trigger."""
    found: dict[str, list[int]] = {role: [] for role in ROLES}
    for role in note.roles:
        if places := _occurrences(sentence, role.text):
            start, end = min(places, key=lambda span: abs(span[0] - note.start))
            found[role.role] += _tokens(place, start, end)
    return [tuple(tokens) for tokens in found.values()]


def _speaker(
    note: Note, own: Place, places: Mapping[int, Place], sentences: Sequence[Example]
) -> tuple[int, ...]:  # fmt: skip
    """Return the tokens of the speaker's name or last name in the sentence or a few before it."""
    if not note.speaker:
        return ()
    last_name = note.speaker.split()[-1]
    for number in range(own.sentence, own.sentence - SPEAKER_REACH - 1, -1):
        if (place := places.get(number)) is None:
            return ()
        text = sentences[number].sentence
        if spans := _occurrences(text, note.speaker) or _occurrences(text, last_name):
            return tuple(_tokens(place, *(spans[0] if place is own else spans[-1])))
    return ()


def _time(
    note: Note, own: Place, places: Mapping[int, Place], sentences: Sequence[Example]
) -> tuple[int, ...]:  # fmt: skip
    """Return the tokens of the time expression that gives the claim's date, in the nearest sentence that has one."""
    if not note.date or note.date_basis == "publication":
        return ()
    further = [own.sentence + sign * n for n in range(1, DATE_REACH + 1) for sign in (-1, 1)]
    for number in (own.sentence, *further):
        if (place := places.get(number)) is None:
            continue
        example = sentences[number]
        dates = [
            each
            for each in find_dates(example.sentence, example.published)
            if any(span is not None and span.value == note.date for span in (each.span, each.ahead))
        ]
        if dates:
            best = min(dates, key=lambda each: abs(each.start - note.start)) if place is own else dates[0]
            return tuple(_tokens(place, best.start, best.end))
    return ()


def _occurrences(text: str, words: str) -> list[tuple[int, int]]:
    found, at = [], text.find(words) if words else -1
    while at >= 0:
        found.append((at, at + len(words)))
        at = text.find(words, at + 1)
    return found


def _tokens(place: Place, start: int, end: int) -> list[int]:
    """Return the tokens of the window that overlap characters of the sentence at this place."""
    return [place.first + n for n, (a, b) in enumerate(place.offsets) if a < end and b > start and b > a]


def batches(
    documents: Iterable[Sequence[LabelledWindow]], size: int, dice: random.Random
) -> list[list[LabelledWindow]]:
    """Return shuffled batches of about `size` full windows.

    Windows of one document stay together where they fit, so that its events can be compared. Batches hold windows of
    similar length; with padding they have at most `size` * MAX_TOKENS tokens.
    """
    groups: list[list[LabelledWindow]] = []
    for windows in documents:
        n_groups = -(-len(windows) // size)
        step = -(-len(windows) // n_groups)
        groups += [list(windows[at : at + step]) for at in range(0, len(windows), step)]
    dice.shuffle(groups)
    made: list[list[LabelledWindow]] = []
    for start in range(0, len(groups), _STRETCH):
        current: list[LabelledWindow] = []
        for group in sorted(groups[start : start + _STRETCH], key=_longest):
            if current and (len(current) + len(group)) * _longest([*current, *group]) > size * MAX_TOKENS:
                made.append(current)
                current = []
            current = current + group
        made.append(current)
    dice.shuffle(made)
    return made


def _longest(windows: Sequence[LabelledWindow]) -> int:
    return max(len(each.ids) for each in windows)
