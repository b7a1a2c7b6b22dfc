"""The graph of entities and what they belong to; measures how closely two ids or two sets of ids are related."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pipeline.lexicon.entities import Lexicon
from pipeline.records import Entity

_MAX_CACHED = 200_000  # cached overlaps; the same pairs are compared again and again


class EntityGraph:
    """What each entity belongs to: an agency to its department, a person to the body led, a model to its lab.

    `holders`: (person id, body id) pairs, in addition to the entities' own parents.
    """

    def __init__(self, entities: Iterable[Entity] = (), holders: Iterable[tuple[str, str]] = ()) -> None:
        self._parents: dict[str, set[str]] = defaultdict(set)
        for entity in entities:
            if entity.parent_id:
                self._parents[entity.entity_id].add(entity.parent_id)
        for person_id, body_id in holders:
            self._parents[person_id].add(body_id)
        self._above: dict[str, dict[str, int]] = {}
        self._overlaps: dict[tuple[frozenset[str], frozenset[str]], float] = {}

    def above(self, entity_id: str) -> dict[str, int]:
        """Return the entity and all its ancestors, each with its number of steps up (0 for itself).

        Cycles are harmless.
        """
        if entity_id not in self._above:
            steps, edge = {entity_id: 0}, [entity_id]
            while edge:
                edge = sorted({p for e in edge for p in self._parents.get(e, ()) if p not in steps})
                steps.update(dict.fromkeys(edge, max(steps.values()) + 1))
            self._above[entity_id] = steps
        return self._above[entity_id]

    def closeness(self, one: str, other: str) -> float:
        """Return 1 for the same entity, 0.8 for parent and child, 0.6 for a further ancestor, else 0."""
        if one == other:
            return 1.0
        steps = self.above(one).get(other) or self.above(other).get(one) or 0
        return 0.0 if not steps else 0.8 if steps == 1 else 0.6

    def overlap(self, some: frozenset[str], others: frozenset[str]) -> float:
        """Return how much two sets of parties share, 0 to 1.

        It is the mean, over all members, of the closeness of the best match.
        """
        if not some or not others:
            return 0.0
        known = self._overlaps.get((some, others))
        if known is None:
            near = [max(self.closeness(a, b) for b in others) for a in some]
            near += [max(self.closeness(a, b) for a in some) for b in others]
            if len(self._overlaps) >= _MAX_CACHED:
                self._overlaps.clear()
            known = self._overlaps[some, others] = sum(near) / len(near)
        return known

    def unmatched(self, some: frozenset[str], others: frozenset[str]) -> int:
        """Return the number of members of the first set that have no counterpart in the second."""
        return sum(not any(self.closeness(a, b) for b in others) for a in some)


def holders_of(lexicon: Lexicon) -> tuple[tuple[str, str], ...]:
    """Return (person id, id of the body or office) for each office whose holder the lexicon knows."""
    offices = {entity.name: entity_id for entity_id, entity in lexicon.entities.items()}
    held = {(role.person_id, role.body_id) for role in lexicon.roles if role.body_id}
    held |= {(role.person_id, offices[role.office]) for role in lexicon.roles if role.office in offices}
    return tuple(sorted(held))
