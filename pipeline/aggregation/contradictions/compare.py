"""Decides whether two claims can both be true: date, amount, actor, force, occurrence.

Misreadings differ more often than reports do, so a difference counts only if both claims surely report one act of one
thing. These are no contradictions: a finer date inside a coarser one, a sum within a bound, an announcement and the
formal act, a plan and its execution, "not yet" and a later "signed".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.aggregation.clustering.features import CONTINUING, is_named
from pipeline.aggregation.clustering.stages import act_of, distinct_stage
from pipeline.aggregation.contradictions.amounts import Amount, agree, amounts
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.lexicon.inflection import same_verb, verb_key
from pipeline.records import Claim, EntityKind, Force, Modality
from scrapers.items import Article

DONE = (Modality.OCCURRED, Modality.ALLEGED)
SEVERAL_ACTORS = {"agreement", "commitment", "access_request", "evaluation", "litigation", "refusal", "access_grant"}
ONE_ACT_DAYS = 45  # maximum days between two dates of one unnamed act
REPLANNED_DAYS = 3  # plans published further apart may be two plans
DENIED_DAYS = 60  # maximum days between a report and its denial
_ANNOUNCING = re.compile(r"announc|unveil|reveal|disclos|report|said|says|confirm|outlin", re.I)
_BOUND = re.compile(
    r"\b(?:by|until|before|within|no later than|deadline|up to|in the next|over the next)\s*(?:the\s+)?$", re.I
)
_SPAN_WORDS = re.compile(r"\b(?:next|within|by|until|before|days|weeks|months|deadline|coming)\b", re.I)
_SAYS_BINDING = re.compile(
    r"\b(?:(?<!non-)(?<!not )(?<!not legally )binding|mandatory|compulsory|enforceable|required by law)\b", re.I
)
_SAYS_VOLUNTARY = re.compile(r"\b(?:voluntar(?:y|ily)|non-?binding|not (?:legally )?binding)\b", re.I)
_RENEWED_SUM = re.compile(
    r"\b(?:rais(?:ed|es|ing)|increas\w+|rose|risen|grew|grown|doubl\w+|tripl\w+|cut|reduc\w+|lower\w+|halv\w+|now|"
    r"revis\w+|updat\w+|correct\w+|up from|down from|originally|initially|at first|previously|"
    r"earlier estimate|new total|by then)\b",
    re.I,
)
_OTHER_SUM = re.compile(
    r"\b(?:valued at|valuation|worth|revenue|turnover|sales|profits?|market value|capitali[sz]ation|"
    r"per (?:day|week|month|year|user|violation|breach)|a (?:day|week|month|year)|annual(?:ly)?|"
    r"budget|salary|maximum|fines? of up to)\b",
    re.I,
)
_ONLY_IN_MODAL = re.compile(r"\b(?:must|shall)\b", re.I)


@dataclass(frozen=True)
class Grounds:
    """Context for comparing two claims.

    `near_duplicates`: article id -> smallest article id of its group of near-duplicates.
    """

    articles: Mapping[str, Article]
    entity_graph: EntityGraph = field(default_factory=EntityGraph)
    near_duplicates: Mapping[str, str] = field(default_factory=dict)

    def written(self, claim: Claim) -> str:
        """Return the publication day of a claim's article, "" if unknown."""
        article = self.articles.get(claim.evidence.article_id)
        return article.published_at.date().isoformat() if article and article.published_at else ""

    def days_apart(self, one: Claim, other: Claim) -> int | None:
        """Return the days between the two articles, None if a day is unknown."""
        days = [date.fromisoformat(day) for claim in (one, other) if (day := self.written(claim))]
        return abs(days[0] - days[1]).days if len(days) == 2 else None

    def occurred_by(self, claim: Claim) -> str:
        """Return the day by which the event had occurred: the last day of its date, else the day of the report."""
        own = claim.date.end.isoformat() if claim.date else ""
        return own or self.written(claim) or "9999"

    def one_report(self, one: Claim, other: Claim) -> bool:
        """Return True for claims of near-duplicate articles: they are one report."""
        a, b = one.evidence.article_id, other.evidence.article_id
        return a != b and self.near_duplicates.get(a, a) == self.near_duplicates.get(b, b)


def same_article(one: Claim, other: Claim) -> bool:
    return one.evidence.article_id == other.evidence.article_id


def same_sentence(one: Claim, other: Claim) -> bool:
    return same_article(one, other) and one.evidence.start == other.evidence.start


def tense(claim: Claim) -> str:
    return "done" if claim.modality in DONE else "ahead" if claim.modality is Modality.PLANNED else ""


def _ids(claim: Claim, *roles: str) -> frozenset[str]:
    """Return the ids of the named participants in these roles."""
    return frozenset(p.entity_id for p in claim.participants if p.role in roles and is_named(p))


def _names(claim: Claim, *roles: str) -> tuple[frozenset[str], ...]:
    """Return the distinctive words of the name of each participant in these roles."""
    every = (frozenset(re.findall(r"[a-z0-9-]+", p.name.casefold())) for p in claim.participants if p.role in roles)
    return tuple(words - {"ai", "the", "its", "model", "models", "new", "system", "systems"} for words in every)


def _alike(some: tuple[frozenset[str], ...], others: tuple[frozenset[str], ...]) -> bool:
    return any(a & b and (a <= b or b <= a) for a in some for b in others)


def share_thing(one: Claim, other: Claim, entity_graph: EntityGraph) -> bool:
    """Return True if both name one instrument, object or body."""
    for role in ("instrument", "object", "body"):
        some, others = _ids(one, role), _ids(other, role)
        if entity_graph.overlap(some, others) and some & others:
            return True
        named = [tuple(n for n in _names(c, role) if n) for c in (one, other) if _ids(c, role)]
        if len(named) == 2 and _alike(*named):
            return True
    return False


def other_thing(one: Claim, other: Claim) -> bool:
    """Return True if both name what it is about, and it differs: "the weights", "training records"."""
    for role in ("instrument", "object"):
        some, others = _names(one, role), _names(other, role)
        if any(some) and any(others) and not any(a & b for a in some for b in others):
            return True
    return False


def one_act(one: Claim, other: Claim, entity_graph: EntityGraph) -> bool:
    """Return True if two claims of one event surely report one act: they share its thing, or both parties."""
    if same_sentence(one, other) or other_thing(one, other):
        return False
    stages = {distinct_stage(c.type, c.trigger) for c in (one, other)} - {""}
    if len(stages) > 1:
        return False
    if share_thing(one, other, entity_graph):
        return True
    if one.type in ("executive_action", "legislation", "regulation", "institution", "model_release"):
        return False  # these acts are identified by their instrument, body or model
    actors = _ids(one, "actor"), _ids(other, "actor")
    if one.type == "agreement":
        return len(actors[0] & actors[1]) > 1
    targets = _ids(one, "target"), _ids(other, "target")
    return bool(entity_graph.overlap(*actors) and entity_graph.overlap(*targets))


def dates_contradict(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True if one act is dated to two days that cannot be the same."""
    first, second = one.date, other.date
    if first is None or second is None or one.type in CONTINUING or not (tense(one) == tense(other) != ""):
        return False
    if first.end >= second.start and second.end >= first.start:
        return False
    if not one_act(one, other, grounds.entity_graph) or not _one_wording(one, other):
        return False
    if tense(one) == "ahead" and not _one_plan(one, other, grounds):
        return False
    if same_article(one, other) and not (_ids(one, "instrument", "body") & _ids(other, "instrument", "body")):
        return False
    gap = max((first.start - second.end).days, (second.start - first.end).days)
    return gap <= ONE_ACT_DAYS or bool(_ids(one, "instrument") & _ids(other, "instrument"))


def _one_wording(one: Claim, other: Claim) -> bool:
    """Return True if both use a verb of one meaning. A noun ("its deal") has no date of its own."""
    stages = {act_of(c) for c in (one, other)}
    if len(stages - {""}) > 1 or sum(bool(_ANNOUNCING.match(c.trigger)) for c in (one, other)) == 1:
        return False
    if any(c.modality in DONE and not verb_key(c.trigger) for c in (one, other)):
        return False
    return "" not in stages or same_verb(one.trigger, other.trigger)


def _one_plan(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True for two plans of about the same time, each with a day.

    Deadlines do not count; a later plan may be new.
    """
    days = [
        a.published_at for c in (one, other) if (a := grounds.articles.get(c.evidence.article_id)) and a.published_at
    ]
    if len(days) < 2 or abs(days[0] - days[1]).days > REPLANNED_DAYS:
        return False
    return not any(_is_bound(c) for c in (one, other)) and same_verb(one.trigger, other.trigger)


def _is_bound(claim: Claim) -> bool:
    said = claim.date.said if claim.date else ""
    at = claim.evidence.quote.find(said) if said else -1
    return bool(_SPAN_WORDS.search(said) or (at > 0 and _BOUND.search(claim.evidence.quote[:at])))


def actors_contradict(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True if one act is attributed to two unrelated parties."""
    if {one.type, other.type} & SEVERAL_ACTORS or any(c.modality is not Modality.OCCURRED for c in (one, other)):
        return False
    some, others = _actors(one), _actors(other)
    if not some or not others or not one_act(one, other, grounds.entity_graph) or not _one_wording(one, other):
        return False
    people = {kind is EntityKind.PERSON for kind in (*some.values(), *others.values())}
    if len(people) > 1 or (people == {True} and not same_verb(one.trigger, other.trigger)):
        return False  # a person's employer is often not stated
    above = grounds.entity_graph.above
    for a, kind_a in some.items():
        for b, kind_b in others.items():
            loose = EntityKind.GOVERNMENT in (kind_a, kind_b) and set(above(a)) & set(above(b))
            if loose or grounds.entity_graph.closeness(a, b):
                return False
    return True


def _actors(claim: Claim) -> dict[str, EntityKind]:
    return {p.entity_id: p.kind for p in claim.participants if p.role == "actor" and is_named(p)}


def sum_of(claim: Claim) -> Amount | None:
    """Return the sum that a sentence gives for the act; None for none, several, or a sum of something else."""
    quote = claim.evidence.quote
    found = amounts(quote)
    return found[0] if len(found) == 1 and not _OTHER_SUM.search(quote) else None


def sums_contradict(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True if one act has two sums, neither of them described as new or former."""
    first, second = sum_of(one), sum_of(other)
    if first is None or second is None or agree(first, second) or same_sentence(one, other) or other_thing(one, other):
        return False
    if tense(one) != tense(other) or distinct_stage(one.type, one.trigger) != distinct_stage(other.type, other.trigger):
        return False
    return not any(_RENEWED_SUM.search(c.evidence.quote) for c in (one, other))


def forces_contradict(one: Claim, other: Claim, forces: tuple[Force, Force], grounds: Grounds) -> bool:
    """Return True if one act is explicitly called both binding and voluntary."""
    if set(forces) != {Force.BINDING, Force.VOLUNTARY} or same_sentence(one, other):
        return False
    if tense(one) != tense(other) or len({distinct_stage(c.type, c.trigger) for c in (one, other)} - {""}) > 1:
        return False
    return one_act(one, other, grounds.entity_graph) or one.type == "commitment"


def force_said(claim: Claim) -> Force:
    """Return the stated force. A "must" in the sentence alone does not make the act binding."""
    words = claim.evidence.quote
    if claim.force is Force.BINDING and _ONLY_IN_MODAL.search(words) and not _SAYS_BINDING.search(words):
        return Force.NOT_STATED
    return claim.force


def says_force(text: str) -> Force:
    """Return what a text calls an act: binding, voluntary, or not stated (neither or both)."""
    binding, voluntary = bool(_SAYS_BINDING.search(text)), bool(_SAYS_VOLUNTARY.search(text))
    if binding == voluntary:
        return Force.NOT_STATED
    return Force.BINDING if binding else Force.VOLUNTARY


def occurrence_contradicts(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True if one says that it happened and the other, no earlier, that it did not."""
    yes, no = sorted((one, other), key=lambda c: c.modality not in DONE)
    if yes.modality not in DONE or no.modality not in (Modality.DENIED, Modality.NEGATED):
        return False
    if same_sentence(yes, no) or other_thing(yes, no):
        return False
    stages = {act_of(c) for c in (yes, no)} - {""}
    if len(stages) > 1:
        return False
    if no.modality is Modality.DENIED:
        alike = same_verb(yes.trigger, no.trigger) or one_act(yes, no, grounds.entity_graph)
        return alike and _answers(no, yes, grounds)
    if yes.modality is not Modality.OCCURRED or same_article(yes, no) or not same_verb(yes.trigger, no.trigger):
        return False
    return one_act(yes, no, grounds.entity_graph) and grounds.written(no) > grounds.occurred_by(yes)


def _answers(no: Claim, yes: Claim, grounds: Grounds) -> bool:
    """Return True if a denial responds to this report, not to an earlier rumour."""
    began = yes.date.start.isoformat() if yes.date and yes.date.basis != "publication" else grounds.written(yes)
    return not began or not grounds.written(no) or grounds.written(no) >= began


def denies_elsewhere(one: Claim, other: Claim, grounds: Grounds) -> bool:
    """Return True if a denial in another event concerns the same act, actor and thing."""
    if one.type != other.type or Modality.DENIED not in (one.modality, other.modality):
        return False
    if not same_verb(one.trigger, other.trigger) or not occurrence_contradicts(one, other, grounds):
        return False
    entity_graph = grounds.entity_graph
    if not entity_graph.overlap(_ids(one, "actor"), _ids(other, "actor")):
        return False
    targets = _ids(one, "target"), _ids(other, "target")
    if all(targets) and not entity_graph.overlap(*targets):
        return False
    days = [
        a.published_at for c in (one, other) if (a := grounds.articles.get(c.evidence.article_id)) and a.published_at
    ]
    near = len(days) < 2 or abs(days[0] - days[1]).days <= DENIED_DAYS
    return near and share_thing(one, other, entity_graph)
