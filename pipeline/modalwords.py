"""A governing word -> what it makes of the event below it: the word lists of modality, and the verbs with particles.

"pushed back the launch", "called off the signing", "stopped short of banning": verb and particle mean it together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.inflection import noun_forms, verb_forms
from pipeline.records import Modality

if TYPE_CHECKING:
    from spacy.tokens import Token

ORDERING = frozenset(form for verb in ("tell", "order", "direct", "instruct", "force") for form in verb_forms(verb))


def _verbs(words: str) -> frozenset[str]:
    return frozenset(form for word in words.split() for form in verb_forms(word))


def _nouns(words: str) -> frozenset[str]:
    return frozenset(form for word in words.split() for form in noun_forms(word))


GOVERNORS: tuple[tuple[Modality, frozenset[str]], ...] = (
    (Modality.DENIED, _verbs("deny disavow")),
    (Modality.CANCELLED, _verbs("cancel scrap abandon shelve forgo ditch nix kill")),
    (Modality.POSTPONED, _verbs("delay postpone defer")),
    (Modality.NEGATED, _verbs("fail decline refuse avoid neglect reject oppose rule")),
    (Modality.ALLEGED, _verbs("accuse allege rumor rumour purport")),
    (Modality.CONSIDERED, _verbs(
        """hope want wish consider weigh mull contemplate eye propose aim seek explore try attempt discuss debate
        threaten urge
        ask call push press pressure encourage request demand lobby need recommend suggest favor study negotiate offer
        desire
        mean pursue struggle invite advise tempt examine review evaluate risk warn seem like float prefer dare think
        look""")),
    (Modality.PLANNED, _verbs(
        """plan intend schedule set expect vow promise pledge commit agree prepare slate poise work order direct
        instruct require
        mandate task charge get oblige aspire pledge undertake anticipate design nominate swear determine develop sign
        adopt
        pass draft write""")),
)  # fmt: skip
TRYING = _verbs("attempt try seek aim hope want wish consider weigh mull contemplate mean prefer")
# Verbs under which an infinitive is done all the same: "moved to ban", "began to share".
TRANSPARENT = _verbs(
    """begin start continue manage help move go come rush force compel make have let proceed keep remain happen prove
    end dare
    see stop use act step lead join appear prompt cause serve enable be vote choose decide opt elect"""
) | {"forward"}
ENABLES = frozenset(["allows", "lets", "permits", "enables", "entitles", "empowers", "authorizes", "authorises"])
NOUNS: tuple[tuple[Modality, frozenset[str]], ...] = (
    (Modality.NEGATED, _nouns("failure inability refusal reluctance lack")),
    (Modality.DENIED, _nouns("denial")),
    (Modality.CANCELLED, _nouns("cancellation abandonment")),
    (Modality.POSTPONED, _nouns("brake pause delay postponement deferral")),  # "slammed the brakes on the release"
    (Modality.CONSIDERED, _nouns(
        """attempt effort bid threat desire proposal talk negotiation request demand call push hope possibility
        consideration idea
        suggestion recommendation campaign willingness wish ambition ability authority option power discussion
        petition letter
        debate need offer invitation chance opportunity risk goal aim step path""")),
    (Modality.PLANNED, _nouns(
        """plan intention promise vow pledge commitment agreement deal deadline schedule preparation order directive
        mandate
        obligation duty requirement timeline contract bill memorandum investment roadmap day week month hour""")),
)  # fmt: skip
ADJECTIVES = {
    "set": Modality.PLANNED, "due": Modality.PLANNED, "about": Modality.PLANNED, "scheduled": Modality.PLANNED,
    "poised": Modality.PLANNED, "slated": Modality.PLANNED, "expected": Modality.PLANNED, "likely": Modality.PLANNED,
    "committed": Modality.PLANNED, "bound": Modality.PLANNED, "obliged": Modality.PLANNED, "prepared":
    Modality.CONSIDERED,
    "ready": Modality.CONSIDERED, "willing": Modality.CONSIDERED, "open": Modality.CONSIDERED, "able":
    Modality.CONSIDERED,
    "eager": Modality.CONSIDERED, "keen": Modality.CONSIDERED, "free": Modality.CONSIDERED, "unlikely":
    Modality.NEGATED,
    "unwilling": Modality.NEGATED, "reluctant": Modality.NEGATED, "hesitant": Modality.NEGATED, "unable":
    Modality.NEGATED,
    "possible": Modality.CONSIDERED, "unclear": Modality.CONSIDERED, "uncertain": Modality.CONSIDERED,
}  # fmt: skip
BEFORE_NOUN = {
    **dict.fromkeys(
        [
            "possible",
            "potential",
            "proposed",
            "would-be",
            "threatened",
            "prospective",
            "mooted",
            "eventual",
            "draft",
            "tentative",
        ],
        Modality.CONSIDERED,
    ),
    **dict.fromkeys(
        ["planned", "upcoming", "pending", "expected", "forthcoming", "scheduled", "looming", "impending", "future"],
        Modality.PLANNED,
    ),
    **dict.fromkeys(["alleged", "purported", "rumored", "rumoured", "supposed", "reported"], Modality.ALLEGED),
    **dict.fromkeys(["cancelled", "canceled", "scrapped", "abandoned", "shelved"], Modality.CANCELLED),
    **dict.fromkeys(["delayed", "postponed"], Modality.POSTPONED),
}
ADVERBS = {
    **dict.fromkeys(["reportedly", "allegedly", "purportedly", "supposedly", "apparently"], Modality.ALLEGED),
    **dict.fromkeys(["possibly", "perhaps", "maybe", "potentially"], Modality.CONSIDERED),
    "never": Modality.NEGATED, "hardly": Modality.NEGATED,
}  # fmt: skip
AUXILIARIES = {
    "will": Modality.PLANNED, "'ll": Modality.PLANNED, "’ll": Modality.PLANNED, "wo": Modality.PLANNED,
    "shall": Modality.PLANNED, "must": Modality.PLANNED, "may": Modality.CONSIDERED, "might": Modality.CONSIDERED,
    "should": Modality.CONSIDERED, "ought": Modality.CONSIDERED, "could": Modality.CONDITIONAL, "can":
    Modality.CONSIDERED,
    "ca": Modality.CONSIDERED,
}  # fmt: skip
DROPPED = _verbs("drop abandon scrap cancel shelve end withdraw halt")
# Nouns for doing what the noun after "of" names: what becomes of the signing becomes of the agreement.
ACTS = _nouns(
    """signing signature launch release adoption passage publication approval start conclusion announcement introduction
    implementation renewal ratification execution finalization imposition issuance rollout opening completion
    enforcement"""
)
HEARSAY = {  # nouns over a clause that only passes on what is said
    **dict.fromkeys(_nouns("allegation accusation rumor rumour"), Modality.ALLEGED),
    **dict.fromkeys(_nouns("report claim suggestion assertion notion speculation"), Modality.ALLEGED),
}
REFUTES = _verbs("deny reject dispute dismiss refute rebut contradict disavow")
UNTRUE = frozenset({"false", "untrue", "wrong", "inaccurate", "incorrect", "baseless", "unfounded", "fabricated"})
# (what verb and particle make of it, verbs, the words that follow)
_PHRASAL: tuple[tuple[Modality, frozenset[str], tuple[str, ...]], ...] = (
    (Modality.NEGATED, _verbs("stop fall"), ("short of",)),
    (Modality.NEGATED, _verbs("steer shy"), ("clear of", "away from")),
    (Modality.POSTPONED, _verbs("put hold"), ("off",)),
    (Modality.POSTPONED, _verbs("push move set put"), ("back",)),
    (Modality.CANCELLED, _verbs("call"), ("off",)),
    (Modality.CANCELLED, _verbs("back step walk pull"), ("away from", "out of", "down from", "back from")),
    (Modality.CANCELLED, _verbs("give"), ("up on",)),
    (Modality.CONSIDERED, _verbs("think talk toy"), ("about", "of", "with")),
    (Modality.PLANNED, _verbs("gear line"), ("up",)),
)
_NEAR = 3  # words after a verb in which its particle stands: "put it off"


def governing(verb: Token, planned: bool = True) -> Modality | None:
    """Return what a verb makes of the event below it, by itself or with its particle; None for nothing.

    `planned` False leaves out the verbs that plan: under a noun they do not.
    """
    phrasal = with_particle(verb)
    if phrasal is not None:
        return phrasal
    word = verb.lower_
    for modality, forms in GOVERNORS if planned else GOVERNORS[:-1]:
        if word in forms:
            return modality
    return None


def with_particle(verb: Token) -> Modality | None:
    """Return what a verb means together with its particle, if it has one of those: "pushed back" is postponed."""
    word, doc = verb.lower_, verb.doc
    after = [token.lower_ for token in doc[verb.i + 1 : verb.i + 1 + _NEAR]]
    own = {child.lower_ for child in verb.children if child.dep_ in ("prt", "advmod")}
    for modality, forms, particles in _PHRASAL:
        if word in forms and any(_follows(particle.split(), after, own) for particle in particles):
            return modality
    return None


def _follows(particle: list[str], after: list[str], own: set[str]) -> bool:
    if len(particle) == 1:
        return after[:1] == particle or particle[0] in own
    return after[: len(particle)] == particle
