"""Verbs are inflected as English does it, irregular and doubling ones too."""

from __future__ import annotations

import pytest

from pipeline.lexicon.inflection import (
    past_participle,
    past_tense,
    present_participle,
    same_verb,
    singular,
    verb_forms,
    verb_key,
)


@pytest.mark.parametrize(
    ("verb", "past", "participle", "gerund"),
    [
        ("freeze", "froze", "frozen", "freezing"),
        ("oversee", "oversaw", "overseen", "overseeing"),
        ("foresee", "foresaw", "foreseen", "foreseeing"),
        ("lend", "lent", "lent", "lending"),
        ("repay", "repaid", "repaid", "repaying"),
        ("acquit", "acquitted", "acquitted", "acquitting"),
        ("debar", "debarred", "debarred", "debarring"),
        ("incur", "incurred", "incurred", "incurring"),
        ("unban", "unbanned", "unbanned", "unbanning"),
        ("annul", "annulled", "annulled", "annulling"),
        ("forbid", "forbade", "forbidden", "forbidding"),
        ("undo", "undid", "undone", "undoing"),
        ("re-run", "re-ran", "re-run", "re-running"),
        ("withdraw", "withdrew", "withdrawn", "withdrawing"),
        ("issue", "issued", "issued", "issuing"),
        ("agree", "agreed", "agreed", "agreeing"),
    ],
)
def test_irregular_and_doubling_verbs_are_inflected(verb: str, past: str, participle: str, gerund: str) -> None:
    assert (past_tense(verb), past_participle(verb), present_participle(verb)) == (past, participle, gerund)
    assert {verb, past, participle, gerund} <= verb_forms(verb)


@pytest.mark.parametrize(("verb", "wrong"), [("pay", "payed"), ("refer", "refered"), ("stay", "staid")])
def test_a_misspelled_form_is_no_form(verb: str, wrong: str) -> None:
    assert wrong not in verb_forms(verb)


@pytest.mark.parametrize(
    ("verb", "british"),
    [
        ("authorize", "authorised"),
        ("scrutinize", "scrutinising"),
        ("analyze", "analysed"),
        ("favor", "favoured"),
        ("honor", "honouring"),
        ("label", "labelled"),
        ("signal", "signalling"),
    ],
)
def test_a_verb_has_its_british_spellings(verb: str, british: str) -> None:
    assert british in verb_forms(verb)


@pytest.mark.parametrize(
    ("plural", "singular_form"),
    [
        ("companies", "company"),
        ("watchdogs", "watchdog"),
        ("memoranda", "memorandum"),
        ("men", "man"),
        ("gas", "gas"),
    ],
)
def test_a_plural_has_its_singular(plural: str, singular_form: str) -> None:
    assert singular(plural) == singular_form


def test_the_key_of_a_trigger_is_its_verb() -> None:
    assert verb_key("has been signing") == verb_key("signed") == "sign"
    assert verb_key("froze") == "freeze"
    assert verb_key("the order") == verb_key("would be") == ""


def test_two_triggers_of_one_verb_are_the_same() -> None:
    assert same_verb("will sign", "signed")
    assert same_verb("froze", "has frozen")
    assert not same_verb("it would be lifted", "will leave")
    assert not same_verb("signed", "banned")


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("hope", {"hope", "hopes", "hoped", "hoping"}),
        ("fine", {"fine", "fines", "fined", "fining"}),
        ("ban", {"ban", "bans", "banned", "banning"}),
        ("deny", {"deny", "denies", "denied", "denying"}),
        ("withdraw", {"withdraw", "withdraws", "withdrew", "withdrawn", "withdrawing"}),
        ("agree", {"agree", "agrees", "agreed", "agreeing"}),
        ("label", {"label", "labels", "labeled", "labelled", "labeling", "labelling"}),
        (
            "authorize",
            {
                "authorize",
                "authorizes",
                "authorized",
                "authorizing",
                "authorise",
                "authorises",
                "authorised",
                "authorising",
            },
        ),
    ],
)
def test_verb_has_all_its_forms(verb: str, forms: set[str]) -> None:
    assert verb_forms(verb) == forms
