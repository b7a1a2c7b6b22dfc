"""`oversight review` on a small ledger: its output, its file, its refusals, and the build after it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.builders import SIGNED, signing
from support.command import least_cpu_seconds

from pipeline.cli import oversight
from pipeline.errors import AnotherRun, OversightError, WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.reviews.file import load_reviews, parse_reviews
from pipeline.records import EntityKind, Participant, UnknownName, unknown_entity_id
from pipeline.workspace import DataFolder

PLEDGE = "Harbour Robotics pledged on Friday to publish its test results."


def reports() -> list[tuple]:
    pairs = [signing(name, name, day=day, text=PLEDGE) for day, name in enumerate(("courier", "signal"), 1)]
    other = signing("beacon", "pledge", sentence=PLEDGE, trigger="pledged", day=4, on="2026-05-08")
    party = Participant("actor", unknown_entity_id("Oxbow", "organisation"), "Oxbow", EntityKind.ORGANISATION)
    odd = replace(other[1].claims[0], participants=(party,))
    return [
        *pairs,
        (
            other[0],
            replace(other[1], claims=(odd,), unknown_names=(UnknownName("Oxbow", EntityKind.ORGANISATION, 0, 5),)),
        ),
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    with Library(tmp_path / "crawl.db") as library:
        for art, found in reports():
            library.save(art, found, "1")
    assert call(tmp_path, "build").exit_code == 0
    return tmp_path


def call(ledger: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(oversight, ["--data", str(ledger), *words], input=given, standalone_mode=False)


def said(ledger: Path, *words: str, given: str = "") -> str:
    result = call(ledger, *words, given=given)
    assert result.exception is None, result.exception
    return result.output


def refused(ledger: Path, *words: str) -> str:
    result = call(ledger, *words)
    assert isinstance(result.exception, OversightError), result.output
    return str(result.exception)


def rows(ledger: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(ledger / "build.db")) as connection:
        return connection.execute(sql).fetchall()


def ids() -> list[str]:
    return [found.claims[0].claim_id for _, found in reports()]


def decisions(ledger: Path) -> list[str]:
    return [decision.action for decision in load_reviews(ledger / "reviews.toml").decisions]


def test_an_accepted_event_is_confirmed_claim_by_claim_and_not_twice(ledger: Path) -> None:
    ((event_id,),) = rows(ledger, "select event_id from events where n_claims = 2")
    assert "confirmed as extracted" in said(ledger, "review", "accept", event_id, "--who", "ada")
    before = (ledger / "reviews.toml").read_bytes()
    assert "Nothing was saved" in said(ledger, "review", "accept", ids()[0])
    assert (ledger / "reviews.toml").read_bytes() == before
    said(ledger, "build")
    assert rows(ledger, "select count(*) from claims where reviewed = 'confirmed'") == [(2,)]
    shown = said(ledger, "review", "show", ids()[0])
    assert SIGNED in shown and "ada: accept, applied" in shown


def test_an_edit_says_what_will_change_and_the_next_build_does_it(ledger: Path) -> None:
    words = ("modality=planned", "target+=Harbour Council", "actor-=Meridian Labs")
    text = said(ledger, "review", "edit", ids()[0], *words, "--why", "It is only announced.")
    assert "modality: occurred → planned" in text and "has 1 other claim" in text
    said(ledger, "build")
    assert rows(ledger, f"select modality, reviewed from claims where claim_id = '{ids()[0]}'") == [
        ("planned", "changed")
    ]
    parties = rows(ledger, f"select role, name from claim_participants where claim_id = '{ids()[0]}' order by position")
    assert parties == [
        ("actor", "Office of Machine Safety"),
        ("target", "Harbour Council"),
        ("instrument", "Harbour Accord"),
    ]
    found = json.loads(said(ledger, "review", "show", ids()[0], "--json"))[0]
    assert (found["fields"]["modality"], found["program_reads"]["modality"]) == ("planned", "occurred")
    assert "modality: occurred → planned" in said(ledger, "review", "list", "--decided")


def test_rejection_of_all_claims_withdraws_the_event(ledger: Path) -> None:
    text = said(ledger, "review", "reject", ids()[0], "--copies", "--why", "Nobody signed.", "--json")
    assert len(json.loads(text)) == 2
    assert "2 applied, 0 reopened, 0 waiting" in said(ledger, "build")
    assert rows(ledger, "select count(*) from events") == [(1,)]
    assert "was rejected by" in refused(ledger, "review", "edit", ids()[0], "modality=planned", "--why", "x")


def test_a_missed_claim_is_added_and_can_be_changed_afterwards(ledger: Path) -> None:
    art = reports()[0][0]
    words = ("type=commitment", "modality=occurred", "actor=Harbour Robotics", "date=2026-05-08")
    text = said(ledger, "review", "add", art.url, *words, "--quote", PLEDGE, "--trigger", "pledged", "--why", "missed")
    id_ = text[:17]
    said(ledger, "build")
    assert rows(ledger, f"select type, quote, reviewed, rule from claims where claim_id = '{id_}'") == [
        ("commitment", PLEDGE, "added", "editor")
    ]
    said(ledger, "review", "edit", id_, "force=voluntary", "--why", "as the company said")
    said(ledger, "build")
    assert rows(ledger, f"select force, reviewed from claims where claim_id = '{id_}'") == [("voluntary", "changed")]


def test_events_are_merged_and_split_again(ledger: Path) -> None:
    ((event_id,),) = rows(ledger, "select event_id from events where n_claims = 2")
    assert "Not in event" in refused(ledger, "review", "split", event_id, ids()[2], "--why", "x")
    assert "At least one claim must stay" in refused(ledger, "review", "split", event_id, *ids()[:2], "--why", "x")
    said(ledger, "review", "split", event_id, ids()[1], "--why", "Two signings.")
    said(ledger, "build")
    signings = [row[0] for row in rows(ledger, "select event_id from events where actors like '%Meridian%'")]
    assert len(signings) == 2
    assert "two different events" in refused(ledger, "review", "merge", event_id, event_id, "--why", "x")
    # A merge is later than the split and undoes it; both stay in the file.
    file = ledger / "reviews.toml"
    file.write_text(file.read_text().replace("when = 20", "when = 19", 1))
    said(ledger, "review", "merge", *signings, "--why", "One signing after all.")
    said(ledger, "build")
    assert rows(ledger, "select count(*) from events where actors like '%Meridian%'") == [(1,)]
    assert decisions(ledger) == ["split", "merge"]
    assert rows(ledger, "select decision, status from reviews order by 1") == [
        ("merge", "applied"),
        ("split", "replaced"),
    ]


def test_events_of_two_kinds_are_not_merged(ledger: Path) -> None:
    said(ledger, "review", "edit", ids()[2], "type=commitment", "--why", "a pledge")
    said(ledger, "build")
    events = [row[0] for row in rows(ledger, "select event_id from events")]
    assert "agreement and commitment" in refused(ledger, "review", "merge", *events, "--why", "x")


def test_unknown_name_is_resolved(ledger: Path) -> None:
    assert "`oversight unknown-names`" in refused(ledger, "review", "gap", "Nobody", "--no-name")
    assert "Give one of" in refused(ledger, "review", "gap", "Oxbow")
    assert "taken by OpenAI" in refused(ledger, "review", "gap", "Oxbow", "--new", "organisation", "--id", "openai")
    assert "The lexicon has no 'Nessie'" in refused(ledger, "review", "gap", "Oxbow", "--is", "Nessie")
    assert "kinds are" in refused(ledger, "review", "gap", "Oxbow", "--new", "spaceship")
    assert "another name of openai" in said(ledger, "review", "gap", "oxbow", "--is", "OpenAI")
    said(ledger, "build")
    assert rows(ledger, "select count(*) from unknown_names") == [(0,)]
    assert rows(ledger, "select kind from entity_names where entity_id = 'openai' and name = 'oxbow'") == [("alias",)]
    (claim_parties,) = rows(ledger, f"select entity_id from claim_participants where claim_id = '{ids()[2]}'")
    assert claim_parties == ("openai",)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("accept", "c0123456789abcdef"), "There is no claim"),
        (("accept", "e0123456789abcdef"), "There is no event"),
        (("reject", "{}"), "Give a reason"),
        (("edit", "{}", "modality=done", "--why", "x"), "it can be occurred"),
        (("edit", "{}", "mood=good", "--why", "x"), "known fields are type"),
        (("edit", "{}", "planned", "--why", "x"), "Write field=value"),
        (("edit", "{}", "modality+=planned", "--why", "x"), "apply to parties only"),
        (("edit", "{}", "actor-=Nobody", "--why", "x"), "'Nobody' is not a party in the role actor"),
        (("edit", "{}", "modality=occurred", "--why", "x"), "nothing would change"),
        (("edit", "{}", "type=restriction", "--why", "x"), "direction=impose or direction=lift"),
        (("edit", "{}", "direction=lift", "--why", "x"), "nothing would change"),
        (
            ("add", "https://nobody.example/", "type=agreement", "--quote", "x", "--trigger", "x", "--why", "x"),
            "no article",
        ),
        (("accept", "{}", "--who", "\udcff"), "UTF-8 cannot encode"),
    ],
)
def test_invalid_decision_is_refused_and_nothing_is_written(ledger: Path, words, answer: str) -> None:
    filled = [word.format(ids()[0]) for word in words]
    assert answer in refused(ledger, "review", *filled)
    assert not (ledger / "reviews.toml").exists()


def test_check_names_every_problem_and_ends_with_1_and_a_build_refuses_the_file(ledger: Path) -> None:
    said(ledger, "review", "accept", ids()[0])
    assert "1 decision, all valid" in said(ledger, "review", "check")
    file = ledger / "reviews.toml"
    file.write_text(
        file.read_text() + '\n[[decision]]\naction = "erase"\n\n[[decision]]\naction = "accept"\nwho = ""\n'
    )
    result = call(ledger, "review", "check")
    assert result.return_value == 1 and result.output.count("reviews.toml, decision") == 2
    assert "action is 'erase'" in refused(ledger, "build") and "1 more" in refused(ledger, "review", "list")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "--data", str(ledger), "build"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr and "decision 2, line" in done.stderr


def test_file_and_editor_can_be_configured(ledger: Path, tmp_path: Path) -> None:
    (ledger / "oversight.toml").write_text('reviews = "desk/ours.toml"\neditor = "Ada Arden"\n')
    said(ledger, "review", "accept", ids()[0])
    (decision,) = load_reviews(ledger / "desk" / "ours.toml").decisions
    assert decision.who == "Ada Arden" and not (ledger / "reviews.toml").exists()
    assert "1 applied" in said(ledger, "build")


def test_a_decision_waits_for_another_run_to_end(ledger: Path) -> None:
    with DataFolder(ledger).lock():
        assert isinstance(call(ledger, "review", "accept", ids()[0]).exception, AnotherRun)
        assert "to review" in said(ledger, "review", "list")


def test_there_is_nothing_to_review_before_a_build(tmp_path: Path) -> None:
    result = call(tmp_path / "new", "review", "list")
    assert isinstance(result.exception, WrongUse) and "oversight build" in str(result.exception)


def test_queue_asks_plain_questions(ledger: Path) -> None:
    text = said(ledger, "review", "next", "--who", "ada", given="n\norganisation\n\n")
    assert "1 of 1" in text and "Oxbow" in text and "is a new organisation: oxbow" in text
    assert decisions(ledger) == ["gap"]
    said(ledger, "build")
    assert "The review queue is empty" in said(ledger, "review", "next")


def test_low_confidence_claim_confirmed_in_the_queue_is_published(ledger: Path) -> None:
    doubtful = signing("herald", "doubt", day=6, confidence=0.2)
    with Library(ledger / "crawl.db") as library:
        library.save(*doubtful, "1")
    said(ledger, "build")
    queue = json.loads(said(ledger, "review", "list", "--json"))
    assert [item["reason"] for item in queue] == ["unsure", "name"]
    assert SIGNED in said(ledger, "review", "list")
    text = said(ledger, "review", "next", given="e\nforce=loose\nx\nq\n")
    assert "Not saved: Force is 'loose'" in text and decisions_or_none(ledger) == []
    said(ledger, "review", "next", given="a\n\nq\n")
    said(ledger, "build")
    assert rows(ledger, "select max(n_claims) from events") == [(3,)]


def decisions_or_none(ledger: Path) -> list[str]:
    return decisions(ledger) if (ledger / "reviews.toml").exists() else []


def test_the_commands_and_the_file_in_the_guide_for_editors_work(demo: Path, tmp_path: Path) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "reviewing.md").read_text(encoding="utf-8")
    shutil.copytree(demo, tmp_path / "data" / "demo", symlinks=True)
    for line in "".join(re.findall(r"```bash\n(.*?)```", guide, flags=re.S)).splitlines():
        program, _, _, *words = shlex.split(line)
        assert program == "oversight" and said(tmp_path / "data" / "demo", *words).strip(), line
    (example,) = re.findall(r"```toml\n(.*?)```", guide, flags=re.S)
    read = parse_reviews(example.encode(), "guide")
    assert read.problems == [] and len(read.file.decisions) == 1 and read.file.public_names


def test_help_of_the_review_commands_is_quick() -> None:
    assert least_cpu_seconds("review", "edit", "--help") < 0.5
