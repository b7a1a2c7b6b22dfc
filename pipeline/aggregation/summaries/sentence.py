"""Writes the summary of an event: one English sentence that states its modality.

"Meta has not signed an agreement with ...": a plan, a hope or a denial never reads like a fact.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.aggregation.summaries.content import NOTHING, Content
from pipeline.aggregation.summaries.noun_phrases import head, noun, parties, sentence
from pipeline.lexicon.inflection import past_participle, past_tense, present_participle
from pipeline.records import Attribution, EntityKind, Modality, Participant


@dataclass(frozen=True, slots=True)
class Phrase:
    """A verb with its complements: "open" "an investigation" "into Meta". `thing` can be the subject of a passive."""

    verb: str
    thing: str
    tail: str = ""
    plural: bool = False

    @property
    def past(self) -> str:
        return past_tense(self.verb)

    @property
    def participle(self) -> str:
        return past_participle(self.verb)

    @property
    def gerund(self) -> str:
        return present_participle(self.verb)

    def after(self, form: str) -> str:
        return " ".join(part for part in (form, self.thing, self.tail) if part)


@dataclass(frozen=True, slots=True)
class EventRoles:
    """The participants of an event as noun phrases, "" for none."""

    actor: str
    target: str
    object: str
    instrument: str
    body: str
    affected: str
    many: frozenset[str]  # roles in the plural
    content: Content = NOTHING  # what the sentences say where no role does

    def first(self, *roles: str) -> str:
        return next((phrase for role in roles if (phrase := getattr(self, role))), "")


def _which(roles: EventRoles, thing: str) -> str:
    """Return an unnamed document with what it does: "a bill" -> "a bill that would make tests compulsory"."""
    return thing if re.search(r" (?:that|which) ", thing) else f"{thing} {roles.content.which}".strip()


def _on(preposition: str, phrase: str) -> str:
    return f"{preposition} {phrase}" if phrase else ""


def _thing(roles: EventRoles, role: str, default: str) -> tuple[str, bool]:
    phrase = getattr(roles, role)
    return (phrase, role in roles.many) if phrase else (default, False)


def _executive(roles: EventRoles, act: str) -> Phrase:
    verb = {"revoked": "revoke", "amended": "amend", "drafted": "draft"}.get(act, "issue")
    thing, plural = _thing(roles, "instrument", "an executive action")
    whom = _on("directed at", roles.target) or _on("concerning", roles.affected)
    return Phrase(verb, thing if whom else _which(roles, thing), whom, plural)


def _legislation(roles: EventRoles, act: str) -> Phrase:
    verbs = {
        "vetoed": "veto", "rejected": "reject", "signed": "sign", "passed": "pass", "amended": "amend",
        "introduced": "introduce", "in force": "put",
    }  # fmt: skip
    thing, plural = _thing(roles, "instrument", "legislation")
    tail = "into force" if act == "in force" else "into law" if act == "signed" else "" if act in verbs else "forward"
    if roles.content.which and not roles.object and act != "in force":
        return Phrase(verbs.get(act, "advance"), _which(roles, thing), "", plural)
    return Phrase(verbs.get(act, "move"), thing, f"{tail} {_on('concerning', roles.object)}".strip(), plural)


def _regulation(roles: EventRoles, act: str) -> Phrase:
    verbs = {"withdrawn": "withdraw", "delayed": "delay", "proposed": "propose", "adopted": "adopt", "in force": "put"}
    thing, plural = _thing(roles, "instrument", "rules or guidance")
    tail = "into force" if act == "in force" else ""
    whom = _on("for", roles.first("affected", "target"))
    if not whom and not tail:
        thing = _which(roles, thing)
    return Phrase(verbs.get(act, "publish"), thing, f"{tail} {whom}".strip(), plural)


_PACT = re.compile(  # what can be concluded: a title, or a word for a pact
    r"^(?:the )?[A-Z]|"
    r"(?i:agreement|arrangement|contract|deal|memorand|mou|pact|accord|partner|treaty|declar|terms|award|frame)"
)


def _agreement(roles: EventRoles, act: str) -> Phrase:
    verbs = {
        "ended": "end",
        "broken": "break",
        "amended": "amend",
        "in talks": "negotiate",
        "renewed": "renew",
        "signed": "sign",
    }
    thing, plural = _thing(roles, "instrument", "an agreement")
    about = roles.object
    if roles.instrument and (roles.instrument == roles.object or not _PACT.search(roles.instrument)):
        thing, plural, about = "an agreement", False, roles.instrument
    if about.removeprefix("the ") in thing:
        about = ""
    if thing == "an agreement" and roles.content.deed and not (roles.target or about):
        return Phrase(verbs.get(act, "conclude"), f"{thing} {roles.content.deed}")
    return Phrase(verbs.get(act, "conclude"), thing, _on("with", roles.target) or _on("on", about), plural)


def _commitment(roles: EventRoles, act: str) -> Phrase:
    verb, reported = {"dropped": "abandon", "changed": "change"}.get(act, "make"), roles.content
    if verb == "make" and roles.actor and reported.deed and not (roles.instrument or roles.object or roles.target):
        return Phrase(reported.verb, "", reported.deed)
    thing, plural = _thing(roles, "instrument", "a commitment")
    if roles.instrument and verb == "make":
        verb = "adopt"
    about = f"{_on('to', roles.target)} {_on('concerning', roles.object)}".strip()
    return Phrase(verb, f"{thing} {about}".strip(), "", plural)


_SYSTEM = re.compile(
    r"(?i)\b(?:AI|models?|systems?|technolog\w+|tools?|services?|products?|software|weights|code)\b|\d$"
)


def _access_request(roles: EventRoles, act: str) -> Phrase:
    reported = roles.content
    if act == "deadline set":
        return Phrase("give", roles.target or "a company", _on("a deadline over", roles.object) or "a deadline")
    if not roles.object and roles.target and reported.deed:
        return Phrase("ask", roles.target, reported.deed, "target" in roles.many)
    wanted, plural = _thing(roles, "object", "access or terms of use")
    if roles.actor and roles.object.startswith((f"{roles.actor}'s ", f"{roles.actor}’s ")):
        wanted, plural = f"terms or assurances concerning {wanted}", True
    elif roles.object and (_SYSTEM.search(roles.object) or reported.access and _same(reported.access, roles.object)):
        wanted, plural = f"access to {wanted}", False
    elif reported.access and not roles.object:
        wanted, plural = f"access to {reported.access}", False
    if not roles.target:
        return Phrase("request", wanted, "", plural)
    return Phrase("ask", roles.target, f"for {wanted}", "target" in roles.many)


def _same(words: str, thing: str) -> bool:
    """Return True if words begin with a thing, whatever article either has."""
    some, others = (re.sub(r"^(?:the|an?|its|their|his|her) ", "", text.casefold()) for text in (words, thing))
    return some.startswith(others) or others.startswith(some)


def _access_grant(roles: EventRoles, act: str) -> Phrase:
    access = f"access to {roles.object or 'an AI system'}"
    return Phrase("give", roles.target, access, "target" in roles.many) if roles.target else Phrase("give", access)


_ASKED = re.compile(
    r"(?i)\b(?:requests?|demands?|petitions?|applications?|motions?|offers?|terms|bids?|conditions?|pressure|calls?)$"
)
_COURT = re.compile(r"(?i)\b(?:court|tribunal|judges?|justices?)\b")


def _refusal(roles: EventRoles, act: str) -> Phrase:
    what, about = "a request", roles.object
    if _ASKED.search(head(roles.object)):
        what, about = roles.object, ""
    whose = "" if roles.target and roles.target in what else _on("from", roles.target)
    tail = _on("concerning", about) or roles.content.asked
    return Phrase("refuse", " ".join(f"{what} {whose} {tail}".split()))


def _restriction(roles: EventRoles, act: str) -> Phrase:
    word = {
        "designated": "a restrictive designation", "banned": "a ban", "suspended": "a suspension",
    }.get(act, "a restriction")  # fmt: skip
    verb = "lift" if act == "lifted" else "impose"
    used = roles.object or (f"systems of {roles.target}" if roles.target else "")
    if act == "banned" and roles.affected and used:
        return Phrase("ban", roles.affected, f"from using {used}", "affected" in roles.many)
    owned = roles.object.startswith((f"{roles.target}'s ", f"{roles.target}’s ", f"{roles.target} "))
    main, second = (roles.target, roles.object) if roles.target and not owned else (roles.object, roles.affected)
    if act in ("banned", "suspended") and main and not (roles.target == main and second):
        role = "target" if main == roles.target else "object"
        return Phrase("ban" if act == "banned" else "suspend", main, _on("for", second), role in roles.many)
    return Phrase(verb, f"{word} {_on('on', main)} {_on('concerning', second)}".strip())


def _model_release(roles: EventRoles, act: str) -> Phrase:
    thing, plural = _thing(roles, "object", "a model")
    verb = {"withdrawn": "withdraw", "delayed": "delay"}.get(act, "release")
    return Phrase(verb, thing, _on("to", roles.affected) if verb == "release" else "", plural)


def _of(thing: str, owner: str) -> str:
    """Return "Meridian's Lantern 2" for a name, "an AI system of Meridian" for a description."""
    if re.match(r"[A-Z](?!I )", thing) and not re.search(r" and |\d others", owner):
        return f"{owner}'s {thing}"
    return f"{thing} of {owner}"


def _evaluation(roles: EventRoles, act: str) -> Phrase:
    thing = roles.object or (f"systems of {roles.target}" if roles.target else "an AI system")
    if act == "published":
        return Phrase("publish", f"an evaluation of {thing}")
    if roles.object and roles.target and roles.target not in roles.object and not roles.object.startswith("its "):
        thing = _of(thing, roles.target)
    return Phrase("test", thing, "", "object" in roles.many or not roles.object and bool(roles.target))


def _investigation(roles: EventRoles, act: str) -> Phrase:
    about = _on("into", roles.first("target", "object"))
    if act == "hearing":
        return Phrase("hold", f"a hearing {_on('on', roles.first('target', 'object'))}".strip())
    return Phrase({"closed": "close", "widened": "widen"}.get(act, "open"), f"an investigation {about}".strip())


def _litigation(roles: EventRoles, act: str) -> Phrase:
    over = _on("over", roles.first("instrument", "object"))
    against, with_ = (f"{_on(word, roles.target)} {over}".strip() for word in ("against", "with"))
    if _COURT.search(roles.actor) and act in ("", "filed", "hearing"):
        return Phrase("hear", f"a case {against}".strip())
    verb, thing = {
        "appealed": ("file", f"an appeal {against}"),
        "settled": ("settle", f"a lawsuit {with_}"),
        "dismissed": ("dismiss", f"a lawsuit {against}"),
        "hearing": ("hold", f"a court hearing {with_}"),
        "opposed": ("file", f"an opposition in court {against}"),
        "brief filed": ("file", f"a court brief {over}"),
        "ruled": ("issue", f"a ruling {against}"),
        "in court": ("go", f"to court {against}"),
    }.get(act, ("file", f"a lawsuit {against}"))
    return Phrase(verb, thing.strip())


def _enforcement(roles: EventRoles, act: str) -> Phrase:
    word = {"fined": "a fine on", "settled": "a settlement on"}.get(act, "an enforcement order on")
    return Phrase("impose", f"{word} {roles.target or 'a company'}", _on("under", roles.instrument))


def _institution(roles: EventRoles, act: str) -> Phrase:
    body = roles.body or "an oversight body"
    many = "body" in roles.many
    if act == "left":
        return Phrase("leave", roles.body or "an oversight post")
    if act == "appointed" or (act not in ("created", "renamed", "dissolved") and roles.target):
        return Phrase("appoint", roles.target or "a leader", _on("to", roles.body), "target" in roles.many)
    return Phrase({"dissolved": "dissolve", "renamed": "rename"}.get(act, "create"), body, "", many)


# Types whose sentence names the owner just before the thing: "asked Meridian for access to its models".
_ITS = {"access_request", "access_grant", "model_release", "agreement"}
_PHRASES = {
    "executive_action": _executive, "legislation": _legislation, "regulation": _regulation, "agreement": _agreement,
    "commitment": _commitment, "access_request": _access_request, "access_grant": _access_grant, "refusal": _refusal,
    "restriction": _restriction, "model_release": _model_release, "evaluation": _evaluation,
    "investigation": _investigation, "litigation": _litigation, "enforcement": _enforcement,
    "institution": _institution,
}  # fmt: skip


def _active(who: str, many: bool, person: bool, phrase: Phrase, modality: Modality, says: str) -> str:
    """Return the active sentence. `says`: the speaker; an organisation speaking for itself "says it will ..."."""
    is_, has, it, do = ("are", "have", "they", "say") if many else ("is", "has", "it", "says")
    own = says == who
    if modality is Modality.OCCURRED:
        return f"{who} {phrase.after(phrase.past)}"
    if modality is Modality.PLANNED:
        plan = phrase.after(phrase.verb)
        if own:
            return f"{who} {'plan' if many else 'plans'} to {plan}" if person else f"{who} {do} {it} will {plan}"
        return f"{who} {is_} set to {plan}"
    if modality is Modality.CONSIDERED and phrase.verb == "negotiate":
        return f"{who} {is_} negotiating {phrase.after('')}"
    if modality is Modality.CONSIDERED:
        return f"{who} {is_} considering {phrase.after(phrase.gerund)}"
    if modality is Modality.POSTPONED:
        return f"{who} postponed {phrase.after(phrase.gerund)}"
    if modality is Modality.CANCELLED:
        return f"{who} dropped plans to {phrase.after(phrase.verb)}"
    if modality is Modality.NEGATED:
        return f"{who} {has} not {phrase.after(phrase.participle)}"
    if modality is Modality.DENIED:
        if says and not own:
            return f"{says} denies that {who} {phrase.after(phrase.past)}"
        return f"{who} {'deny' if many else 'denies'} having {phrase.after(phrase.participle)}"
    if modality is Modality.ALLEGED:
        return f"{who} {is_} said, without confirmation, to have {phrase.after(phrase.participle)}"
    return f"{who} would {phrase.after(phrase.verb)} under stated conditions"


def _passive(phrase: Phrase, modality: Modality, says: str) -> str:
    """Return the passive sentence, for an event without a named actor."""
    was, is_, has = ("were", "are", "have") if phrase.plural else ("was", "is", "has")
    thing, tail = phrase.thing, f" {phrase.tail}" if phrase.tail else ""
    if modality is Modality.OCCURRED:
        return f"{thing} {was} {phrase.participle}{tail}"
    if modality is Modality.PLANNED:
        return f"{thing} {is_} set to be {phrase.participle}{tail}"
    if modality in (Modality.CONSIDERED, Modality.POSTPONED, Modality.CANCELLED):
        done = {
            Modality.CONSIDERED: "are under consideration",
            Modality.POSTPONED: "were postponed",
            Modality.CANCELLED: "were dropped",
        }[modality]
        return f"plans to {phrase.after(phrase.verb)} {done}"
    if modality is Modality.NEGATED:
        return f"{thing} {has} not been {phrase.participle}{tail}"
    if modality is Modality.DENIED:
        return f"{says + ' denies' if says else 'it is denied'} that {thing} {was} {phrase.participle}{tail}"
    if modality is Modality.ALLEGED:
        return f"{thing} {is_} said, without confirmation, to have been {phrase.participle}{tail}"
    return f"{thing} would be {phrase.participle}{tail} under stated conditions"


def _speaker(attributions: Sequence[Attribution]) -> str:
    """Return the only named speaker of all claims, "unnamed sources" if all are unnamed, else ""."""
    names = {(a.kind, a.name or "") for a in attributions}
    if len({name for _, name in names}) != 1:
        return ""
    kinds = {kind for kind, _ in names}
    name = next(iter(names))[1]
    if name:
        kind = EntityKind.PERSON if kinds == {"person"} else EntityKind.ORGANISATION
        return noun(name, kind) if "own_reporting" not in kinds else ""
    return "unnamed sources" if kinds == {"anonymous"} else "unnamed reports" if kinds == {"outlet"} else ""


# With these stages "cancelled" means that the thing itself ended: an investigation was dropped.
_ENDINGS = frozenset({"closed", "withdrawn", "dropped", "ended"})


_TAKING_EFFECT = frozenset(
    {Modality.OCCURRED, Modality.PLANNED, Modality.NEGATED, Modality.CONDITIONAL, Modality.ALLEGED}
)


def _names_other_owner(participants: Sequence[Participant], sentences: Collection[str]) -> bool:
    """Return True if the object bears the name of an owner who is neither a party nor named so in a sentence.

    "OpenAI gave access to Meta's models" is a misread reference if the sentence has "its models".
    """
    named = " ".join(p.name for p in participants if p.role in ("actor", "target"))
    objects = [p.name for p in participants if p.role == "object" and not any(p.name in s for s in sentences)]
    if len(objects) < sum(p.role == "object" for p in participants):
        return False
    owners = [re.match(r"(.+?)[’']s? ", name) for name in objects]
    return bool(named and owners) and all(owner is not None and owner[1] not in named for owner in owners)


def summarise(
    type_: str,
    modality: Modality,
    participants: Sequence[Participant],
    *,
    act: str = "",
    direction: str | None = None,
    attributions: Sequence[Attribution] = (),
    content: Content = NOTHING,
    sentences: Collection[str] = (),
) -> str:
    """Return one sentence for an event.

    Args:
        type_: The event type.
        modality: The modality of the event.
        participants: Those worth naming.
        act: The stage that the triggers name (clustering.stages).
        direction: "lift" for a restriction that ended.
        attributions: Of the claims with this modality. A single speaker is named: "According to A, ...".
        content: What the quotes say beyond the participants, used where those say too little.
        sentences: The quotes.
    """
    acting = {p.entity_id for p in participants if p.role == "actor"}
    participants = [p for p in participants if p.role != "target" or p.entity_id not in acting]
    roles = _roles(type_, participants, content, sentences)
    act = _stage(type_, act, modality, direction, participants, roles)
    phrase, modality = _cancelled(type_, act, _PHRASES[type_](roles, act), modality)
    who, many = roles.actor, "actor" in roles.many
    person = any(p.role == "actor" and p.kind is EntityKind.PERSON for p in participants)
    if type_ == "institution" and act == "left" and not who:
        who, many = roles.target, "target" in roles.many
    if type_ == "legislation" and act == "passed" and person:
        who = ""  # chambers pass bills, not members
    if act == "in force" and modality in _TAKING_EFFECT:
        who, many, person = roles.instrument or f"{phrase.thing} {_on('of', who)}".strip(), phrase.plural, False
        phrase = Phrase("take", "effect", phrase.tail.removeprefix("into force").strip())
    return _attributed(who, many, person, phrase, modality, _speaker(attributions))


def _roles(type_: str, participants: Sequence[Participant], content: Content, sentences: Collection[str]) -> EventRoles:
    """Return the participants as noun phrases, without an owner's name repeated before its thing."""
    names = ("actor", "target", "object", "instrument", "body", "affected")
    phrases = {role: parties(participants, role) for role in names}
    words = {role: phrase for role, (phrase, _) in phrases.items()}
    owning = "target" if words["target"] and type_ != "access_grant" else "actor"
    owner = words[owning]
    if owner and not any(p.kind is EntityKind.PERSON for p in participants if p.role in ("actor", "target")):
        its = "their " if phrases[owning][1] else "its "
        for role in ("object", "instrument") if type_ in _ITS else ():
            words[role] = re.sub(rf"^{re.escape(owner)}['’]s? ", its, words[role])
    if type_ in ("access_grant", "access_request") and _names_other_owner(participants, sentences):
        words["object"] = ""
    if type_ == "access_request" and words["object"] == "access" and content.access:
        words["object"] = ""  # the object is only the word before the real one
    return EventRoles(**words, many=frozenset(role for role, (_, many) in phrases.items() if many), content=content)


def _stage(
    type_: str,
    act: str,
    modality: Modality,
    direction: str | None,
    participants: Sequence[Participant],
    roles: EventRoles,
) -> str:
    """Return the stage that the sentence states."""
    if type_ == "restriction" and direction == "lift":
        return "lifted"
    if modality is Modality.POSTPONED and act == "delayed":
        return ""  # the release was postponed, not its delay
    actors = [p for p in participants if p.role == "actor"]
    if act == "ruled" and actors and all(p.kind is EntityKind.ORGANISATION for p in actors):
        return act if _COURT.search(roles.actor) else "in court"  # companies win or lose rulings; courts give them
    return act


def _cancelled(type_: str, act: str, phrase: Phrase, modality: Modality) -> tuple[Phrase, Modality]:
    """Return "dropped the investigation" for what was cancelled after it began; anything else unchanged."""
    if modality is Modality.CANCELLED and act in _ENDINGS:
        return Phrase("drop", phrase.thing, phrase.tail, phrase.plural), Modality.OCCURRED
    if modality is Modality.CANCELLED and type_ == "litigation" and phrase.verb == "file":
        # The words fit a suit that was filed as well as one that was planned.
        return Phrase("drop", re.sub(r"^an? lawsuit", "legal action", phrase.thing)), Modality.OCCURRED
    return phrase, modality


def _attributed(who: str, many: bool, person: bool, phrase: Phrase, modality: Modality, says: str) -> str:
    """Return the sentence, with "according to" its only speaker, if there is one."""
    if modality is Modality.DENIED and says and says != who and says in who:
        who = ""  # the speaker is one of those said to have done it
    names_speaker = modality not in (Modality.DENIED, Modality.NEGATED) and says and says != (who or phrase.thing)
    unsure = ""
    if modality is Modality.ALLEGED and names_speaker:
        unsure = " but without confirmation,"
        body = _active(who, many, person, phrase, Modality.OCCURRED, "") if who else ""
        body = body or _passive(phrase, Modality.OCCURRED, "")
    else:
        body = _active(who, many, person, phrase, modality, says) if who else _passive(phrase, modality, says)
    return sentence(f"according to {says},{unsure} {body}" if names_speaker else body)
