"""Turns the model's reading of who makes a claim into a kind and a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.parsing.dependencies import children
from pipeline.records import ATTRIBUTION_KINDS, Attribution, EntityKind, Mention

if TYPE_CHECKING:
    import numpy as np
    from spacy.tokens import Span, Token

    from pipeline.nlp.parsing.parser import Passage

_OF_KIND = {
    "person": frozenset({EntityKind.PERSON}),
    "organisation": frozenset({EntityKind.ORGANISATION, EntityKind.AGENCY, EntityKind.GOVERNMENT, EntityKind.PLACE,
                               EntityKind.OUTLET}),
    "outlet": frozenset({EntityKind.OUTLET, EntityKind.ORGANISATION}),
    "document": frozenset({EntityKind.INSTRUMENT, EntityKind.MODEL}),
}  # fmt: skip
_NAMELESS = frozenset({"own_reporting", "anonymous"})
_ARTICLE = re.compile(r"^(?:the|an?|this|that|its|their|his|her)\s+", re.I)
_TITLE_SPEAKER = re.compile(
    r"^(?:Full\s+text:\s+|Transcript:\s+)?(?:Remarks|Statement|Speech|Address|Testimony|Keynote|Opening\s+Statement|Op-?Ed)\s+"
    r"(?:by|from|of)\s+(?P<name>(?:[A-Z][\w.’'-]*\s+){1,6}?[A-Z][\w’'-]+)(?=\s+(?:on|at|to|in|before|about|regarding|after|for)\b|[,:(]|$)"
)


def title_speaker(title: str) -> str | None:
    """Return the speaker named in a title ("President Jane Roe" in "Remarks by President Jane Roe on ..."), or None."""
    match = _TITLE_SPEAKER.match(" ".join(title.split()))
    return match["name"] if match else None


def attribution_of(
    kinds: np.ndarray, speaker: tuple[Span, Passage] | None, referents: Referents, publisher: str
) -> Attribution:
    """Return who makes a claim.

    Args:
        kinds: Probabilities in the order of ATTRIBUTION_KINDS.
        speaker: The words that name the speaker, if the model points to any.
        referents: The coreference of the article.
        publisher: An outlet that is the source of its own article is "own_reporting".
    """
    kind = ATTRIBUTION_KINDS[int(kinds.argmax())]
    if kind in _NAMELESS or speaker is None:
        return Attribution(kind)
    span, passage = speaker
    start, end = passage.start + span.start_char, passage.start + span.end_char
    name = _name(kind, span, referents)
    if kind == "outlet" and name and _plain(name) and _plain(name) in _plain(publisher):
        return Attribution()
    return Attribution(kind, name or None, start, end)


def _name(kind: str, span: Span, referents: Referents) -> str:
    """Return the name behind the words for a speaker: of the kind that is asked for, else the words themselves."""
    found = [mention for token in _heads_first(span) for mention in referents.of(token)]
    if kind == "organisation":
        found += [side for m in found if m.kind is EntityKind.PERSON and (side := referents.side(m.entity_id))]
        found += _inside(span, referents)
    wanted = _OF_KIND.get(kind, frozenset())
    fitting = [mention for mention in found if mention.kind in wanted]
    if fitting:
        return fitting[0].name
    return _ARTICLE.sub("", span.text)


def _heads_first(span: Span) -> list[Token]:
    return [span.root, *(token for token in span if token.i != span.root.i)]


def _inside(span: Span, referents: Referents) -> list[Mention]:
    """Return the bodies named beside a spokesperson: "a Google spokesperson", "spokesperson for the FTC"."""
    near = children(span.root, "compound", "nmod", "poss", "amod")
    near += [pobj for prep in children(span.root, "prep") for pobj in children(prep, "pobj")]
    return [mention for token in near for mention in referents.of(token)]


def _plain(name: str) -> str:
    return re.sub(r"^the\s|[^\w]+", "", name.lower())
