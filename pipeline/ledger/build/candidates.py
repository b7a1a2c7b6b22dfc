"""Finds the claims that a claim is compared with, by blocking keys in the build state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import blake2b

from pipeline.aggregation.clustering.cluster import MAX_NEIGHBOURS, marks_of
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.similarity import FARTHEST
from pipeline.ledger.build.context import OF_CLAIM, BuildContext, Lazy
from pipeline.ledger.build.state import unpack
from pipeline.records import Claim

NOWHERE = "9999"  # sorts undated claims last
_Spot = tuple[int, int, int]  # sort number of a claim, first and last day of its event
_WIDTH = 48  # bytes of a sort number: day and claim id


def place_of(day: str, claim_id: str) -> int:
    """Return a number that sorts claims by day and id."""
    return int.from_bytes(f"{day}\0{claim_id}".encode().ljust(_WIDTH, b"\0"))


def at(place: int) -> tuple[str, str]:
    """Return the day and claim id of such a number."""
    day, claim_id = place.to_bytes(_WIDTH).rstrip(b"\0").decode().split("\0")
    return day, claim_id


def block_of(type_: str, mark: str) -> int:
    """Return the number of a blocking key. Keys of one type share a prefix, so that they lie together on disk."""
    first, rest = blake2b(type_.encode(), digest_size=1), blake2b(f"{type_}\x1f{mark}".encode(), digest_size=7)
    return int.from_bytes(first.digest() + rest.digest(), signed=True)


def features_of(claim: Claim, day: str) -> ClaimFeatures:
    return ClaimFeatures(claim, None if day == NOWHERE else date.fromisoformat(day))


class Placed(dict[int, ClaimFeatures]):
    """Claim features by their sort number, cached until cleared."""

    def __init__(self, cases: Lazy) -> None:
        self._cases = cases

    def __missing__(self, place: int) -> ClaimFeatures:
        found = self[place] = self._cases[at(place)[1]]
        return found


class Candidates:
    """The features of the claims in the state, and which claims are near each other."""

    def __init__(self, context: BuildContext) -> None:
        self.context, self.state = context, context.state
        self.cases = Lazy(self._case)
        self.placed = Placed(self.cases)
        self._tails: dict[int, list[_Spot]] = {}  # the last claims of a block
        self._rows: list[tuple[int, str, str, int, int]] = []  # keys to be stored

    def _case(self, claim_id: str) -> ClaimFeatures | None:
        row = self.state.db.execute(f"select day, claim from {OF_CLAIM}", (claim_id,)).fetchone()
        return features_of(unpack(row[1]), row[0]) if row else None

    def blocks(self, case: ClaimFeatures) -> list[int]:
        return sorted({block_of(case.claim.type, mark) for mark in marks_of(case, self.context.entity_graph)})

    def insert(self, case: ClaimFeatures, day: str) -> None:
        """Store the blocking keys of a claim."""
        self.state.put("marks", [(block, day, case.claim.claim_id, *case.interval) for block in self.blocks(case)])

    def delete(self, case: ClaimFeatures, day: str) -> None:
        sql = "delete from joined.marks where block = ? and day = ? and claim_id = ?"
        self.state.db.executemany(sql, [(block, day, case.claim.claim_id) for block in self.blocks(case)])

    def before(self, case: ClaimFeatures, day: str) -> set[int]:
        """Return the earlier claims that this one is compared with. Call in order of time.

        In a full build the keys of the claim are stored as well, see keep_marks().
        """
        id_ = case.claim.claim_id
        first, last = case.interval
        own: _Spot = (place_of(day, id_), first, last)
        found: set[int] = set()
        for block in self.blocks(case):
            tail = self._tails.get(block)
            if tail is None:
                earlier = [] if self.context.full else self._earlier(block, day, id_)[::-1]
                tail = self._tails[block] = earlier
            found.update(_near(case, tail))
            tail.append(own)
            del tail[:-MAX_NEIGHBOURS]
            if self.context.full:
                self._rows.append((block, day, id_, first, last))
        return found

    def keep_marks(self) -> None:
        """Store the keys of the claims passed to before()."""
        self.state.put("marks", sorted(self._rows))
        self._rows.clear()

    def around(self, case: ClaimFeatures, day: str, until: str) -> set[int]:
        """Return the claims on both sides, up to a day, that this one is compared with."""
        found: set[int] = set()
        for block in self.blocks(case):
            found.update(_near(case, self._earlier(block, day, case.claim.claim_id)))
            sql = (
                "select day, claim_id, first, last from joined.marks where block = ? and (day, claim_id) > (?, ?) "
                "and day <= ? order by day, claim_id limit ?"
            )
            rows = self.state.db.execute(sql, (block, day, case.claim.claim_id, until, MAX_NEIGHBOURS))
            found.update(_near(case, map(_spot, rows)))
        return found

    def _earlier(self, block: int, day: str, claim_id: str) -> list[_Spot]:
        sql = (
            "select day, claim_id, first, last from joined.marks where block = ? and (day, claim_id) < (?, ?) "
            "order by day desc, claim_id desc limit ?"
        )
        return [_spot(row) for row in self.state.db.execute(sql, (block, day, claim_id, MAX_NEIGHBOURS))]

    def day_range(self, block: int, day: str, claim_id: str) -> tuple[str, str]:
        """Return the first and last day of the claims of a block that one is compared with."""
        last = MAX_NEIGHBOURS  # one beyond the farthest, to include a claim just pushed out
        sql = "select day from joined.marks where block = ? and (day, claim_id) {} (?, ?) order by day {}, claim_id {} "
        first = self.state.one(f"{sql} limit 1 offset ?".format("<", "desc", "desc"), (block, day, claim_id, last))
        end = self.state.one(f"{sql} limit 1 offset ?".format(">", "asc", "asc"), (block, day, claim_id, last))
        return first or "", end or "~"

    def forget(self) -> None:
        self._tails.clear()
        self.placed.clear()


def _spot(row: tuple[str, str, int, int]) -> _Spot:
    return place_of(*row[:2]), row[2], row[3]


def _near(case: ClaimFeatures, spots: Iterable[_Spot]) -> Iterator[int]:
    """Yield the places near a claim in time, as ClaimFeatures.days_from measures it."""
    first, last = case.interval
    earliest, latest = first - FARTHEST, last + FARTHEST
    return (place for place, begins, ends in spots if begins <= latest and ends >= earliest)
