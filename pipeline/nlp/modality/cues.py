"""Word lists of modality: the modality that a governing word, a phrasal verb or an idiom gives to the event below it.

Examples: "pushed back the launch", "called off the signing", "stopped short of banning".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import noun_forms, verb_forms, words
from pipeline.lexicon.months import MONTHS
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
    (Modality.CANCELLED, _verbs("cancel scrap abandon shelve forgo ditch nix kill axe jettison")),
    (Modality.POSTPONED, _verbs("delay postpone defer punt")),
    (Modality.NEGATED, _verbs(
        """fail decline refuse avoid neglect reject oppose escape dodge evade skip resist shun avert balk baulk
        demur withhold forswear""")),
    (Modality.ALLEGED, _verbs("accuse allege rumor rumour purport")),
    (Modality.CONSIDERED, _verbs(
        """hope want wish consider weigh mull contemplate eye propose aim seek explore try attempt discuss debate
        threaten urge
        ask call push press pressure encourage request demand lobby need recommend suggest favor study negotiate offer
        desire
        mean pursue struggle invite advise tempt examine review evaluate risk warn seem like float prefer dare think
        look rethink reconsider revisit shop hint""")),
    (Modality.PLANNED, _verbs(
        """plan intend schedule set expect vow promise pledge commit agree prepare slate poise work order direct
        instruct require
        mandate task charge get oblige aspire pledge undertake anticipate design nominate swear determine develop sign
        adopt
        pass draft write""")),
)  # fmt: skip
TRYING = _verbs("attempt try seek aim hope want wish consider weigh mull contemplate mean prefer")
# Verbs whose infinitive counts as done: "moved to ban", "began to share".
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
        means tool leverage lever way
        petition letter amendment referendum
        debate need offer invitation chance opportunity risk goal aim step path prospect likelihood odds danger fear
        verge brink cusp
        spectre specter motion resolution pressure temptation urge appetite hint favor favour""")),
    (Modality.PLANNED, _nouns(
        """plan intention promise vow pledge commitment agreement deal deadline schedule preparation order directive
        mandate
        obligation duty requirement timeline track course contract bill memorandum investment roadmap day
        week month hour""")),
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
    "possible": Modality.CONSIDERED, "close": Modality.CONSIDERED, "near": Modality.CONSIDERED, "imminent":
    Modality.PLANNED, "forthcoming": Modality.PLANNED, "pending": Modality.PLANNED, "impossible": Modality.NEGATED,
    "conceivable": Modality.CONSIDERED, "foreseen": Modality.PLANNED,
    "unclear": Modality.CONSIDERED, "uncertain": Modality.CONSIDERED,
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
IMAGINED = re.compile(
    r"^\W*(?:imagine|suppose|supposing|picture this|what if|what would happen if)\b|"
    r"\b(?:in (?:the|a|an|his|her|its) (?:\w+ )?(?:film|movie|novel|play|video game|simulation|sitcom)\b(?! industry)|"
    r"(?:simulated|mock|imaginary|fictional) (?:\w+ )?(?:court|trial|jury|parliament|crisis|scenario|vote))",
    re.IGNORECASE,
)
# Triggers that state their modality: "not a ban", "ended without an agreement", "a six-month phase-out period".
SAYS_ITSELF = (
    (re.compile(r"\bwithout (?:an?|any) \w+|^(?:not (?!only|just)|no (?!longer)|never\b)", re.I), Modality.NEGATED),
    (re.compile(r"^(?:vacant|unfilled|unsigned)$", re.I), Modality.NEGATED),
    (re.compile(r"\b(?:phase-?out|wind-?down|grace) period\b", re.I), Modality.PLANNED),
    (re.compile(r"^(?:was|were) to have (?:been )?\w", re.I), Modality.NEGATED),
    (re.compile(r"\b(?:fines?|penalt(?:y|ies)) (?:of|worth) up to\b", re.I), Modality.CONDITIONAL),
)
ADVERBS = {
    **dict.fromkeys(["reportedly", "allegedly", "purportedly", "supposedly", "apparently"], Modality.ALLEGED),
    **dict.fromkeys(["possibly", "perhaps", "maybe", "potentially"], Modality.CONSIDERED),
    **dict.fromkeys(["never", "hardly", "almost", "nearly"], Modality.NEGATED),  # what nearly happened did not happen
}  # fmt: skip
AUXILIARIES = {
    "will": Modality.PLANNED, "'ll": Modality.PLANNED, "’ll": Modality.PLANNED, "wo": Modality.PLANNED,
    "shall": Modality.PLANNED, "must": Modality.PLANNED, "may": Modality.CONSIDERED, "might": Modality.CONSIDERED,
    "should": Modality.CONSIDERED, "ought": Modality.CONSIDERED, "could": Modality.CONDITIONAL, "can":
    Modality.CONSIDERED,
    "ca": Modality.CONSIDERED,
}  # fmt: skip
DROPPED = _verbs("drop abandon scrap cancel shelve end withdraw halt")
# Nouns for performing the act named after "of": a postponed signing of an agreement is a postponed agreement.
ACTS = _nouns(
    """signing signature launch release adoption passage publication approval start conclusion announcement introduction
    implementation renewal ratification execution finalization imposition issuance rollout opening completion
    enforcement"""
)
HEARSAY = {  # nouns whose clause is hearsay
    **dict.fromkeys(_nouns("allegation accusation rumor rumour"), Modality.ALLEGED),
    **dict.fromkeys(_nouns("report claim suggestion assertion notion speculation"), Modality.ALLEGED),
}
# Subjects that pass on hearsay.
HEARSAY_SUBJECTS = _nouns("rumor rumour outlet blog blogger post tweet gossip") | {"reports", "media", "word"}
REFUTES = _verbs("deny reject dispute dismiss refute rebut contradict disavow")
UNTRUE = frozenset({"false", "untrue", "wrong", "inaccurate", "incorrect", "baseless", "unfounded", "fabricated"})
# (modality, verbs, particles)
_PHRASAL: tuple[tuple[Modality, frozenset[str], tuple[str, ...]], ...] = (
    (Modality.NEGATED, _verbs("stop fall come"), ("short of",)),
    (Modality.NEGATED, _verbs("decide vote opt choose"), ("against",)),
    (Modality.NEGATED, _verbs("head stave fend ward"), ("off",)),
    (Modality.NEGATED, _verbs("rule"), ("out",)),  # but "ruled that" does not negate its clause
    (Modality.NEGATED, _verbs("steer shy"), ("clear of", "away from")),
    (Modality.POSTPONED, _verbs("put hold"), ("off",)),
    (Modality.POSTPONED, _verbs("push move set put"), ("back",)),
    (Modality.CANCELLED, _verbs("call"), ("off",)),
    (Modality.CANCELLED, _verbs("back step walk pull"), ("away from", "out of", "down from", "back from")),
    (Modality.CANCELLED, _verbs("back"), ("off", "off of")),
    (Modality.NEGATED, _verbs("pass"), ("up", "up on")),
    (Modality.NEGATED, _verbs("miss lose"), ("out on",)),
    (Modality.NEGATED, _verbs("hold keep shrink"), ("back from",)),
    (Modality.CONSIDERED, _verbs("kick toss bat knock"), ("around", "about")),
    (Modality.CANCELLED, _verbs("give"), ("up on",)),
    (Modality.POSTPONED, _verbs("put keep place"), ("on ice",)),
    (Modality.CONSIDERED, _verbs("think talk toy flirt"), ("about", "of", "with")),
    (Modality.CONSIDERED, _verbs("lean incline"), ("toward", "towards", "to")),
    (Modality.PLANNED, _verbs("gear line"), ("up",)),
)
# (modality, verbs, preposition before the noun or "", nouns)
_IDIOMS: tuple[tuple[Modality, frozenset[str], str, frozenset[str]], ...] = (
    (Modality.POSTPONED, _verbs("put place keep leave park"), "on", frozenset(["hold", "ice", "burner", "shelf"])),
    (Modality.POSTPONED, _verbs("hit press slam pump tap push"), "", _nouns("pause brake")),
    (Modality.CANCELLED, _verbs("pull"), "", frozenset(["plug"])),
    (Modality.NEGATED, _verbs("close shut slam"), "", frozenset(["door"])),
    (Modality.NEGATED, _verbs("pass"), "on", _nouns("contract deal offer chance opportunity agreement")),
    (Modality.DENIED, _verbs("pour throw"), "", frozenset(["water"])),
    (Modality.CONSIDERED, _verbs("leave keep hold"), "", frozenset(["door"])),
    (Modality.CONSIDERED, _verbs("set train have"), "", _nouns("sight eye")),
)
# Verbs for an object still being made: "is hammering out a deal", "the two sides are nearing an agreement".
_IN_THE_MAKING = frozenset(
    f"{verb}ing" for verb in ("hammer", "thrash", "iron", "finaliz", "finalis", "near", "approach", "inch", "edg")
)
# Verbs that reschedule a thing, and nouns for the new time: "pushed the trial to the spring".
_MOVES = _verbs("move push shift slide bump slip reschedule postpone delay put")
_TIMES = frozenset(map(str.lower, MONTHS)) | words(
    """spring summer autumn fall winter monday tuesday wednesday thursday friday saturday sunday week month year quarter
    date day"""
)
# Nouns that favour the act named after "for": "the case for banning it", "growing support for a ban".
IN_FAVOUR = _nouns(
    "case support ground reason argument basis backing room justification excuse pretext vote cause demand"
)
# Verbs after which "for a ban" names a future act.
AWAITING = _verbs(
    "brace prepare push press campaign argue lobby vote plan wait clamour clamor hope call fight opt plead beg"
)
# Verbs for the failure of an attempt, a motion or a bill.
FAILING = _verbs("fail collapse founder die fizzle falter flop lapse stall perish")
_FAILING_WITH = ((_verbs("fall"), ("through", "apart", "flat", "short")), (_verbs("break"), ("down",)),
                 (_verbs("come"), ("to nothing", "to naught", "to nought")), (_verbs("go"), ("nowhere",)),
                 (_verbs("fall"), ("by the wayside",)), (_verbs("hit reach"), ("a wall", "an impasse", "a dead end")),
                 (_verbs("run"), ("aground", "out of time", "into the sand")))  # fmt: skip
PUSHES = _verbs("push")
BEATEN = _verbs("defeat reject deny block dismiss lose quash")
_BEATEN_WITH = ((_verbs("vote turn shoot strike"), ("down",)), (_verbs("throw kick"), ("out",)))
# Verbs that do not change the modality of their object: a resisted request was still made.
OPPOSING_VERBS = _verbs("reject resist oppose")
# Parts of an act: a postponed second step or date is a postponed act.
PARTS = _nouns("step stage phase part half round wave tranche date start rollout version")
SANCTION_NOUNS = _nouns("fine penalty ban closure sanction suspension injunction punishment shutdown block charge")
REJECTABLE_NOUNS = SANCTION_NOUNS | _nouns("investigation probe inquiry enquiry hearing moratorium")
# Verbs that perform the act named by their object: "signed an agreement", "create a board".
MAKING = _verbs(
    """make issue take sign reach strike launch open announce publish impose lodge file bring start begin conduct
    create establish introduce adopt pass found release hold set form enact approve ratify conclude finalise
    finalize enforce"""
)
PLANNING = _verbs("plan intend expect promise vow prepare schedule anticipate envisage foresee await predict envision")
PREVENTING = _verbs("prevent forestall preempt pre-empt preclude thwart derail avert")
EXPECTED = frozenset(["due", "expected", "planned", "scheduled", "slated", "foreseen", "envisaged", "envisioned"])
# States of an act not done yet: "in the works", "on the table", "on hold".
PLACES = {
    **dict.fromkeys(["works", "pipeline", "offing", "horizon"], Modality.PLANNED),
    **dict.fromkeys(
        [
            "table",
            "cards",
            "consideration",
            "discussion",
            "negotiation",
            "review",
            "doubt",
            "balance",
            "air",
            "limbo",
            "question",
            "flux",
        ],
        Modality.CONSIDERED,
    ),
    **dict.fromkeys(["hold", "ice", "burner", "shelf"], Modality.POSTPONED),
}
# States of the actor of an act not done yet: "is on track to issue it", "is under pressure to ban it".
POSITIONS = {
    **dict.fromkeys(["track", "course", "schedule", "pace", "line", "orders"], Modality.PLANNED),
    **dict.fromkeys(["pressure", "temptation", "position"], Modality.CONSIDERED),
}  # fmt: skip
# (preposition, its head or "" for any) before an act that is not done.
LEADING_TO = {
    ("of", "absence"): Modality.NEGATED, ("of", "pain"): Modality.CONDITIONAL, ("of", "case"): Modality.CONDITIONAL,
    ("of", "event"): Modality.CONDITIONAL, ("pending", ""): Modality.PLANNED, ("barring", ""): Modality.CONDITIONAL,
    ("absent", ""): Modality.NEGATED, ("without", ""): Modality.NEGATED, ("of", "instead"): Modality.NEGATED,
    ("of", "short"): Modality.NEGATED, ("of", "lieu"): Modality.NEGATED, ("than", "rather"): Modality.NEGATED,
}  # fmt: skip
# Verbs whose negated object does not negate the act: "found no flaws".
FINDING = _verbs("find show reveal detect discover uncover identify see")
FACING = _verbs("face risk invite attract incur")
HAPPENING = _verbs("follow happen come begin start occur ensue open proceed result materialise materialize")
# Verbs whose negation leaves the act open or implies that it was done: "did not rule out", "did not fail to".
_NOT_NOT = {
    **dict.fromkeys(_verbs("rule"), Modality.CONSIDERED),
    **dict.fromkeys(_verbs("decline refuse oppose reject resist"), Modality.CONSIDERED),
    **dict.fromkeys(_verbs("fail avoid neglect escape dodge evade skip"), None),
}


def unless_negated(verb: Token, cue: Modality | None) -> Modality | None:
    """Return the modality that a governing verb gives, considering its own negation: "cannot rule out a ban"."""
    other = with_particle(verb) is Modality.NEGATED and verb.lower_ not in _verbs("rule")
    if cue is not Modality.NEGATED or verb.lower_ not in _NOT_NOT or other:
        return cue
    negated = any(child.dep_ == "neg" and child.i < verb.i for child in verb.children)
    return _NOT_NOT[verb.lower_] if negated else cue


def subject_fails(verb: Token) -> bool:
    """Return whether a verb means that its subject failed: "failed", "fell through", "broke down"."""
    return verb.lower_ in FAILING or _has_particle(verb, _FAILING_WITH)


def is_beaten(verb: Token) -> bool:
    """Return whether a verb means that its object failed: "rejected", "voted down", "lost"."""
    return verb.lower_ in BEATEN or _has_particle(verb, _BEATEN_WITH)


def _has_particle(verb: Token, pairs: tuple[tuple[frozenset[str], tuple[str, ...]], ...]) -> bool:
    after = [token.lower_ for token in verb.doc[verb.i + 1 : verb.i + 1 + _NEAR]]
    own = {
        child.lower_ for child in verb.children if child.dep_ in ("prt", "advmod", "acomp") and not _of_limits(child)
    }
    if any(_of_limits(token) for token in verb.doc[verb.i + 1 : verb.i + 1 + _NEAR]):
        return False
    return any(
        verb.lower_ in forms and any(_follows(particle.split(), after, own) for particle in particles)
        for forms, particles in pairs
    )


def _of_limits(token: Token) -> bool:
    """Return whether a word is the "off" of "off limits", which is not a particle."""
    following = [one.lower_ for one in token.doc[token.i + 1 : token.i + 3] if not one.is_punct]
    return token.lower_ == "off" and following[:1] == ["limits"]


_NEAR = 3  # maximum words between a verb and its particle: "put it off"


def governing(verb: Token, planned: bool = True) -> Modality | None:
    """Return the modality that a verb, alone or with its particle, gives to the event below it, or None.

    `planned` is False for nouns: below "signed" a verb is planned, but a noun is not.
    """
    phrasal = with_particle(verb)
    if phrasal is not None:
        return phrasal
    word = verb.lower_
    if is_in_the_making(verb):
        return Modality.CONSIDERED
    for modality, forms in GOVERNORS if planned else GOVERNORS[:-1]:
        if word in forms:
            return modality
    return None


def with_particle(verb: Token) -> Modality | None:
    """Return the modality of a phrasal verb or an idiom ("pushed back": postponed), or None."""
    return next(
        (modality for modality, verbs, particles in _PHRASAL if _has_particle(verb, ((verbs, particles),))),
        _idiom(verb),
    )


def _idiom(verb: Token) -> Modality | None:
    """Return the modality of a verb with its noun: "put on hold", "hit pause", "moved to the spring"."""
    word = verb.lower_
    after = [
        (prep.lower_, thing)
        for prep in verb.children
        if prep.dep_ == "prep" and prep.i > verb.i
        for thing in prep.children
        if thing.dep_ == "pobj"
    ]
    if word in _MOVES and any(prep in ("to", "until", "till", "into") and _is_time(thing) for prep, thing in after):
        return None if any(child.lower_ in ("up", "forward") for child in verb.children) else Modality.POSTPONED
    own = {("", child.lower_) for child in verb.children if child.dep_ == "dobj"}
    said = own | {(prep, thing.lower_) for prep, thing in after}
    return next(
        (m for m, verbs, prep, nouns in _IDIOMS if word in verbs and any((prep, noun) in said for noun in nouns)), None
    )


def _is_time(noun: Token) -> bool:
    year = len(noun.text) == 4 and noun.text.isdigit()
    return year or noun.lower_ in _TIMES or any(child.lower_ == "later" for child in noun.lefts)


def is_in_the_making(verb: Token) -> bool:
    """Return whether a verb's object is still being made: "are hammering out a deal", not "after hammering out"."""
    return verb.lower_ in _IN_THE_MAKING and verb.dep_ not in ("pcomp", "amod")


def _follows(particle: list[str], after: list[str], own: set[str]) -> bool:
    if len(particle) == 1:
        return after[:1] == particle or particle[0] in own
    return after[: len(particle)] == particle


_SEVERABLE = frozenset(["agreement", "commitment", "litigation", "restriction", "refusal", "access_grant"])
_DEMANDING = frozenset(["access_request", "refusal", "litigation", "investigation", "evaluation"])
# The modality of an event named by the verb itself: "is weighing a ban", "the hearing was expected in May".
# (modality, verbs, event types for which the verb means something else)
_SENSES: tuple[tuple[Modality, frozenset[str], frozenset[str]], ...] = (
    (Modality.CANCELLED, _verbs("cancel scrap shelve abandon ditch bury dump"), _SEVERABLE),
    (Modality.POSTPONED, _verbs("postpone delay defer slip punt"), frozenset(["refusal"])),
    (Modality.NEGATED, _verbs("avoid escape dodge evade duck sidestep spare skip"),
     frozenset(["refusal", "litigation"])),
    (Modality.CANCELLED, _verbs("waive"), frozenset(["refusal", "commitment"])),
    (Modality.CONSIDERED, _verbs("consider weigh mull contemplate float eye negotiate discuss hope threaten draft"),
     frozenset(["refusal"])),
    (Modality.CONSIDERED, _verbs("want recommend offer propose"),
     _DEMANDING | {"regulation", "legislation", "executive_action"}),
    (Modality.PLANNED, _verbs("expect plan schedule slate prepare intend"), frozenset()),
)  # fmt: skip


_WALKS = _verbs("walk")
_URGES, _CALLS, _DRAWS = _verbs("demand request urge"), _verbs("call"), _verbs("draw")
_SHOWS = _verbs("circulate float share leak obtain see review prepare write draw show study")
_DRAWN = frozenset(["executive_action", "legislation"])


def _stops(verb: Token, type_: str, sense: Modality) -> bool:
    """Return whether an idiom means that something was stopped, which is the event: "pulled the plug on"."""
    if sense is Modality.CANCELLED:
        return type_ in _SEVERABLE and any(child.lower_ == "plug" for child in verb.children)
    held = sense is Modality.POSTPONED and _idiom(verb) is sense
    act = any(child.lower_ in SANCTION_NOUNS or child.dep_ == "prt" for child in verb.children)
    return type_ == "restriction" and held and not act


def own_sense(verb: Token, type_: str) -> Modality | None:
    """Return the modality that a trigger verb gives to its own event of a type, or None."""
    sense = with_particle(verb)
    if type_ != "refusal" and sense is not None and not _stops(verb, type_, sense):  # to push back is to refuse, too
        return sense
    if type_ == "agreement" and verb.lower_ in _WALKS and {"away", "out"} & {child.lower_ for child in verb.children}:
        return Modality.NEGATED  # "the two came close, but Acme walked away"
    if type_ == "agreement" and is_in_the_making(verb):
        return Modality.CONSIDERED
    if type_ == "investigation" and (
        verb.lower_ in _URGES or verb.lower_ in _CALLS and any(child.lower_ == "for" for child in verb.children)
    ):
        return Modality.CONSIDERED  # "senators called for an inquiry"
    if type_ == "legislation" and verb.lower_ in ("leave", "leaves", "left", "omits", "omitted"):
        return Modality.NEGATED  # "the final text leaves it out"
    things = [word.lower_ for thing in verb.children if thing.dep_ == "dobj" for word in thing.subtree]
    if type_ == "executive_action" and verb.lower_ in _SHOWS and "draft" in things:
        return Modality.CONSIDERED  # "aides are circulating a draft order"
    if type_ in _DRAWN and verb.lower_ in _DRAWS and any(child.lower_ == "up" for child in verb.children):
        return Modality.CONSIDERED
    return next((m for m, forms, others in _SENSES if verb.lower_ in forms and type_ not in others), None)
