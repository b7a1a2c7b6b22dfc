"""Claims that say the same come together: claims and articles in, groups of claim ids and events out.

Identity is structural: type, stage of the line, direction, named instrument or object, core parties and date interval;
the words of the sentence break ties. Groups are grown by average link over pairs that share a party or an instrument,
so that one bridging claim cannot chain two events together. The order of the input makes no difference.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from pipeline.families import Families
from pipeline.records import Claim, Entity, EntityKind, Modality, Participant
from pipeline.stages import line_key
from scrapers.records import Article, Precision

FARTHEST = 45  # days between two reports of one act of one instrument; beyond, they tell of two acts
APART = 0.25  # time, where two reports put one act on different days
LINK = 0.436  # average likeness at which two groups are one event
# What each part of the likeness weighs; set on annotated documents; a fifth up or down costs up to 0.025 B-cubed F1.
WHO, WHEN, WHAT, SAID = 0.30, 0.38, 0.07, 0.43
SAME_WORDS = 0.27  # share of common words at which two sentences count as saying the same
NOT_SURE_YET = 0.06  # taken off where one claim says it occurred and the other that it might, or did not
PLANNED_THEN_DONE = 0.045
# Time: both stated, one coarser than the other; else by the width of what is known: weeks, one of them, none.
DAYS_IN_MONTH, SOON, LATER, ANY_TIME = 0.60, 0.72, 0.65, 0.47
# Parties: both silent; one silent; "AI companies" and five names; two classes, or a class and a single name.
UNNAMED, ONE_NAMED, CLASS_AND_MEMBERS, OTHER_CLASS = 0.57, 0.71, 0.62, 0.21
MAX_NEIGHBOURS = 100  # a claim is compared with at most so many nearest in time that share the same party
_SLACK = {Precision.MINUTE: 1, Precision.DAY: 1, Precision.WEEK: 3, Precision.MONTH: 3, Precision.QUARTER: 7}
_WORD = re.compile(r"[a-z][a-z-]+|\d[\d,.]*\d|\d")
_COMMON = frozenset(
    """a an and are as at be been by for from had has have he her his in into is it its of on or our she so than that
    the their them they this to was we were which who will with would said says not but also after before about over
    more new us u.s ai artificial intelligence company companies administration president government""".split()  # noqa: SIM905
)
# Words of an instrument's title that tell nothing about which one it is.
_GENERIC = _COMMON | set("act bill bills law order executive rule policy plan framework memo contract deal".split())  # noqa: SIM905
# One instrument gathers what its text does to many targets: whom it directs does not split it.
_ONE_INSTRUMENT = {"executive_action", "legislation", "regulation"}
# Requests, refusals and the like are made and repeated over days: two dates of one are no contradiction.
CONTINUING = {"access_request", "refusal", "commitment", "access_grant", "evaluation"}


def is_named(participant: Participant) -> bool:
    """Return True for a name ("SB 53", "Claude"), False for a class or a description ("its models", "Meta's plans")."""
    name = participant.name.strip()
    if participant.kind is EntityKind.GROUP or not name or re.search(r"[’']s? ", name):
        return False
    first = name.removeprefix("the ").removeprefix("The ")
    return first[:1].isupper() or any(c.isupper() for c in first.split()[0])


@dataclass(frozen=True)
class Case:
    """One claim with what grouping looks at. `earliest`..`latest` is when its event may lie, in days."""

    claim: Claim
    published: date | None

    @property
    def key(self) -> tuple[str, str]:
        return (self.published.isoformat() if self.published else "9999", self.claim.claim_id)

    @cached_property
    def named(self) -> dict[str, frozenset[str]]:
        """The ids of the named participants by role."""
        roles: dict[str, set[str]] = defaultdict(set)
        for participant in self.claim.participants:
            if is_named(participant):
                roles[participant.role].add(participant.entity_id)
        return {role: frozenset(ids) for role, ids in roles.items()}

    @cached_property
    def classes(self) -> dict[str, frozenset[str]]:
        """The ids of the participants without a name of their own ("AI companies") by role."""
        roles: dict[str, set[str]] = defaultdict(set)
        for participant in self.claim.participants:
            if not is_named(participant):
                roles[participant.role].add(participant.entity_id)
        return {role: frozenset(ids) for role, ids in roles.items()}

    def ids(self, role: str) -> frozenset[str]:
        return self.named.get(role, frozenset())

    @cached_property
    def stage(self) -> str:
        return line_key(self.claim.type, self.claim.trigger)

    @cached_property
    def titles(self) -> tuple[frozenset[str], ...]:
        """The telling words of each instrument's name, and of each object's."""
        names = [p.name for p in self.claim.participants if p.role in ("instrument", "body")]
        return tuple(words - _GENERIC for name in names if (words := frozenset(_WORD.findall(name.casefold()))))

    @cached_property
    def interval(self) -> tuple[int, int]:
        span, published = self.claim.date, self.published
        if span is not None and span.basis != "publication":
            slack = _SLACK.get(span.precision, 15)
            return span.start.toordinal() - slack, span.end.toordinal() + slack
        if published is None:
            return 0, date.max.toordinal()
        day = published.toordinal()
        open_ = self.claim.modality not in (Modality.OCCURRED, Modality.ALLEGED)
        if span is not None:
            return day - 10, day + (45 if open_ else 1)
        if open_:
            return day - 20, day + 90
        return (day - 900, day + 1) if self.claim.mention == "background" else (day - 30, day + 1)

    def days_from(self, other: Case) -> int:
        """Return the days between the two intervals; 0 or less where they meet."""
        return max(self.interval[0], other.interval[0]) - min(self.interval[1], other.interval[1])

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self.claim.evidence.quote.casefold())) - _COMMON

    @cached_property
    def dated(self) -> bool:
        return self.claim.date is not None and self.claim.date.basis != "publication"


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit())


class Grouping:
    """The similarity of two cases, given the families of entities."""

    def __init__(self, families: Families) -> None:
        self.families = families

    def opposed(self, one: Case, other: Case) -> bool:
        """Return True where nothing may ever join the two: other direction, stage, instrument or object."""
        if one.claim.direction and other.claim.direction and one.claim.direction != other.claim.direction:
            return True
        if one.stage and other.stage and one.stage != other.stage:
            return True
        return any(self._other_thing(one, other, role) for role in ("instrument", "object"))

    def _other_thing(self, one: Case, other: Case, role: str) -> bool:
        some, others = one.ids(role), other.ids(role)
        if not some or not others or self.families.overlap(some, others):
            return False
        return role == "object" or not self._alike_titles(one, other)

    @staticmethod
    def _alike_titles(one: Case, other: Case) -> bool:
        """Return True where one instrument may bear both names: shared telling words, or a bare number on one side."""
        for some in one.titles:
            for others in other.titles:
                if _numbers(some) and _numbers(others) and not _numbers(some) & _numbers(others):
                    continue
                if not some or not others or len(some & others) * 2 >= min(len(some), len(others)):
                    return True
                if all(w[0].isdigit() for w in some) != all(w[0].isdigit() for w in others):
                    return True
        return False

    def similarity(self, one: Case, other: Case) -> float:
        """Return how alike two cases of one type that are not opposed are, 0 (not the same event) to 1."""
        when = self._time(one, other)
        who = self._parties(one, other)
        if not when or who is None:
            return 0.0
        what = self._thing(one, other)
        said = self._words(one, other)
        likeness = WHO * who + WHEN * when + WHAT * what + SAID * min(1.0, said / SAME_WORDS)
        score = likeness / (WHO + WHEN + WHAT + SAID)
        return max(0.0, score - self._modality_gap(one, other))

    def _time(self, one: Case, other: Case) -> float:
        (a, b), (c, d) = one.interval, other.interval
        gap = one.days_from(other)
        if gap > 0:
            return self._apart(one, other, gap)
        if one.dated and other.dated:
            return 1.0 if max(b - a, d - c) <= 4 else DAYS_IN_MONTH
        shorter, longer = sorted((b - a + 1, d - c + 1))
        return SOON if longer < 60 else LATER if shorter < 60 else ANY_TIME

    def _apart(self, one: Case, other: Case, gap: int) -> float:
        """Return the likeness in time of intervals `gap` days apart: reports of one act may differ on its day."""
        if one.claim.type in CONTINUING and gap <= 21:
            return APART
        same = one.stage == other.stage and self.shared_instrument(one, other)
        return APART if gap <= (FARTHEST if same else 4) else 0.0

    def _parties(self, one: Case, other: Case) -> float | None:
        """Return the parties' likeness; None where they exclude each other."""
        if one.claim.type == "agreement":
            some, others = one.ids("actor"), other.ids("actor")
            if some and others and self.families.unmatched(some, others) and self.families.unmatched(others, some):
                return None
            return self._soft(one, other, "actor")
        scores = []
        for role in ("actor",) if one.claim.type in _ONE_INSTRUMENT else ("actor", "target"):
            some, others = one.ids(role), other.ids(role)
            if some and others and not self.families.overlap(some, others):
                return None
            scores.append(self._soft(one, other, role))
        return sum(scores) / len(scores)

    def _soft(self, one: Case, other: Case, role: str) -> float:
        some, others = one.ids(role), other.ids(role)
        if some and others:
            return self.families.overlap(some, others)
        one_class, other_class = one.classes.get(role, frozenset()), other.classes.get(role, frozenset())
        if one_class & other_class:
            return CLASS_AND_MEMBERS
        if one_class and other_class:
            return OTHER_CLASS
        if (one_class and others) or (other_class and some):
            return CLASS_AND_MEMBERS if len(some | others) > 1 else OTHER_CLASS
        return ONE_NAMED if some or others else UNNAMED

    def shared_instrument(self, one: Case, other: Case) -> bool:
        return bool(one.ids("instrument") & other.ids("instrument")) or any(
            len(a & b) >= 2 or (a and a == b) for a in one.titles for b in other.titles
        )

    def _thing(self, one: Case, other: Case) -> float:
        if self.shared_instrument(one, other):
            return 1.0
        shared = [self.families.overlap(one.ids(r), other.ids(r)) for r in ("object", "body")]
        if any(shared):
            return max(shared)
        if one.stage and one.stage == other.stage:
            return 0.6
        return 0.4

    def _words(self, one: Case, other: Case) -> float:
        return len(one.words & other.words) / (len(one.words | other.words) or 1)

    @staticmethod
    def _modality_gap(one: Case, other: Case) -> float:
        pair = {one.claim.modality, other.claim.modality}
        if len(pair) == 1:
            return 0.0
        if pair == {Modality.OCCURRED, Modality.PLANNED}:
            return PLANNED_THEN_DONE
        return NOT_SURE_YET if Modality.OCCURRED in pair else 0.0


def _neighbours(cases: list[Case], families: Families) -> set[tuple[int, int]]:
    """Return the pairs worth comparing: one type, and a shared named party or thing, or one article."""
    blocks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, case in enumerate(cases):
        marks = {case.claim.evidence.article_id}
        for ids in case.named.values():
            for entity_id in ids:
                marks.update(families.above(entity_id))
        marks |= {word for title in case.titles for word in title}
        if case.dated and case.claim.date and case.claim.date.start == case.claim.date.end:
            marks.add(case.claim.date.start.isoformat())
        for mark in marks:
            blocks[case.claim.type, mark].append(index)
    pairs: set[tuple[int, int]] = set()
    for members in blocks.values():
        for position, index in enumerate(members):
            pairs.update(
                (index, other)
                for other in members[position + 1 : position + 1 + MAX_NEIGHBOURS]
                if cases[index].days_from(cases[other]) <= FARTHEST
            )
    return pairs


def _agglomerate(n: int, scores: dict[tuple[int, int], float], opposed: set[tuple[int, int]]) -> list[list[int]]:
    """Join the two groups with the highest average link until none reaches LINK.

    Pairs that were not compared count 0 between small groups; between large ones, of which only neighbours in time are
    compared, the average is over what was compared.
    """
    groups = {index: [index] for index in range(n)}
    links: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
    walls: dict[int, set[int]] = defaultdict(set)
    for (one, other), score in scores.items():
        links[one][other] = links[other][one] = (score, 1)
    for one, other in opposed:
        walls[one].add(other)
        walls[other].add(one)

    def best_of(one: int) -> tuple[float, int]:
        options = [
            (total / max(compared, min(len(groups[one]) * len(groups[other]), MAX_NEIGHBOURS)), -other)
            for other, (total, compared) in links[one].items()
            if other not in walls[one]
        ]
        return max(options, default=(0.0, 0))

    best = {index: best_of(index) for index in groups}
    while best:
        average, one = max((value[0], -index) for index, value in best.items())
        if average < LINK:
            break
        one = -one
        kept, gone = sorted((one, -best[one][1]))
        groups[kept] += groups.pop(gone)
        for other, (total, compared) in links.pop(gone).items():
            links[other].pop(gone)
            if other != kept:
                before = links[kept].get(other, (0.0, 0))
                links[kept][other] = links[other][kept] = (before[0] + total, before[1] + compared)
        for other in walls.pop(gone, set()):
            walls[other].discard(gone)
            walls[other].add(kept)
            walls[kept].add(other)
        del best[gone]
        for other in [kept, *links[kept]]:
            best[other] = best_of(other)
    return list(groups.values())


def group(
    claims: Iterable[Claim],
    articles: Mapping[str, Article],
    entities: Iterable[Entity] = (),
    families: Families | None = None,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of claim ids that are about one event each, earliest claim first in each.

    `together` and `apart`: pairs of claim ids that an editor has put into one event, whatever they say, or kept in two;
    where they contradict each other, `apart` stands.

    `articles` by article id give the publication days; `entities` (parent_id) or ready `families` tell who belongs
    to whom. Pure: the order of
    the claims makes no difference.
    """
    cases = [Case(claim, _day(articles.get(claim.evidence.article_id))) for claim in claims]
    cases.sort(key=lambda case: case.key)
    families = families or Families(entities)
    measure = Grouping(families)
    by_type: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_type[case.claim.type].append(case)
    apart = frozenset(map(frozenset, apart))
    found: list[list[Case]] = []
    for type_ in sorted(by_type):
        of_type = by_type[type_]
        scores, walls = {}, _kept_apart(of_type, apart)
        for one, other in sorted(_neighbours(of_type, families)):
            if (one, other) in walls or measure.opposed(of_type[one], of_type[other]):
                walls.add((one, other))
            else:
                scores[one, other] = measure.similarity(of_type[one], of_type[other])
        for members in _agglomerate(len(of_type), scores, walls):
            found.append([of_type[index] for index in sorted(members)])
    found = _put_together(found, together, apart)
    found.sort(key=lambda cases: cases[0].key)
    return tuple(tuple(case.claim.claim_id for case in cases) for cases in found)


def _kept_apart(cases: list[Case], apart: frozenset[frozenset[str]]) -> set[tuple[int, int]]:
    """Return pairs of claim ids as pairs of places, the smaller first; claims that are not among the cases fall out."""
    place = {case.claim.claim_id: index for index, case in enumerate(cases)}
    pairs = [sorted(place[id_] for id_ in pair if id_ in place) for pair in apart]
    return {(pair[0], pair[1]) for pair in pairs if len(pair) == 2}


def _put_together(
    groups: list[list[Case]], together: Iterable[tuple[str, str]], apart: frozenset[frozenset[str]]
) -> list[list[Case]]:
    """Join whole groups, of whatever types, where an editor has put a claim of each into one event."""
    group_of = {case.claim.claim_id: members for members in groups for case in members}
    for one, other in together:
        some, others = group_of.get(one), group_of.get(other)
        if some is None or others is None or some is others:
            continue
        if any(frozenset((a.claim.claim_id, b.claim.claim_id)) in apart for a in some for b in others):
            continue
        merged = sorted([*some, *others], key=lambda case: case.key)
        groups = [members for members in groups if members is not some and members is not others] + [merged]
        group_of.update({case.claim.claim_id: merged for case in merged})
    return groups


def _day(article: Article | None) -> date | None:
    return article.published_at.date() if article and article.published_at else None
