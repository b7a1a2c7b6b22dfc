"""Assigns a claim that an edit removed to the event that it would belong to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pipeline.aggregation.clustering.cluster import DRAW, LINK, exact, spread
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.similarity import Similarity


def event_of(
    lost: ClaimFeatures,
    near: Mapping[str, Iterable[ClaimFeatures]],
    whole: Mapping[str, Sequence[ClaimFeatures]],
    measure: Similarity,
) -> str:
    """Return the event that a removed claim would join by the rules of clustering.cluster; "" for none.

    Args:
        lost: The claim.
        near: For each event, those of its claims that are compared with this one.
        whole: For each event, all its claims.
        measure: The similarity of claims.
    """
    best, found = LINK, ""
    for id_ in sorted(near):
        members = whole[id_]
        if all(measure.opposed(lost, other) for other in near[id_]) or any(measure.opposed(lost, o) for o in members):
            continue
        ordered = sorted(members, key=lambda case: case.key)
        chosen = [ordered[place] for place in spread(list(range(len(ordered))))]
        average = sum(exact(measure.probability(lost, other)) for other in chosen) / len(chosen)
        link = average + DRAW * math.log(len(members))
        if link > best or (link == best and not found):
            best, found = link, id_
    return found
