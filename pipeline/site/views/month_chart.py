"""The front page's bar chart of events by month and family of event types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from pipeline.site.queries.events import months_before
from pipeline.site.text.formatting import month_words
from pipeline.site.text.labels import FAMILIES

BAR_WIDTH, BAR_GAP, HEIGHT = 18, 4, 40  # SVG units; the drawing is stretched to the width of the page


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of one row."""

    month: str
    n: int
    x: int
    y: float
    height: float
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One family of event types over all months."""

    name: str
    n: int
    href: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class MonthChart:
    """The chart: one row per family, all on the same scale."""

    months: tuple[str, ...]
    rows: tuple[ChartRow, ...]
    width: int
    height: int
    highest: int


def table_href(**filters: str) -> str:
    """Return the path of the events table with filters; "type__in" takes codes joined by commas."""
    return f"/oversight/events?{urlencode(filters, safe=',')}" if filters else "/oversight/events"


def build_month_chart(rows: Iterable[dict], until: str, n_months: int) -> MonthChart | None:
    """Return the chart of (event_month, type, n) rows for the n months up to `until`; None without events."""
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
    chart_rows = []
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
        chart_rows.append(ChartRow(name, total, table_href(type__in=chosen, modality="occurred"), tuple(bars)))
    return MonthChart(months, tuple(chart_rows), n_months * (BAR_WIDTH + BAR_GAP) - BAR_GAP, HEIGHT, highest)
