"""Resolves "we" and "I": in a quotation its speaker, elsewhere the author or the body that issued the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.lexicon.speech_verbs import STATING
from pipeline.nlp.parsing.dependencies import surface_subjects
from pipeline.nlp.parsing.parser import Passage, sentences
from pipeline.nlp.parsing.spans import PARTIES, quoted_spans, span_around
from pipeline.records import EntityKind, Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

WE = frozenset({"we", "us", "our", "ours", "ourselves"})
_I = frozenset({"i", "me", "my", "mine", "myself"})
WE_SAYS = re.compile(r"\b(?:we|our|ours|us)\b", re.IGNORECASE)
_OFTEN = 3  # uses of "we" outside quotations from which it is the headline's body
_SOURCE = re.compile(r"^SOURCE:? +(\S.*)$", re.MULTILINE)  # the last line of a release


def releasing(
    title: str, text: str, publisher: str, mentions: Sequence[Mention], headline_body: Mention | None
) -> Mention | None:
    """Return the body that issued a release written as "we", None if that is unclear.

    It is the body that owns the site ("ofcom.org.uk"), the one after SOURCE at the end, or, if "we" is frequent,
    the one at the beginning of the headline.

    Args:
        title: the headline.
        text: the body of the release.
        publisher: the site's host name or the outlet's name.
        mentions: the names in `title`, a line break and `text`.
        headline_body: the government or body at the beginning of the headline, if any.
    """
    quotes = quoted_spans(text)
    said = sum(span_around(quotes, match.start()) is None for match in WE_SAYS.finditer(text))
    if not said:
        return None
    labels = set(re.split(r"[./-]", publisher.lower())) if "." in publisher else set()
    bodies = [mention for mention in mentions if mention.kind in PARTIES]
    for mention in bodies:
        if len(mention.text) > 3 and mention.text.lower() in labels:
            return mention
    signed = _SOURCE.search(text)
    if signed:
        at = len(title) + 1 + signed.start(1)
        return next((m for m in bodies if m.start == at and m.end <= len(title) + 1 + signed.end()), headline_body)
    return headline_body if said >= _OFTEN else None


class Voices:
    """The first-person speakers of one article.

    `of`: what a token refers to; `side`: the body a person speaks for.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        of: Callable[[Token], tuple[Mention, ...]],
        side: Callable[[str], Mention | None],
        author: Mention | None,
    ) -> None:
        self.passages, self.of, self.side, self.author = passages, of, side, author
        self._verbs: dict[int, list[tuple[Token, list[Token]]]] = {}

    def first_persons(self) -> Iterator[tuple[tuple[Passage, Token], Mention]]:
        """Yield each "we" and "I" with its passage and its speaker, if known."""
        for passage in self.passages:
            quotes = quoted_spans(passage.text)
            for sent in sentences(passage):
                for token in sent:
                    if token.lower_ not in WE and token.lower_ not in _I or token.pos_ not in ("PRON", "DET", "ADJ"):
                        continue
                    quoted = span_around(quotes, token.idx) is not None
                    speaker = self._speaker(passage, token) if quoted else self.author
                    if speaker is None:
                        continue
                    if token.lower_ in WE and speaker.kind is EntityKind.PERSON:
                        speaker = self.side(speaker.entity_id) or speaker
                    yield (passage, token), speaker

    def _speaker(self, passage: Passage, token: Token) -> Mention | None:
        number = passage.doc.user_data["passage"]
        for where in (passage, *reversed(self.passages[max(0, number - 2) : number])):
            best: tuple[float, Mention] | None = None
            for verb, spoken_by in self._speech(where):
                for subject in spoken_by:
                    for mention in self.of(subject):
                        if mention.kind is EntityKind.PERSON or mention.kind in PARTIES:
                            distance = abs(verb.i - token.i) if where is passage else -verb.i
                            if best is None or distance < best[0]:
                                best = (distance, mention)
            if best is not None:
                return best[1]
        return self.author

    def _speech(self, passage: Passage) -> list[tuple[Token, list[Token]]]:
        """Return the speech verbs outside quotations with their subjects, computed once for each passage."""
        number = passage.doc.user_data["passage"]
        if number not in self._verbs:
            quotes = quoted_spans(passage.text)
            self._verbs[number] = [
                (verb, surface_subjects(verb))
                for verb in passage.doc
                if verb.lower_ in STATING and span_around(quotes, verb.idx) is None
            ]
        return self._verbs[number]
