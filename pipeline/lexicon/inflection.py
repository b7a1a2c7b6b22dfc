"""A verb or noun in its plain form -> every form it takes in a text.

Cues are matched by these tables and never by spaCy's lemmatizer, which turns "hopes" into "hop" and "fined" into "fin".
"""

from __future__ import annotations

import re
from functools import cache

_IRREGULAR = {  # plain form: past, participle (further forms after them)
    "be": "was been were is are am being", "become": "became become", "begin": "began begun", "break": "broke broken",
    "bring": "brought brought", "build": "built built", "buy": "bought bought", "choose": "chose chosen",
    "come": "came come", "cut": "cut cut", "deal": "dealt dealt", "dig": "dug dug", "do": "did done",
    "draw": "drew drawn",
    "fall": "fell fallen", "fight": "fought fought", "find": "found found", "forbid": "forbade forbidden forbad",
    "forgo": "forwent forgone", "get": "got gotten got", "give": "gave given", "go": "went gone",
    "hand": " ""handed handed",
    "have": "had had has", "hear": "heard heard", "hide": "hid hidden", "hit": "hit hit", "hold": "held held",
    "keep": "kept kept", "know": "knew known", "lay": "laid laid", "lead": "led led", "leave": "left left",
    "let": "let let", "lose": "lost lost", "make": "made made", "mean": "meant meant", "meet": "met met",
    "overturn": "overturned overturned", "pay": "paid paid", "prove": "proved proven", "put": "put put",
    "quit": "quit quit", "read": "read read", "rebuild": "rebuilt rebuilt", "rise": "rose risen", "run": "ran run",
    "say": "said said", "see": "saw seen", "seek": "sought sought", "sell": "sold sold", "send": "sent sent",
    "set": "set set", "shut": "shut shut", "sit": "sat sat", "speak": "spoke spoken", "spend": "spent spent",
    "spin": "spun spun",
    "split": "split split", "stand": "stood stood", "step": "stepped stepped", "strike": "struck struck stricken",
    "sue": "sued sued", "swear": "swore sworn", "take": "took taken", "tell": "told told", "think": "thought thought",
    "throw": "threw thrown", "undergo": "underwent undergone", "undertake": "undertook undertaken",
    "uphold": "upheld upheld", "wear": "wore worn", "win": "won won", "withdraw": "withdrew withdrawn",
    "withhold": "withheld withheld", "write": "wrote written", "rewrite": "rewrote rewritten",
    "override": "overrode overridden", "overrule": "overruled overruled", "rein": "reined reined",
}  # fmt: skip
_PLAIN_OF = {
    form: plain
    for plain, forms in _IRREGULAR.items()
    if plain not in ("be", "do", "have")
    for form in forms.split()
    if form != plain
}
# Verbs of more than one syllable whose last syllable is stressed, and verbs whose last consonant doubles anyway.
_DOUBLING = frozenset(
    [
        "admit",
        "allot",
        "bar",
        "beg",
        "ban",
        "begin",
        "bid",
        "blog",
        "ban",
        "chat",
        "clap",
        "clip",
        "commit",
        "compel",
        "confer",
        "control",
        "cap",
        "cut",
        "defer",
        "dim",
        "dip",
        "drop",
        "equip",
        "expel",
        "fit",
        "flag",
        "grab",
        "hop",
        "hit",
        "inhibit",
        "jot",
        "knit",
        "log",
        "map",
        "nod",
        "omit",
        "outfit",
        "permit",
        "pin",
        "plan",
        "plot",
        "prefer",
        "quit",
        "quiz",
        "ram",
        "rebut",
        "recur",
        "refer",
        "regret",
        "remit",
        "repel",
        "reset",
        "rig",
        "rip",
        "rob",
        "rub",
        "run",
        "scan",
        "scrap",
        "set",
        "shed",
        "ship",
        "shut",
        "sit",
        "ship",
        "skim",
        "slam",
        "slap",
        "slip",
        "snap",
        "split",
        "stem",
        "step",
        "stop",
        "strip",
        "submit",
        "swap",
        "tap",
        "tip",
        "top",
        "transfer",
        "transmit",
        "trap",
        "trim",
        "tug",
        "unplug",
        "whip",
        "win",
        "wrap",
        "zap",
        "let",
        "get",
        "put",
        "spot",
        "pen",
        "bat",
        "dig",
        "drag",
        "dub",
        "flop",
        "gut",
        "jam",
        "lag",
        "prod",
        "scrub",
        "shop",
        "shrug",
        "shun",
        "skip",
        "snub",
        "spin",
        "swat",
        "tag",
        "vet",
    ]
) - {"inhibit", "outfit"}


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set: how word lists are written in this pipeline."""
    return frozenset(text.split())


def _stem_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")) or (word.endswith("o") and len(word) > 2):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def _doubles(word: str) -> bool:
    return word in _DOUBLING


@cache
def verb_forms(verb: str) -> frozenset[str]:
    """Return all forms of a verb given in its plain form, British spellings too; the plain form is among them."""
    if verb == "be":
        return frozenset({"be", *_IRREGULAR["be"].split()})
    forms = {verb, _stem_s(verb)}
    if verb.endswith("ie"):
        forms.add(verb[:-2] + "ying")
    elif verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        forms.add(verb[:-1] + "ing")
    elif _doubles(verb):
        forms.add(verb + verb[-1] + "ing")
    else:
        forms.add(verb + "ing")
    if verb in _IRREGULAR:
        forms.update(_IRREGULAR[verb].split())
    elif verb.endswith("e"):
        forms.add(verb + "d")
    elif verb.endswith("y") and verb[-2:-1] not in "aeiou":
        forms.add(verb[:-1] + "ied")
    elif _doubles(verb):
        forms.add(verb + verb[-1] + "ed")
    else:
        forms.add(verb + "ed")
    for ending, other in (("ize", "ise"), ("yze", "yse")):
        if verb.endswith(ending) and len(verb) > 5:
            forms |= {form.replace(ending[:-1], other[:-1]) for form in forms}
    if verb.endswith("el") and verb in {"cancel", "label", "travel", "channel"}:
        forms |= {verb + "led", verb + "ling"}
    return frozenset(forms)


@cache
def noun_forms(noun: str) -> frozenset[str]:
    """Return singular and plural of a noun given in the singular; of several words the last one takes the plural."""
    head = noun.split()[-1]
    irregular = {
        "memorandum": "memoranda", "inquiry": "inquiries", "enquiry": "enquiries", "euro": "euros", "peso": "pesos",
    }  # fmt: skip
    return frozenset({noun, _stem_s(noun), noun[: len(noun) - len(head)] + irregular.get(head, _stem_s(head))})


@cache
def singular(word: str) -> str:
    """Return the singular of a lower-case noun by spelling alone; a word that is none comes back as it is."""
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
def verb_key(trigger: str) -> str:
    """Return what the forms of one verb share ("signed", "has been signing": "sign"), "" for a noun or a plain form.

    By spelling alone, so two rare verbs may share a key: good for telling whether two words name one act.
    """
    for word in re.findall(r"[a-z-]+", trigger.casefold()):
        if word in _PLAIN_OF:
            return _stem_key(_PLAIN_OF[word])
        if len(word) > 4 and word.endswith(("ed", "ing")):
            return _stem_key(word.removesuffix("ing").removesuffix("ed"))
    return ""


def same_verb(one: str, other: str) -> bool:
    """Return True where two triggers are forms of one verb; plain forms count too ("will sign", "signed")."""
    keys = [{verb_key(trigger)} - {""} or set(map(_stem_key, trigger.casefold().split())) for trigger in (one, other)]
    return bool(keys[0] & keys[1])


def _stem_key(stem: str) -> str:
    if stem.endswith("e"):
        stem = stem[:-1]
    if stem.endswith("y"):
        stem = stem[:-1] + "i"
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiouls" else stem
