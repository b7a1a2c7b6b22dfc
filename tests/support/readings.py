"""Reads the cases in tests/unit/readings and checks what the pipeline makes of each text.

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

from pipeline.nlp.attribution import Speakers, attribute
from pipeline.nlp.credits import find_credits
from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.dates.resolve import claim_date
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.mentions import unknown_names
from pipeline.nlp.parsing.paragraphs import find_paragraphs
from pipeline.nlp.pipeline import extract, read_text
from pipeline.records import Claim, Modality, Participant
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
    classifier: bool = False
    # claims: those that match all of these; with a trigger, the first of them
    type: str = ""
    trigger: str = ""
    direction: str = ""
    rule: str = ""
    quote: str = ""
    # coreference: the nth occurrence of a word, -1 for the last
    word: str = ""
    nth: int = 1
    # trigger_dates: what is known of the claim
    modality: str = "occurred"
    newness: str = "new"
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
    everything = extract(case.article, load_once(classifier=case.classifier)).claims
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


def coreference(case: Case) -> dict[str, Any]:
    """Whom a word stands for."""
    assert case.published
    passages, _, referents, _ = read_text(case.article, load_once(classifier=False), case.published)
    found = [token for passage in passages for token in passage.doc if token.lower_ == case.word]
    names = [mention.name for mention in referents.of(found[case.nth - (case.nth > 0)])]
    return {"names": names, "excludes": _excludes(names)}


def attribution(case: Case) -> dict[str, Any]:
    """Who is the source of what a trigger says."""
    tools = load_once(classifier=False)
    spans = [(paragraph.start, paragraph.end) for paragraph in find_paragraphs(case.text)]
    passages = list(tools.language.parse(case.text, spans, tools.names.find(case.text, case.published)))
    referents = Referents(passages, unknown_names(passages, tools.lexicon), tools.lexicon, case.published, None)
    at = case.text.index(case.trigger)
    passage = next(each for each in passages if each.start <= at < each.start + len(each.doc.text))
    start = at - passage.start
    token = passage.doc.char_span(start, start + len(case.trigger), alignment_mode="expand").root
    source = attribute(token, Speakers(passages, referents, None, case.publisher))
    return {"kind": source.kind, "name": source.name}


def credits(case: Case) -> dict[str, Any]:
    """Which other publishers a text credits; each credit quotes its words."""
    found = find_credits(case.article, load_once(classifier=False).names.find(case.text, case.published))
    for each in found:
        assert case.text[each.start : each.end].removeprefix("The ") == each.name.removeprefix("The ")
    return {"names": [each.name for each in found]}


def names(case: Case) -> dict[str, Any]:
    """Which names of the lexicon a text has, and which new names with their kinds."""
    tools = load_once(classifier=False)
    mentions = tools.names.find(case.text, case.published)
    known = [mention.name for mention in mentions]
    passages = list(tools.language.parse(case.text, [(0, len(case.text))], mentions))
    new = {mention.name: mention.kind.value for mention in unknown_names(passages, tools.lexicon)}
    return {
        "names": known, "includes": _includes(known), "excludes": _excludes(known), "words": [m.text for m in mentions],
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


def trigger_dates(case: Case) -> dict[str, Any]:
    """Which date of a sentence dates a trigger, by position alone."""
    start = case.text.index(case.trigger)
    dates = find_dates(case.text, case.published)
    span = claim_date(
        sentence=(0, len(case.text)),
        trigger=(start, start + len(case.trigger)),
        modality=Modality(case.modality),
        dates=dates,
        published=case.published,
        text=case.text,
        newness=case.newness,
    )
    return {"date": span.value if span else "", "basis": span.basis if span else ""}


QUESTIONS: dict[str, Callable[[Case], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        claims, coreference, attribution, credits, names, paragraphs, date_expressions, trigger_dates,
    )
}  # fmt: skip


def _is_asked_for(claim: Claim, case: Case) -> bool:
    return (
        case.type in ("", claim.type)
        and case.direction in ("", claim.direction)
        and case.rule in ("", claim.rule)
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
