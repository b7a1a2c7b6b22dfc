"""Pure functions of the site: highlights, addresses, labels, dates, chart, citations, feeds."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from pipeline.site.formats.atom import entry_id, event_feed
from pipeline.site.queries.events import months_before
from pipeline.site.queries.search import fts_query, like_pattern
from pipeline.site.snapshots import published_at
from pipeline.site.text.citation import cite
from pipeline.site.text.formatting import span_words, with_day_words
from pipeline.site.text.labels import MODALITIES, words_for
from pipeline.site.views.month_chart import build_month_chart
from pipeline.site.views.quote_highlight import fragment_url, pieces, safe_url, snippet

# ---- pure parts


def test_pieces_join_to_the_quote_and_mark_the_offsets():
    quote = "Nordlys signed a deal with OMS."
    parties = [
        {"start": 100, "end": 107, "role": "actor", "entity_id": "nordlys", "name": "Nordlys Labs"},
        {"start": 127, "end": 130, "role": "target", "entity_id": "oms", "name": "OMS"},
        {"start": -1, "end": -1, "role": "object", "entity_id": "x", "name": "x"},
        {"start": 90, "end": 105, "role": "object", "entity_id": "y", "name": "outside"},
    ]
    found = pieces(quote, 100, (108, 114), parties)
    assert "".join(piece.text for piece in found) == quote
    assert [piece.text for piece in found if piece.trigger] == ["signed"]
    assert [(piece.text, piece.entity_id) for piece in found if piece.entity_id] == [
        ("Nordlys", "nordlys"),
        ("OMS", "oms"),
    ]


def test_overlapping_pieces_show_the_shorter_party_and_keep_the_trigger():
    quote = "OMS chief's removal"
    long = {"start": 0, "end": 9, "role": "target", "entity_id": "chief", "name": "Chief"}
    short = {"start": 0, "end": 3, "role": "body", "entity_id": "oms", "name": "OMS"}
    found = pieces(quote, 0, (4, 19), [long, short])
    assert "".join(piece.text for piece in found) == quote
    assert found[0].entity_id == "oms" and found[-1].trigger
    assert any(piece.entity_id == "chief" and piece.trigger for piece in found)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/x",
        "",
        None,
        "http://",
        "ftp://x.y/",
        "https://a.example/\n",
        "https://a.example/ b",
        'https://a.example/"onload=',
        "https://[bad",
        "vbscript:x",
    ],
)
def test_only_http_addresses_are_linked(url):
    expected = "https://a.example/" if url == "https://a.example/\n" else ""
    assert safe_url(url) == expected


def test_a_text_fragment_escapes_its_syntax():
    assert fragment_url("https://a.example/x", "well-known, true & new") == (
        "https://a.example/x#:~:text=well%2Dknown%2C%20true%20%26%20new"
    )
    long = fragment_url("https://a.example/x#part", " ".join(f"w{i}" for i in range(30)))
    assert long == "https://a.example/x#part:~:text=w0%20w1%20w2%20w3%20w4,w25%20w26%20w27%20w28%20w29"
    assert fragment_url("javascript:alert(1)", "words") == ""


def test_a_snippet_marks_matches_around_the_first():
    def shown(text: str, query: str) -> str:
        return "".join(f"[{p.text}]" if p.trigger else p.text for p in snippet(text, query))

    assert (
        shown("The office tested <b> it, then tests again.", "testing")
        == "The office [tested] <b> it, then [tests] again."
    )
    long = " ".join(f"word{i}" for i in range(100)) + " treaty " + " ".join(f"more{i}" for i in range(100)) + "."
    cut = shown(long, "treaty")
    assert cut.startswith("… word80 word81") and "[treaty] more0" in cut and cut.endswith("more26 …")
    assert shown("Nothing of it.", "zebra") == "Nothing of it." and shown("", "x") == ""


def test_dates_are_shown_only_as_precisely_as_known():
    assert span_words("2026-05-05", "2026-05-05", "day") == "5 May 2026"
    assert span_words("2026-05-01", "2026-05-31", "month") == "May 2026"
    assert span_words("2026-10-01", "2026-12-31", "quarter") == "Last quarter of 2026"
    assert span_words("2026-01-01", "2026-12-31", "year") == "2026"
    assert span_words("2026-05-04", "2026-05-10", "week") == "Week of 4 May 2026"
    assert span_words(None, None, None) == "no date given"


def test_days_in_a_text_are_put_in_words():
    assert (
        with_day_words("differ: 2026-04-08 (1 claim) or 2026-04-09") == "differ: 8 April 2026 (1 claim) or 9 April 2026"
    )
    assert with_day_words("order 2026-99-99 and 12026-04-08") == "order 2026-99-99 and 12026-04-08"


def test_an_unknown_modality_is_not_shown_as_happened():
    assert words_for("modality", "rumoured") == "rumoured"
    assert "Happened" not in {words.badge for code, words in MODALITIES.items() if code != "occurred"}


def test_the_month_chart_adds_types_of_one_family_and_keeps_empty_months():
    rows = [
        {"event_month": "2026-05", "type": "restriction", "n": 2},
        {"event_month": "2026-05", "type": "enforcement", "n": 1},
    ]
    chart = build_month_chart(rows, "2026-07", 18)
    assert len(chart.months) == 18 and chart.months[0] == "2025-02" and chart.highest == 3
    assert {row.name: row.n for row in chart.rows}["Limits and penalties"] == 3
    assert build_month_chart([], "2026-07", 18) is None and build_month_chart(rows, "", 18) is None
    assert months_before("2026-01", 1) == "2025-12"


def test_search_words_become_a_safe_full_text_query():
    assert fts_query('say "no" to-morrow') == '"say" "no" "to" "morrow"*'
    assert fts_query("!!") == ""
    assert like_pattern("50%_\\") == "%50\\%\\_\\\\%"


def test_citations_give_the_modality_and_the_day():
    cited = cite("e1", "A & B agree | {x}", "planned", "https://l.example/event/e1", "2026-07-21")
    assert cited.plain.startswith("“Planned: A & B agree") and "as of 21 July 2026" in cited.plain
    assert r"A \& B agree | \{x\}" in cited.bibtex and "&#124;" in cited.wikipedia


def test_a_feed_entry_has_the_same_id_on_every_host_and_no_forbidden_characters():
    event = {
        "event_id": "e1",
        "type": "agreement",
        "modality": "denied",
        "summary": "A\x00B <b>",
        "date_start": None,
        "date_end": None,
        "date_precision": None,
        "n_origins": 1,
        "n_articles": 2,
        "contradicted": 1,
        "first_reported_on": "2026-05-01",
        "last_reported_on": "2026-05-02",
        "updated_on": "2026-05-03",
        "notes": ["Confirmed by Ada, 3 May 2026."],
    }
    feeds = [event_feed("t", f"{host}/feed.atom", host, host, [event], "") for host in ("http://a", "http://b")]
    entries = [ET.fromstring(feed).find("{http://www.w3.org/2005/Atom}entry") for feed in feeds]
    assert {entry.find("{http://www.w3.org/2005/Atom}id").text for entry in entries} == {entry_id("e1")}
    assert entries[0].find("{http://www.w3.org/2005/Atom}title").text == "Denied: AB <b>"
    assert entries[0].find("{http://www.w3.org/2005/Atom}updated").text == "2026-05-03T00:00:00Z"
    assert entries[0].find("{http://www.w3.org/2005/Atom}summary").text.endswith("Confirmed by Ada, 3 May 2026.")


def test_a_snapshots_file_name_gives_its_time_of_publication():
    assert published_at("/x/oversight-20260721T070102.db") == "2026-07-21T07:01:02Z"
    assert published_at("/x/other.db") == ""
