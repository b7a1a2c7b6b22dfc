"""Reads the cases in tests/unit/readings and checks what the pipeline makes of each text.

Questions about names, dates, coreference and paragraphs are answered by rules: every case must be right. What a
sentence claims is decided by a trained model: its cases are counted.

A file asks one question of all its cases. Each case has a `text`, what is asked about it (for example `type` or
`trigger`), the answer under `expect`, and `why` where the answer is not obvious. Keys at the top of a file are
defaults for its cases; `{name}` in a text is replaced by the passage of that name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.nlp.credits import find_credits
from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.parsing.paragraphs import find_paragraphs
from pipeline.nlp.pipeline import Reading, doc_of, extract
from pipeline.records import Claim, Participant
from scrapers.items import Article, text_version
from support.nlp_tools import load_once

FOLDER = Path(__file__).parents[1] / "unit" / "readings"
ROLES = ("actor", "target", "affected", "object", "instrument", "body")


@dataclass(frozen=True)
class Case:
    """One text, what is asked about it, and the expected answer."""

    subject: str  # the file's name
    question: str
    text: str
    expect: Mapping[str, Any]
    why: str = ""
    # the article
    published: date | None = None
    title: str = "Title"
    publisher: str = ""
    # claims: those that match all of these; with a trigger, the first of them
    type: str = ""
    trigger: str = ""
    direction: str = ""
    quote: str = ""
    # coreference: the nth occurrence of a word, -1 for the last
    word: str = ""
    nth: int = 1
    passages: Mapping[str, str] = field(default_factory=dict)

    @property
    def article(self) -> Article:
        when = self.published and datetime(
            self.published.year, self.published.month, self.published.day, 12, tzinfo=UTC
        )
        return Article(
            "a1", text_version(self.text), "test", "https://example.org/1", self.title, self.text,
            published_at=when, publisher=self.publisher,
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.subject}: {self.text[:70]}"


def load_cases(folder: Path = FOLDER) -> list[Case]:
    """Return the cases of all files, in the order of the files."""
    return [case for path in sorted(folder.glob("*.toml")) for case in _read_file(path)]


def check(case: Case) -> None:
    """Assert that the pipeline gives the expected answer, and that the case expects something."""
    assert case.expect, "the case expects nothing"
    answer = QUESTIONS[case.question](case)
    for key, expected in case.expect.items():
        assert key in answer, f"{case.subject}: {key!r} is no answer to {case.question!r}; known are {sorted(answer)}"
        found = answer[key]
        if callable(found):
            found(expected)
        else:
            assert found == expected, f"{key} is {found!r}, expected was {expected!r}. {case.why}"


def _read_file(path: Path) -> Iterable[Case]:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    cases = data.pop("case")
    passages = data.get("passages", {})
    for values in cases:
        values = data | values
        unknown = set(values) - {each.name for each in fields(Case)}
        if unknown:
            raise ValueError(f"{path.name}: unknown key {sorted(unknown)[0]!r} in the case {values.get('text')!r}")
        for name, words in passages.items():
            values["text"] = values["text"].replace(f"{{{name}}}", words)
        yield Case(subject=path.stem, **values)


# -- the questions: each returns its possible answers by their key under `expect`; a function checks for itself
# --------------------------------------------------------------------------------------------------------------


def claims(case: Case) -> dict[str, Any]:
    """What is claimed: facts of the one claim asked for (`modality`), of all of them (`modalities`), and parties."""
    everything = extract(case.article, load_once()).claims
    found = [each for each in everything if _is_asked_for(each, case)]
    for party in (party for each in everything for party in each.participants if party.start >= 0):
        assert _plain(case.text[party.start : party.end]) == _plain(party.text)
    count = len(found)
    if case.trigger:
        assert found, f"no claim with the trigger {case.trigger!r}"
        found = found[:1]
    parties = [party for each in found for party in each.participants]
    types = [each.type for each in everything]
    answer: dict[str, Any] = {
        "count": count,
        "types": types,
        "includes_types": _includes(types),
        "excludes_types": _excludes(types),
        "dates": [_day(each) for each in found],
        "dates_exclude": _excludes([_day(each) for each in found]),
        "dates_by_trigger": {each.trigger: _day(each) for each in found},
        "directions": sorted({each.direction or "" for each in found}),
        "modalities": sorted({each.modality.value for each in found}),
        "modalities_exclude": _excludes([each.modality.value for each in found]),
        "modalities_by_trigger": {each.trigger: each.modality.value for each in found},
        "newnesses": [each.newness for each in found],
        "quotes": sorted({each.evidence.quote for each in found}),
        "includes": _in_roles(parties, _includes),
        "excludes": _in_roles(parties, _excludes),
        "words": lambda wanted: _compare({role: _texts(parties, role) for role in wanted}, wanted),
        "words_include": _includes([party.text for party in parties]),
    }
    answer |= {role: _names(parties, role) for role in ROLES}
    if len(found) == 1:
        answer |= {"modality": found[0].modality.value, "newness": found[0].newness, "date": _day(found[0])}
        answer |= {"direction": found[0].direction, "quote": found[0].evidence.quote}
    elif {"modality", "newness", "date", "direction", "quote"} & set(case.expect):
        raise AssertionError(f"one claim was expected, found: {[(each.type, each.trigger) for each in found]}")
    return answer


def attribution(case: Case) -> dict[str, Any]:
    """Who is the source of what a trigger says."""
    found = [each for each in extract(case.article, load_once()).claims if _is_asked_for(each, case)]
    assert found, f"no claim with the trigger {case.trigger!r}"
    return {"kind": found[0].attribution.kind, "name": found[0].attribution.name}


def coreference(case: Case) -> dict[str, Any]:
    """Whom a word stands for."""
    reading = read_by_rules(case.article)
    assert reading.referents is not None
    found = [token for passage in reading.passages for token in passage.doc if token.lower_ == case.word]
    names = [mention.name for mention in reading.referents.of(found[case.nth - (case.nth > 0)])]
    return {"names": names, "excludes": _excludes(names)}


def credits(case: Case) -> dict[str, Any]:
    """Which other publishers a text credits; each credit quotes its words."""
    found = find_credits(case.article, read_by_rules(case.article).known)
    for each in found:
        assert case.text[each.start : each.end].removeprefix("The ") == each.name.removeprefix("The ")
    return {"names": [each.name for each in found]}


def names(case: Case) -> dict[str, Any]:
    """Which names of the lexicon a text has, and which new names with their kinds."""
    reading = read_by_rules(case.article)
    known = [mention.name for mention in reading.known]
    new = {mention.name: mention.kind.value for mention in reading.unknown}
    return {
        "names": known, "includes": _includes(known), "excludes": _excludes(known),
        "words": [mention.text for mention in reading.known],
        "new": new, "new_includes": _includes(new), "new_excludes": _excludes(new),
        "new_kinds": lambda wanted: _compare({name: new.get(name) for name in wanted}, wanted),
    }  # fmt: skip


def paragraphs(case: Case) -> dict[str, Any]:
    """What kind each paragraph of a text is of, and what is left of it without bullet and dateline."""
    found = find_paragraphs(case.text)
    return {
        "kinds": [each.kind for each in found],
        "kept": [case.text[each.start : each.end] for each in found],
    }


def date_expressions(case: Case) -> dict[str, Any]:
    """What a time expression means, in the middle of a sentence."""
    (found,) = find_dates(f"The agency acted {case.text} again.", case.published)
    assert found.span is not None
    return {"value": found.span.value, "precision": found.span.precision.value}


def read_by_rules(article: Article) -> Reading:
    """Return what the components before the model know about an article."""
    nlp = load_once()
    doc = doc_of(article, nlp)
    for name, component in nlp.pipeline:
        if name == "events":
            break
        doc = component(doc)
    return doc._.reading


LEARNT = ("claims", "attribution")  # the questions that the trained model answers
QUESTIONS: dict[str, Callable[[Case], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        claims, coreference, attribution, credits, names, paragraphs, date_expressions,
    )
}  # fmt: skip


def _is_asked_for(claim: Claim, case: Case) -> bool:
    return (
        case.type in ("", claim.type)
        and case.direction in ("", claim.direction)
        and case.trigger in claim.trigger
        and case.quote in claim.evidence.quote
    )


def _plain(words: str) -> str:
    return words.replace("’", "'")


def _day(claim: Claim) -> str:
    return claim.date.value if claim.date else ""


def _names(parties: Iterable[Participant], role: str) -> list[str]:
    return list(dict.fromkeys(party.name for party in parties if role in (party.role, "any")))


def _texts(parties: Iterable[Participant], role: str) -> list[str]:
    return list(dict.fromkeys(party.text for party in parties if role in (party.role, "any")))


def _in_roles(parties: list[Participant], comparison: Callable) -> Callable[[Mapping[str, list[str]]], None]:
    """Return a check of {role: names}, where the role "any" stands for all roles."""

    def check_roles(wanted: Mapping[str, list[str]]) -> None:
        for role, names_ in wanted.items():
            comparison(_names(parties, role))(names_)

    return check_roles


def _includes(found: Iterable[str]) -> Callable[[Iterable[str]], None]:
    def check_included(wanted: Iterable[str]) -> None:
        assert set(wanted) <= set(found), f"found {sorted(found)}"

    return check_included


def _excludes(found: Iterable[str]) -> Callable[[Iterable[str]], None]:
    def check_excluded(unwanted: Iterable[str]) -> None:
        assert not set(unwanted) & set(found), f"found {sorted(found)}"

    return check_excluded


def _compare(found: object, wanted: object) -> None:
    assert found == wanted, f"found {found!r}"
