"""Recorded pages still give the recorded result.

To add one: `oversight sources record NAME URL --into tests/unit/recorded`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scrapers.cards import load_sources, read_card
from scrapers.recordings import Recording, differences, recordings

HERE = Path(__file__).parent
CARDS = {source.source_id: source for source in load_sources()}
CARDS |= {path.stem: read_card(path) for path in sorted((HERE / "pages").glob("*.toml"))}
RECORDED = list(recordings(HERE / "recorded"))


@pytest.mark.parametrize("recording", RECORDED, ids=lambda one: f"{one.page.source_id}/{one.path.stem}")
def test_recorded_page_gives_the_recorded_result(recording: Recording) -> None:
    assert differences(recording, CARDS) == []


def test_there_are_recordings() -> None:
    assert RECORDED
