"""English inflection: the forms of a verb, the verb behind a form, and the singular of a noun.

lemminflect supplies the forms; this module adds British spellings and corrects a few entries. Words are matched by
these forms and not by spaCy's lemmatizer, which turns "hopes" into "hop" and "fined" into "fin".
"""

from __future__ import annotations

import re
from functools import cache


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set, so that word lists can be written as plain text."""
    return frozenset(text.split())


# Forms that lemminflect lists but that are misspelled or, nearly always, another word.
_WRONG_FORMS = {
    "abide": words("abode"),
    "forgo": words("foregoes foregoing foregone forewent"),
    "pay": words("payed"),
    "refer": words("refered refering"),
    "stave": words("stove"),
    "stay": words("staid staves"),
    "tie": words("tieing"),
}
# Correct forms that lemminflect lacks.
_MISSING_FORMS = {"prove": words("proven"), "torpedo": words("torpedoes")}
# American verbs in -or whose British spelling is -our ("monitor" and "sponsor" have none).
_BRITISH_OUR = words("clamor color endeavor favor harbor honor labor rumor")
_NO_ISE = words("capsize downsize prize resize seize")
_AUXILIARIES = words("be do have can may shall will would")


@cache
def _inflections(verb: str) -> dict[str, tuple[str, ...]]:
    """Return the forms of a verb by their Penn tags, the commonest spelling of each first."""
    import lemminflect  # here and not above because it imports spaCy

    if "-" in verb:  # "re-run" is inflected as "run"
        prefix, _, plain = verb.rpartition("-")
        return {tag: tuple(f"{prefix}-{f}" for f in forms) for tag, forms in _inflections(plain).items()}
    found = lemminflect.getAllInflections(verb, "VERB")
    if "VBG" not in found:  # not in the dictionary, or an auxiliary such as "dare"
        found = lemminflect.getAllInflectionsOOV(verb, "VERB") | found
    return {tag: tuple(form for form in forms if " " not in form) for tag, forms in found.items()}


@cache
def verb_forms(verb: str) -> frozenset[str]:
    """Return all forms of a verb, its plain form and British spellings among them."""
    forms = {verb}.union(*_inflections(verb).values())
    forms = (forms - _WRONG_FORMS.get(verb, frozenset())) | _MISSING_FORMS.get(verb, frozenset())
    if verb.endswith(("ize", "yze")) and verb not in _NO_ISE:
        stem = verb[:-2]
        forms |= {f"{stem}s{form[len(stem) + 1 :]}" for form in forms}
    if verb in _BRITISH_OUR:
        forms |= {f"{verb[:-1]}ur{form[len(verb) :]}" for form in forms}
    return frozenset(forms)


def past_tense(verb: str) -> str:
    """Return the simple past of a verb: "hold" gives "held"."""
    return _inflections(verb)["VBD"][0]


def past_participle(verb: str) -> str:
    """Return the past participle of a verb: "withdraw" gives "withdrawn"."""
    forms = _inflections(verb)
    return forms.get("VBN", forms["VBD"])[0]  # lemminflect leaves out a participle that equals the past tense


def present_participle(verb: str) -> str:
    """Return the -ing form of a verb: "ban" gives "banning"."""
    return _inflections(verb)["VBG"][0]


@cache
def singular(word: str) -> str:
    """Return the singular of a lower-case noun by spelling alone; any other word is returned unchanged."""
    exceptions = {"memoranda": "memorandum", "people": "person", "men": "man", "women": "woman", "data": "data"}
    if word in exceptions:
        return exceptions[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


@cache
def _verb_lemma(word: str) -> str:
    """Return the plain form of a verb; a word that is not a form of a known verb is returned unchanged."""
    import lemminflect

    prefix, hyphen, verb = word.rpartition("-")
    lemmas = lemminflect.getLemma(verb, "VERB", lemmatize_oov=verb.endswith(("ed", "ing")))
    return prefix + hyphen + lemmas[0] if lemmas else word


@cache
def verb_key(trigger: str) -> str:
    """Return the verb of which a trigger has a past or -ing form ("signed", "has been signing": "sign"), else ""."""
    for word in re.findall(r"[a-z-]+", trigger.casefold()):
        lemma = _verb_lemma(word)
        if lemma != word and not word.endswith("s") and lemma not in _AUXILIARIES:
            return lemma
    return ""


def same_verb(one: str, other: str) -> bool:
    """Return whether two triggers are forms of one verb; plain forms count too ("will sign", "signed")."""

    def verbs(trigger: str) -> set[str]:
        key = verb_key(trigger)
        return {key} if key else {_verb_lemma(word) for word in trigger.casefold().split()} - _AUXILIARIES

    return bool(verbs(one) & verbs(other))
