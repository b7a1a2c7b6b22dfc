"""Excel export of tables and queries: all rows of a filter up to a limit, explained, without formulas."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import zipfile
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from support.site_data import publish
from support.site_under_test import Site

from pipeline.site.plugins import xlsx

M = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULA = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("workbooks")
    db = sqlite3.connect(publish(folder))
    db.execute("update articles set title = ? where rowid = 1", [FORMULA])
    db.commit()
    return Site(folder)


def sheets(body: bytes) -> list[list[list[str]]]:
    """Return the cells of each sheet as text."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        strings = [
            "".join(t.text or "" for t in si.iter(f"{M}t")) for si in ET.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        found = []
        for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
            root = ET.fromstring(book.read(name))
            assert root.find(f".//{M}f") is None, "a cell became a formula"
            found.append(
                [
                    [strings[int(c.find(f"{M}v").text)] if c.get("t") == "s" else c.find(f"{M}v").text for c in row]
                    for row in root.iter(f"{M}row")
                ]
            )
    return found


def test_a_filtered_table_as_excel_has_its_rows_and_explains_them(site):
    answer = site.get("/oversight/events.xlsx?modality=planned&_party=oms")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert answer.headers["content-disposition"] == 'attachment; filename="oversight-events.xlsx"'
    rows, about = sheets(answer.content)
    table_rows = site.get("/oversight/events.json?modality=planned&_party=oms&_shape=objects").json()["rows"]
    assert rows[0][:3] == ["event_id", "type", "modality"] and len(rows) - 1 == len(table_rows) == 2
    assert {row[0] for row in rows[1:]} == {row["event_id"] for row in table_rows}
    words = dict(row[:2] for row in about if len(row) > 1)
    assert words["Rows"] == "2" and "Planned" in words["Filters"] and words["Licence"].startswith("CC BY")
    assert words["Address"] == "http://ledger.test/oversight/events?modality=planned&_party=oms"
    assert words["modality"].endswith(".") and "occurred" in words["How to read it"]


def test_all_pages_are_exported_and_the_limit_is_stated(site, monkeypatch):
    whole = site.get("/oversight/claims.json?_nofacet=1").json()["filtered_table_rows_count"]
    rows, _ = sheets(site.get("/oversight/claims.xlsx?_size=5").content)
    assert len(rows) - 1 == whole
    monkeypatch.setitem(site.ds._settings, "max_returned_rows", 25)
    monkeypatch.setattr(site.ds, "max_returned_rows", 25)
    rows, about = sheets(site.get("/oversight/claims.xlsx").content)
    assert len({row[0] for row in rows[1:]}) == whole
    monkeypatch.setattr(xlsx, "MOST_ROWS", 30)
    rows, about = sheets(site.get("/oversight/claims.xlsx").content)
    assert len(rows) - 1 == 30 and "there are more" in dict(r[:2] for r in about if len(r) > 1)["Rows"]


def test_headlines_are_not_formulas_and_hostile_addresses_are_not_links(site):
    answer = site.get("/oversight/articles.xlsx")
    rows, _ = sheets(answer.content)
    assert FORMULA in {cell for row in rows for cell in row}
    sql = "select 'javascript:alert(1)' as url, '@SUM(1)' as a, '+1' as b, 'https://a.example/' as c"
    answer = site.get("/oversight.xlsx?" + urlencode({"sql": sql}))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        links = book.read("xl/worksheets/_rels/sheet1.xml.rels").decode()
    assert "https://a.example/" in links and "javascript" not in links
    assert ["javascript:alert(1)", "@SUM(1)", "+1", "https://a.example/"] in sheets(answer.content)[0]


def test_saved_queries_as_excel_say_how_to_read_them(site):
    _, about = sheets(site.get("/oversight/one_origin_only.xlsx").content)
    words = dict(row[:2] for row in about if len(row) > 1)
    assert (
        words["Oversight Ledger"].startswith("Which events rest on a single origin")
        and "How to read it" in words["How to read it"]
    )
    assert site.get("/oversight.xlsx?sql=select+nonsense").status_code == 400


def test_workbooks_are_made_one_at_a_time_and_the_queue_is_limited(site):
    async def many() -> list[int]:
        import httpx

        transport = httpx.ASGITransport(app=site.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger.test") as client:
            answers = await asyncio.gather(*(client.get("/oversight/claims.xlsx") for _ in range(xlsx.WAITING + 4)))
        return [answer.status_code for answer in answers]

    codes = site.loop.run_until_complete(many())
    assert set(codes) == {200, 503} and codes.count(200) >= xlsx.WAITING
    assert site.get("/oversight/claims.xlsx").status_code == 200
