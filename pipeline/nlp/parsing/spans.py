"""Quotations, lists of names and other spans of a parsed passage."""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import verb_forms, words
from pipeline.lexicon.speech_verbs import STATING
from pipeline.nlp.parsing.dependencies import children, is_verb, surface_subjects
from pipeline.records import EntityKind, Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.nlp.parsing.parser import Passage

_EXPIRING = frozenset(form for verb in words("expire lapse sunset") for form in verb_forms(verb))
PARTIES = frozenset({EntityKind.ORGANISATION, EntityKind.AGENCY, EntityKind.GOVERNMENT})


def name_lists(passage: Passage, mentions: list[Mention]) -> list[tuple[Mention, ...]]:
    """Return the lists of party names in a passage: names separated by commas, with "and" or "or" before the last."""
    text = passage.text
    found: list[tuple[Mention, ...]] = []
    run: list[Mention] = []
    joined = False
    for mention in [*mentions, None]:
        between = ""
        if run and mention is not None:
            between = text[run[-1].end - passage.start : mention.start - passage.start]
        links = run and mention is not None and mention.kind in PARTIES and _LINK.fullmatch(between) is not None
        if links and not joined:
            joined = "and" in between.lower().split() or "&" in between or "or" in between.lower().split()
            run.append(mention)  # type: ignore[arg-type]
            continue
        if joined and len(run) > 1:
            found.append(tuple({m.entity_id: m for m in run}.values()))
        run, joined = ([mention] if mention is not None and mention.kind in PARTIES else []), False
    return [members_ for members_ in found if len(members_) > 1]


_LINK = re.compile(r"\s*(?:,|,?\s*(?:and|or|&|as well as)\s+(?:the\s+)?|,\s+the)\s*", re.IGNORECASE)


def noun_phrase_start(token: Token) -> Token:
    """Return the first token of a noun phrase, given its head."""
    first = token
    for child in token.lefts:
        if child.dep_ in ("det", "poss", "amod", "compound", "nummod", "nmod", "predet", "quantmod", "advmod"):
            edge = child.left_edge
            if edge.i < first.i:
                first = edge
    return first


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans in quotation marks.

    An unclosed one runs to the end, as in quotations over several paragraphs.
    """
    spans, start = [], -1
    for match in re.finditer(r"[“”\"]", text):
        mark, at = match[0], match.start()
        if start < 0 and mark != "”":
            start = at
        elif start >= 0 and mark != "“":
            spans.append((start, at + 1))
            start = -1
    if start >= 0:
        spans.append((start, len(text)))
    return spans


def span_around(spans: list[tuple[int, int]], at: int) -> tuple[int, int] | None:
    """Return the span that contains an offset; the spans are in order and do not overlap."""
    index = bisect_right(spans, at, key=itemgetter(0)) - 1
    return spans[index] if index >= 0 and at < spans[index][1] else None


def rank_of(token: Token) -> float:
    """Return how salient a token is by its syntactic position."""
    if token.dep_ in ("nsubj", "nsubjpass"):
        return 3.0
    if token.dep_ in ("dobj", "dative", "appos"):
        return 1.5
    if token.dep_ == "poss":
        return 1.2
    if token.dep_ == "conj":
        return 1.0
    return 0.8 if token.dep_ == "pobj" else 0.3


_DENY = verb_forms("deny")


def is_expletive(token: Token) -> bool:
    """Return whether "it" refers to nothing: "it is unclear whether", "it is hereby ordered"."""
    verb = token.head
    if token.dep_ not in ("nsubj", "nsubjpass") or not is_verb(verb):
        return False
    if verb.lower_ in ("is", "was", "be", "'s", "’s", "remains", "remained", "seems", "appears", "becomes"):
        return bool(children(verb, "acomp")) and any(
            child.dep_ in ("ccomp", "xcomp", "advcl") for child in verb.subtree
        )
    return False


def speakers_of(token: Token, clause: Token) -> list[Token]:
    """Return who states or denies the clause whose subject is the token: "the agency said that it would test"."""
    if token.dep_ not in ("nsubj", "nsubjpass") or clause.dep_ != "ccomp" or clause.head.lower_ not in STATING | _DENY:
        return []
    return [subject for subject in surface_subjects(clause.head) if subject.i < token.i]


def takes_effect(verb: Token) -> bool:
    """Return whether a clause says what only laws and rules do: "it took effect", "it lapsed"."""
    below = [*children(verb, "dobj"), *(pobj for prep in children(verb, "prep") for pobj in children(prep, "pobj"))]
    return verb.lower_ in _EXPIRING or any(noun.lower_ in ("effect", "force") for noun in below)
