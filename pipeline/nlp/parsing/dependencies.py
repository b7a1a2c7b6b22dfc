"""Subjects, objects and other arguments of a token in a dependency parse, with the labels of spaCy's English models.

The functions look through the passive, relative clauses, participles, control by infinitive or gerund, co-ordination,
and nouns with a possessor or a support verb ("issued an ultimatum").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import verb_forms

if TYPE_CHECKING:
    from spacy.tokens import Token

_RELATIVES = frozenset({"who", "whom", "which", "that"})
_ORDINALS = frozenset({"first", "only", "last", "latest", "next", "second"})
_DEPTH = 7  # maximum number of steps from one token


def _forms(verbs: str) -> frozenset[str]:
    return frozenset(form for verb in verbs.split() for form in verb_forms(verb))


# Verbs whose object is the subject of their infinitive: "urged Meta to share".
OBJECT_CONTROL = _forms(
    """order direct instruct ask urge tell force compel require request allow permit let enable get push press
    pressure want
    encourage invite persuade convince call expect authorize oblige mandate command cause lead warn advise demand
    block bar
    prevent stop prohibit ban forbid need charge task empower help summon beg implore admonish enjoin make have trust"""
)


def children(token: Token, *deps: str) -> list[Token]:
    """Return the children of a token with one of these labels, in order."""
    return [child for child in token.children if child.dep_ in deps]


def is_verb(token: Token) -> bool:
    """Return whether a token is used as a verb."""
    return token.pos_ in ("VERB", "AUX")


def is_passive(verb: Token) -> bool:
    """Return whether a verb is passive: "was ordered", "the order signed by", "and barred"."""
    if children(verb, "auxpass", "nsubjpass"):
        return True
    opens = verb.dep_ == "advcl" and verb.is_sent_start and verb.tag_ in ("VB", "VBD")  # "Set up" as it is often parsed
    if verb.tag_ != "VBN" and not opens or children(verb, "nsubj", "dobj") and verb.dep_ not in ("acl", "relcl"):
        return False
    if verb.dep_ == "acl":
        return True
    if verb.dep_ in ("advcl", "conj", "amod", "ROOT", "ccomp") and children(verb, "agent"):
        return True
    if verb.dep_ == "advcl" and not children(verb, "aux"):  # "Set up in 2023, the institute ..."
        return True
    if verb.dep_ == "conj" and not children(verb, "aux") and is_verb(verb.head):
        return is_passive(verb.head)
    return False


def _relative(token: Token) -> bool:
    return token.lower_ in _RELATIVES and token.tag_ in ("WDT", "WP", "IN", "DT")


def _surface(verb: Token, depth: int = 0) -> list[Token]:
    """Return the grammatical subject of a verb, whatever its voice."""
    own = children(verb, "nsubj", "nsubjpass")
    if own:
        antecedent = _antecedent(verb, own[0])
        return [antecedent] if antecedent is not None else own[:1]
    if depth > _DEPTH:
        return []
    head, dep = verb.head, verb.dep_
    if head == verb:
        return []
    if dep == "conj":
        return _surface(head, depth + 1) if is_verb(head) else []
    if dep in ("xcomp", "ccomp"):
        return _controller(verb, head, depth)
    if dep in ("advcl", "parataxis", "dep", "prep"):
        return _surface(head, depth + 1) if is_verb(head) else []
    if dep == "pcomp":
        return _gerund_subject(head, depth)
    if dep == "relcl":
        return _of_infinitive(verb, head, depth) if _first_to(verb, head) else [head]
    if dep == "acl":
        if verb.tag_ in ("VBG", "VBN"):
            return [head]
        return _of_infinitive(verb, head, depth)
    return []


def _antecedent(verb: Token, subject: Token) -> Token | None:
    """Return the antecedent of a relative pronoun."""
    if not _relative(subject):
        return None
    clause = verb
    for _ in range(4):
        if clause.dep_ == "relcl":
            noun = clause.head
            copula = _among(noun)
            if copula is not None:  # "X is among those who ...", "X is one of the firms that ..."
                return next(iter(_surface(copula, _DEPTH)), noun)
            if noun.dep_ == "attr" and noun.pos_ != "PROPN" and is_verb(noun.head):  # "X is the only firm that ..."
                return next(iter(_surface(noun.head, _DEPTH)), noun)
            return noun
        if clause.dep_ not in ("conj", "ccomp", "xcomp", "acl"):
            break
        if clause.dep_ == "acl":
            return clause.head
        clause = clause.head
    return None


def _among(noun: Token) -> Token | None:
    """Return the copula of "is among those" or "is one of the firms", given the noun; None elsewhere."""
    prep = noun.head
    if noun.dep_ != "pobj" or prep.dep_ != "prep":
        return None
    if prep.lower_ == "among":
        return prep.head if prep.head.pos_ == "AUX" else None
    one = prep.head
    if prep.lower_ == "of" and one.lower_ in ("one", "some") and one.dep_ == "attr" and one.head.pos_ == "AUX":
        return one.head
    return None


def _controller(verb: Token, head: Token, depth: int) -> list[Token]:
    if not is_verb(head):
        if head.pos_ == "ADJ" and is_verb(head.head):  # "is ready to", "is likely to"
            return _surface(head.head, depth + 1)
        return _noun_owner(head, depth) if head.pos_ in ("NOUN", "PROPN") else []
    if head.lower_ in OBJECT_CONTROL:
        governed = [*children(head, "dobj", "nsubjpass", "dative")]
        if governed:
            return governed[:1]
        if is_passive(head):
            return objects(head, depth + 1)[:1]
        on = [
            pobj
            for prep in children(head, "prep")
            if prep.lower_ in ("on", "for", "upon")
            for pobj in children(prep, "pobj")
        ]
        if on and head.lower_.startswith(("call", "press", "push")):
            return on
    return _surface(head, depth + 1)


def _gerund_subject(prep: Token, depth: int) -> list[Token]:
    """Return the subject of a gerund after a preposition.

    In "barred X from doing" it is X, in "by doing" the verb's own subject.
    """
    head = prep.head
    if is_verb(head):
        if prep.lower_ in ("from", "into", "of", "for") and children(head, "dobj", "nsubjpass"):
            return children(head, "dobj", "nsubjpass")[:1]
        return _surface(head, depth + 1)
    return _noun_owner(head, depth)


def _of_infinitive(verb: Token, noun: Token, depth: int) -> list[Token]:
    """Return the subject of an infinitive below a noun: "its refusal to allow", "the first lab to deploy"."""
    if any(child.tag_ in ("JJ", "JJS", "CD", "RB") and child.lower_ in _ORDINALS for child in noun.children):
        if noun.dep_ == "attr" and is_verb(noun.head):
            return _surface(noun.head, depth + 1)
        return [noun]
    named = [pobj for prep in children(noun, "prep") if prep.lower_ in ("for", "on") for pobj in children(prep, "pobj")]
    if named and not children(noun, "poss"):
        return named[:1]
    return _noun_owner(noun, depth)


def _first_to(verb: Token, noun: Token) -> bool:
    """Return whether a clause says what somebody is the first or only one to do: "was the first country to ban it"."""
    infinitive = any(child.lower_ == "to" for child in children(verb, "aux"))
    return infinitive and any(child.lower_ in _ORDINALS for child in noun.children)


def _noun_owner(noun: Token, depth: int) -> list[Token]:
    owners = children(noun, "poss")
    if owners:
        return owners[:1]
    by = [pobj for prep in children(noun, "prep") if prep.lower_ == "by" for pobj in children(prep, "pobj")]
    if by:
        return by[:1]
    if depth > _DEPTH:
        return []
    head = noun.head
    if noun.dep_ in ("dobj", "attr", "oprd") and is_verb(head):
        return _surface(head, depth + 1)
    if noun.dep_ == "pobj" and head.dep_ == "prep":
        if is_verb(head.head):
            return _surface(head.head, depth + 1)
        return _noun_owner(head.head, depth + 1)
    if noun.dep_ == "conj":
        return _noun_owner(head, depth + 1)
    return []


def surface_subjects(verb: Token) -> list[Token]:
    """Return the head of the grammatical subject: who "is ordered" or who "orders"."""
    return _surface(verb)


def subjects(verb: Token, depth: int = 0) -> list[Token]:
    """Return the agents of a verb: its subject, or in the passive what follows "by"."""
    if is_passive(verb):
        agents = [pobj for agent in children(verb, "agent") for pobj in children(agent, "pobj")]
        agents += [pobj for prep in children(verb, "prep") if prep.lower_ == "by" for pobj in children(prep, "pobj")]
        if agents or verb.dep_ != "conj" or children(verb, "nsubj", "nsubjpass") or not is_passive(verb.head):
            return agents[:1]
        return subjects(verb.head, depth + 1) if depth < _DEPTH else []
    return _surface(verb, depth)


def objects(verb: Token, depth: int = 0) -> list[Token]:
    """Return the objects of a verb.

    In the passive that is its subject, in a relative clause the noun before it, in "label X a risk" X.
    """
    if depth > _DEPTH:
        return []
    if is_passive(verb):
        own = children(verb, "nsubjpass", "nsubj")
        if own:
            antecedent = _antecedent(verb, own[0])
            return [antecedent] if antecedent is not None else own[:1]
        if verb.dep_ == "acl":
            return [verb.head]
        return _surface(verb, depth + 1)
    own = [child for child in children(verb, "dobj") if not (_relative(child) and child.i < verb.i)]
    if own:
        return own[:1]
    small = [
        inner
        for clause in children(verb, "ccomp", "oprd", "xcomp")
        if clause.pos_ in ("NOUN", "PROPN", "ADJ")
        for inner in children(clause, "nsubj")
    ]
    if small:
        return small[:1]
    if verb.dep_ == "relcl" and children(verb, "nsubj") and not _relative(children(verb, "nsubj")[0]):
        return [verb.head]
    if verb.dep_ == "relcl" and any(_relative(child) and child.dep_ == "dobj" for child in verb.children):
        return [verb.head]
    if verb.dep_ in ("conj",) and is_verb(verb.head) and verb.i > verb.head.i and not _own_complement(verb):
        shared = children(verb.head, "dobj")
        return shared[:1] if shared and shared[0].i > verb.i else []
    conjuncts = [child for child in children(verb, "conj") if is_verb(child)]
    if conjuncts and not _own_complement(verb):  # "restricts or bans X"
        return objects(conjuncts[0], depth + 1)
    return children(verb, "oprd")[:1]


def _own_complement(verb: Token) -> bool:
    return bool(children(verb, "dobj", "ccomp", "xcomp", "prep", "dative", "oprd", "attr", "acomp"))


def prepositional(token: Token, *words: str) -> list[Token]:
    """Return the objects of prepositions below a token; "by" and "to" count under their other labels too."""
    found = []
    for prep in children(token, "prep", "agent", "dative", "prt", "advmod"):
        if prep.lower_ in words or _compound_preposition(prep) in words:
            found += children(prep, "pobj")
            found += [pobj for inner in children(prep, "prep") for pobj in children(inner, "pobj")]
    return found


def _compound_preposition(prep: Token) -> str:
    inner = children(prep, "prep")
    return f"{prep.lower_} {inner[0].lower_}" if inner else prep.lower_


def members(token: Token) -> list[Token]:
    """Return the heads of a co-ordination, including the given first one."""
    found: list[Token] = []
    queue = [token]
    while queue and len(found) < 40:
        current = queue.pop(0)
        found.append(current)
        queue += [
            child for child in children(current, "conj") if child.pos_ in ("NOUN", "PROPN", "PRON", "NUM", "X", "ADJ")
        ]
    return found


def instances(token: Token) -> list[Token]:
    """Return the heads of what follows a token after "such as", "like" or "including", or in apposition."""
    found: list[Token] = []
    for child in token.children:
        if child.dep_ == "appos" and child.i > token.i:
            found += members(child)
        if child.dep_ == "prep" and child.lower_ in ("like", "including", "as", "namely") and child.i > token.i:
            if child.lower_ == "as" and not any(grand.lower_ == "such" for grand in child.children):
                continue
            found += [member for pobj in children(child, "pobj") for member in members(pobj)]
    return found
