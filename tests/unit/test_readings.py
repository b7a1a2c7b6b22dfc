"""Checks the cases of tests/unit/readings: a text, a question about it and the expected answer."""

from __future__ import annotations

import pytest
from support.readings import FOLDER, LEARNT, Case, check, load_cases

CASES = load_cases()
# Least share of right answers by file. The sentences were made to be difficult, and stand without their context.
LEAST = {
    "attribution": 0.5,
    "claim_dates": 0.45,
    "modality": 0.45,
    "newness": 0.4,
    "participants": 0.6,
    "sentences": 0.45,
}


@pytest.mark.parametrize("case", [case for case in CASES if case.question not in LEARNT], ids=str)
def test_text_is_read_as_expected(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("subject", sorted({case.subject for case in CASES if case.question in LEARNT}))
def test_the_model_reads_most_sentences_right(subject: str) -> None:
    cases = [case for case in CASES if case.subject == subject]
    wrong = [(case.text, why) for case in cases if (why := _fault(case))]
    for text, why in wrong:
        print(f"{text}\n    {why}")
    assert 1 - len(wrong) / len(cases) >= LEAST[subject]


def _fault(case: Case) -> str:
    """Return why a case is wrong, "" if it is right."""
    try:
        check(case)
    except AssertionError as error:
        return str(error).splitlines()[0]
    return ""


def test_no_question_is_asked_twice() -> None:
    asked = [repr({key: value for key, value in vars(case).items() if key not in ("expect", "why")}) for case in CASES]
    assert sorted(set(asked)) == sorted(asked)


def test_misspelt_key_is_refused(tmp_path) -> None:
    (tmp_path / "odd.toml").write_text('question = "claims"\n[[case]]\ntext = "T"\ntrigerr = "x"\nexpect = {}\n')
    with pytest.raises(ValueError, match="odd.toml: unknown key 'trigerr'"):
        load_cases(tmp_path)


def test_every_file_has_cases() -> None:
    assert {case.subject for case in CASES} == {path.stem for path in FOLDER.glob("*.toml")}
