"""Finds claims of one article that credit one thing to two administrations.

"An order signed by President Arden set a framework ... The Bellow administration aims to finalize the framework": two
events of different type and modality, yet both cannot be right. A successor who renames, revokes or finishes a
predecessor's work is no contradiction.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from pipeline.aggregation.clustering.features import is_named
from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.inflection import words
from pipeline.records import Claim, Modality
from scrapers.items import Article

FRESH_DAYS = 92  # who acted within these days before publication is taken to be still in office
SHARED_WORDS = 3  # shared words, beside the noun, that make "a framework" and "the framework" one
_ADMINISTRATION = re.compile(r"\b([A-Z][\w’'-]+(?:[-–/][A-Z][\w’']+)?) [Aa]dministration\b")
_HEAD = re.compile(
    r"\b(?:President|Prime Minister|Chancellor|Governor) (?:[A-Z][\w.-]*\s+)*?"
    r"([A-Z][\w-]+)(?:[’']s?)?\s*(?:$|[,.;]|[a-z])"
)
_OFFICES = re.compile(r"(?:president|prime minister|chancellor|governor) of\b", re.I)
_NOT_A_NAME = words("Current Former Previous New Incoming Outgoing Federal National Presidential This")
_THING = (
    "framework|institute|center|centre|office|agency|board|body|council|commission|agreement|accord|pact|programme|"
    "program|policy|plan|order|rule|rules|regulation|law|act|bill|initiative|strategy|process|treaty|memorandum"
)
_DEFINITE = re.compile(rf"\b(?:the|this|that|these|its|said)\s+(?:[\w-]+\s+){{0,3}}?({_THING})\b", re.I)
_ANY_THING = re.compile(rf"\b({_THING})\b", re.I)
_MAKING = re.compile(
    r"\b(?:creat|establish|found|form|set|set up|launch|sign|issu|introduc|start|beg[au]n|launch|made|make|open)", re.I
)
# Words of succession: the second administration changed it, or the text mentions the change of office.
_SUCCESSION = re.compile(
    r"\b(?:renam\w+|rebrand\w*|revok\w+|rescind\w*|repeal\w*|revers\w+|replac\w+|scrap\w*|abolish\w*|dissol\w+|clos\w+|"
    r"revis\w+|amend\w*|overhaul\w*|inherit\w*|predecessor|successor|successive|both administrations|former|previous|"
    r"outgoing|incoming|late|own|another|second|similar|like|unlike|since then|took over|continu\w+|kept|keep\w*|"
    r"under (?:both|two))\b",
    re.I,
)
_OPEN = (Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL, Modality.POSTPONED)
_WORD = re.compile(r"[a-z]{4,}|\d+")
_COMMON = words("that this with from into they their them have been were will would could also more than which")
Terms = Mapping[str, tuple[tuple[date | None, date | None], ...]]  # entity id or surname -> terms of office


@dataclass(frozen=True, slots=True)
class Credited:
    """Two claims of one article that credit `thing` to different administrations."""

    one: Claim
    other: Claim
    heads: tuple[str, str]  # surnames, of `one` and of `other`
    thing: str


def terms_of(lexicon: Lexicon) -> dict[str, tuple[tuple[date | None, date | None], ...]]:
    """Return the terms of office of the heads of government in a lexicon, by entity id and by surname."""
    terms: dict[str, list[tuple[date | None, date | None]]] = defaultdict(list)
    for role in lexicon.roles:
        person = lexicon.entities.get(role.person_id)
        if person is not None and _OFFICES.match(role.office):
            for key in (role.person_id, person.name.split()[-1]):
                terms[key].append((role.start, role.end))
    return {key: tuple(spans) for key, spans in terms.items()}


def heads_of(claim: Claim, terms: Terms) -> frozenset[str]:
    """Return the surnames of the heads of government that a claim credits: "the Biden administration", "Trump"."""
    found: set[str] = set()
    for participant in claim.participants:
        if participant.role != "actor":
            continue
        named = _ADMINISTRATION.search(participant.text)
        head = _HEAD.search(participant.text)
        if named:
            found.update(n for n in re.split(r"[-–/]", named[1]) if n not in _NOT_A_NAME)
        elif head:
            found.add(head[1])
        elif participant.entity_id in terms:
            found.add(participant.name.split()[-1])
    return frozenset(found)


def in_words(claim: Claim, terms: Terms) -> str:
    """Return "Biden administration" if a claim credits one, else ""."""
    heads = heads_of(claim, terms)
    return f"{'-'.join(sorted(heads))} administration" if heads else ""


def find_credited_twice(
    claims: Iterable[Claim], articles: Mapping[str, Article], terms: Terms | None = None
) -> Iterator[Credited]:
    """Yield the pairs of claims of one article that credit one thing to two administrations."""
    terms = terms or {}
    of_article: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        if heads_of(claim, terms):
            of_article[claim.evidence.article_id].append(claim)
    for article_id, members in sorted(of_article.items()):
        members.sort(key=lambda c: (c.evidence.start, c.trigger_start, c.claim_id))
        reported: set[tuple[int, int]] = set()  # sentence pairs reported already
        for one, other in combinations(members, 2):
            heads = heads_of(one, terms), heads_of(other, terms)
            if heads[0] & heads[1] or one.evidence.quote == other.evidence.quote:
                continue
            if _SUCCESSION.search(one.evidence.quote) or _SUCCESSION.search(other.evidence.quote):
                continue
            thing = _same_thing(one, other)
            article = articles.get(article_id)
            day = article.published_at.date() if article and article.published_at else None
            sentences = (one.evidence.start, other.evidence.start)
            if sentences in reported or not thing:
                continue
            if _both_made(one, other) or _not_in_office(one, other, heads, terms, day):
                reported.add(sentences)
                yield Credited(one, other, ("-".join(sorted(heads[0])), "-".join(sorted(heads[1]))), thing)


def _same_thing(one: Claim, other: Claim) -> str:
    """Return the common subject: an instrument or body by name, or "framework" if both describe one; "" for none."""
    some, others = _named_things(one), _named_things(other)
    for entity_id in sorted(some.keys() & others.keys()):
        return some[entity_id]
    shared = _telling(one) & _telling(other)
    nouns = {m[1].casefold() for m in _ANY_THING.finditer(one.evidence.quote)}
    for match in _DEFINITE.finditer(other.evidence.quote):
        noun = match[1].casefold()
        if noun in nouns and len(shared - {noun[:6]}) >= SHARED_WORDS:
            return noun
    return ""


def _named_things(claim: Claim) -> dict[str, str]:
    return {p.entity_id: p.name for p in claim.participants if p.role in ("instrument", "body") and is_named(p)}


def _telling(claim: Claim) -> frozenset[str]:
    """Return the stems of the words of a claim's sentence."""
    return frozenset(w[:6] for w in _WORD.findall(claim.evidence.quote.casefold()) if w not in _COMMON)


def _both_made(one: Claim, other: Claim) -> bool:
    """Return True if both are said to have created it: only one of them can have."""
    if any(c.modality is not Modality.OCCURRED or not _MAKING.match(c.trigger) for c in (one, other)):
        return False
    return one.type == other.type and not _apart(one, other)


def _apart(one: Claim, other: Claim) -> bool:
    """Return True for dated acts on different days on an unnamed thing: probably two things."""
    if _named_things(one).keys() & _named_things(other).keys():
        return False
    spans = [c.date for c in (one, other) if c.date is not None and c.date.basis != "publication"]
    return len(spans) == 2 and (spans[0].end < spans[1].start or spans[1].end < spans[0].start)


def _not_in_office(
    one: Claim, other: Claim, heads: tuple[frozenset[str], frozenset[str]], terms: Terms, day: date | None
) -> bool:
    """Return True if one administration acted and another is said to work on it while out of office."""
    if day is None:
        return False
    for done, open_, who_did, who_will in ((one, other, *heads), (other, one, heads[1], heads[0])):
        if done.modality is not Modality.OCCURRED or open_.modality not in _OPEN:
            continue
        known = [_in_office(names, terms, day) for names in (who_did, who_will)]
        if None not in known:
            if known == [True, False]:
                return True
        elif _acted_shortly_before(done, day):
            return True
    return False


def _in_office(names: frozenset[str], terms: Terms, day: date) -> bool | None:
    """Return whether one of these governed on a day; None if no term is known."""
    spans = [span for name in names for span in terms.get(name, ())]
    if not spans:
        return None
    return any((start is None or start <= day) and (end is None or day <= end) for start, end in spans)


def _acted_shortly_before(claim: Claim, day: date) -> bool:
    span = claim.date
    return span is not None and span.basis != "publication" and 0 <= (day - span.start).days <= FRESH_DAYS
