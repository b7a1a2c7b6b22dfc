"""Extracts from the quotes of an event what no party or object says: a promise, a request, a bill's content.

"promised to keep every complaint", "asked the agency to withdraw its order", "a bill that would ban ...". Words are
copied up to the end of their clause. Nothing is taken if a condition would be cut off or the words speak of "us" and
"you".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.records import Claim, Modality

MOST_WORDS = 18  # of a copied clause; a longer one is cut where another clause begins
MOST_CLAIMS = 40  # the earliest claims of an event, whose sentences are searched
_MONEY = re.compile(r"[$€£]\s?\d[\d.,]*\d|[$€£]\s?\d")
_SUM = re.compile(
    rf"(?:{_MONEY.pattern})(?: (?:thousand|[mb]illion))?(?= (?:over|to|into|for|towards?|each|a year)\b|$)"
)
_PROMISES = {
    "promis": "promise", "pledg": "pledge", "vow": "vow", "committed": "commit", "commits": "commit",
    "commit": "commit", "agree": "agree", "undert": "undertake",
}  # fmt: skip
_NO_VERB = (
    r"(?!(?:the|an?|its|their|his|her|our|my|your|this|that|these|those|all|any|some|each|every|both|which|whom|what|"
    r"it|them|him|us|me|you|one|date|more|less|other|others|new|such|no)\b)(?!\w+(?<!s)s\b)(?!\w+ing\b)"
)
_TO_DO = rf"(?P<deed>(?:not )?to {_NO_VERB}(?P<verb>[a-z]{{2,}})\b.*)"
_MEANWHILE = (
    r"(?:\s+(?:also|today|publicly|jointly|together|again|on \d+ [A-Z][a-z]+|on [A-Z][a-z]+(?: \d+)?|in [A-Z][a-z]+))*"
)
_END = re.compile(
    r"[,;:.?!()\[\]—–\n]|\s-\s|\s(?=(?:whether or not|and (?:would|will|has|had|is|was|said|"
    r"\w+(?:s|ed) (?:them|it|him|her|that|to|the|its|their|by|on|an?)))\b)"
)
_CONDITION = re.compile(r"(?i)\b(?:if|unless|provided|except|only|until|subject to|as long as|so long as|once|when)\b")
_OTHER_CLAUSE = re.compile(r"\s(?=(?:that|which|who|whose|while|because|after|before|as|and|by|so)\b)")
_OTHER_DAY = re.compile(
    r"(?i)\s+(?:(?:by|before|until|from|at|on|since|within|as early as)\s+)?"
    r"(?:the (?:end|start|beginning|middle) of\s+)?(?:today|tomorrow|yesterday|tonight|(?:this|next|last|coming) "
    r"(?:week|month|year|spring|summer|autumn|fall|winter|mon|tues|wednes|thurs|fri|satur|sun)\w*)\b.*"
)
_OURSELVES = re.compile(r"\b(?:[Ww]e|us|I|me|[Mm]y|mine|[Yy]ou|[Yy]our|ours|ourselves)\b")
_DANGLING = re.compile(r"(?:\s+(?:and|or|to|of|for|the|an?|with|by|from|its|their|as|that))+$")
_QUOTED = re.compile(r"[“”\"]")
_ACCESS = re.compile(r"\baccess to (?!do\b)(?P<what>.+)")
_ASKED_FOR = re.compile(
    rf"\b(?:request|demand|call|petition|appeal|invitation|offer)s?\b[^,;:.]{{0,60}}?\s"
    rf"(?P<for>for access to .+|{_TO_DO})"
)
_PACT_TO = re.compile(
    rf"^[^,;:.]{{0,40}}?\b(?:agreement|deal|pact|contract|memorandum|partnership|arrangement) {_TO_DO}"
)
_WHICH = re.compile(
    r"^[^,;:.]{0,30}?\b(?:bills?|laws?|legislation|rules?|regulations?|orders?|guidance|act)\s"
    r"(?P<which>(?:that|which) (?:would|will|could|requires?|makes?|bans?|obliges?|limits?|bars?|allows?|forces?|sets?|"
    r"gives?|creates?) .+|(?:requiring|barring|banning|limiting|obliging|allowing|forcing|prohibiting) .+)"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What an event was about by its sentences, "" where they do not say.

    Attributes:
        verb: What kind of statement: "promise", "ask" ...
        deed: What was promised or asked: "to keep ...".
        access: What access was asked to.
        asked: What a refused request was for.
        which: What an unnamed bill or rule does.
    """

    verb: str = ""
    deed: str = ""
    access: str = ""
    asked: str = ""
    which: str = ""


NOTHING = Content()


def content_of(claims: Sequence[Claim], parties: Collection[tuple[str, str]] = ()) -> Content:
    """Return the content of the first claim that has any, among those that name all `parties`.

    `parties`: (role, entity id) of those whom the summary names; a promise of one of them may not be the others'.
    """
    for claim in claims[:MOST_CLAIMS]:
        known = {(p.role, p.entity_id) for p in claim.participants}
        if all(party in known for party in parties) and (found := _content(claim)) != NOTHING:
            return _without_disputed_sums(found, claims)
    return NOTHING


def _without_disputed_sums(content: Content, claims: Sequence[Claim]) -> Content:
    """Return the content without a sum that another report contradicts: the summary takes no side."""
    sums = set(_MONEY.findall(content.deed))
    reported = (set(_MONEY.findall(claim.evidence.quote)) for claim in claims[:MOST_CLAIMS])
    if not any(some and not sums & some for some in reported) or not sums:
        return content
    deed = _SUM.sub("money", content.deed)
    return NOTHING if _MONEY.search(deed) else replace(content, deed=deed)


def _content(claim: Claim) -> Content:
    quote = claim.evidence.quote
    start, end = (at - claim.evidence.start for at in (claim.trigger_start, claim.trigger_end))
    if not 0 <= start < end <= len(quote):
        return NOTHING
    before, after = quote[:start], quote[end:]
    reading = _READINGS.get(claim.type)
    return reading(claim, before, after) if reading else NOTHING


def _promise(claim: Claim, before: str, after: str) -> Content:
    trigger = claim.trigger.casefold()
    verb = next((verb for stem, verb in _PROMISES.items() if trigger.split()[-1].startswith(stem)), "")
    if verb and (found := re.match(_MEANWHILE + r"\s+" + _TO_DO, after)):
        return Content(verb=verb, deed=clipped(found["deed"]))
    if claim.modality is Modality.PLANNED and re.search(r"\bwill(?: also| now)? $", before) and trigger.isalpha():
        deed = clipped(after.strip()) if re.match(r"\s+[\w$€£]", after) else ""
        return Content(verb=trigger, deed=deed) if deed else NOTHING
    return NOTHING


def _request(claim: Claim, before: str, after: str) -> Content:
    access = _ACCESS.search(next(_clauses(after), ""))
    found = re.match(r"[^,;:.“”\"]{0,90}?\s" + _TO_DO, after)
    deed = "" if found is None or access and access.start() < found.start("deed") else clipped(found["deed"])
    return Content(verb="ask", deed=deed, access=clipped(access["what"]) if access and not deed else "")


def _clauses(text: str) -> Iterator[str]:
    yield from re.split(r"[;:.?!]", text)


def _agreed(claim: Claim, before: str, after: str) -> Content:
    found = _PACT_TO.search(f"{claim.trigger}{after}")
    return Content(deed=clipped(found["deed"])) if found else NOTHING


def _refused(claim: Claim, before: str, after: str) -> Content:
    found = _ASKED_FOR.search(after)
    return Content(asked=clipped(found["for"])) if found else NOTHING


def _paper(claim: Claim, before: str, after: str) -> Content:
    found = _WHICH.match(after)
    return Content(which=clipped(found["which"])) if found else NOTHING


_READINGS = {
    "commitment": _promise, "agreement": _agreed, "access_request": _request, "refusal": _refused,
    "legislation": _paper, "regulation": _paper, "executive_action": _paper,
}  # fmt: skip


def clipped(words: str) -> str:
    """Return the words up to the end of their clause, "" if too little or too much would be cut."""
    end = _END.search(words)
    kept, rest = (words[: end.start()], words[end.start() :]) if end else (words, "")
    if _CONDITION.search(re.split(r"[.?!]", rest)[0]):
        return ""
    kept = _OTHER_DAY.sub("", kept)
    if len(kept.split()) > MOST_WORDS:
        cuts = [m.start() for m in _OTHER_CLAUSE.finditer(kept) if 3 <= len(kept[: m.start()].split()) <= MOST_WORDS]
        if not cuts or _CONDITION.search(kept[cuts[-1] :]):
            return ""
        kept = kept[: cuts[-1]]
    if len(_QUOTED.findall(kept)) % 2:
        kept = _QUOTED.sub("", kept)
    kept = _DANGLING.sub("", kept.strip())
    return "" if _OURSELVES.search(kept) or len(kept.split()) < 2 else kept
