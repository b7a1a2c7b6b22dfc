"""Attributes each trigger of an article to its speaker.

A claim in a quotation belongs to the speaker, one in the clause of a speech verb to the verb's subject. "According to",
"per" and a reporting clause at the end cover their sentence; "reportedly" leaves the source unnamed. Everything else is
the article's own reporting, or its author's if the whole article is a speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import verb_forms
from pipeline.lexicon.speech_verbs import ATTRIBUTING
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.parsing.dependencies import children, surface_subjects
from pipeline.nlp.parsing.parser import Passage
from pipeline.nlp.parsing.spans import quoted_spans, span_around
from pipeline.records import Attribution, EntityKind, Mention

if TYPE_CHECKING:
    from spacy.tokens import Span, Token


def _forms(verbs: str) -> frozenset[str]:
    return frozenset(form for verb in verbs.split() for form in verb_forms(verb))


# Verbs whose infinitive is reported speech too: "vowed to challenge", "claims to have tested".
_SAY_TO = _forms("vow pledge claim")
# Verbs whose object is reported speech: "described the action as a market inquiry", "outlined revisions".
_SAY_THING = _forms("describe outline")
REPORT = _forms("report reveal write say learn find confirm disclose")
_NOT_OPENING = frozenset(
    {"after", "before", "as", "while", "when", "since", "because", "although", "though", "whereas", "until"}
)
_SPOKESPERSON = re.compile(r"^(?:spokes(?:person|people|man|men|woman|women)|representatives?)$", re.I)
_ANONYMOUS = re.compile(
    r"^(?:officials?|sources?|people|persons?|insiders?|aides?|diplomats?|executives?|employees?|staffers?|workers?|lawyers?|"
    r"attorneys?|advis[eo]rs?|researchers?|experts?|analysts?|critics?|observers?|lobbyists?|negotiators?|engineers?)$",
    re.I,
)
_DOCUMENT = re.compile(
    r"^(?:memos?|memorandum|filings?|releases?|statements?|posts?|blogs?|tweets?|letters?|complaints?|lawsuits?|briefs?|affidavits?|"
    r"transcripts?|papers?|sheets?|notices?|orders?|texts?|drafts?|documents?|records?|e-?mails?|slides?|recordings?|cards?|docket|"
    r"testimony|announcements?|website|page|notes?|submission|declaration)$",
    re.I,
)
_REPORTS = re.compile(r"^(?:reports?|reporting|media|newspapers?|outlets?|press)$", re.I)
_HEDGE = frozenset({"reportedly", "allegedly", "purportedly", "supposedly"})
_HE, _FIRST = frozenset({"he", "she"}), frozenset({"i", "we", "our", "my", "us", "me", "ours"})
_KINDS = {
    EntityKind.PERSON: "person",
    EntityKind.OUTLET: "outlet",
    EntityKind.ORGANISATION: "organisation",
    EntityKind.AGENCY: "organisation",
    EntityKind.GOVERNMENT: "organisation",
    EntityKind.PLACE: "organisation",
    EntityKind.GROUP: "anonymous",
    EntityKind.MODEL: "document",
    EntityKind.INSTRUMENT: "document",
}
_MAX_SPEAKER_LINE = 10  # words of a line that only names the speaker below: "Secretary of Defense Pete Hegseth:"
_MAX_QUOTED_TERM = 4  # words up to which a quotation may be only a name or a term
_TITLE_SPEAKER = re.compile(
    r"^(?:Full\s+text:\s+|Transcript:\s+)?(?:Remarks|Statement|Speech|Address|Testimony|Keynote|Opening\s+Statement|Op-?Ed)\s+"
    r"(?:by|from|of)\s+(?P<name>(?:[A-Z][\w.’'-]*\s+){1,6}?[A-Z][\w’'-]+)(?=\s+(?:on|at|to|in|before|about|regarding|after|for)\b|[,:(]|$)"
)


@dataclass(frozen=True, slots=True)
class _Cue:
    """A speech verb outside quotation marks, and its speaker."""

    passage: int
    start: int  # offsets in the passage
    end: int
    says: Attribution


def title_speaker(title: str) -> str | None:
    """Return the speaker named in a title ("President Jane Roe" in "Remarks by President Jane Roe on ..."), or None."""
    match = _TITLE_SPEAKER.match(" ".join(title.split()))
    return match["name"] if match else None


class Speakers:
    """The speakers of one article.

    Args:
        author: The person whose speech the whole article is; see `title_speaker`.
        publisher: The outlet. "CNBC has learned" in a CNBC article is its own reporting.
    """

    def __init__(
        self, passages: Sequence[Passage], referents: Referents, author: Mention | None = None, publisher: str = ""
    ) -> None:
        self.passages, self.referents = passages, referents
        self._publisher = _plain(publisher)
        self._author = author
        self._quotes = [quoted_spans(passage.text) for passage in passages]
        self._cues: list[list[_Cue]] = []
        for number in range(len(passages)):
            self._cues.append([])
            for cue in self._find_cues(number):  # "they added" looks at the cues before it
                self._cues[number].append(cue)
        self._blocks = self._find_blocks()

    def attribute(self, trigger: Token) -> Attribution:
        """Return the source of the claim that a trigger names."""
        number = trigger.doc.user_data["passage"]
        sent = trigger.sent
        framed = self._frame(number, trigger, sent)
        said = (
            (framed if framed is not None and framed.kind == "outlet" and framed.name else None)
            or self._quoted(number, trigger)
            or self._clause(number, trigger)
            or framed
            or self._blocks.get(number)
            or self._of_author()
            or Attribution()
        )
        return Attribution() if said.kind == "outlet" and self._is_own(said.name) else said

    def _of_author(self) -> Attribution | None:
        if self._author is None or self._author.kind is not EntityKind.PERSON:
            return None
        return Attribution("person", self._author.name)

    def _is_own(self, name: str | None) -> bool:
        return bool(self._publisher) and bool(name) and _plain(name or "") in self._publisher

    def _find_cues(self, number: int) -> Iterator[_Cue]:
        passage = self.passages[number]
        for verb in passage.doc:
            if verb.lower_ in ATTRIBUTING and verb.pos_ in ("VERB", "AUX") and not self._in_quotes(number, verb.idx):
                says = self._speaker_of(number, verb)
                if says is not None:
                    yield _Cue(number, verb.idx, verb.idx + len(verb.text), says)

    def _in_quotes(self, number: int, at: int) -> tuple[int, int] | None:
        return span_around(self._quotes[number], at)

    def _speaker_of(self, number: int, verb: Token) -> Attribution | None:
        subjects = surface_subjects(verb)
        if not subjects:
            return None
        return self._who(number, subjects[0], verb)

    def _who(self, number: int, token: Token, verb: Token | None) -> Attribution | None:
        """Return the kind and name of a speaker from the head of the noun phrase."""
        passage = self.passages[number]
        start, end = passage.offset(token), passage.offset(token) + len(token.text)
        named = self.referents.name(token)
        if named is None and _SPOKESPERSON.match(token.text):
            side = self._inside(token) or next(iter(self.referents.of(token)), None)
            return Attribution("organisation", side.name if side else None, start, end)
        if named is None and _DOCUMENT.match(token.text):
            owner = self._inside(token, "poss", "compound")
            if owner is not None and _KINDS.get(owner.kind) in ("person", "organisation"):
                return Attribution(_KINDS[owner.kind], owner.name, start, end)
            return Attribution("document", _words(token), start, end)
        if named is None and _REPORTS.match(token.text):
            return Attribution("outlet", None, start, end)
        if named is None and _ANONYMOUS.match(token.text):
            return Attribution("anonymous", None, start, end)
        if token.lower_ == "they" and (last := self._last_said(number, token.idx)) and last.kind == "anonymous":
            return last
        mentions = self.referents.of(token)
        if mentions:
            kind = _KINDS.get(mentions[0].kind, "organisation")
            if kind == "outlet" and verb is not None and verb.lower_ not in REPORT:
                kind = "organisation"
            return Attribution(kind, mentions[0].name, start, end)
        if token.lower_ in _HE:
            return Attribution("person", None, start, end)
        if token.lower_ in ("they", "who", "it", "that", "which", "this", "there"):
            return self._last_said(number, token.idx) if token.lower_ in ("they", "who") else None
        if token.pos_ == "PROPN":
            titled = any(child.pos_ == "PROPN" for child in children(token, "compound"))
            return Attribution("person" if titled else "organisation", token.text, start, end)
        return None

    def _inside(self, token: Token, *deps: str) -> Mention | None:
        """Return the party named inside a noun phrase: "a Google spokesperson", "spokesperson for the FTC"."""
        inside = [child for child in token.subtree if child != token]
        if deps:
            inside = [each for child in children(token, *deps) for each in child.subtree]
        for each in inside:
            for mention in self.referents.of(each):
                if mention.kind in (
                    EntityKind.ORGANISATION,
                    EntityKind.AGENCY,
                    EntityKind.GOVERNMENT,
                    EntityKind.PERSON,
                ):
                    return mention
        return None

    def _last_said(self, number: int, before: int) -> Attribution | None:
        """Return the last speaker in this passage or the one before."""
        here = [cue for cue in self._cues[number] if cue.start < before]
        there = self._cues[number - 1] if number else []
        return (here or there)[-1].says if here or there else None

    def _quoted(self, number: int, trigger: Token) -> Attribution | None:
        """Return the speaker of a quoted trigger: named in its sentence, else next to the quotation, else the last."""
        span = self._in_quotes(number, trigger.idx)
        text = self.passages[number].text
        if span is None or len(text[slice(*span)].split()) <= _MAX_QUOTED_TERM:
            return None
        sent = trigger.sent
        cues = self._cues[number]
        near = [cue for cue in cues if sent.start_char <= cue.start < sent.end_char]
        if near:
            return min(near, key=lambda cue: _gap(cue, span)).says
        framed = self._frame(number, trigger, sent)
        if framed is not None:
            return framed
        earlier = [cue for cue in cues if cue.start < span[0]]
        later = [cue for cue in cues if cue.start >= span[1]]
        if earlier:
            return earlier[-1].says
        if later:
            return later[0].says
        for before in range(number - 1, max(-1, number - 4), -1):
            if self._cues[before]:
                return self._cues[before][-1].says
        return self._blocks.get(number)

    def _clause(self, number: int, trigger: Token) -> Attribution | None:
        """Return the speaker if the trigger is in the complement of a speech verb, or has one as a comment."""
        token, steps = trigger, 0
        while token.head != token and steps < 30:
            edge, head = token.dep_, token.head
            if edge == "advcl" and any(child.lower_ in _NOT_OPENING for child in children(token, "mark", "advmod")):
                return None
            if edge == "prep" and token.lower_ in _NOT_OPENING | {"following", "despite"}:
                return None
            says = edge == "ccomp" or edge == "xcomp" and head.lower_ in _SAY_TO
            says = says or edge in ("dobj", "prep") and head.lower_ in _SAY_THING
            if says and head.lower_ in ATTRIBUTING:
                return self._heads_speaker(number, head)
            comment = self._comment(number, token)
            if comment is not None:
                return comment
            token, steps = head, steps + 1
        return self._comment(number, token)

    def _heads_speaker(self, number: int, verb: Token) -> Attribution | None:
        return next((cue.says for cue in self._cues[number] if cue.start == verb.idx), None)

    def _comment(self, number: int, token: Token) -> Attribution | None:
        """Return the speaker in "..., the people said" if the parser attaches the speech verb below the content."""
        for child in token.children:
            if child.dep_ in ("parataxis", "ccomp", "advcl") and child.lower_ in ATTRIBUTING and child.i > token.i:
                before = token.doc[child.left_edge.i - 1] if child.left_edge.i else None
                own = any(grand.dep_ in ("ccomp", "xcomp", "dobj") for grand in child.children)
                if not own and before is not None and before.text in (",", "”", '"', "—", "–"):
                    return self._heads_speaker(number, child)
        return None

    def _frame(self, number: int, trigger: Token, sent: Span) -> Attribution | None:
        """Return the source of a whole sentence ("according to X", "per X") or of a clause ("reportedly")."""
        hedged = self._hedge(trigger)
        for token in sent:
            if self._in_quotes(number, token.idx):
                continue
            if token.lower_ == "according":
                for prep in children(token, "prep"):
                    for pobj in children(prep, "pobj"):
                        said = self._who(number, pobj, None)
                        if said is not None:
                            return said
            if token.lower_ == "per" and token.i == sent.start:
                for pobj in children(token, "pobj"):
                    said = self._who(number, pobj, None)
                    if said is not None:
                        return said
        return Attribution("outlet", None, *hedged) if hedged else None

    def _hedge(self, trigger: Token) -> tuple[int, int] | None:
        """Return the offsets of "reportedly" at the trigger or a verb above it in the same clause."""
        token, steps = trigger, 0
        passage = self.passages[trigger.doc.user_data["passage"]]
        while steps < 6:
            for child in token.children:
                if child.lower_ in _HEDGE:
                    return passage.offset(child), passage.offset(child) + len(child.text)
            if token.head == token or token.dep_ in ("ccomp", "relcl", "advcl"):
                return None
            token, steps = token.head, steps + 1
        return None

    def _find_blocks(self) -> dict[int, Attribution]:
        """Return the speaker of each passage of a full statement: first person, after a line that ends in a colon."""
        blocks: dict[int, Attribution] = {}
        number = 0
        while number < len(self.passages):
            says = self._introduces(number)
            last = number
            if says is not None:
                for following in range(number + 1, len(self.passages)):
                    if self._introduces(following) is not None or following - last > 6:
                        break
                    if self._first_person(following):
                        last = following
            if says is not None:
                blocks.update(dict.fromkeys(range(number + 1, last + 1), says))
            number = max(last, number) + 1
        return blocks

    def _introduces(self, number: int) -> Attribution | None:
        passage = self.passages[number]
        if not passage.text.rstrip().endswith(":"):
            return None
        if self._cues[number]:
            return self._cues[number][-1].says
        if len(passage.text.split()) > _MAX_SPEAKER_LINE:
            return None
        named = [m for m in passage.mentions if _KINDS.get(m.kind) in ("person", "organisation")]
        return Attribution(_KINDS[named[-1].kind], named[-1].name, named[-1].start, named[-1].end) if named else None

    def _first_person(self, number: int) -> bool:
        return any(
            token.lower_ in _FIRST and not self._in_quotes(number, token.idx) for token in self.passages[number].doc
        )


def attribute(trigger: Token, speakers: Speakers) -> Attribution:
    """Return the source of a trigger's claim; the offsets mark the speaker in the article, -1 if there is none."""
    return speakers.attribute(trigger)


def _gap(cue: _Cue, span: tuple[int, int]) -> int:
    return max(span[0] - cue.end, cue.start - span[1], 0)


def _words(token: Token) -> str:
    """Return a document's name as written: "blog post", "40-page filing"."""
    first = next((child for child in token.children if child.dep_ in ("compound", "amod")), token)
    return token.doc[min(first.i, token.i) : token.i + 1].text


def _plain(name: str) -> str:
    return re.sub(r"\W+", "", name.casefold().removeprefix("the "))
