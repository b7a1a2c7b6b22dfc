"""All forms of verbs and nouns, in American and British spelling."""

from __future__ import annotations

import pytest

from pipeline.lexicon.inflection import noun_forms, verb_forms


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


def test_plural_is_formed_on_the_last_word_of_a_noun() -> None:
    assert "executive orders" in noun_forms("executive order")
    assert "inquiries" in noun_forms("inquiry")
