"""Finds sums of money in a text and decides whether two of them may be the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCALE = {
    "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "mn": 1e6,
    "billion": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12,
}  # fmt: skip
_NEAR = re.compile(
    r"\b(?:about|around|some|roughly|nearly|almost|approximately|more than|over|(?P<most>up to|as much as|at most|"
    r"no more than)|(?P<least>at least|no less than))\s+$",
    re.I,
)
_SUM = re.compile(
    r"(?P<sign>US\$|[$€£¥])\s?(?P<digits>\d[\d,]*(?:\.\d+)?)"
    r"(?:[ -]?(?P<scale>thousand|million|billion|trillion|bn|mn|k|m|b)\b)?"
    r"|(?P<digits2>\d[\d,]*(?:\.\d+)?)[ -](?P<scale2>thousand|million|billion|trillion) "
    r"(?P<word>dollars|euros|pounds|yen|yuan)",
    re.I,
)  # fmt: skip
_WORDS = {"dollars": "$", "euros": "€", "pounds": "£", "yen": "¥", "yuan": "¥", "us$": "$"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money.

    Attributes:
        currency: Its sign: "$", "€" ...
        value: In units of the currency.
        unit: Size of the last stated digit.
        near: Whether it is approximate ("about", "up to").
        said: The words.
        bound: "most" for "up to", "least" for "at least", else "".
    """

    currency: str
    value: float
    unit: float
    near: bool
    said: str
    bound: str = ""


def amounts(text: str) -> list[Amount]:
    """Return the sums of money in a text, left to right."""
    found = []
    for match in _SUM.finditer(text):
        digits = (match["digits"] or match["digits2"]).replace(",", "").rstrip(".")
        scale = _SCALE[(match["scale"] or match["scale2"] or "").lower()] if match["scale"] or match["scale2"] else 1.0
        sign = (match["sign"] or match["word"]).lower()
        decimals = len(digits.partition(".")[2])
        zeros = 0 if decimals or not digits.endswith("0") else 1
        near = _NEAR.search(text[: match.start()])
        found.append(
            Amount(
                _WORDS.get(sign, sign), float(digits) * scale, scale * 10.0 ** (zeros - decimals), bool(near),
                ((near[0] if near else "") + match[0]).strip(), (near.lastgroup or "") if near else "",
            )
        )  # fmt: skip
    return found


def agree(one: Amount, other: Amount) -> bool:
    """Return True if both may be one sum. Rounding and "about" are allowed; different currencies are not compared."""
    if one.currency != other.currency:
        return True
    if one.bound or other.bound:
        return all(_within(a, b) for a, b in ((one, other), (other, one)))
    if one.near or other.near:
        return abs(one.value - other.value) <= 0.1 * max(one.value, other.value)
    return abs(one.value - other.value) <= max(one.unit, other.unit) / 2


def _within(bound: Amount, other: Amount) -> bool:
    """Return True if the other sum lies within a bound, or the first is not a bound."""
    slack = max(bound.unit, other.unit) / 2
    if bound.bound == "most" and other.bound != "most":
        return other.value <= bound.value + slack
    if bound.bound == "least" and other.bound != "least":
        return other.value >= bound.value - slack
    return not bound.bound or abs(bound.value - other.value) <= 0.1 * max(bound.value, other.value)
