"""Alerts from a published ledger to local mail and web servers: content, recipients, retries, no duplicates."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from support.mail_and_webhook import MailServer, Webhook

from pipeline.app.alerts.outbox import Outbox
from pipeline.app.alerts.rules import read_rules
from pipeline.app.alerts.run import AlertReport, run_alerts
from pipeline.app.run_log import last_runs
from pipeline.cli import oversight
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.settings import load_settings
from pipeline.workspace import DataFolder
from scrapers.crawling.source_health import Alarm, SourceHealth
from scrapers.items import Source, SourceType

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)
FILE = Path("oversight.toml")
ATOM = "{http://www.w3.org/2005/Atom}"
COURIER = Source("courier", "The Courier", "https://courier.example/", SourceType.PRESS, "GB", "en", "courier", (), ())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


class Ledger:
    """A published ledger that can hide events, as if they had not been reported yet."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.whole = folder.current.resolve()
        self.sick: dict[str, tuple[Alarm, ...]] = {}

    def events(self, where: str = "1") -> list[str]:
        with closing(sqlite3.connect(self.whole)) as db:
            sql = f"select event_id from events where last_reported_on >= '2026-04-03' and {where} order by 1"
            return [row[0] for row in db.execute(sql)]

    def publish(self, *, without: tuple[str, ...] = (), and_then: str = "") -> None:
        """Publish the ledger without some events, and changed by some SQL."""
        path = self.whole.with_name(f"made-{datetime.now(UTC):%H%M%S%f}.db")
        shutil.copy(self.whole, path)
        with closing(sqlite3.connect(path)) as db:
            for table in ("events", "contradictions"):
                db.executemany(f"delete from {table} where event_id = ?", [(one,) for one in without])
            db.executescript(and_then)
            db.commit()
        self.folder.current.unlink()
        self.folder.current.symlink_to(path)

    def round(self, *tables: dict, after: timedelta = timedelta(0), **more: object) -> AlertReport:
        health = {name: SourceHealth(name, None, None, None, None, alarms) for name, alarms in self.sick.items()}
        rules = read_rules(tables, FILE)
        return run_alerts(self.folder, rules, health, [COURIER], "https://ledger.example", lambda: NOW + after, **more)


@pytest.fixture
def ledger(demo: Path, tmp_path: Path) -> Ledger:
    folder = DataFolder(tmp_path / "ledger")
    (folder.published).mkdir(parents=True)
    shutil.copy((demo / "published" / "current").resolve(), folder.published / "whole.db")
    folder.current.symlink_to(folder.published / "whole.db")
    return Ledger(folder)


def alert(*to: str, watch: str = "events", chosen: str = "", name: str = "news desk") -> dict:
    return {"name": name, "watch": watch, "filter": chosen, "to": list(to)}


def test_existing_events_are_not_sent_and_a_new_one_is_sent_once_to_everybody(
    ledger: Ledger, mail: MailServer, hook: Webhook
) -> None:
    event_id, other, *_ = ledger.events()
    rule = alert(mail.address(), hook.address())
    ledger.publish(without=(event_id, other))
    assert ledger.round(rule).new == 0
    ledger.publish(without=(other,))
    report = ledger.round(rule)
    assert (report.new, report.sent, report.waiting, report.faults) == (1, 2, 0, ())
    ((subject, text),) = mail.texts()
    with closing(sqlite3.connect(ledger.whole)) as db:
        summary, modality = db.execute("select summary, modality from events where event_id = ?",
                                       (event_id,)).fetchone()  # fmt: skip
    assert subject.startswith("[news desk] ") and summary in text and f"https://ledger.example/event/{event_id}" in text
    headers, post = hook.posts[0]
    assert post["alert"] == "news desk" and [item["key"] for item in post["items"]] == [event_id]
    assert headers["Idempotency-Key"] == post["message_id"] and summary in post["message"]
    again = ledger.round(rule, after=timedelta(minutes=15))
    assert (again.new, again.sent, len(mail.mails), len(hook.posts)) == (0, 0, 1, 1)
    ledger.publish()
    assert ledger.round(rule, after=timedelta(minutes=30)).new == 1
    assert len(mail.mails) == 2 and mail.mails[0]["X-Oversight-Message"] != mail.mails[1]["X-Oversight-Message"]


def test_many_new_events_make_one_message_that_calls_a_plan_a_plan(ledger: Ledger, mail: MailServer) -> None:
    from pipeline.site.text.labels import modality_words

    events = ledger.events()
    ledger.publish(without=tuple(events))
    ledger.round(alert(mail.address()))
    ledger.publish()
    assert ledger.round(alert(mail.address())).new == len(events) > 5
    ((subject, text),) = mail.texts()
    assert f"{len(events)} new events" in subject
    with closing(sqlite3.connect(ledger.whole)) as db:
        rows = db.execute("select event_id, modality, summary from events").fetchall()
    shown = [row for row in rows if f"/event/{row[0]}" in text]
    assert len(shown) == min(20, len(events))
    for _, modality, summary in shown:
        assert f"{modality_words(modality).badge}: {summary}" in text
    assert any(modality != "occurred" for _, modality, _ in shown), "otherwise this test checks nothing"


def test_the_filter_means_what_it_means_on_the_site(ledger: Ledger) -> None:
    from pipeline.app.alerts.events import keys_of, open_snapshot

    def matches(chosen: str) -> set[str]:
        with closing(open_snapshot(ledger.folder.current)) as db:
            return set(keys_of(db, read_rules((alert(chosen=chosen),), FILE)[0]))

    with closing(sqlite3.connect(ledger.whole)) as db:
        kind, modality = db.execute("select type, modality from events group by 1, 2 order by count(*) desc").fetchone()
        name, entity_id = db.execute("select name, entity_id from entities order by n_events desc limit 1").fetchone()
        by_hand = {
            f"type={kind}&modality={modality}": f"type = '{kind}' and modality = '{modality}'",
            f"https://x.example/oversight/events?type__in={kind},refusal&_sort=date_start":
                f"type in ('{kind}', 'refusal')",
            f"_party={name.replace(' ', '+')}":
                f"event_id in (select event_id from event_participants where entity_id = '{entity_id}')",
            "date_start__gte=2026-04-01": "date_start >= '2026-04-01'",
        }  # fmt: skip
        for chosen, where in by_hand.items():
            wanted = {row[0] for row in db.execute(f"select event_id from events where {where}")}
            assert wanted and matches(chosen) == wanted, chosen
    assert matches("_words=nobody+ever+said+this") == set()
    with pytest.raises(WrongUse, match="no such filter"):
        matches("nonsense=1")


def test_event_merged_with_a_sent_one_is_not_sent_again(ledger: Ledger, mail: MailServer) -> None:
    event_id, *_ = ledger.events()
    ledger.publish()
    ledger.round(alert(mail.address()))
    renamed = f"""
        update events set event_id = 'e-new' where event_id = '{event_id}';
        insert into event_redirects (old_event_id, event_id, reason) values ('e-between', 'e-new', 'merged');
        insert into event_redirects (old_event_id, event_id, reason) values ('{event_id}', 'e-between', 'merged');
    """
    ledger.publish(and_then=renamed)
    assert ledger.round(alert(mail.address())).new == 0 and mail.mails == []


def test_old_report_is_not_sent(ledger: Ledger, mail: MailServer) -> None:
    event_id, *_ = ledger.events()
    ledger.publish(without=(event_id,))
    ledger.round(alert(mail.address()))
    ledger.publish(and_then=f"update events set last_reported_on = '2025-01-01' where event_id = '{event_id}'")
    assert ledger.round(alert(mail.address())).new == 0
    ledger.publish()
    assert ledger.round(alert(mail.address())).new == 0, "the outbox knows it already"


def test_changed_filter_treats_existing_events_as_known(ledger: Ledger, mail: MailServer) -> None:
    ledger.round(alert(mail.address(), chosen="type=agreement"))
    assert ledger.round(alert(mail.address(), chosen="")).new == 0
    assert mail.mails == []


def test_new_contradiction_is_sent_with_its_values(ledger: Ledger, mail: MailServer) -> None:
    contradicted = ledger.events("contradicted = 1")
    assert contradicted
    rule = alert(mail.address(), watch="contradicted")
    ledger.publish(without=tuple(contradicted))
    ledger.round(rule)
    ledger.publish()
    assert ledger.round(rule).new > 0
    ((_, text),) = mail.texts()
    with closing(sqlite3.connect(ledger.whole)) as db:
        summaries = db.execute("select event_id, summary from contradictions").fetchall()
    assert [f"Reports disagree: {words}" in text for event_id, words in summaries if event_id in contradicted]
    assert all(f"Reports disagree: {words}" in text for event_id, words in summaries if event_id in contradicted)
    assert all(f"/event/{event_id}" in text for event_id, _ in summaries if event_id in contradicted)
    assert ledger.round(rule).new == 0


def test_source_alarm_and_its_end_are_each_sent_once(ledger: Ledger, mail: MailServer) -> None:
    rule, hour = alert(mail.address(), watch="sources"), timedelta(hours=1)
    ledger.sick = {"courier": (Alarm("silent", "nothing new since 2026-04-01"),)}
    assert ledger.round(rule).new == 1, "an existing problem is reported, too"
    assert ledger.round(rule, after=hour).new == 0
    ledger.sick = {"courier": ()}
    ledger.round(rule, after=2 * hour)
    ledger.sick = {"courier": (Alarm("silent", "nothing new since 2026-04-01"),)}
    assert ledger.round(rule, after=3 * hour).new == 0, "the problem only flickered"
    ledger.sick = {"courier": ()}
    ledger.round(rule, after=30 * hour)
    ledger.round(rule, after=31 * hour)
    ledger.sick = {"courier": (Alarm("silent", "nothing new since 2026-05-01"),)}
    assert ledger.round(rule, after=60 * hour).new == 1, "the problem is back"
    assert [subject for subject, _ in mail.texts()] == [
        "[news desk] The Courier: nothing new since 2026-04-01", "[news desk] 1 resolved",
        "[news desk] The Courier: nothing new since 2026-05-01",
    ]  # fmt: skip
    assert "No problem for a day: The Courier (was: nothing new since 2026-04-01)" in mail.texts()[1][1]


def waiting(ledger: Ledger, *to: str) -> dict:
    """Return an alert for which one event is new."""
    rule = alert(*to)
    event_id, *_ = ledger.events()
    ledger.publish(without=(event_id,))
    ledger.round(rule)
    ledger.publish()
    return rule


@pytest.mark.parametrize("how", ["try later", "closes at once"])
def test_undelivered_mail_is_retried_with_growing_delays(ledger: Ledger, mail: MailServer, how: str) -> None:
    rule = waiting(ledger, mail.address())
    mail.how = how
    report = ledger.round(rule)
    assert (report.new, report.sent, report.waiting, report.unsure) == (1, 0, 1, 0)
    assert "could not be reached; the next run tries again" in report.faults[0] and mail.mails == []
    assert ledger.round(rule, after=timedelta(seconds=30)).faults == (), "it is not due yet"
    assert ledger.round(rule, after=timedelta(minutes=2)).waiting == 1
    assert ledger.round(rule, after=timedelta(minutes=4)).faults == ()
    assert ledger.round(rule, after=timedelta(minutes=15)).waiting == 1
    mail.how = ""
    assert ledger.round(rule, after=timedelta(minutes=20)).sent == 0
    assert ledger.round(rule, after=timedelta(hours=1)).sent == 1
    assert ledger.round(rule, after=timedelta(hours=9)).sent == 0 and len(mail.mails) == 1


def test_unreachable_recipient_does_not_affect_the_others(ledger: Ledger, mail: MailServer) -> None:
    rule = waiting(ledger, "mailto://127.0.0.1:9?from=a@news.example&to=b@news.example&cto=1", mail.address())
    report = ledger.round(rule)
    assert (report.sent, report.waiting) == (1, 1)
    assert ledger.round(rule, after=timedelta(hours=2)).sent == 0 and len(mail.mails) == 1


def test_failing_webhook_is_retried_for_three_days(ledger: Ledger, hook: Webhook) -> None:
    rule = waiting(ledger, hook.address())
    hook.answers = [500]
    assert ledger.round(rule).waiting == 1
    assert ledger.round(rule, after=timedelta(minutes=5)).sent == 1 and len(hook.posts) == 2
    assert hook.posts[0][1]["message_id"] == hook.posts[1][1]["message_id"]
    ledger.publish(and_then="update events set event_id = event_id || '-x' where last_reported_on >= '2026-04-03'")
    hook.answers = [503] * 50
    report = ledger.round(rule, after=timedelta(hours=1))
    for hours in range(2, 90, 6):
        report = ledger.round(rule, after=timedelta(hours=hours))
        if report.given_up:
            break
    assert report.given_up == 1 and "for three days" in report.faults[0]
    n = len(hook.posts)
    ledger.round(rule, after=timedelta(hours=200))
    assert len(hook.posts) == n < 25


@pytest.mark.parametrize("how", ["breaks off", "falls silent"])
def test_mail_that_may_have_arrived_is_not_sent_again_and_the_next_one_says_so(
    ledger: Ledger, mail: MailServer, how: str
) -> None:
    rule = waiting(ledger, mail.address())
    mail.how = how
    report = ledger.round(rule)
    assert (report.sent, report.waiting, report.unsure) == (0, 0, 1) and "may or may not" in report.faults[0]
    mail.how = ""
    for hours in (1, 10, 100):
        ledger.round(rule, after=timedelta(hours=hours))
    assert len(mail.mails) == 1, "the server had kept it"
    first = mail.texts()[0][0]
    changed = "update events set event_id = event_id || '-x' where last_reported_on >= '2026-04-03'"
    ledger.publish(and_then=changed)
    assert ledger.round(rule, after=timedelta(hours=101)).sent == 1
    assert f"may not have reached you: “{first}” of 2026-04-17 12:00 UTC" in mail.texts()[1][1]
    ledger.publish(and_then=changed + ";" + changed)
    assert ledger.round(rule, after=timedelta(hours=102)).sent == 1
    assert "may not have reached you" not in mail.texts()[2][1], "it was mentioned once"


def test_webhook_that_hangs_after_receipt_is_not_called_again(ledger: Ledger, hook: Webhook) -> None:
    rule = waiting(ledger, hook.address())
    hook.answers = [0]
    assert ledger.round(rule).unsure == 1
    assert ledger.round(rule, after=timedelta(hours=9)).sent == 0 and len(hook.posts) == 1


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.app.alerts import delivery as post
from pipeline.app.alerts import run as round
from pipeline.app.alerts.rules import read_rules
from pipeline.workspace import DataFolder
from pipeline.app.run_log import last_runs
when, folder, to = sys.argv[1:]
def send(message, address):
    if when == "before":
        os.kill(os.getpid(), 9)
    post.send(message, address)
    os.kill(os.getpid(), 9)
rule = {"name": "news desk", "watch": "events", "filter": "", "to": [to]}
moment = datetime(2026, 4, 17, 13, tzinfo=UTC)
round.run_alerts(DataFolder(Path(folder)), read_rules((rule,), Path("x")), {}, [], "", lambda: moment, send)
"""


@pytest.mark.parametrize(("when", "mails"), [("before", 0), ("after", 1)])
def test_a_kill_while_a_message_is_sent_never_sends_it_twice(
    ledger: Ledger, mail: MailServer, when: str, mails: int
) -> None:
    rule = waiting(ledger, mail.address())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, when, str(ledger.folder.path), mail.address()],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == -9 and len(mail.mails) == mails
    report = ledger.round(rule, after=timedelta(hours=2))
    assert (report.new, report.sent, report.unsure) == (0, 0, 1) and len(mail.mails) == mails
    assert "the last run was stopped while sending" in report.faults[0]
    with closing(Outbox(ledger.folder.alerts_db)) as outbox:
        (message,) = outbox.last(5)
        assert message.state == "unsure"
        assert outbox.resend(message.message_id, NOW + timedelta(hours=3)) is not None
    assert ledger.round(rule, after=timedelta(hours=3)).sent == 1, "an editor asked for it"
    assert len(mail.mails) == mails + 1


def test_kill_before_the_outbox_is_written_loses_nothing(ledger: Ledger, mail: MailServer, monkeypatch) -> None:
    rule = waiting(ledger, mail.address())

    def dies(*args: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.app.alerts.outbox.Outbox._note", dies)
        with pytest.raises(KeyboardInterrupt):
            ledger.round(rule)
    assert ledger.round(rule).sent == 1 and len(mail.mails) == 1


def test_clock_set_back_delays_no_message(ledger: Ledger, mail: MailServer) -> None:
    rule = waiting(ledger, mail.address())
    mail.how = "try later"
    assert ledger.round(rule, after=timedelta(days=400)).new == 0, "by that clock it is too old"
    ledger.publish(and_then="update events set event_id = event_id || '-x', last_reported_on = '2027-05-20'")
    assert ledger.round(rule, after=timedelta(days=400)).waiting == 1
    mail.how = ""
    assert ledger.round(rule).sent == 1


def test_no_password_is_stored_or_shown(ledger: Ledger, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "geheim-4711")
    rule = waiting(ledger, "json://user:${HOOK_TOKEN}@127.0.0.1:9/hook/${HOOK_TOKEN}", mail.address())
    ledger.round(rule)
    ledger.folder.settings.write_text(
        '[[alert]]\nname = "news desk"\nwatch = "events"\nto = ["json://user:${HOOK_TOKEN}@127.0.0.1:9/x/${HOOK_TOKEN}"]'
    )
    said = "".join(
        CliRunner().invoke(oversight, ["--data", str(ledger.folder.path), "alerts", *words]).output
        for words in ([], ["--json"], ["log"], ["log", "--json"], ["test"])
    )
    assert "127.0.0.1" in said and "geheim" not in said
    assert b"geheim" not in b"".join(path.read_bytes() for path in ledger.folder.path.glob("alerts*") if path.is_file())


def test_each_alert_has_a_feed_whose_entries_keep_their_ids(ledger: Ledger) -> None:
    rule = waiting(ledger)
    ledger.round(rule)
    path = ledger.folder.alerts / "news-desk.atom"
    (entry,) = ET.parse(path).getroot().findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}updated") == "2026-04-17T12:00:00.000000Z"
    assert entry.find(f"{ATOM}link").get("href").startswith("https://ledger.example/event/")
    before = path.read_bytes()
    ledger.round(rule, after=timedelta(days=1))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"watch": "evnts"}, "'watch' is 'evnts', but should be one of events, contradicted, sources"),
        ({"name": ""}, "should be a name of letters"),
        ({"name": "../../x"}, "should be a name of letters"),
        ({"whom": "me"}, "unknown key 'whom'"),
        ({"to": "me@news.example"}, "should be a list of addresses"),
        ({"to": ["me@news.example"]}, "cannot receive messages"),
        ({"to": ["nosuch://x"]}, "the nosuch address in 'to' cannot receive messages"),
        ({"to": ["json://${NO_SUCH_VARIABLE}/"]}, "the environment has no NO_SUCH_VARIABLE"),
        ({"to": ["mailto://mail.example?from=a@b.example&to=x@b.example,y@b.example"]}, "has 2 recipients"),
        ({"to": ["json://a.example/x", "json://a.example/x?rto=9"]}, "names one recipient twice"),
        ({"watch": "sources", "filter": "type=order"}, "leave it out"),
        ({"filter": 7}, "should be text"),
    ],
)
def test_mistake_in_an_alert_is_named_with_its_correction(change: dict, said: str) -> None:
    with pytest.raises(WrongUse, match=re.escape(said)):
        read_rules((alert() | change,), FILE)


@pytest.mark.parametrize("chosen", ["type=order", "modality__in=occurred,done", "type=agreement&force=maybe"])
def test_alert_that_can_never_match_is_refused(ledger: Ledger, chosen: str) -> None:
    ledger.folder.settings.write_text(f'[[alert]]\nname = "orders"\nwatch = "events"\nfilter = "{chosen}"\n')
    result = CliRunner().invoke(oversight, ["--data", str(ledger.folder.path), "alerts"])
    assert isinstance(result.exception, WrongUse) and "which no event has. Use one of" in str(result.exception)


def test_example_filters_in_help_and_docs_are_accepted(ledger: Ledger) -> None:
    from pipeline.commands.operate.alerts import EXAMPLE

    for text in (EXAMPLE, (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")):
        filters = re.findall(r'^filter = "(.+)"$', text, re.MULTILINE)
        assert filters
        for chosen in filters:
            ledger.folder.settings.write_text(f'[[alert]]\nname = "a"\nwatch = "events"\nfilter = "{chosen}"\n')
            result = CliRunner().invoke(oversight, ["--data", str(ledger.folder.path), "alerts"])
            assert result.exit_code == 0, result.exception


def test_duplicate_alert_names_and_malformed_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="two alerts are called"):
        read_rules((alert(), alert(name="News desk")), FILE)
    (tmp_path / "oversight.toml").write_text('alert = "me@news.example"')
    with pytest.raises(WrongUse, match="begin each alert with a line"):
        load_settings(tmp_path / "oversight.toml")


def test_the_command_lists_tries_and_resends(ledger: Ledger, mail: MailServer) -> None:
    def run(*words: str):
        return CliRunner().invoke(oversight, ["--data", str(ledger.folder.path), "alerts", *words])

    assert "No alert is set up" in run().output
    ledger.folder.settings.write_text(
        f'[[alert]]\nname = "news desk"\nwatch = "events"\nto = ["{mail.address()}"]\n'
        '[[alert]]\nname = "feeds"\nwatch = "sources"\n'
    )
    assert "desk@news.example" in run().output and "starts with the next run" in run().output
    tried = run("test")
    assert tried.exit_code == 0 and "news desk to desk@news.example: accepted." in tried.output
    assert mail.texts()[0][0] == "[news desk] Test of an alert"
    mail.how = "try later"
    failed = run("test", "news desk")
    assert failed.return_value == 4 or failed.exit_code == 4 or "not arrived" in failed.output
    mail.how = "breaks off"
    rule = waiting(ledger, mail.address())
    ledger.round(rule)
    assert "1 unsure" in run().output
    with closing(Outbox(ledger.folder.alerts_db)) as outbox:
        (message,) = outbox.last(1)
    assert (
        "unsure" in run("log").output and "will be sent by the next run" in run("resend", message.message_id[:8]).output
    )
    assert isinstance(run("resend", "%").exception, WrongUse)
    assert isinstance(run("resend", "ffffffff").exception, WrongUse)
    assert message.items[0]["title"] in run("told", "news desk").output


@pytest.mark.parametrize("broken", ["", "_extract", "_publish"])
def test_a_run_sends_alerts_at_its_end_also_where_a_step_failed(
    ledger: Ledger, mail: MailServer, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The steps themselves are tested elsewhere; here they do nothing, or fail."""
    import pipeline.commands.operate.run as run_commands

    def fails(*args: object, **more: object) -> dict:
        raise OutsideFailure("the disk went away")

    steps = ("_crawl", "_extract", "_build", "_publish", "_delete_old_visits")
    for name in steps:
        monkeypatch.setattr(run_commands, name, fails if name == broken else lambda *a, **k: {"visits": 0, "pages": 0,
                            "outcomes": {}, "stopped": ""})  # fmt: skip
    sick = SourceHealth("ftc", NOW, None, None, None, (Alarm("failing", "it could not be read"),))
    monkeypatch.setattr("pipeline.app.steps.health", lambda *args: {"ftc": sick})
    ledger.folder.settings.write_text(f'[[alert]]\nname = "sick"\nwatch = "sources"\nto = ["{mail.address()}"]\n')
    ledger.folder.logs.mkdir()
    (ledger.folder.logs / "cron.log").write_bytes(b"x" * (11 * 1024 * 1024))
    (ledger.folder.logs / "crawl.log").write_text("short")
    result = CliRunner().invoke(oversight, ["--data", str(ledger.folder.path), "run"])
    assert isinstance(result.exception, OutsideFailure if broken else type(None)), result.output
    assert mail.texts()[0][0] == "[sick] Federal Trade Commission: it could not be read"
    (row,) = last_runs(ledger.folder, 5)
    assert row["counts"]["alerts.sent"] == 1 and row["ended"] == ("failed" if broken else "done")
    assert sorted(path.name for path in ledger.folder.logs.iterdir()) == ["crawl.log", "cron.log.1"]


def test_removed_recipient_gets_no_more_messages(ledger: Ledger, mail: MailServer) -> None:
    rule = waiting(ledger, mail.address())
    mail.how = "try later"
    ledger.round(rule)
    mail.how = ""
    ledger.round(replace_to(rule), after=timedelta(hours=1))
    ledger.round(rule, after=timedelta(hours=2))
    assert mail.mails == []


def replace_to(rule: dict) -> dict:
    return {**rule, "to": []}


def test_the_source_of_an_alarm_is_named_by_its_title(ledger: Ledger) -> None:
    from pipeline.app.alerts.events import source_items

    health = {"courier": SourceHealth("courier", None, None, None, None, (Alarm("failing", "it fails"),)),
              "gone": SourceHealth("gone", None, None, None, None, (Alarm("failing", "it fails"),))}  # fmt: skip
    items = source_items(health, [replace(COURIER, title="The Marsh Courier")])
    assert [item.title for item in items] == ["The Marsh Courier: it fails"]
