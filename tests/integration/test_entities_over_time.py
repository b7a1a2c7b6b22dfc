"""Entities over time: one body under two names, offices with dates, affiliations, and dealings."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from support.builders import article, claim, findings, signing, source

from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.publish import publish
from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.load import LexiconError, load_lexicon
from pipeline.site.app import build_site
from pipeline.site.queries.entity_profile import AGAINST, FROM, TO_LIFT, WITH, dealing_kind

WORLD = """
[[entity]]
id = "harbour-ministry"
name = "Harbour Ministry"
kind = "agency"
[[entity]]
id = "office-of-machine-safety"
name = "Office of Machine Safety"
kind = "agency"
parent = "harbour-ministry"
wikidata = "Q424242"
names = [
    { text = "Office of Model Tests", kind = "former", from = 2024-02-01, until = 2025-12-31 },
]
[[entity]]
id = "meridian-labs"
name = "Meridian Labs"
kind = "organisation"
[[entity]]
id = "tern-2"
name = "Tern 2"
kind = "model"
parent = "meridian-labs"
[[entity]]
id = "tide-forum"
name = "Tide Forum"
kind = "organisation"
[[entity]]
id = "ada-arden"
name = "Ada Arden"
kind = "person"
[[entity]]
id = "bo-bell"
name = "Bo Bell"
kind = "person"
[[entity]]
id = "cy-coe"
name = "Cy Coe"
kind = "person"
[[name]]
entity = "meridian-labs"
text = "Meridian"
kind = "short"
needs = ["labs", "model"]
[[role]]
person = "ada-arden"
office = "Secretary of the Harbour"
titles = ["Harbour Secretary"]
body = "harbour-ministry"
until = 2025-06-30
[[role]]
person = "bo-bell"
office = "Secretary of the Harbour"
titles = ["Harbour Secretary"]
body = "harbour-ministry"
from = 2025-07-01
[[role]]
person = "cy-coe"
office = "Deputy Secretary of the Harbour"
body = "harbour-ministry"
from = 2025-07-01
[[role]]
person = "ada-arden"
office = "chief executive of Meridian Labs"
titles = ["Meridian CEO"]
body = "meridian-labs"
from = 2025-08-01
[[role]]
person = "cy-coe"
office = "chief executive of Research of Meridian Labs"
body = "meridian-labs"
[[relation]]
entity = "meridian-labs"
kind = "member_of"
other = "tide-forum"
from = 2024-05-01
until = 2025-05-01
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lexicon") / "world.toml"
    path.write_text(WORLD)
    return path


@pytest.fixture(scope="module")
def lexicon(file: Path) -> Lexicon:
    return load_lexicon(file)


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


# the lexicon


@pytest.mark.parametrize(
    ("body", "day", "person"),
    [
        ("us-department-of-commerce", date(2024, 5, 1), "gina-raimondo"),
        ("openai", date(2023, 11, 1), "sam-altman"),
        ("openai", date(2023, 11, 19), "mira-murati"),
        ("openai", None, "sam-altman"),
        ("alphabet", date(2019, 12, 2), "larry-page"),
        ("federal-trade-commission", date(2023, 1, 1), "lina-khan"),
        ("office-of-science-and-technology-policy", date(2023, 1, 1), "arati-prabhakar"),
        ("european-commission", date(2025, 1, 1), "ursula-von-der-leyen"),
        ("us-department-of-justice", date(2025, 6, 1), "pam-bondi"),
        ("us-department-of-justice", date(2026, 8, 10), "todd-blanche"),
        ("us-department-of-justice", date(2026, 6, 1), "todd-blanche"),
        ("us-department-of-homeland-security", date(2026, 3, 23), "kristi-noem"),
        ("us-department-of-homeland-security", date(2026, 3, 24), "markwayne-mullin"),
        ("federal-reserve", None, "kevin-warsh"),
        ("united-kingdom-government", date(2026, 7, 19), "keir-starmer"),
        ("united-kingdom-government", None, "andy-burnham"),
        ("apple", date(2026, 8, 31), "tim-cook"),
        ("apple", date(2026, 9, 1), "john-ternus"),
        ("center-for-ai-standards-and-innovation", None, "arvind-raman"),
    ],
)
def test_the_packaged_offices_name_their_holders(body: str, day: date | None, person: str) -> None:
    assert person in {role.person_id for role in load_lexicon().roles if role.body_id == body and role.held_on(day)}


def test_body_with_three_names_has_the_name_of_the_day() -> None:
    lexicon = load_lexicon()
    names = [
        lexicon.name_at("uk-ai-security-institute", date(*day)) for day in ((2023, 5, 1), (2023, 10, 1), (2024, 1, 1))
    ]
    assert names == ["Foundation Model Taskforce", "Frontier AI Taskforce", "U.K. AI Safety Institute"]


def test_offices_and_relations_run_forward_in_time() -> None:
    lexicon = load_lexicon()
    assert len(lexicon.roles) > 750 and len(lexicon.relations) >= 25
    for one in (*lexicon.roles, *lexicon.relations):
        assert not (one.start and one.end) or one.start <= one.end, one


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('[[name]]\nentity = "nobody"\ntext = "No"', ["there is no entity 'nobody'"]),
        ('[[name]]\nentity = "openai"\ntext = "Open  AI"', ["stray white space"]),
        ('[[name]]\nentity = "openai"\ntext = "OAI"\nkind = "nick"', ["kind is 'nick'", "former"]),
        ('[[relation]]\nentity = "openai"\nkind = "friend_of"\nother = "meta"', ["kind is 'friend_of'", "member_of"]),
        ('[[relation]]\nentity = "openai"\nkind = "part_of"\nother = "nobody"', ["there is no entity 'nobody'"]),
        (
            '[[relation]]\nentity = "openai"\nkind = "part_of"\nother = "meta"\nsince = 2024-01-01',
            ["unknown key 'since'"],
        ),
        (
            '[[relation]]\nentity = "openai"\nkind = "part_of"\nother = "meta"\nfrom = 2025-01-02\nuntil = 2025-01-01',
            ["is after until"],
        ),
        (
            '[[role]]\nperson = "sam-altman"\noffice = "Chair"\nfrom = 2025-01-02\nuntil = 2025-01-01',
            ["is after until"],
        ),
    ],
)
def test_a_broken_name_office_or_relation_is_refused(tmp_path: Path, body: str, words: list[str]) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(body)
    with pytest.raises(LexiconError) as caught:
        load_lexicon(path)
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


# the ledger


@pytest.fixture(scope="module")
def ledger(lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    fined = "The Office of Machine Safety fined Meridian Labs over Tern 2, Ada Arden said."
    plan = "The Office of Machine Safety may sue Meridian Labs."
    one, two = article("courier", "fine", fined, day=2), article("courier", "plan", plan, day=4)
    who = {"actor": "Office of Machine Safety", "target": "Meridian Labs"}
    more = {"on": "2026-05-05", "object": "Tern 2", "affected": "Ada Arden"}
    reports = [
        signing("courier", "a", day=1),
        (one, findings(one, claim(one, fined, "fined", "enforcement", **more, **who))),
        (two, findings(two, claim(two, plan, "sue", "litigation", modality="considered", **who))),
    ]
    with Library(folder / "crawl.db") as library:
        for art, found in reports:
            library.save(art, found, "1")
    build(folder / "crawl.db", folder / "build.db", [source("courier")], lexicon=lexicon)
    publish(folder / "build.db", folder / "published")
    return folder


def test_names_offices_and_relations_are_published_with_their_days(ledger: Path) -> None:
    path = ledger / "build.db"
    names = "select name, kind, used_from, used_until from entity_names where entity_id = '{}' order by used_from"
    assert rows(path, names.format("office-of-machine-safety")) == [
        ("Office of Model Tests", "former", "2024-02-01", "2025-12-31"),
        ("Office of Machine Safety", "canonical", "2026-01-01", None),
    ]
    offices = "select office, body_id, held_from, held_until from entity_roles where person_id = '{}'"
    assert rows(path, offices.format("ada-arden")) == [
        ("Secretary of the Harbour", "harbour-ministry", None, "2025-06-30"),
        ("chief executive of Meridian Labs", "meridian-labs", "2025-08-01", None),
    ]
    assert rows(path, "select * from entity_relations") == [
        ("meridian-labs", "member_of", "tide-forum", "2024-05-01", "2025-05-01"),
        ("office-of-machine-safety", "part_of", "harbour-ministry", None, None),
        ("tern-2", "made_by", "meridian-labs", None, None),
    ]
    assert rows(path, "select count(*) from entity_roles where person_id in ('bo-bell', 'cy-coe')") == [(0,)]
    assert rows(path, "select wikidata_id from entities where entity_id = 'office-of-machine-safety'") == [("Q424242",)]


def page(ledger: Path, entity_id: str) -> str:
    answer = asyncio.run(build_site(ledger).client.get(f"/entity/{entity_id}"))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_entity_page_shows_names_offices_and_relations(ledger: Path) -> None:
    office = page(ledger, "office-of-machine-safety")
    assert "Office of Model Tests (former name) from 1 February 2024 until 31 December 2025" in office
    assert "Office of Machine Safety (current name) from 1 January 2026" in office
    assert "Part of Harbour Ministry" in office and "Wikidata" in office
    lab = page(ledger, "meridian-labs")
    assert "Its models Tern 2" in lab and "Member of Tide Forum from 1 May 2024 until 1 May 2025" in lab
    assert "Office holders Ada Arden , chief executive of Meridian Labs from 1 August 2025" in lab
    person = page(ledger, "ada-arden")
    assert "Offices chief executive of Meridian Labs from 1 August 2025" in person
    assert "Secretary of the Harbour until 30 June 2025" in person


def test_only_what_happened_counts_as_a_dealing_of_an_entity(ledger: Path) -> None:
    office = page(ledger, "office-of-machine-safety")
    assert "Agrees or works with Meridian Labs 1 event" in office
    assert "Acts against Meridian Labs 1 event, 1 not reported as happened" in office
    lab = page(ledger, "meridian-labs")
    assert "Faces action by Office of Machine Safety 1 event, 1 not reported as happened" in lab
    assert "Acts against" not in lab


@pytest.mark.parametrize(
    ("type_", "direction", "mine", "theirs", "heading"),
    [
        ("agreement", None, "actor", "actor", WITH),
        ("commitment", None, "actor", "target", WITH),
        ("litigation", None, "actor", "target", AGAINST),
        ("litigation", None, "target", "actor", FROM),
        ("litigation", None, "actor", "actor", ""),
        ("restriction", "impose", "actor", "target", AGAINST),
        ("restriction", "lift", "actor", "target", TO_LIFT),
        ("evaluation", None, "actor", "target", ""),
        ("refusal", None, "actor", "target", AGAINST),
        ("legislation", None, "actor", "target", ""),
    ],
)
def test_the_relation_of_two_parties_of_an_event(
    type_: str, direction: str | None, mine: str, theirs: str, heading: str
) -> None:
    assert dealing_kind(type_, direction, mine, theirs) == heading


def test_a_renamed_institute_is_one_entity_also_where_a_later_report_uses_its_former_name(demo: Path) -> None:
    names = rows(
        demo / "published" / "current",
        "select name, kind, used_from, used_until from entity_names where entity_id = 'model-assurance-institute' "
        "and kind in ('canonical', 'former') order by used_from",
    )
    assert names == [
        ("Talvian AI Safety Institute", "former", None, "2026-03-29"),
        ("Model Assurance Institute", "canonical", "2026-03-30", None),
    ]
    others = "select entity_id from entities where name like '%AI Safety Institute%'"
    assert rows(demo / "published" / "current", others) == []


def test_command_shows_names_offices_and_relations_with_their_dates(ledger: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "--data", str(ledger), "entity"]
    lab, office = (
        subprocess.run([*command, name], capture_output=True, text=True, check=True).stdout
        for name in ("Meridian Labs", "Office of Model Tests")
    )
    assert "  Ada Arden: chief executive of Meridian Labs from 2025-08-01\n" in lab
    assert "  Meridian Labs: member of Tide Forum from 2024-05-01 until 2025-05-01\n" in lab
    assert "  named Office of Model Tests from 2024-02-01 until 2025-12-31\n" in office
