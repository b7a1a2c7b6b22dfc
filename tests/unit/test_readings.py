"""Checks every case of tests/unit/readings: a text, a question about it and the expected answer."""

from __future__ import annotations

import pytest
from support.readings import FOLDER, Case, check, load_cases

CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_text_is_read_as_expected(case: Case) -> None:
    check(case)


def test_no_question_is_asked_twice() -> None:
    asked = [repr({key: value for key, value in vars(case).items() if key not in ("expect", "why")}) for case in CASES]
    assert sorted(set(asked)) == sorted(asked)


def test_misspelt_key_is_refused(tmp_path) -> None:
    (tmp_path / "odd.toml").write_text('question = "claims"\n[[case]]\ntext = "T"\ntrigerr = "x"\nexpect = {}\n')
    with pytest.raises(ValueError, match="odd.toml: unknown key 'trigerr'"):
        load_cases(tmp_path)


def test_every_file_has_cases() -> None:
    assert {case.subject for case in CASES} == {path.stem for path in FOLDER.glob("*.toml")}
