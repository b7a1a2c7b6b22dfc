"""Finds the names of the lexicon in a text and, after parsing, names that it does not know.

The longest match wins. An ambiguous name ("Meta", "Claude") counts only near one of the words it needs, or if the
text uses it unambiguously elsewhere. A text also introduces names: "Office for Compute Oversight (OCO)", or the surname
of a person introduced in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind

from pipeline.lexicon.common_nouns import NOUN_KINDS, PERSON_TITLES, RANKS, REGIONAL, TIME_WORDS
from pipeline.lexicon.entities import Lexicon, Name
from pipeline.lexicon.inflection import singular, words
from pipeline.nlp.entities.unknown_names import (
    bodies_listed_together,
    in_longer_name,
    is_presented,
    of_the,
    person_at,
    reads_as_person,
    with_legal_form,
)
from pipeline.records import EntityKind, Mention, unknown_entity_id

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from pipeline.nlp.parsing.parser import Passage

NEAR = 300  # characters on either side within which a needed word counts
OFTEN = 3  # after this many mentions of a country, ambiguous names mean its bodies
_SAME_LENGTH = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "‑": "-", "–": "-"})
_ACRONYM = re.compile(r"\(\s*(?:the |[\"“'‘])*([A-Z][A-Za-z]{0,3}[A-Z]{1,5}|[A-Z]{2,7})[\"”'’]?\s*\)")
_LEADING = re.compile(r"(?:[A-Z][\w&.'-]*|of|for|on|and|the|to|in|&)$")
_CONNECTORS = frozenset({"of", "for", "on", "&"})
_AND = frozenset({"and"})
_ABBREVIATIONS = words(
    "ai a.i. ceo cto cfo coo eo it tv uk us eu un pm est et gmt agi llm gpu api nsm rfi mou q&a faq ceos "
    "laughter applause p.m. a.m. p.m a.m edt est pst pdt pt"
)
_NUMBERED = words(
    "Section Title Article Chapter Phase Level Part Number Page Figure Annex Rule Stage Tier Room Building"
)
_COUNTED = re.compile(
    r"(?:million|billion|trillion|thousand|hundred|percent|%|times|days|weeks|months|years|people|euros|dollars|pounds|yen)$"
)
_ALONE = re.compile(r"(?<![\w] )(?<![A-Z][a-z] )\b([A-Z][a-z]{2,})\b(?! [A-Z])")  # a capitalised word by itself
_COMMON = words("""executive federal presidential national state new draft final government military private public
international u.s. us
    chief senior general every all any each these this american foreign""")


_CAPITALISED = re.compile(r"\b([A-Z][a-z]+) $")
_OF_A_FIRM = frozenset(
    ["AI", "Labs", "Lab", "Inc", "Inc.", "Corp", "Corp.", "Technologies", "Systems", "Group", "Ltd", "Co."]
)
_OF_A_BODY = re.compile(r"\b[A-Z]\w+ (?:of|for) $")
_GOES_ON = re.compile(r" of (?:the )?[A-Z]")
_BY_ITSELF = r"[a-z,] {0}\b(?! [A-Z])|(?:[.!?] |\n){0}(?= [a-z])"  # a capitalised word used as a name of its own
_OF_ONE_WORD = (EntityKind.ORGANISATION, EntityKind.OUTLET)
# Capitalised words before a name that are not part of it.
_OPENERS = """
The A An And But Or So Yet With For From By In On At As To Of If When While After Before Since Because Both
Like Unlike Meanwhile Then Now Still Even Although Though Today Rival Startup Company Maker Chief President
Inside Via Is Does Did Has Will Can Could Would Should Why How What Where Who Chinese American British
French European Korean Japanese Canadian Indian German Israeli Dear Hey Former Only Neither Either Last
Yesterday However Instead Also
"""
_NO_NAME = frozenset(_OPENERS.split())


class NameFinder:
    """Finds the names of a lexicon in texts."""

    def __init__(self, lexicon: Lexicon, *, acronyms: bool = True) -> None:
        self.lexicon, self.acronyms = lexicon, acronyms  # acronyms: whether to learn those that a text introduces
        self._exact = _table(name for name in lexicon.names if name.case_sensitive)
        self._folded = _table((name for name in lexicon.names if not name.case_sensitive), fold=True)
        self._codes: dict[str, set[str]] = {}  # "Brazilian" -> {"BR"}
        self._countries: dict[str, list[str]] = {}  # "BR" -> ["Brazilian", "Brazil"]
        for place in lexicon.places:
            self._countries.setdefault(place.code, []).extend(place.adjectives)
            for adjective in place.adjectives:
                self._codes.setdefault(adjective, set()).add(place.code)
        codes = {place.entity_id: place.code for place in lexicon.places}
        for name in lexicon.names:
            if name.entity_id in codes and name.text not in self._countries[codes[name.entity_id]]:
                self._countries[codes[name.entity_id]].append(name.text)

    def find(self, text: str, day: date | None) -> list[Mention]:
        """Return the mentions in order, without overlap. `day`: the day of publication, which decides between names."""
        plain = text.translate(_SAME_LENGTH)
        lower = _lower(plain)
        listed = list(self._listed_together(plain, lower, day))
        chosen = _longest([*listed, *self._names(plain, lower, day), *self._patterns(plain)], first=len(listed))
        taught = [*(_acronyms(plain, chosen) if self.acronyms else ()), *_surnames(plain, chosen)]
        return _longest([*chosen, *taught], first=len(chosen))

    def mention(self, start: int, end: int, text: str, entity_id: str, day: date | None, basis: str) -> Mention:
        """Return a mention of an entity of the lexicon, under its name on the day."""
        entity = self.lexicon.entities[entity_id]
        return Mention(start, end, text, entity_id, self.lexicon.name_at(entity_id, day), entity.kind, basis)

    def _names(self, plain: str, lower: str, day: date | None) -> Iterator[Mention]:
        doubtful: list[tuple[int, int, Name]] = []
        sure: set[str] = set()
        for (automaton, table), body in ((self._exact, plain), (self._folded, lower)):
            for index, start, end in automaton.find_matches_as_indexes(body, overlapping=True):
                if not _is_word(plain, start, end):
                    continue
                name = self._best(table[index], plain, lower, start, end, day)
                if name is None:
                    doubtful.extend((start, end, other) for other in _in_use(table[index], day))
                    continue
                if self._inside_longer(plain, start, end, name):
                    continue
                sure.add(name.entity_id)
                if self.lexicon.entities[name.entity_id].kind is EntityKind.ORGANISATION:
                    end = with_legal_form(plain, end)
                yield self.mention(start, end, plain[start:end], name.entity_id, day, "lexicon")
        for start, end, name in doubtful:
            if name.entity_id in sure:
                yield self.mention(start, end, plain[start:end], name.entity_id, day, "lexicon")

    def _listed_together(self, plain: str, lower: str, day: date | None) -> Iterator[Mention]:
        """Find the members of "the Departments of Energy and Defense", each under its own full name."""
        for start, end, full in bodies_listed_together(plain):
            said = plain[start:end]
            name = self._best(list(self.lexicon.named(full)), plain, lower, start, end, day)
            if name is not None:
                yield self.mention(start, end, said, name.entity_id, day, "lexicon")
            else:
                kind = EntityKind.AGENCY
                yield Mention(start, end, said, unknown_entity_id(full, kind), full, kind, "pattern")

    def _best(self, names: list[Name], plain: str, lower: str, start: int, end: int, day: date | None) -> Name | None:
        """Choose among the entities that share a name.

        Only entities that use the name on the day are considered. In order of preference: the one whose country
        is mentioned nearby; the one with the most needed words nearby; if several countries share the name, the one
        whose country the text mentions often; the first that needs no words.
        """
        in_use = _in_use(names, day)
        near = plain[max(0, start - NEAR) : end + NEAR]
        shared = len({self.lexicon.entities[name.entity_id].jurisdiction for name in in_use}) > 1
        if shared and (one := self._of_country(in_use, near, 1)):
            return one
        best = _most_supported(in_use, near, lower[max(0, start - NEAR) : end + NEAR])
        if best is None and shared:
            best = self._of_country(in_use, plain, OFTEN)
        return best or next((name for name in in_use if not name.needs), None)

    def _of_country(self, names: list[Name], text: str, least: int) -> Name | None:
        """Return the name whose country a text mentions most, at least `least` times; the first in a tie."""
        best, most = None, least - 1
        for name in names:
            words = self._countries.get(self.lexicon.entities[name.entity_id].jurisdiction, ())
            said = sum(_count(text, word) for word in words)
            if said > most:
                best, most = name, said
        return best

    def _inside_longer(self, plain: str, start: int, end: int, name: Name) -> bool:
        """Return whether a one-word name is the end of a longer one.

        "Cognition" is the end of "Oxbow Cognition" if the text uses the long name throughout or also says "Oxbow", or
        if the short name is ambiguous. "Multimedia Commission", "Texas Senate" and "Brazilian Congress" are
        not the bodies with these short names.
        """
        entity = self.lexicon.entities[name.entity_id]
        if name.kind == "short" and entity.kind is EntityKind.PLACE:  # a capital: "Seoul Women's University"
            return in_longer_name(plain, start, end, _NO_NAME)
        if " " in plain[start:end]:
            return False
        if entity.kind is EntityKind.GROUP:  # "Ministry of Schools"
            return plain[start].isupper() and _OF_A_BODY.search(plain[max(0, start - 40) : start]) is not None
        for_short = name.kind == "short" and entity.kind is EntityKind.AGENCY
        if for_short and _GOES_ON.match(plain, end):
            return True
        before = _CAPITALISED.search(plain[max(0, start - 30) : start])
        if before is None:
            return False
        if for_short:
            codes = self._codes.get(before[1])
            return entity.jurisdiction not in codes if codes else before[1] not in _NO_NAME
        if entity.kind not in _OF_ONE_WORD or before[1] in _NO_NAME:
            return False
        if plain.count(before.group() + plain[start:end]) > 1:
            return True
        if self.lexicon.named(before[1]):
            return False
        ambiguous = bool(name.needs) and not before[1].endswith("ly")
        return ambiguous or re.search(_BY_ITSELF.format(before[1]), plain) is not None

    def _patterns(self, plain: str) -> Iterator[Mention]:
        for pattern in self.lexicon.patterns:
            for match in pattern.find(plain):
                known = self.lexicon.named(match.name, pattern.kind)
                entity_id = known[0].entity_id if known else unknown_entity_id(match.name, pattern.kind)
                yield Mention(match.start, match.end, match.text, entity_id, match.name, pattern.kind, "pattern")


def _table(names: Iterable[Name], fold: bool = False) -> tuple[AhoCorasick, list[list[Name]]]:
    by_text: dict[str, list[Name]] = {}
    for name in names:
        plain = name.text.translate(_SAME_LENGTH)
        by_text.setdefault(_lower(plain) if fold else plain, []).append(name)
    return AhoCorasick(list(by_text) or ["\0"], matchkind=MatchKind.Standard), list(by_text.values()) or [[]]


def _lower(text: str) -> str:
    """Lower-case a text without changing its length."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _is_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum() or before == "." and text[start - 2 : start - 1].isalnum())


def _in_use(names: list[Name], day: date | None) -> list[Name]:
    """Return the names in use on a day; if none was, the former ones.

    Reports still call a renamed body by its former name.
    """
    in_use = [name for name in names if name.used_on(day)]
    return in_use or [name for name in names if day and name.used_until and name.used_until < day]


def _most_supported(names: list[Name], plain: str, lower: str) -> Name | None:
    """Return the name with the most needed words in a text, None if there are none; the first in a tie."""
    best, most = None, 0
    for name in names:
        held = sum(_count(plain, word) if word.isupper() else _count(lower, word, prefix=True) for word in name.needs)
        if held > most:
            best, most = name, held
    return best


def _count(text: str, word: str, prefix: bool = False) -> int:
    """Return the number of times a word, or with `prefix` any word that begins with it, occurs in a text."""
    n, at = 0, text.find(word)
    while at >= 0:
        end = at + len(word)
        n += not text[at - 1 : at].isalnum() and (prefix or not text[end : end + 1].isalnum())
        at = text.find(word, end)
    return n


def _longest(found: Iterable[Mention], first: int = 0) -> list[Mention]:
    """Keep the longest of overlapping mentions, in a tie the lexicon's; the first `first` ones are always kept."""
    ordered = list(found)
    ranked = ordered[:first] + sorted(ordered[first:], key=lambda m: (m.start - m.end, m.basis != "lexicon", m.start))
    taken: list[Mention] = []
    covered = bytearray()
    for mention in ranked:
        if len(covered) < mention.end:
            covered.extend(bytes(mention.end - len(covered)))
        if not any(covered[mention.start : mention.end]):
            covered[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
            taken.append(mention)
    return sorted(taken, key=lambda mention: mention.start)


def _acronyms(plain: str, known: list[Mention]) -> Iterator[Mention]:
    """Yield the mentions that "Full Name (FN)" introduces.

    The letters refer to the known name that ends before the bracket, else to the capitalised words there.
    """
    ends = {mention.end: mention for mention in known}
    learnt: set[str] = set()
    places: dict[str, list[int]] = {}
    for match in _ACRONYM.finditer(plain):
        letters, at = match[1], match.start()
        while at and plain[at - 1] == " ":
            at -= 1
        mention = ends.get(at) or _spelt_out(plain, at, letters)
        if mention is None or mention.text == letters or letters in learnt:
            continue
        learnt.add(letters)
        if mention.basis == "capitals":
            yield mention
        places = places or _places(plain, r"\w+")
        for start in places.get(letters, ()):
            yield replace(mention, start=start, end=start + len(letters), text=letters)


def _places(plain: str, pattern: str) -> dict[str, list[int]]:
    """Return where each word of a text begins, in one pass however many words are looked up."""
    places: dict[str, list[int]] = {}
    for match in re.finditer(pattern, plain):
        places.setdefault(match[0], []).append(match.start())
    return places


def _spelt_out(plain: str, end: int, letters: str) -> Mention | None:
    """Return the capitalised words that end at an offset if their initials are these letters."""
    words = list(re.finditer(r"[^\s()]+", plain[max(0, end - 120) : end]))
    base = max(0, end - 120)
    for n in range(len(letters), min(len(words), len(letters) + 5) + 1):
        chosen = words[-n:]
        if not all(_LEADING.match(word[0]) for word in chosen):
            return None
        if not chosen[0][0][0].isupper():
            continue
        if "".join(word[0][0] for word in chosen if word[0][0].isupper()) == letters.upper():
            start = base + chosen[0].start()
            name = plain[start:end]
            kind = kind_of_name(name.split())
            return Mention(start, end, name, unknown_entity_id(name, kind), name, kind, "capitals")
    return None


def _surnames(plain: str, known: list[Mention]) -> Iterator[Mention]:
    """Yield later mentions of a person by surname."""
    persons = {m.name.split()[-1]: m for m in known if m.kind is EntityKind.PERSON and " " in m.text and " " in m.name}
    places = _places(plain, r"[\w-]+") if persons else {}
    for surname, mention in persons.items():
        if len(surname) < 2:
            continue
        starts: Iterable[int] = places.get(surname, ())
        if not re.fullmatch(r"[\w-]+", surname):  # "O'Dell"
            starts = (m.start() for m in re.finditer(rf"(?<![\w-]){re.escape(surname)}(?![\w-])", plain))
        for start in starts:
            yield replace(mention, start=start, end=start + len(surname), text=surname)


def kind_of_name(words: list[str], context: str = "") -> EntityKind:
    """Guess the kind of an unknown capitalised name from its words and the lower-case words around it."""
    for word in (words[-1], words[0], *words[1:-1]):
        kind = NOUN_KINDS.get(word.lower().strip(".,'"))
        if kind in (EntityKind.AGENCY, EntityKind.INSTRUMENT, EntityKind.ORGANISATION):
            return kind
    if len(words) > 1 and re.fullmatch(r"\d+(?:\.\d+)?[a-z]?", words[-1]) and words[0] not in _NUMBERED:
        return EntityKind.MODEL  # "Heron 4"
    if any(re.search(rf"\b{word}\b", context) for word in ("model", "models", "chatbot", "system")):
        return EntityKind.MODEL
    if words[-1] in _OF_A_FIRM:
        return EntityKind.ORGANISATION
    if 2 <= len(words) <= 3 and all(re.fullmatch(r"[A-Z][a-zé'-]+|[A-Z]\.", word) for word in words):
        return EntityKind.PERSON
    if len(words) == 1 and re.search(r"[0-9]", words[0]):
        return EntityKind.MODEL
    return EntityKind.ORGANISATION


def unknown_names(passages: list[Passage], lexicon: Lexicon) -> list[Mention]:
    """Return the capitalised names in parsed passages that the lexicon does not know, in order, with later surnames."""
    adjectives = {word for place in lexicon.places for word in place.adjectives}
    found: list[Mention] = []
    surnames: dict[str, Mention] = {}
    alone = {match for passage in passages for match in _ALONE.findall(passage.text)}
    for passage in passages:
        taken = {token.i for mention in passage.mentions for token in _tokens_of(passage, mention)}
        for run in _capital_runs(passage, taken):
            titled = False
            while run and (
                run[0].text in PERSON_TITLES
                or run[0].text in adjectives
                or run[0].text in RANKS
                and any(token.text in PERSON_TITLES for token in run[1:3])
            ):
                titled = titled or run[0].text in PERSON_TITLES
                run = run[1:]
            while run and (
                run[-1].text in PERSON_TITLES
                and run[0].lower_ != "office"
                or run[-1].lower_ in TIME_WORDS
                or run[-1].lower_ in _CONNECTORS | _AND
            ):
                run = run[:-1]
            while run and run[0].lower_ in _CONNECTORS | _AND:  # left of "Minister of Science"
                run = run[1:]
            if not run or run[0].lower_ in TIME_WORDS or _no_name(run):
                continue
            mention = _new_mention(passage, run, titled, surnames, alone)
            if mention is not None:
                found.append(mention)
    return found


def _no_name(run: list[Token]) -> bool:
    """Return whether capitalised words are a common noun ("Executive Order", "Federal Agencies") or an abbreviation."""
    words = [token.lower_ for token in run]
    short = words[0] in _ABBREVIATIONS or len(words[0]) < 2 or words[0].endswith(".")
    if len(run) == 1 and (short or run[0].text in REGIONAL and run[0].pos_ == "ADJ"):
        return True
    if all(word in _ABBREVIATIONS for word in words):
        return True
    return singular(words[-1]) in NOUN_KINDS and all(word in _COMMON for word in words[:-1])


def _new_mention(
    passage: Passage, run: list[Token], titled: bool, surnames: dict[str, Mention], alone: set[str]
) -> Mention | None:
    doc = passage.doc
    start, end = run[0].idx, run[-1].idx + len(run[-1].text)
    at = person_at(passage.text, start, end)
    if at == end:
        return None
    start, titled = at, titled or at > start
    if passage.text[start:end].endswith(" AI") and _before_product(run[-1]):
        end -= len(" AI")  # "its Heron-XL AI model"
    name = passage.text[start:end]
    if len(run) == 1 and name in surnames:
        return replace(surnames[name], start=passage.start + start, end=passage.start + end, text=name)
    shouted = name.isupper() and len(name) > 6
    plain = run[0].is_sent_start and run[0].tag_ not in ("NNP", "NNPS")
    if len(run) == 1 and (shouted or plain or not name[0].isupper()):
        return None
    around = " ".join(token.lower_ for token in doc[max(0, run[0].i - 3) : run[-1].i + 3] if token not in run)
    words = name.split()
    kind = EntityKind.PERSON if titled and len(words) <= 3 else kind_of_name(words, around)
    part = run[-1].dep_ in ("compound", "appos", "nmod", "conj", "amod") or _names_product(doc, run)
    if kind is EntityKind.MODEL and not part and not re.search(r"\d", name):
        kind = kind_of_name(words)
    family_first = kind is EntityKind.PERSON and not titled and words[0] in alone and words[-1] not in alone
    if family_first and not is_presented(run[-1]):
        kind = EntityKind.ORGANISATION  # "Bindi Labs" becomes "Bindi" later; a person would go by the last word
    mention = Mention(
        passage.start + start, passage.start + end, name, unknown_entity_id(name, kind), name, kind, "capitals"
    )
    if len(words) > 1 and kind is EntityKind.PERSON:
        surnames.setdefault(words[0 if family_first else -1], mention)
    elif len(words) > 1 and kind in (EntityKind.ORGANISATION, EntityKind.AGENCY) and words[0].lower() not in _COMMON:
        surnames.setdefault(words[0], mention)
    return mention


def _names_product(doc: Doc, run: list[Token]) -> bool:
    """Return whether a name is part of a product's, as in "the AI chatbot Petrel"."""
    return run[0].i > 0 and doc[run[0].i - 1].head == run[-1] and doc[run[0].i - 1].lower_ in ("chatbot", "model")


def _before_product(token: Token) -> bool:
    """Return whether the next word is "model", "chatbot" or another noun for a product."""
    after = token.i + 1
    return after < len(token.doc) and NOUN_KINDS.get(singular(token.doc[after].lower_)) is EntityKind.MODEL


def _capital_runs(passage: Passage, taken: set[int]) -> Iterator[list[Token]]:
    """Yield runs of capitalised tokens that are not a known name, joined by "of", "for" and "and" before a capital."""
    doc, i = passage.doc, 0
    while i < len(doc):
        if not _capital(doc[i]) or i in taken:
            i += 1
            continue
        run, joined = [doc[i]], False
        i += 1
        while i < len(doc):
            if i not in taken and _capital(doc[i], inside=True):
                run.append(doc[i])
                i += 1
                continue
            connector = doc[i].lower_ in _CONNECTORS or joined and doc[i].lower_ in _AND
            if doc[i].lower_ == "of" and reads_as_person([token.text for token in run]):
                break  # "Dana Roe of Orchid Labs"
            if of_the(doc, i, run[-1]) and i + 2 not in taken and _capital(doc[i + 2]):
                run += [doc[i], doc[i + 1], doc[i + 2]]
                joined = True
                i += 3
                continue
            if connector and i + 1 < len(doc) and i + 1 not in taken and _capital(doc[i + 1]):
                run += [doc[i], doc[i + 1]]
                joined = True
                i += 2
                continue
            break
        yield run


def _capital(token: Token, inside: bool = False) -> bool:
    if not token.text[:1].isupper() and not (
        inside and token.like_num and token.text[0].isdigit() and len(token.text) < 5
    ):
        return False
    if token.text[:1].isdigit() and token.i + 1 < len(token.doc) and _COUNTED.match(token.nbor().lower_):
        return False  # "fined Orchid Labs 40 million"
    if token.is_sent_start or token.i == 0:
        return token.pos_ == "PROPN" and len(token.text) > 1
    return token.pos_ in ("PROPN", "NUM") or token.pos_ in ("NOUN", "ADJ", "X", "VERB") and token.text[:1].isupper()


def _tokens_of(passage: Passage, mention: Mention) -> list[Token]:
    span = passage.doc.char_span(mention.start - passage.start, mention.end - passage.start, alignment_mode="expand")
    return list(span) if span is not None else []
