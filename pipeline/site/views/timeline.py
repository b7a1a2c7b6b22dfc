"""Counts by month and kind come in, the bars of a small chart with their links go out; nothing here makes HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from pipeline.site.queries.pages import months_before
from pipeline.site.text.words import FAMILIES, month_words

BAR_WIDTH, BAR_GAP, HEIGHT = 18, 4, 40  # units of the drawing, which is stretched to the width it finds


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of one family of kinds."""

    month: str
    n: int
    x: int
    y: float
    height: float
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One family of kinds over all months."""

    name: str
    n: int
    href: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart: one line for each family; all lines share one scale."""

    months: tuple[str, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    highest: int


def table_href(**filters: str) -> str:
    """Return the address of the events table under filters; "type__in" takes codes joined by commas."""
    return f"/oversight/events?{urlencode(filters, safe=',')}" if filters else "/oversight/events"


def build_timeline(rows: Iterable[dict], until: str, n_months: int) -> Timeline | None:
    """Return the chart of rows (event_month, type, n) for the n months that end with `until`; None without events."""
    if not until:
        return None
    months = tuple(months_before(until, n) for n in range(n_months - 1, -1, -1))
    family_of = {kind: name for name, kinds in FAMILIES.items() for kind in kinds}
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        if (name := family_of.get(row["type"])) and row["event_month"] in months:
            counts[name, row["event_month"]] = counts.get((name, row["event_month"]), 0) + row["n"]
    if not counts:
        return None
    highest = max(counts.values())
    lines = []
    for name, kinds in FAMILIES.items():
        chosen = ",".join(kinds)
        bars = []
        for i, month in enumerate(months):
            n = counts.get((name, month), 0)
            tall = round(n / highest * (HEIGHT - 2), 1)
            href = table_href(type__in=chosen, event_month=month, modality="occurred")
            label = f"{name}, {month_words(month)}: {n}"
            bars.append(Bar(month, n, i * (BAR_WIDTH + BAR_GAP), HEIGHT - tall, tall, href, label))
        total = sum(bar.n for bar in bars)
        lines.append(Line(name, total, table_href(type__in=chosen, modality="occurred"), tuple(bars)))
    return Timeline(months, tuple(lines), n_months * (BAR_WIDTH + BAR_GAP) - BAR_GAP, HEIGHT, highest)
