"""Scores how likely two claims of one type report the same event.

Claims exclude each other if they differ in direction, in stage, in a named instrument or object, or if both report a
finished act at clearly different times. Everything else is weighed by a logistic model: the features below, each
between 0 and 1, with fitted weights (evaluation.fitting.grouping). A missing party or date counts neither for nor
against.
"""

from __future__ import annotations

import math

from pipeline.aggregation.clustering.features import CONTINUING, ONE_INSTRUMENT, ClaimFeatures
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.records import Modality

# Fitted by `python -m pipeline.evaluation.fitting.grouping --gold TEXTS CLAIMS` on pairs of the newsroom's annotated
# claims and of 57 annotated real documents, each as annotated and as read by the program. docs/accuracy.md reports the
# results on held-out documents.
WEIGHTS = {
    "bias": -2.91, "who": 1.30, "when": 0.98, "what": 1.47, "words": 1.34, "unsure": -1.25, "trigger": 0.64,
    "both_open": 0.42, "lone_instrument": -1.15, "same_class": 0.58, "same_act": 0.27, "other_act": -0.61,
    "same_modality": 0.47, "foretold": 1.04, "same_day": -0.16, "lone_date": -0.55, "undated": -0.35, "apart": -0.84,
    "slipped": -0.26, "news_here": 0.24, "mixed_here": -1.46, "near": 0.74, "clause": 0.62, "class_bears": -0.60,
    "same_reported_day": 0.84, "news_same_day": 0.13, "recalled_before": -0.66, "recalled_after": 0.44,
}  # fmt: skip
FEATURES = tuple(name for name in WEIGHTS if name != "bias")

OTHER_DAY = 2  # maximum days between the intervals of one act; a stated day is widened by one on each side
SAME_CLAUSE = 0.6  # share of common words at which two clauses count as the same
NEAR = 300  # characters between two sentences of one article at which their proximity falls to 1/e
FARTHEST = 45  # maximum days between two reports of one act of one instrument
SAME_WORDS = 0.3  # share of common words at which two sentences count as the same
# Agreement of two time intervals; 1 if both are stated to the day. MONTH_AND_DAY: one is coarser. SOON, LATER,
# ANY_TIME: both within two months, one of them, neither. APART: two reports put one act on different days.
MONTH_AND_DAY, SOON, LATER, ANY_TIME, APART = 0.60, 0.72, 0.65, 0.47, 0.25
# Parties: none named; one side named; a class and several names; two classes, or a class and one name.
UNNAMED, ONE_NAMED, CLASS_AND_MEMBERS, OTHER_CLASS = 0.57, 0.71, 0.62, 0.21
_OPEN = frozenset({Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL})
_NOT_DONE = frozenset(Modality) - {Modality.OCCURRED, Modality.ALLEGED}
_PARTIES = ("actor", "target", "affected", "object")


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit())


class Similarity:
    """Compares claims, given which entity belongs to which."""

    def __init__(self, entity_graph: EntityGraph) -> None:
        self.entity_graph = entity_graph

    def opposed(self, one: ClaimFeatures, other: ClaimFeatures) -> bool:
        """Return True if the two can never be one event."""
        if one.claim.evidence.quote == other.claim.evidence.quote and one.claim.trigger != other.claim.trigger:
            return True  # one sentence states each event once
        if one.claim.direction and other.claim.direction and one.claim.direction != other.claim.direction:
            return True
        if one.stage and other.stage and one.stage != other.stage:
            return True
        if self.crossed(one, other) or self.on_other_days(one, other):
            return True
        return any(self._other_thing(one, other, role) for role in ("instrument", "object"))

    def on_other_days(self, one: ClaimFeatures, other: ClaimFeatures) -> bool:
        """Return True if both report finished acts on clearly different days, without a shared named instrument.

        Reports of one act differ by little on its day.
        """
        cases = (one, other)
        if not all(case.dated and case.claim.modality is Modality.OCCURRED for case in cases):
            return False
        if one.days_from(other) <= OTHER_DAY:
            return False
        return not self.shared_instrument(one, other)

    def crossed(self, one: ClaimFeatures, other: ClaimFeatures) -> bool:
        """Return True if each side acts towards the other: a request of the agency and one of the lab."""
        ways = [(one.ids("actor"), other.ids("target")), (one.ids("target"), other.ids("actor"))]
        straight = [(one.ids(role), other.ids(role)) for role in ("actor", "target")]
        return all(self.entity_graph.overlap(*way) for way in ways) and not any(
            self.entity_graph.overlap(*w) for w in straight
        )

    def _other_thing(self, one: ClaimFeatures, other: ClaimFeatures, role: str) -> bool:
        some, others = one.ids(role), other.ids(role)
        if not some or not others or self.entity_graph.overlap(some, others):
            return False
        return role == "object" or _other_form(one, other) or not _alike_titles(one, other)

    def probability(self, one: ClaimFeatures, other: ClaimFeatures) -> float:
        """Return how likely two claims that do not exclude each other report one event."""
        features = self.pair_features(one, other)
        if features is None:
            return 0.0
        logit = WEIGHTS["bias"] + sum(WEIGHTS[name] * value for name, value in features.items())
        return 1.0 / (1.0 + math.exp(-logit))

    def pair_features(self, one: ClaimFeatures, other: ClaimFeatures) -> dict[str, float] | None:
        """Return the features of a pair by the names in FEATURES, each 0 to 1.

        None if the named parties exclude each other, which no similarity of words can outweigh.
        """
        who = self._parties(one, other)
        if who is None:
            return None
        modalities = {one.claim.modality, other.claim.modality}
        shared = len(one.words & other.words) / (len(one.words | other.words) or 1)
        return {
            "who": who,
            "when": self._time(one, other),
            "what": self._thing(one, other),
            "words": min(1.0, shared / SAME_WORDS),
            "unsure": float(len(modalities) > 1 and Modality.OCCURRED in modalities),
            "trigger": float(bool(one.trigger_stems & other.trigger_stems)),
            "both_open": float(all(m in _OPEN for m in modalities)),
            "lone_instrument": float(bool(one.ids("instrument")) != bool(other.ids("instrument"))),
            "same_class": float(any(one.unnamed(role) & other.unnamed(role) for role in _PARTIES)),
            "same_act": float(bool(one.act) and one.act == other.act),
            "other_act": float(bool(one.act and other.act) and one.act != other.act),
            "same_modality": float(len(modalities) == 1),
            "foretold": float(len(modalities) > 1 and Modality.OCCURRED in modalities and bool(modalities & _OPEN)),
            "clause": _shared(one.clause, other.clause),
            "class_bears": float(any(_class_and_name(*pair) for pair in ((one, other), (other, one)))),
            **self._days(one, other),
            **self._place(one, other),
        }

    def _days(self, one: ClaimFeatures, other: ClaimFeatures) -> dict[str, float]:
        """Return the features on dates: stated by both, by one, by none; far apart."""
        dates = [case.claim.date for case in (one, other) if case.dated]
        first, second = one.reported_day, other.reported_day
        same_reported_day = first is not None and second is not None and abs((first - second).days) <= 1
        on = {date.start for date in dates if date is not None and date.start == date.end}
        gap = max(0, one.days_from(other))
        slipped = gap > 0 and min((one, other), key=lambda case: case.interval).claim.modality in _NOT_DONE
        return {
            "slipped": float(slipped),
            "same_reported_day": float(same_reported_day),
            "same_day": float(len(dates) == 2 and len(on) == 1 and all(d and d.start == d.end for d in dates)),
            "lone_date": float(one.dated != other.dated),
            "undated": float(not dates),
            "apart": 0.0 if slipped else min(1.0, gap / 10),
        }

    def _place(self, one: ClaimFeatures, other: ClaimFeatures) -> dict[str, float]:
        """Return the features on position: in one article or two, as news or as background.

        What an article reports and what it recalls are usually two events; what was recalled before is not news later.
        """
        news = [case.claim.newness == "new" for case in (one, other)]
        here = one.claim.evidence.article_id == other.claim.evidence.article_id
        first, then = sorted((one, other), key=lambda case: case.key)
        gap = (then.published - first.published).days if first.published and then.published else 0
        later = not here and gap > 0
        first_is_news, then_is_news = first.claim.newness == "new", then.claim.newness == "new"
        return {
            "news_here": float(here and all(news)),
            "mixed_here": float(here and any(news) and not all(news)),
            "near": math.exp(-abs(one.claim.evidence.start - other.claim.evidence.start) / NEAR) if here else 0.0,
            "news_same_day": float(not here and all(news) and gap <= 1),
            "recalled_before": float(later and not first_is_news and then_is_news),
            "recalled_after": float(later and first_is_news and not then_is_news),
        }

    def _time(self, one: ClaimFeatures, other: ClaimFeatures) -> float:
        (a, b), (c, d) = one.interval, other.interval
        gap = one.days_from(other)
        if gap > 0:
            return self._apart(one, other, gap)
        if one.dated and other.dated:
            return 1.0 if max(b - a, d - c) <= 4 else MONTH_AND_DAY
        shorter, longer = sorted((b - a + 1, d - c + 1))
        return SOON if longer < 60 else LATER if shorter < 60 else ANY_TIME

    def _apart(self, one: ClaimFeatures, other: ClaimFeatures, gap: int) -> float:
        """Return the temporal similarity of intervals `gap` days apart: reports of one act may differ on its day."""
        if one.claim.type in CONTINUING and gap <= 21:
            return APART
        same = (one.stage == other.stage or not one.stage or not other.stage) and self.shared_instrument(one, other)
        return APART if gap <= (FARTHEST if same else 4) else 0.0

    def parties_differ(self, one: ClaimFeatures, other: ClaimFeatures) -> bool:
        """Return True if the named parties of two claims of one type exclude each other.

        Most claims that share one party do.
        """
        entity_graph = self.entity_graph
        if one.claim.type == "agreement":
            some, others = one.ids("actor"), other.ids("actor")
            apart = some and others and entity_graph.unmatched(some, others) and entity_graph.unmatched(others, some)
            return bool(apart)
        for role in _party_roles(one):
            some, others = one.ids(role), other.ids(role)
            if some and others and not entity_graph.overlap(some, others):
                return True
        return False

    def _parties(self, one: ClaimFeatures, other: ClaimFeatures) -> float | None:
        """Return the similarity of the parties; None if they exclude each other."""
        if self.parties_differ(one, other):
            return None
        roles = _party_roles(one)
        return sum(self._soft(one, other, role) for role in roles) / len(roles)

    def _soft(self, one: ClaimFeatures, other: ClaimFeatures, role: str) -> float:
        some, others = one.ids(role), other.ids(role)
        if some and others:
            return self.entity_graph.overlap(some, others)
        one_class, other_class = one.unnamed(role), other.unnamed(role)
        if one_class & other_class:
            return CLASS_AND_MEMBERS
        if one_class and other_class:
            return OTHER_CLASS
        if (one_class and others) or (other_class and some):
            return CLASS_AND_MEMBERS if len(some | others) > 1 else OTHER_CLASS
        return ONE_NAMED if some or others else UNNAMED

    def shared_instrument(self, one: ClaimFeatures, other: ClaimFeatures) -> bool:
        return bool(one.ids("instrument") & other.ids("instrument")) or any(
            len(a & b) >= 2 or (a and a == b) for a in one.titles for b in other.titles
        )

    def _thing(self, one: ClaimFeatures, other: ClaimFeatures) -> float:
        if self.shared_instrument(one, other):
            return 1.0
        shared = [self.entity_graph.overlap(one.ids(r), other.ids(r)) for r in ("object", "body")]
        if any(shared):
            return max(shared)
        return 0.6 if one.stage and one.stage == other.stage else 0.4


def _party_roles(case: ClaimFeatures) -> tuple[str, ...]:
    """Return the roles in which different parties mean different events."""
    return ("actor",) if case.claim.type == "agreement" or case.claim.type in ONE_INSTRUMENT else ("actor", "target")


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    """Return the share of the shorter clause found in the longer; 1 from SAME_CLAUSE on."""
    if not some or not others:
        return 0.0
    return min(1.0, len(some & others) / min(len(some), len(others)) / SAME_CLAUSE)


def _class_and_name(one: ClaimFeatures, other: ClaimFeatures) -> bool:
    """Return True if the first names a class only ("contractors") and the second a member by name."""
    return bool(one.unnamed("target") and not one.ids("target") and other.ids("target"))


def _other_form(one: ClaimFeatures, other: ClaimFeatures) -> bool:
    """Return True if one instrument is an order and the other a statute, for example."""
    return bool(one.forms and other.forms and not one.forms & other.forms)


def _alike_titles(one: ClaimFeatures, other: ClaimFeatures) -> bool:
    """Return True if both titles may name one instrument: shared distinctive words, or a bare number on one side."""
    for some in one.titles:
        for others in other.titles:
            if _numbers(some) and _numbers(others) and not _numbers(some) & _numbers(others):
                continue
            if not some or not others or len(some & others) * 2 >= min(len(some), len(others)):
                return True
            if all(w[0].isdigit() for w in some) != all(w[0].isdigit() for w in others):
                return True
    return False
