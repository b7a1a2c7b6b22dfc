"""Sorts annotated documents and claims into the groups that the accuracy tables show.

Register and jurisdiction are guesses by simple rules: the register from the domain of the site, the jurisdiction from
the domain and else from the places and authorities that the text names most. Novelty is the number of times that the
word of a trigger stands in the training data as a trigger.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.lexicon.inflection import words

if TYPE_CHECKING:
    from pipeline.nlp.training.corpus import Example

NOVELTY = ((0, "0"), (4, "1 to 4"), (19, "5 to 19"))  # the most occurrences of each band but the last
OFTEN = "20 and more"
_GOVERNMENT = re.compile(r"(?:^|\.)(?:gov|mil)$|\.gov\.|(?:^|\.)(?:gov|europa)\.\w\w$")
_REGISTERS = {
    "law and advocacy": ("gdprhub.eu", "noyb.eu", "eff.org", "knowingmachines.org"),
    "newsletter or blog": ("lastweekin.ai", "schneier.com", "news.risky.biz", "12gramsofcarbon.com", "babl.ai"),
    "company": ("anthropic.com", "openai.com", "deepmind.google", "gptzero.me", "malwarebytes.com"),
}
_REGISTER_OF = {site: register for register, sites in _REGISTERS.items() for site in sites}
_EUROPEAN = re.compile(r"(?:\.|^)(?:europa\.eu|gdprhub\.eu|noyb\.eu)$")
_JURISDICTIONS = {
    "United States": r"U\.S\.|US|United States|American?|Congress|Senate|White House|Pentagon|Biden|Trump|FTC|"
    r"California|New York|Texas|Washington|federal",
    "European Union": r"EU|European|Brussels|GDPR|Ital(?:y|ian)|Garante|German[sy]?|French|France|Irish|Ireland|Spain|"
    r"Spanish|Dutch|Netherlands|Austrian?|Hungar(?:y|ian)|Poland|Polish|Belgi(?:um|an)|CNIL|Greek|Greece",
    "United Kingdom": r"UK|U\.K\.|Britain|British|London|England|Ofcom|Scotland|Wales",
    "Asia and Pacific": r"Chin(?:a|ese)|Beijing|Indian?|Japan(?:ese)?|Korean?|Singapore|Taiwan(?:ese)?|Australian?|"
    r"New Zealand|Indonesian?|Vietnam(?:ese)?|Philippines|Hong Kong",
}
_NAMED = {name: re.compile(rf"(?<!\w)(?:{said})(?!\w)") for name, said in _JURISDICTIONS.items()}
OTHER = "other or none"
# Words before the one that names the event: "will be banned".
_AUXILIARIES = words(
    "a an the to will would wo n't not has have had is are was were be been being may might can could must should "
    "shall did do does its his her their this"
)


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one document: its register, its jurisdiction, and the novelty of a trigger."""

    register: str
    jurisdiction: str
    novelty: Callable[[str], str]


def register_of(site: str) -> str:
    """Return the register of a site: government, law and advocacy, newsletter or blog, company, else news."""
    domain = site.lower().removeprefix("www.")
    if _GOVERNMENT.search(domain):
        return "government"
    return _REGISTER_OF.get(domain, "news")


def jurisdiction_of(site: str, text: str) -> str:
    """Return the jurisdiction of a document: that of an official site, else the one that the text names most."""
    domain = site.lower()
    if domain.endswith((".gov", ".mil")):
        return "United States"
    if _EUROPEAN.search(domain):
        return "European Union"
    if domain.endswith(".gov.uk"):
        return "United Kingdom"
    named = {name: len(pattern.findall(text)) for name, pattern in _NAMED.items()}
    best = max(named, key=lambda name: named[name])
    return best if named[best] else OTHER


def trigger_word(trigger: str) -> str:
    """Return the word of a trigger that names the event, in lower case: "banned" of "will be banned"."""
    said = [word.strip(".,;:“”\"'()") for word in trigger.lower().replace("’", "'").split()]
    return next((word for word in said if word and word not in _AUXILIARIES), said[0] if said else "")


def novelty_of(times: int) -> str:
    """Return the band of a number of occurrences in the training data."""
    return next((name for most, name in NOVELTY if times <= most), OFTEN)


def seen_triggers(
    gold: Mapping[str, Mapping[str, Any]], corpus: Iterable[Example], fold_of: Mapping[str, str]
) -> dict[str, Counter[str]]:
    """Return fold -> word -> how often it is the trigger of a claim in the training data of that fold.

    Optional claims do not count.

    Args:
        gold: The annotations by document id; the weights of a fold have seen those of the other folds.
        corpus: The examples of the training corpus.
        fold_of: The fold that has not seen a document or story.
    """
    triggers = [
        (id_, claim.get("trigger", ""))
        for id_, each in gold.items()
        for claim in each["claims"]
        if not claim.get("optional")
    ]
    triggers += [(each.source, note.trigger) for each in corpus for note in each.notes if not note.optional]
    words = [(fold_of.get(source), trigger_word(trigger)) for source, trigger in triggers]
    return {fold: Counter(word for own, word in words if own != fold) for fold in sorted(set(fold_of.values()))}


def groups_of(document: Mapping[str, Any], seen: Mapping[str, int]) -> Groups:
    """Return the groups of a document; `seen`: how often each trigger word stands in the training data."""
    site = str(document.get("site") or "")
    text = f"{document.get('title') or ''}\n{document['text']}"
    return Groups(
        register_of(site), jurisdiction_of(site, text), lambda trigger: novelty_of(seen.get(trigger_word(trigger), 0))
    )
