"""Maps the trigger of a claim to a stage of its type: "introduced", "passed", "signed".

Each stage of a bill is an event of its own. A trigger that names no stage gives "", which is compatible with every
stage.
"""

from __future__ import annotations

import re

from pipeline.records import Claim, Modality

_EFFECT = (
    r"(?:took|takes?|taking|taken) effect|c[oa]m(?:e|es|ing) into (?:force|effect)|(?:went|go|goes|going) into effect|"
    r"enter(?:s|ed|ing)? into force|in (?:force|effect)|appl(?:y|ies)\b|ha(?:s|ve|d) applied\b(?! for)"
)
# For each type: (stage, pattern). The first match wins; patterns match at the start of a word.
_STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "executive_action": (
        ("revoked", r"revok|rescind|repeal|reverse|withdr"),
        ("amended", r"amend|revis|extend"),
        ("drafted", r"draft"),
        ("issued", r"sign|issu|releas|publish|unveil|announc|order|direct|instruct|mandat|establish|executive order"),
    ),
    "legislation": (
        ("vetoed", r"veto"),
        ("rejected", r"reject|kill|defeat|struck down|strip|remov|fail"),
        ("signed", r"sign|enact|law\b"),
        ("in force", _EFFECT),
        ("passed", r"pass|approv|adopt|vote|clear"),
        ("amended", r"amend|revis|change"),
        ("introduced", r"introduc|author|sponsor|file|draft|share|unveil|table"),
        ("debated", r"debat|hearings?\b|t(?:ake|akes|aken|aking|ook) up|mark(?:ed|ing)?[- ]?up|deliberat"),
    ),
    "regulation": (
        ("withdrawn", r"withdr|rescind|revok|repeal|scrap"),
        ("delayed", r"delay|postpon"),
        ("proposed", r"propos|draft|consult|seek comment"),
        ("in force", _EFFECT),
        ("adopted", r"adopt|finali[sz]|approv|endors"),
        ("published", r"publish|releas|issu|unveil"),
    ),
    "agreement": (
        ("in talks", r"without an? (?:agreement|deal)|broke down|break(?:s|ing)? down|collaps|fail"),
        ("broken", r"br(?:oke|oken|eak(?:s|ing)?)\b(?! (?:off|up|away))|breach|violat"),  # one side denies it
        (
            "ended",
            r"end(?:ed|s|ing)?\b|laps|expir|br(?:oke|oken|eaks?)\b|terminat|cancel|los(?:e|t|ing)\b|withdr|scrap|tear|tore",
        ),
        ("amended", r"renegotiat|amend|revis|updat|chang"),
        ("in talks", r"negotiat|talk|conversation|discuss|stalemate|broke down"),
        ("renewed", r"renew|extend|expand"),
        ("signed", r"sign|ink"),
        ("agreed", r"agree|reach|struck|strike|award|won\b|deal|contract|memorand|join|partner|accept|made its"),
    ),
    "commitment": (
        ("dropped", r"drop|abandon|remov|walk(?:ed|s)? (?:back|away)|scrap"),
        ("changed", r"chang|revis|updat|amend"),
        ("adopted", r"commit|pledg|promis|adopt|vow|agree|undertak"),
    ),
    "access_request": (
        ("deadline set", r"deadline|ultimatum|until\b"),
        ("offered", r"(?:final |last )*offer"),
        ("requested", r"want|urg|ask|request|seek|sought|demand|push|press|call|insist"),
    ),
    "restriction": (
        ("designated", r"designat|label|declar|blacklist|list(?:ed|s|ing)\b|supply[- ]chain"),
        (
            "banned",
            r"ba(?:n|r)(?:s|ned|red|ning|ring)?\b|stop|ceas|offboard|cut|drop|halt|phas|wind|prohibit|outlaw|n't work|"
            r"not do",
        ),
        ("suspended", r"suspend|paus|freez|froze"),
    ),
    "model_release": (
        ("withdrawn", r"withdr|pull|remov|took down|retir|deprecat"),
        ("delayed", r"delay|postpon|paus|held back|hold back|stag"),
        ("released", r"releas|launch|ship|unveil|introduc|publish|open[- ]?sourc|roll"),
    ),
    "evaluation": (
        ("published", r"publish|report|found|find|result"),
        ("tested", r"test|evaluat|audit|red[- ]?team|assess|examin|review"),
    ),
    "investigation": (
        ("closed", r"clos|drop|end(?:ed|s)?\b|conclud|discontinu"),
        ("widened", r"widen|expand|broaden"),
        ("hearing", r"hear|testif|listening"),
        ("opened", r"open|launch|start|began|begin|investigat|prob|inquir|look"),
    ),
    "litigation": (
        ("dropped", r"drop|withdr|discontinu|abandon"),
        ("appealed", r"appeal"),
        ("settled", r"settl"),
        ("filed", r"appl(?:y|ies|ied|ying) (?:to|for)\b"),  # an application for an order, not a ruling
        ("dismissed", r"dismiss|threw out|throw out"),
        ("hearing", r"hear(?:s|d|ing|ings)?\b|argu"),
        ("opposed", r"rebut|oppos|respond"),
        ("brief filed", r"brief|amicus"),
        (
            "ruled",
            r"rul|block|suspend|halt|reject|refus|declin|lift|stay(?:s|ed)?\b|strik|struck|void|annul|quash|enjoin|injunct|"
            r"grant|den(?:y|ied)\b|order|found|conclud|opinion|decid|overturn|upheld",
        ),
        ("filed", r"su(?:e|ed|es|ing)\b|fil|lawsuit|challeng|went to court|go to court|legal action|petition"),
    ),
    "enforcement": (
        ("settled", r"settl|consent"),
        ("fined", r"fin(?:e|ed|es|ing)\b|penal"),
        ("ordered", r"order|requir|compel|force|make them"),
    ),
    "institution": (
        ("left", r"left|leav|resign|step|depart|quit|no longer|used up|oust|fire"),
        ("dissolved", r"dissolv|disband|shut|abolish|clos"),
        ("renamed", r"renam|re-establish|rebrand"),
        ("appointed", r"appoint|nam(?:e|ed|es|ing)\b|co-?chair|nominat|hire|lead|head"),
        ("created", r"creat|establish|launch|found|form|set up|set(?:s|ting)? up|born|being born"),
    ),
}  # fmt: skip
_COMPILED = {
    type_: tuple((stage, re.compile(rf"\b(?:{words})", re.I)) for stage, words in stages)
    for type_, stages in _STAGES.items()
}
# Stages that are events of their own. Other stages of these types do not keep claims apart.
_SEPARATE = {
    "executive_action": {"revoked", "issued"},
    "legislation": {"vetoed", "signed", "passed", "introduced", "in force", "amended", "debated"},
    "regulation": {"withdrawn", "proposed", "adopted", "in force"},
    "agreement": {"broken", "ended", "amended", "signed", "agreed"},
    "commitment": {"dropped", "adopted"},
    "access_request": {"deadline set", "offered"},
    "restriction": {"designated", "banned"},
    "model_release": {"withdrawn", "released", "delayed"},
    "investigation": {"closed", "opened", "hearing"},
    "litigation": {
        "dropped", "appealed", "settled", "dismissed", "hearing", "opposed", "brief filed", "ruled", "filed",
    },
    "institution": {"left", "dissolved", "renamed", "appointed", "created"},
}  # fmt: skip
# Stages that count as one.
_SAME = {("agreement", "signed"): "agreed", ("agreement", "renewed"): "amended"}
_BEFORE = {
    Modality.PLANNED: "planned",
    Modality.CONSIDERED: "considered",
    Modality.POSTPONED: "postponed",
    Modality.CANCELLED: "cancelled",
    Modality.NEGATED: "not done",
    Modality.DENIED: "denied",
    Modality.ALLEGED: "alleged",
    Modality.CONDITIONAL: "conditional",
}
DEFAULT_STAGE = {
    "executive_action": "issued", "legislation": "moved", "regulation": "issued", "agreement": "agreed",
    "commitment": "made", "access_request": "requested", "access_grant": "granted", "refusal": "refused",
    "restriction": "imposed", "model_release": "released", "evaluation": "tested", "investigation": "opened",
    "litigation": "in court", "enforcement": "enforced", "institution": "changed",
}  # fmt: skip


# Light verbs: "takes effect", "comes into force".
_LIGHT = re.compile(
    r"(?:^|\s)(?:tak(?:e|es|ing|en)|took|c[oa]m(?:e|es|ing)|go(?:es|ing)?|went|gone|enter(?:s|ed|ing)?|put|sets?|is|are|was|"
    r"were|be|been|being|has|have|had|will|would|step(?:s|ped|ping)?|hand(?:s|ed)?|cut|carr(?:y|ied|ies)|throw|threw)$",
    re.I,
)
_GIVEN_UNTIL = re.compile(r"[^.;]{0,60}\b(?:ha[sd]|have|gave|given|giving) (?:[\w’']+ ){0,6}until\b", re.I)
# A lasting demand, as opposed to the act of asking: "wants", "insists", "must have".
_LASTING_DEMAND = re.compile(
    r"\b(?:want|insist|seek|sought|push|press|believ|need|must|should|attempt|red lines)", re.I
)
# Third parties barred from dealing with somebody: "no contractor ... commercial activity with".
_OTHERS = re.compile(r"\b(?:contractors?|suppliers?|partners?|vendors?|compan(?:y|ies)|firms?|anyone)\b", re.I)
_DEALING = re.compile(r"(?:commercial activity|business|contracts?|dealings?) with\b", re.I)
_WHO = re.compile(r"\b(?:compan(?:y|ies)|firms?|contractors?|suppliers?|vendors?) (?:that|which|doing|who)\b", re.I)
_BEFORE_IT, _AFTER_IT = 130, 50  # characters around a trigger searched for who is barred
_BRIEF = re.compile(r"\s+(?:[\w’'-]+\s+){0,3}(?:amicus|briefs?\b|friends?[- ]of[- ]the[- ]court)", re.I)
_NEXT_WORDS = re.compile(r"\s+(?:\w[\w-]*\s+)?\w[\w-]*")


_IN_FORCE = re.compile(
    r"(?:takes?|took|taking|comes?|came|coming|goes|go|enters?|entered|be) (?:in(?:to)? )?(?:effect|force)", re.I
)


def spoken(claim: Claim) -> str:
    """Return the trigger, with the two words after it where it is a light verb: "takes effect on"."""
    if not _LIGHT.search(claim.trigger):
        return claim.trigger
    after = _NEXT_WORDS.match(claim.evidence.quote, claim.trigger_end - claim.evidence.start)
    return claim.trigger + (after[0] if after else "")


def act_of(claim: Claim) -> str:
    """Return the stage that a claim names ("signed", "in force"), "" for none of its type."""
    named = act(claim.type, spoken(claim))
    if named in ("", "issued") and claim.type in ("executive_action", "legislation", "regulation"):
        at = max(claim.trigger_start - claim.evidence.start, 0)
        if _IN_FORCE.match(claim.evidence.quote, at):
            return "in force"
    end = max(claim.trigger_end - claim.evidence.start, 0)
    if claim.type == "litigation" and named == "filed" and _BRIEF.match(claim.evidence.quote, end):
        return "brief filed"
    if claim.type == "access_request" and named in ("", "requested") and _GIVEN_UNTIL.match(claim.evidence.quote, end):
        return "deadline set"
    return named


def act(type_: str, trigger: str) -> str:
    """Return the stage that a trigger names ("signed"), "" for none of its type."""
    return next((stage for stage, words in _COMPILED.get(type_, ()) if words.search(trigger)), "")


def distinct_stage(type_: str, trigger: str) -> str:
    """Return the stage that keeps two claims apart: two different, non-empty values are two events."""
    stage = _SAME.get((type_, act(type_, trigger)), act(type_, trigger))
    return stage if stage in _SEPARATE.get(type_, ()) else ""


def stage_key(claim: Claim) -> str:
    """Return what keeps a claim apart from others, as `distinct_stage` does, but with its whole sentence.

    Some types cover two acts: wanting something for weeks and setting a deadline; barring a company, and barring others
    from dealing with it.
    """
    if claim.type == "access_request":
        named = act_of(claim)
        if named in _SEPARATE["access_request"]:
            return named
        return "wanted" if _LASTING_DEMAND.search(claim.trigger) else ""
    if claim.type == "restriction" and _bars_dealings(claim):
        return "dealings barred"
    if claim.type == "litigation" and act_of(claim) == "brief filed":
        return "brief filed"  # an amicus curiae is not a party
    return distinct_stage(claim.type, spoken(claim))


def _bars_dealings(claim: Claim) -> bool:
    quote = claim.evidence.quote
    start, end = (max(at - claim.evidence.start, 0) for at in (claim.trigger_start, claim.trigger_end))
    here = quote[start : end + _AFTER_IT]
    if _WHO.search(here):
        return True
    return bool(_DEALING.search(here) and _OTHERS.search(quote[max(0, start - _BEFORE_IT) : end]))


def stage_of(type_: str, act_: str, modality: Modality, direction: str | None) -> str:
    """Return the stage of an event: the act if it occurred, else its status ("planned")."""
    if modality is not Modality.OCCURRED:
        return _BEFORE[modality]
    if direction == "lift":
        return "lifted"
    return act_ or DEFAULT_STAGE[type_]
