"""Entities of an updated ledger: parents, offices and relations appear with the entities that they belong to, and
unknown names with their claims.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.whole_ledger import differences, whole_rows

from pipeline.evaluation.synthetic_news import NewsGenerator
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.build.recompute.entities import EntityUpdater
from pipeline.ledger.build.state import TALLIED, state_path
from pipeline.lexicon.entities import Lexicon, Name, Relation, Role
from pipeline.records import Entity, EntityKind, Findings, UnknownName, unknown_entity_id

PROGRAM = "1"
ORGANISATION = EntityKind.ORGANISATION


def body(id_: str, parent: str = "") -> Entity:
    return Entity(id_, id_.title(), EntityKind.AGENCY, parent_id=parent)


def lexicon_of(maker: NewsGenerator) -> Lexicon:
    """Know a few of the made parties: some lead bodies, and some belong to others, that no report names."""
    known = [replace(entity, known=True) for entity in maker._parties[:8]]
    persons = [e.entity_id for e in known if e.kind is EntityKind.PERSON]
    roles = [Role(id_, f"head of body-{n}", (), f"body-{n}", date(2025, 1 + n, 1)) for n, id_ in enumerate(persons)]
    roles.append(Role("nobody-met", "deputy", (), "body-0"))
    relations = [
        Relation(known[1].entity_id, "member_of", "club", date(2024, 3, 1)),
        Relation(known[2].entity_id, "member_of", "body-0"),
        Relation("body-0", "member_of", "club"),
        *(Relation("ministry", "member_of", other.entity_id) for other in known[4:]),
        Relation(known[6].entity_id, "member_of", persons[1]),
        Relation(known[4].entity_id, "member_of", "body-1"),
    ]
    entities = [*known, *(body(f"body-{n}", "ministry") for n in range(len(persons))), body("ministry", "state"),
                body("state"), body("club"), body("nobody-met")]  # fmt: skip
    names = [Name(e.name, e.entity_id, "canonical", True) for e in entities]
    names.append(Name("The Ministry", "ministry", "alias", True))
    return Lexicon({e.entity_id: e for e in entities}, tuple(names), tuple(roles), (), (), {}, frozenset(), "0",
                   tuple(relations))  # fmt: skip


class ArticleMaker:
    """Makes articles in which parties that nobody knows belong to others, of which only some articles tell."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.maker = NewsGenerator(seed=seed, start=date(2026, 1, 5), filler=300, relevant=1.0, parties=24, outlets=5)
        self.parent = {e.entity_id: unknown_entity_id(f"Holding {n % 3}", ORGANISATION.value)
                       for n, e in enumerate(self.maker._parties) if n % 2}  # fmt: skip
        self.holdings = {unknown_entity_id(f"Holding {n}", ORGANISATION.value): f"Holding {n}" for n in range(3)}
        self.articles = iter(self.maker.articles(200))

    def next(self) -> tuple:
        article, found = next(self.articles)
        entities = [replace(e, parent_id=self.parent.get(e.entity_id, "")) for e in found.entities]
        entities += [Entity(id_, name, ORGANISATION, known=False)
                 for id_, name in self.holdings.items() if self.chance.random() < 0.05]  # fmt: skip
        gaps = [UnknownName(e.name, e.kind, at, at + len(e.name)) for e in found.entities
                if (at := article.text.find(e.name)) >= 0 and self.chance.random() < 0.7]  # fmt: skip
        return article, replace(found, entities=tuple(entities), unknown_names=(*found.unknown_names, *gaps))


@pytest.mark.parametrize("seed", range(6))
def test_the_entities_of_an_updated_ledger_equal_those_of_a_rebuilt_one(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawl, ledger, maker = tmp_path / "crawl.db", tmp_path / "build.db", ArticleMaker(seed)
    lexicon, sources = lexicon_of(maker.maker), maker.maker.sources
    wholly: list[bool] = []
    write_all = EntityUpdater._write_all

    def watched(parties: EntityUpdater) -> None:
        wholly.append(parties.writer.full)
        write_all(parties)

    monkeypatch.setattr(EntityUpdater, "_write_all", watched)
    with Library(crawl) as library:
        kept = []
        for clock, n in enumerate((9, 2, 1, 3, 2, 1, 0, 2, 1, 1, 3, 1, 1, 2, 0, 2, 4, 1)):
            with library.transaction():
                for _ in range(n):
                    kept.append(maker.next())
                    library.save(*kept[-1], PROGRAM, kept[-1][0].fetched_at)
                if not n:  # an article is not relevant after all: what only it tells of is gone
                    article, _ = kept.pop(0)
                    none = Findings(article.article_id, article.version, False, 0.0)
                    library.save(article, none, PROGRAM, article.fetched_at + timedelta(days=clock))
            wanted = whole_rows(library, sources, program_version=PROGRAM, lexicon=lexicon)
            report = build(crawl, ledger, sources, program_version=PROGRAM, lexicon=lexicon)
            assert differences(ledger, wanted, library) == []
            assert report.n_pending == library.n_pending(PROGRAM) == 0
        article, _ = maker.next()
        library.save_article(article)
        assert build(crawl, ledger, sources, program_version=PROGRAM, lexicon=lexicon).n_pending == 1
    assert wholly == [True, False, False]  # all are looked at only at first, and where an article was taken out
    assert wanted["entity_roles"] and len(wanted["entity_relations"]) > 1
    assert any(row["reason"] == "name" and row["n_claims"] > 1 for row in wanted["queue"])
    assert any(row["parent_id"] and not row["in_lexicon"] for row in wanted["entities"])
    with closing(sqlite3.connect(state_path(ledger))) as db:
        for table in TALLIED:
            counted = db.execute("select coalesce(sum(n), 0) from tallies where what = ?", (table,)).fetchone()
            assert counted == db.execute(f"select count(*) from {table}").fetchone(), table
