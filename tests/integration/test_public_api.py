"""The public interface does what the README says, on the demo's ledger and on an article of one's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.builders import article

import pipeline
from pipeline.errors import WrongUse

TEXT = "The Federal Trade Commission fined Halden on Friday over the chatbot's data practices.\n\nHalden will appeal."


def test_every_public_name_is_there_and_no_other() -> None:
    assert {name for name in pipeline.__all__ if getattr(pipeline, name) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pipeline.nothing  # noqa: B018


def test_importing_the_package_loads_no_framework() -> None:
    code = (
        "import sys, pipeline; print([m for m in ('spacy', 'scrapy', 'datasette', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_article_is_read_and_its_claims_make_events() -> None:
    told = article("courier", "fine", TEXT)
    findings = pipeline.extract(told, pipeline.load())
    (fine,) = [claim for claim in findings.claims if claim.type == "enforcement"]
    assert told.text[fine.evidence.start : fine.evidence.end] == fine.evidence.quote
    made = pipeline.aggregate([findings], [told])
    assert fine.claim_id in made.claim_event
    assert pipeline.aggregate([findings], [told], least_confidence=1.1).events == ()


def test_the_demo_s_ledger_lists_events_and_their_claims(demo: Path) -> None:
    with pipeline.Ledger(demo) as ledger:
        events = list(ledger.events(party="Vellichor"))
        assert events and all(ledger.claims(event["event_id"]) for event in events)
        planned = list(ledger.events(modality="planned"))
        assert {event["modality"] for event in planned} == {"planned"}
        days = [event["date_end"] for event in ledger.events(since="2026-04-01", until="2026-04-30")]
        assert days and all(day >= "2026-04-01" for day in days)
        assert list(ledger.events(party="Nobody at all")) == []
        (row,) = ledger.query("select count(*) as n from events where type = ?", ["agreement"])
        assert row["n"] == len(list(ledger.events(type="agreement")))


def test_a_ledger_is_filled_built_published_and_read(tmp_path: Path) -> None:
    with pipeline.Ledger(tmp_path / "mine") as ledger:
        with pytest.raises(WrongUse, match="does not exist"):
            list(ledger.events())
        ledger.folder.make()
        ledger.folder.settings.write_text("least_confidence = 0.1\n")  # one short sentence is never sure
        ledger.add(article("courier", "fine", TEXT))
        assert ledger.build().n_articles == 1
        ledger.publish()
        (event,) = ledger.events(type="enforcement")
        (claim,) = ledger.claims(event["event_id"])
        assert claim["quote"] in TEXT
