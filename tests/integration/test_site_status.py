"""The pages /status and /upcoming, timelines on entity and event pages, and the commands with the same data."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.calendars import read_calendar
from support.command import DONE, WRONG_USE, one_line, oversight
from support.site_data import publish
from support.site_under_test import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("status")
    publish(folder)
    return Site(folder)


@pytest.fixture(scope="module")
def demo_site(demo: Path) -> Site:
    return Site(demo)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_matrix_names_labs_bodies_and_the_day(demo_site):
    page = demo_site.get("/status").text
    matrix = text_of(page.split('class="matrix"')[1].split("</table>")[0])
    assert "Vellichor" in matrix and "Federal Office for Machine Intelligence" in matrix
    assert "30 May 2026" in text_of(page) and "<script>" not in page


def test_a_chosen_day_shows_the_status_on_it(demo_site):
    before = text_of(demo_site.get("/status?as-of=2026-04-08").text.split('class="matrix"')[1].split("</table>")[0])
    after = text_of(demo_site.get("/status?as-of=2026-04-09").text.split('class="matrix"')[1].split("</table>")[0])
    assert before != after
    assert "Signed, 9 April 2026" in after


def test_a_name_has_its_own_status_page_and_json(demo_site):
    page = text_of(demo_site.get("/status?name=Tessel+2&as-of=2026-04-15").text)
    assert "Tessel 2: status" in page and "Banned, 30 March 2026" in page
    body = demo_site.get("/status.json?name=Tessel+2&as-of=2026-04-15").json()
    bans = [line for line in body["lines"] if line["matter"] == "restriction" and line["done"]]
    assert ("banned", "2026-05-08") in [(ban["done"]["stage"], ban["done"]["until"]) for ban in bans]
    assert body["as_of"] == "2026-04-15" and body["newest_report"] == "2026-05-30"


def test_a_ban_that_was_lifted_later_stands_as_one_event(demo_site):
    bans = demo_site.db.execute(
        "select date_start, stage from events where type = 'restriction' and modality = 'occurred'"
        " and objects like '%Tessel 2%' order by date_start"
    ).fetchall()
    assert [tuple(row) for row in bans] == [("2026-03-30", "banned"), ("2026-05-08", "lifted")]


def test_an_unknown_name_or_day_gets_a_helpful_message(demo_site):
    missing = demo_site.get("/status?name=Tessel")
    assert missing.status_code == 404 and "Did you mean Tessel 2" in text_of(missing.text)
    assert demo_site.get("/status?as-of=yesterday").status_code == 400
    assert demo_site.get("/upcoming?from=2026-13-01").status_code == 400
    assert demo_site.get("/upcoming.ics?name=Nobody+At+All").status_code == 404
    assert demo_site.get("/status.json?name=Nobody+At+All").json()["ok"] is False


def test_a_day_after_the_newest_report_is_marked_as_unknown(demo_site):
    assert "nothing later is known" in text_of(demo_site.get("/status?as-of=2027-01-01").text)


def test_every_open_stage_has_the_badge_of_its_modality(demo_site):
    body = demo_site.get("/status.json").json()
    stages = [stage for line in body["lines"] for stage in line["open"]]
    assert stages and all(stage["modality"] != "occurred" for stage in stages)
    page = demo_site.get("/status").text
    for stage in stages:
        if stage["brief"] in page:
            at = page.index(stage["brief"])
            assert f"badge-{stage['modality']}" in page[at - 400 : at]


def test_the_upcoming_page_separates_future_from_past_dates(demo_site):
    page = demo_site.get("/upcoming").text
    ahead = text_of(page.split('id="ahead"')[1].split("<aside")[0])
    assert "The Frontier Disclosure Act is set to take effect." in ahead and "The act takes effect on July 1." in ahead
    behind = text_of(page.split('id="unheard"')[1])
    assert "27 March 2026" in behind
    earlier = text_of(demo_site.get("/upcoming?from=2026-03-20").text.split('id="ahead"')[1].split("<aside")[0])
    assert "27 March 2026" in earlier


def test_the_calendar_of_the_demo_is_valid(demo_site):
    answer = demo_site.get("/upcoming.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = read_calendar(answer.content)
    assert any("Frontier Disclosure Act" in entry["SUMMARY"] for entry in found)
    assert answer.content == demo_site.get("/upcoming.ics").content
    one = read_calendar(demo_site.get("/upcoming.ics?name=Frontier+Disclosure+Act").content)
    assert 0 < len(one) < len(found) and {e["UID"] for e in one} <= {e["UID"] for e in found}


def test_entity_and_event_pages_show_timelines(demo_site):
    page = text_of(demo_site.get("/entity/meridian-loom").text)
    assert "Current status" in page and "Lifted, 8 May 2026" in page
    event = demo_site.get(f"/event/{demo_site.event_named('lifted a restriction on Meridian Loom')}").text
    steps = text_of(event.split('id="over-time"')[1].split("</section>")[0])
    assert steps.index("Banned, 30 March 2026") < steps.index("Lifted, 8 May 2026")


def test_status_and_upcoming_are_in_the_navigation(demo_site):
    home = demo_site.get("/").text
    assert 'href="/status"' in home and 'href="/upcoming"' in home


def test_a_hostile_name_is_escaped(site):
    for path in ("/status?name=%3Cscript%3Ealert(1)%3C/script%3E", "/upcoming?name=%22%3E%3Cimg+src=x%3E"):
        answer = site.get(path)
        assert answer.status_code == 404 and "<script>alert" not in answer.text and "<img src=x" not in answer.text


def test_a_matrix_that_does_not_fit_has_no_empty_rows_and_counts_the_rest(tmp_path):
    db = sqlite3.connect(publish(tmp_path))
    event_id = db.execute("select event_id from events").fetchone()[0]
    for n in range(30):
        for kind in ("organisation", "agency"):
            db.execute(
                "insert into entities values (?, ?, ?, 'US', null, '', '', 1, 1, 1)",
                (f"{kind}-{n}", f"{kind.title()} {n}", kind),
            )
        stage = (
            f"s{n}",
            f"l{n}",
            0,
            "agreement",
            f"organisation-{n}",
            f"agency-{n}",
            None,
            "signed",
            "occurred",
            "They signed.",
            "2026-05-05",
            "2026-05-05",
            "day",
            "stated",
            "2026-05-05",
            None,
            0,
            event_id,
            1,
            "2026-05-05",
        )
        db.execute(f"insert into timeline_entries values ({', '.join('?' * len(stage))})", stage)
    db.commit()
    site = Site(tmp_path)
    answer = site.get("/status")
    assert answer.status_code == 200
    table = answer.text.split('class="matrix"')[1].split("</table>")[0]
    for row in table.split("<tr>")[2:]:
        assert "badge" in row
    n_lines = db.execute(
        "select count(distinct timeline_id) from timeline_entries where matter = 'agreement'"
    ).fetchone()[0]
    matrix = site.get("/status.json").json()["agreements"]
    assert len(matrix["columns"]) == 10
    assert matrix["n_left_out"] + matrix["n_one_sided"] == n_lines - table.count("<p")


def test_the_saved_query_returns_the_stages_of_a_day(demo_site):
    rows = demo_site.get("/oversight/status_as_of.json?_shape=objects&name=Meridian+Loom&day=2026-04-15").json()["rows"]
    assert ("restriction", "banned") in {(row["matter"], row["stage"]) for row in rows}
    assert "lifted" not in {row["stage"] for row in rows if row["modality"] == "occurred"}


def test_status_of_a_name_on_a_day_and_now(demo):
    said = oversight("status", "tessel 2", "--as-of", "2026-04-15", data=demo)
    assert said.returncode == DONE
    assert "as of 15 April 2026" in said.stdout and "Banned, 30 March 2026." in said.stdout
    assert "Lifted" not in said.stdout
    now = oversight("status", "Tessel 2", data=demo)
    assert "Lifted, 8 May 2026." in now.stdout and "before: Banned, 30 March 2026" in now.stdout


def test_status_as_json_names_the_claims_behind_each_stage(demo):
    body = json.loads(oversight("status", "Vellichor", "--json", data=demo).stdout)
    known = {row[0] for row in sqlite3.connect(demo / "published" / "current").execute("select claim_id from claims")}
    stages = [stage for line in body["lines"] for stage in line["stages"]]
    assert stages and all(stage["claim_ids"] and set(stage["claim_ids"]) <= known for stage in stages)


def test_status_without_a_name_is_the_matrix(demo):
    said = oversight("status", data=demo)
    assert said.returncode == DONE
    assert "Vellichor - Federal Office for Machine Intelligence: " in said.stdout
    assert "matrix" not in said.stderr and json.loads(oversight("status", "--json", data=demo).stdout)["models"]


def test_an_unknown_name_or_day_is_a_one_line_error_with_a_hint(demo, tmp_path):
    assert "Did you mean: Tessel 2" in one_line(oversight("status", "Tesel 2", data=demo), WRONG_USE)
    assert "Write it like 2026-05-31" in one_line(
        oversight("status", "Tessel 2", "--as-of", "May", data=demo), WRONG_USE
    )
    assert "`oversight run`" in one_line(oversight("upcoming", data=tmp_path), WRONG_USE)


def test_upcoming_lists_future_and_past_dates(demo):
    said = oversight("upcoming", data=demo).stdout
    ahead, behind = said.split("\nPast\n")
    assert "1 July 2026  Takes effect: The Frontier Disclosure Act is set to take effect. Upcoming." in ahead
    assert "Date passed; no report that it happened." in behind and "Date passed" not in ahead
    body = json.loads(oversight("upcoming", "--from", "2026-03-20", "--json", data=demo).stdout)
    assert {"2026-03-27"} <= {row["due_start"] for row in body["ahead"]}
    assert all(row["claim_id"] and row["quote"] for row in (*body["ahead"], *body["behind"]))


def test_the_published_timeline_tables_agree(demo):
    db = sqlite3.connect(demo / "published" / "current")
    assert db.execute("select count(*) from timeline_entries").fetchone()[0] > 60
    assert db.execute(
        "select count(*) from timeline_entries s where s.n_claims <> (select count(*) from timeline_claims c "
        "where c.entry_id = s.entry_id)"
    ).fetchone() == (0,)
    assert db.execute(
        "select count(*) from timeline_entries s join timeline_claims x using (entry_id) "
        "join claims c using (claim_id) "
        "where c.modality <> s.modality or c.event_id <> s.event_id"
    ).fetchone() == (0,)
    assert db.execute(
        "select count(*) from upcoming d join claims c using (claim_id) where c.event_id <> d.event_id"
    ).fetchone() == (0,)


def test_help_does_not_import_heavy_libraries():
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline.cli", "status", "--help"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert seen.returncode == 0 and "datasette" not in seen.stderr and "spacy" not in seen.stderr
