"""Compares two texts of one article sentence by sentence, ignoring what is not wording.

White space, typographic quotes and dashes, time stamps, cookie banners and teasers do not count: an edit of them alone
is no edit. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from difflib import SequenceMatcher
from functools import lru_cache

from scrapers.reading.boilerplate import rule_for

ALIKE = 0.5  # similarity at which a sentence counts as the new wording of another
_PLAIN = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "´": "'", "`": "'",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "\u00ad": "", "\u200b": "", "\u2060": "", "\ufeff": "",
        "…": "...",
    }
)  # fmt: skip
_CLOCK = r"\d{1,2}[:.]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?(?:\s*(?:[a-z]{1,4}t|utc|gmt|[+-]\d{2}:?\d{2}))?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = (
    rf"(?:{_MONTH}\s+\d{{1,2}},?\s+\d{{4}}|\d{{1,2}}\s+{_MONTH}\s+\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|today|yesterday)"
)
_WHEN = rf"(?:{_DAY}|{_CLOCK}|\d+ (?:min(?:ute)?|hour|day)s? (?:ago|read))"
_STAMP = (
    r"(?:(?:first|last|originally)\s+)?(?:published|updated|modified|posted|changed|edited|revised)"
    rf"(?:\s+(?:on|at))?:?\s*{_WHEN}(?:[\s,|·-]+(?:at\s+)?{_WHEN})*"
)
# A time stamp is in brackets or starts a line; "rules published on 3 May 2026" is prose.
_STAMPS = re.compile(rf"\({_STAMP}\)|^{_STAMP}(?:[.:|]\s+|\s-\s|[.:|]?$)")
_ONLY_STAMP = re.compile(rf"(?:{_WHEN}|[\s,|·-])+")
_CLUTTER = re.compile(
    r"\b(?:we|this (?:web)?site|our (?:web)?site|we and our partners) uses? (?:\w+ )?cookies\b"
    r"|\b(?:accept|reject|manage) (?:all |our |necessary |your )?(?:cookies|cookie (?:settings|preferences))\b"
    r"|^(?:accept|reject) all\b.{0,20}$|\byour privacy choices\b|^by continuing to (?:use|browse)\b"
    r"|^(?:related|read more|read also|see also|more on this|more|recommended|trending|most read|advertisement)(?::|$)"
    r"|^(?:subscribe|sign up|sign in|log in) (?:to|for|now|here)\b.{0,120}$"
)
_LITTLE = frozenset(
    """a an the of to in on at by for with from as and or that which who it its is are was were be been has have had
    will would could may might this these their his her""".split()  # noqa: SIM905
)
_BREAK = re.compile(r"(?<=[.!?])(?P<close>[\"'”’»)\]]*)\s+(?=[\"'“‘«(\[]*[A-Z0-9])")
_ABBREVIATED = re.compile(
    r"\b(?:[A-Z]\.(?:[A-Z]\.)*|Mr\.|Mrs\.|Ms\.|Dr\.|St\.|Sen\.|Rep\.|Gov\.|Gen\.|Lt\.|Prof\.|Inc\.|Corp\.|Co\.|Ltd\."
    r"|[ap]\.m\.|vs?\.|Jan\.|Feb\.|Aug\.|Sept?\.|Oct\.|Nov\.|Dec\.)$"
)


@lru_cache(maxsize=20_000)
def plain(sentence: str) -> str:
    """Normalise a sentence for comparison: no case, typography, time stamps or repeated spaces."""
    text = unicodedata.normalize("NFKC", sentence.translate(_PLAIN)).translate(_PLAIN)
    text = " ".join(_STAMPS.sub(" ", " ".join(text.split()).casefold()).split())
    return "" if _ONLY_STAMP.fullmatch(text) else text


@lru_cache(maxsize=20_000)
def of_the_article(sentence: str) -> str:
    """Return plain(sentence), "" for a teaser, a cookie banner and the like."""
    text = plain(sentence)
    return "" if rule_for(text) or _CLUTTER.search(text) else text


@lru_cache(maxsize=16)
def squeezed(text: str) -> str:
    """Return a normalised text without white space, so that a sentence is found however it is broken into lines."""
    return "".join("".join(map(plain, sentences(text))).split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, paragraph by paragraph."""
    found = []
    for paragraph in text.split("\n"):
        start = 0
        line = paragraph.strip()
        for match in _BREAK.finditer(line):
            if _ABBREVIATED.search(line[start : match.start()]):
                continue
            found.append(line[start : match.end("close")].strip())
            start = match.end()
        found.append(line[start:].strip())
    return [sentence for sentence in found if sentence]


def compare(old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences removed and added, each in text order; both empty if the texts say the same."""
    before, after = sentences(old), sentences(new)
    had, has = ([key for s in some if (key := of_the_article(s))] for some in (before, after))
    if "".join("".join(had).split()) == "".join("".join(has).split()):
        return (), ()  # only a paragraph break moved
    return tuple(_beyond(before, Counter(has))), tuple(_beyond(after, Counter(had)))


def _beyond(some: list[str], others: Counter[str]) -> list[str]:
    """Return the sentences that the other text lacks, or has less often."""
    left, found = Counter(others), []
    for sentence in some:
        key = of_the_article(sentence)
        if not key:
            continue
        if left[key] > 0:
            left[key] -= 1
        else:
            found.append(sentence)
    return found


def similarity(one: str, other: str) -> float:
    """Return the similarity of two sentences, 0 to 1: 1 for the same wording, else by common words in order.

    Function words and endings do not count: "will sign the accord" and "has not signed the accord" are similar.
    """
    if plain(one) == plain(other):
        return 1.0
    a, b = _telling(one), _telling(other)
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a and b else 0.0


@lru_cache(maxsize=20_000)
def _telling(sentence: str) -> tuple[str, ...]:
    words = re.findall(r"\w+(?:[-'.]\w+)*", plain(sentence))
    return tuple(re.sub(r"(?<=\w\w\w)(?:ed|ing|es|s|'s)$", "", word) for word in words if word not in _LITTLE)


def nearest(sentence: str, others: tuple[str, ...]) -> str:
    """Return the sentence that is probably the new wording of this one, "" for none."""
    best = max(others, key=lambda other: similarity(sentence, other), default="")
    return best if best and similarity(sentence, best) >= ALIKE else ""


def word_changes(old: str, new: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """Split two wordings into (words, changed) pieces, so that a page can mark what was removed and added.

    The joined pieces give each sentence again.
    """
    a, b = (re.findall(r"\w+(?:[-'’.]\w+)*\s*|[^\w\s]+\s*", text.strip()) for text in (old, new))
    keys_a, keys_b = [plain(w) for w in a], [plain(w) for w in b]
    before: list[tuple[str, bool]] = []
    after: list[tuple[str, bool]] = []
    for tag, i, j, k, m in SequenceMatcher(None, keys_a, keys_b, autojunk=False).get_opcodes():
        before += _pieces(a[i:j], tag != "equal")
        after += _pieces(b[k:m], tag != "equal")
    return tuple(before), tuple(after)


def _pieces(tokens: list[str], changed: bool) -> list[tuple[str, bool]]:
    """Return tokens as one piece; trailing spaces are never marked."""
    words = "".join(tokens)
    kept = words.rstrip() if changed else words
    return [piece for piece in ((kept, changed), (words[len(kept) :], False)) if piece[0]]
