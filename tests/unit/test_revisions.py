"""Edits of articles: their effect on claims is listed, and edits of clutter change nothing."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.builders import SIGNED, article, claim, findings, signing, source

from pipeline.aggregation.revisions.claim_diff import ArticleVersion, edits_of, in_order, match, successors
from pipeline.aggregation.revisions.text_diff import compare, plain, sentences, similarity, word_changes
from pipeline.errors import DONE, WRONG_USE
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.verify import verify
from pipeline.newsroom.answers import planted
from pipeline.newsroom.stories import story
from scrapers.items import Article, Outcome

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (source("courier"), source("signal"))
MORE = "Both sides had talked since March. The accord runs for two years."


def article_version(art: Article, *claims, day: int = 1, sha: str = "") -> ArticleVersion:
    seen = f"2026-05-{4 + day:02d}T10:00:00+00:00"
    art = dataclasses.replace(art, page_sha256=sha or f"{art.version}{day}")
    return ArticleVersion(art, findings(art, *claims), seen, seen)


def version(text: str, *said: dict, day: int = 1, slug: str = "a", title: str = "") -> ArticleVersion:
    art = article("courier", slug, text)
    art = dataclasses.replace(art, title=title or art.title)
    return article_version(art, *(claim(art, **one) for one in said), day=day)


def signed(**more) -> dict:
    return {
        "sentence": SIGNED, "trigger": "signed", "type_": "agreement", "on": "2026-05-05",
        "actor": ["Meridian Labs", "Office of Machine Safety"], "instrument": "Harbour Accord",
    } | more  # fmt: skip


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


# wording

PROSE = "The agency said: “We’ll see” – and signed the deal on 3 May 2026. Dr. Ames of the U.S. office agreed."
IT = "The agency signed it."
CLUTTER_EDITS = {
    "white space": ("The agency signed it.\n\nIt was late.", "The  agency signed\u00a0it. It was late."),
    "a moved paragraph break": ("The agency signed it. It was late.", "The agency signed it.\n\nIt was late."),
    "typographic quotes": (PROSE, PROSE.replace("“", '"').replace("”", '"').replace("’", "'").replace("–", "-")),
    "a soft hyphen": ("The administration signed it.", "The admin\u00adistration signed it."),
    "a time stamp": (f"Updated: 3 May 2026, 14:30\n\n{IT}", f"Updated: 4 May 2026, 09:05\n\n{IT}"),
    "a stamp in brackets": (f"{IT} (Updated at 10:40 a.m. ET)", f"{IT} (Updated at 11:05 a.m. ET)"),
    "minutes of reading": (f"3 min read\n\n{IT}", f"4 min read\n\n{IT}"),
    "a cookie banner": (IT, f"We use cookies to improve your experience.\n\n{IT}\n\nAccept all cookies"),
    "related links": (f"{IT}\n\nRelated: A bill fails", f"{IT}\n\nRelated: A court rules"),
    "a newsletter box": (IT, f"{IT}\n\nSign up for our morning newsletter and get it in your inbox."),
}
REAL_EDITS = {
    "a date in prose": ("The rules were published on 3 May 2026.", "The rules were published on 4 May 2026."),
    "a leading date": ("Published on 3 May 2026, the rules bind.", "Published on 4 May 2026, the rules bind."),
    "a word": (IT, "The agency never signed it."),
    "a claim about cookies": (
        "Ofcom fined Orrin over its use of cookies.",
        "Ofcom sued Orrin over its use of cookies.",
    ),
    "a claim about privacy": ("It must change its privacy policy.", "It need not change its privacy policy."),
    "a sentence taken out": (f"{IT} Nobody was told.", IT),
    "a sentence said once less": ("It failed. It failed. All knew.", "It failed. All knew."),
}


@pytest.mark.parametrize("case", CLUTTER_EDITS)
def test_changes_of_clutter_and_typography_are_not_edits(case: str) -> None:
    old, new = CLUTTER_EDITS[case]
    assert compare(old, new) == compare(new, old) == ((), ())


@pytest.mark.parametrize("case", REAL_EDITS)
def test_different_words_are_an_edit(case: str) -> None:
    old, new = REAL_EDITS[case]
    gone, come = compare(old, new)
    assert (gone or come) and compare(new, old) == (come, gone)


def test_sentences_end_where_a_reader_would_end_them() -> None:
    assert sentences(PROSE) == [
        "The agency said: “We’ll see” – and signed the deal on 3 May 2026.",
        "Dr. Ames of the U.S. office agreed.",
    ]
    assert sentences('He said "No." Then he left.\nThe end.') == ['He said "No."', "Then he left.", "The end."]


def test_marked_changes_join_to_the_full_sentence() -> None:
    old, new = "Meta will sign the accord on May 5.", "Meta has not signed the accord."
    before, after = word_changes(old, new)
    assert "".join(w for w, _ in before) == old and "".join(w for w, _ in after) == new
    assert [w for w, changed in before if changed] == ["will sign", "on May 5"]
    assert not any(w != w.rstrip() for w, changed in (*before, *after) if changed)
    assert similarity(old, new) > similarity(old, "The court ruled on Friday.")


# claims


def test_a_change_of_modality_date_and_parties_is_listed_for_the_same_claim() -> None:
    later = "Meridian Labs will sign the Harbour Accord with the Office of Machine Safety and Ofcom on 9 May 2026."
    now = signed(
        sentence=later, trigger="sign", modality="planned", on="2026-05-09",
        actor=["Meridian Labs", "Office of Machine Safety", "Ofcom"],
    )  # fmt: skip
    (edit,) = edits_of([version(f"{SIGNED} {MORE}", signed()), version(f"{later} {MORE}", now, day=2)])
    (change,) = edit.changes
    assert (change.kind, change.fields) == ("changed", ("modality", "date", "parties"))
    assert (change.old_words, change.new_words) == (SIGNED, later) == (edit.gone[0], edit.come[0])
    assert edit.heirs == {change.old.claim_id: change.new.claim_id}
    assert (edit.old_seen_at[:10], edit.new_seen_at[:10]) == ("2026-05-05", "2026-05-06")


def test_a_sentence_in_other_words_is_the_same_claim_reworded() -> None:
    other = "On 5 May 2026 Meridian Labs signed the Harbour Accord with the Office of Machine Safety."
    (edit,) = edits_of(
        [version(f"{SIGNED} {MORE}", signed()), version(f"{other} {MORE}", signed(sentence=other), day=2)]
    )
    assert [(c.kind, c.fields) for c in edit.changes] == [("reworded", ())]


def test_a_claim_taken_out_vanishes_and_one_put_in_appears() -> None:
    fined = "Ofcom fined Meridian Labs."
    with_fine = dict(sentence=fined, trigger="fined", type_="enforcement", actor="Ofcom", target="Meridian Labs")
    one, two = version(f"{SIGNED} {MORE}", signed()), version(f"{fined} {MORE}", with_fine, day=2)
    (edit,) = edits_of([one, two])
    assert sorted((c.kind, c.old_words, c.new_words) for c in edit.changes) == [
        ("appeared", "", fined), ("vanished", SIGNED, ""),
    ]  # fmt: skip
    (back,) = edits_of([two, one])
    assert sorted(c.kind for c in back.changes) == ["appeared", "vanished"]


def test_a_sentence_that_lost_its_claim_shows_what_took_its_place() -> None:
    softer = "Meridian Labs and the Office of Machine Safety spoke of the Harbour Accord on 5 May 2026."
    (edit,) = edits_of([version(f"{SIGNED} {MORE}", signed()), version(f"{softer} {MORE}", day=2)])
    (change,) = edit.changes
    assert (change.kind, change.new, change.new_words) == ("vanished", None, softer)


@pytest.mark.parametrize("case", CLUTTER_EDITS)
def test_a_boilerplate_edit_changes_no_claim_even_if_it_was_read_differently(case: str) -> None:
    old, new = (f"{SIGNED}\n\n{text}" for text in CLUTTER_EDITS[case])
    one = version(old, signed(), signed(type_="commitment"))
    two = version(new, signed(modality="planned"), day=2)
    (edit,) = edits_of([one, two])
    assert edit.changes == () and not edit.touches_the_text


def test_different_reading_of_an_unchanged_sentence_is_not_an_edit() -> None:
    one = version(f"{SIGNED} {MORE}", signed(), signed(type_="commitment"))
    two = version(f"{SIGNED} Both sides had talked since April.", signed(), day=2)
    (edit,) = edits_of([one, two])
    assert edit.gone and edit.changes == ()


def test_a_claim_whose_id_changed_with_typography_is_followed_silently() -> None:
    typed = SIGNED.replace("Harbour Accord", "“Harbour Accord”")
    plain_ = SIGNED.replace("Harbour Accord", '"Harbour Accord"')
    (edit,) = edits_of([version(typed, signed(sentence=typed)), version(plain_, signed(sentence=plain_), day=2)])
    assert edit.changes == () and len(edit.heirs) == 1


def test_an_unsure_claim_is_a_change_only_if_its_sentence_was_edited() -> None:
    other = SIGNED.replace("signed", "may have signed")
    unsure = [version(SIGNED, signed()), version(f"{SIGNED} {MORE}", signed(confidence=0.3), day=2)]
    (edit,) = edits_of(unsure, lambda c: c.confidence >= 0.5)
    assert edit.changes == ()
    lost = [version(SIGNED, signed()), version(other, signed(sentence=other, confidence=0.3), day=2)]
    (edit,) = edits_of(lost, lambda c: c.confidence >= 0.5)
    assert [(c.kind, c.new, c.new_words) for c in edit.changes] == [("vanished", None, other)]


def test_two_claims_of_one_sentence_keep_apart_and_order_makes_no_difference() -> None:
    text = "Meridian Labs signed the Harbour Accord and released Tern 2 in May."
    edited = text.replace("Tern 2 in May", "Tern 2 in June")
    kinds = [("signed", "agreement"), ("released", "model_release")]
    old, new = (
        version(t, *(dict(sentence=t, trigger=w, type_=k, actor="Meridian Labs") for w, k in kinds))
        for t in (text, edited)
    )
    assert old.findings and new.findings
    before, after = old.findings.claims, new.findings.claims
    pairs = match(before, after)
    assert [(a.type, b.type) for a, b in pairs] == [("agreement", "agreement"), ("model_release", "model_release")]
    assert match(before[::-1], after[::-1]) == pairs


def test_a_version_that_comes_back_is_a_second_edit_and_two_readings_of_a_page_are_none() -> None:
    one, two = version(SIGNED, signed()), version(f"{SIGNED} {MORE}", signed(), day=2)
    returned = dataclasses.replace(one, last_seen_at="2026-05-09T10:00:00+00:00")
    steps = edits_of(in_order([returned, two], one.article.version))
    assert [(e.nth, e.old.version, e.new.version) for e in steps] == [
        (1, one.article.version, two.article.version), (2, two.article.version, one.article.version),
    ]  # fmt: skip
    assert steps[1].new_seen_at[:10] == "2026-05-09"
    reread = dataclasses.replace(two, article=dataclasses.replace(two.article, page_sha256=one.article.page_sha256))
    assert len(in_order([one, reread], two.article.version)) == 1


def test_a_claim_is_followed_through_several_edits() -> None:
    texts = [SIGNED, SIGNED.replace("on 5 May", "on Tuesday, 5 May"), SIGNED.replace("on 5 May", "late on 5 May")]
    steps = edits_of([version(t, signed(sentence=t), day=n) for n, t in enumerate(texts, 1)])
    first = steps[0].changes[0].old
    assert first and successors(steps)[first.claim_id] == steps[1].changes[0].new.claim_id
    assert len({e.change_id(c) for e in steps for c in e.changes}) == 2


def test_the_planted_edits_of_the_newsroom_are_classified() -> None:
    for case in planted()["edited"]:
        first, second = story(case["article"]).versions
        assert any(compare(first.text, second.text)) == case["claims_change"]


# the ledger


def edited_ledger(tmp_path: Path, *reports, **more) -> Path:
    with Library(tmp_path / "crawl.db") as library:
        for art, found in reports:
            library.save(art, found, "1")
    build(tmp_path / "crawl.db", tmp_path / "build.db", SOURCES, **more)
    return tmp_path / "build.db"


def test_a_claim_of_an_earlier_version_is_listed_and_supports_nothing(tmp_path: Path) -> None:
    first = signing("courier", "a", day=1)
    other = signing("signal", "b", day=2)
    taken = article("courier", "a", "The agency and the company declined to comment.", day=3)
    path = edited_ledger(tmp_path, first, other, (taken, findings(taken)))
    lost = first[1].claims[0].claim_id
    ((event,),) = [rows(path, "select event_id from events")]
    assert rows(path, "select claim_id from claims") == [(other[1].claims[0].claim_id,)]
    assert rows(path, "select n_articles, n_origins, n_claims from events") == [(1, 1, 1)]
    assert rows(path, "select kind, old_claim_id, new_claim_id, event_id, old_quote, seen_on from revisions") == [
        ("vanished", lost, None, event[0], SIGNED, "2026-05-07")
    ]
    assert verify(tmp_path) == []


def test_an_article_whose_claims_are_all_gone_stays_with_its_history(tmp_path: Path) -> None:
    first = signing("courier", "a", day=1)
    taken = article("courier", "a", "This article was withdrawn.", day=3)
    path = edited_ledger(tmp_path, first, (taken, findings(taken, relevant=False)))
    assert rows(path, "select n_claims, n_versions from articles") == [(0, 2)]
    assert rows(path, "select kind, event_id from revisions") == [("vanished", None)]
    assert rows(path, "select count(*) from events") == [(0,)]


def test_an_event_whose_only_sentence_was_edited_redirects_to_its_new_event(tmp_path: Path) -> None:
    first = signing("courier", "a", day=1)
    path = edited_ledger(tmp_path, first)
    ((old,),) = rows(path, "select event_id from events")
    later = signing(
        "courier", "a", day=4, sentence=SIGNED.replace("signed", "has not signed"), modality="negated",
    )  # fmt: skip
    edited_ledger(tmp_path, later)
    ((new,),) = rows(path, "select event_id from events")
    assert rows(path, "select old_event_id, event_id, reason from event_redirects") == [
        (old, new, "the publisher edited its sentence, which is now in this event")
    ]
    assert rows(path, "select kind, fields, old_modality, new_modality, event_id from revisions") == [
        ("changed", "modality", "occurred", "negated", new)
    ]


def test_a_page_read_again_by_a_later_reader_is_no_edit_and_its_former_text_does_not_count(tmp_path: Path) -> None:
    old, new = (signing("courier", "a", text=text) for text in ("Menu Home Search", "It was late."))
    with Library(tmp_path / "crawl.db") as library:
        for reader, (art, found) in (("r1", old), ("r2", new)):
            art = dataclasses.replace(art, page_sha256="ab")
            library.save_reading("ab", art.url, "courier", reader, Outcome.SAVED, art)
            library.save(art, found, "1")
        assert library.outdated_versions(old[0].article_id) == {old[0].version}
    build(tmp_path / "crawl.db", tmp_path / "build.db", SOURCES)
    assert rows(tmp_path / "build.db", "select version, n_versions from articles") == [(new[0].version, 1)]
    assert rows(tmp_path / "build.db", "select * from article_edits") == []


def test_an_edit_longer_than_may_be_quoted_is_cut(tmp_path: Path) -> None:
    long = SIGNED[:-1] + ", " + ", ".join(f"which clause {n} of the text says" for n in range(80)) + "."
    longer = long.replace("signed", "has not signed")
    path = edited_ledger(
        tmp_path, signing("courier", "a", day=1, sentence=long), signing("courier", "a", day=3, sentence=longer)
    )
    ((old, new),) = rows(path, "select old_quote, new_quote from revisions")
    assert len(old) == len(new) == 700 and old in long and new in longer and "has not signed" in new


# the demo, its pages and the command


def test_the_planted_edit_is_in_the_demo_and_the_boilerplate_edit_is_not(demo: Path) -> None:
    case = next(case for case in planted()["edited"] if case["claims_change"])
    found = rows(
        demo / "published" / "current",
        "select a.url, r.kind, r.old_modality, r.new_modality from revisions r join articles a using (article_id) "
        "where r.type = 'agreement'",
    )
    assert [row[:3] for row in found] == [
        (story(case["article"]).url.replace("http:", "https:"), "changed", case["before"])
    ]
    assert rows(demo / "published" / "current", "select count(*) from article_edits") == [(1,)]


def oversight(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", "--data", str(data), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_shows_versions_sentences_and_claims(demo: Path) -> None:
    said = oversight("revisions", "set date for testing", "--claims", data=demo)
    assert said.returncode == DONE
    assert "- Vellichor will sign a testing agreement" in said.stdout
    assert "+ Vellichor has postponed the signing" in said.stdout
    assert "changed: agreement" in said.stdout
    ((url, id_),) = rows(demo / "published" / "current", "select url, article_id from articles where n_versions > 1")
    for name in (url, id_, id_[:9]):
        told = json.loads(oversight("revisions", name, "--claims", "--json", data=demo).stdout)
        assert told["article"]["article_id"] == id_
        assert len(told["versions"]) == 2 and told["edits"][0]["claims"] and told["edits"][0]["gone"]
    wrong = oversight("revisions", "https://nowhere.example/x", data=demo)
    assert wrong.returncode == WRONG_USE and "has no article" in wrong.stderr
    many = oversight("revisions", "Tessel", data=demo)
    assert many.returncode == WRONG_USE and "articles match 'Tessel'" in many.stderr


def test_pages_describe_an_edit_in_words(demo: Path) -> None:
    import asyncio

    from pipeline.site.app import build_site

    site = build_site(demo)
    ((article_id, event_id),) = rows(
        demo / "published" / "current", "select article_id, event_id from revisions where type = 'agreement'"
    )

    def get(path: str) -> str:
        answer = asyncio.run(site.client.get(path))
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.text)

    page = get(f"/article/{article_id}")
    assert "How it was edited" in page and "Edit seen on 27 March 2026" in page
    assert "<del>will sign</del>" in page and "<ins>has postponed the signing of</ins>" in page
    assert "Before" in page and "After" in page
    page = get(f"/event/{event_id}")
    assert "This sentence was changed" in page and "seen on 27 March 2026" in page and "Edited by publishers" in page


def test_event_page_lists_withdrawn_statements(tmp_path: Path) -> None:
    import asyncio

    from pipeline.ledger.publish.publish import publish
    from pipeline.site.app import build_site

    taken = article("courier", "a", "The agency and the company declined to comment.", day=3)
    path = edited_ledger(
        tmp_path, signing("courier", "a", day=1), signing("signal", "b", day=2), (taken, findings(taken))
    )
    publish(path, tmp_path / "published")
    ((event_id,),) = rows(path, "select event_id from events")
    page = asyncio.run(build_site(tmp_path).client.get(f"/event/{event_id}")).text
    assert (
        "Removed by the publisher" in page
        and "They are not counted above" in page
        and "Removed, seen on 7 May 2026" in page
    )
    assert "1 independent origin (1 article)" in page


def test_plain_text_keeps_differences_between_sentences() -> None:
    assert plain("“It’s  done” – he said…") == plain('"It\'s done" - he said...')
    assert plain("It is done.") != plain("It is not done.")
