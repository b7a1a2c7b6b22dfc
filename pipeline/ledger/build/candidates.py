"""A claim comes in; the claims of the ledger that it is compared with go out, looked up in the state."""

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

NOWHERE = "9999"  # the day of what is not dated
_Spot = tuple[int, int, int]  # the place of a case, and the first and last day on which its event may lie
_WIDTH = 48  # bytes of a case's place in time: its day and its claim's id


def place_of(day: str, claim_id: str) -> int:
    """Return a number by which cases stand in the order of day and id."""
    return int.from_bytes(f"{day}\0{claim_id}".encode().ljust(_WIDTH, b"\0"))


def at(place: int) -> tuple[str, str]:
    """Return the day and the claim id of a place."""
    day, claim_id = place.to_bytes(_WIDTH).rstrip(b"\0").decode().split("\0")
    return day, claim_id


def block_of(type_: str, mark: str) -> int:
    """Return the number of what cases of a type share. Those of one type lie together, as they are asked for."""
    first, rest = blake2b(type_.encode(), digest_size=1), blake2b(f"{type_}\x1f{mark}".encode(), digest_size=7)
    return int.from_bytes(first.digest() + rest.digest(), signed=True)


def features_of(claim: Claim, day: str) -> ClaimFeatures:
    return ClaimFeatures(claim, None if day == NOWHERE else date.fromisoformat(day))


class Placed(dict[int, ClaimFeatures]):
    """The cases by their place, kept until forgotten."""

    def __init__(self, cases: Lazy) -> None:
        self._cases = cases

    def __missing__(self, place: int) -> ClaimFeatures:
        found = self[place] = self._cases[at(place)[1]]
        return found


class Candidates:
    """The claims of the state as cases, and which stand near each other."""

    def __init__(self, context: BuildContext) -> None:
        self.context, self.state = context, context.state
        self.cases = Lazy(self._case)
        self.placed = Placed(self.cases)
        self._tails: dict[int, list[_Spot]] = {}  # the last cases of a block
        self._rows: list[tuple[int, str, str, int, int]] = []  # of marks that are yet to be kept

    def _case(self, claim_id: str) -> ClaimFeatures | None:
        row = self.state.db.execute(f"select day, claim from {OF_CLAIM}", (claim_id,)).fetchone()
        return features_of(unpack(row[1]), row[0]) if row else None

    def blocks(self, case: ClaimFeatures) -> list[int]:
        return sorted({block_of(case.claim.type, mark) for mark in marks_of(case, self.context.entity_graph)})

    def enter(self, case: ClaimFeatures, day: str) -> None:
        """Keep by which marks a case is found."""
        self.state.put("marks", [(block, day, case.claim.claim_id, *case.interval) for block in self.blocks(case)])

    def take_out(self, case: ClaimFeatures, day: str) -> None:
        sql = "delete from joined.marks where block = ? and day = ? and claim_id = ?"
        self.state.db.executemany(sql, [(block, day, case.claim.claim_id) for block in self.blocks(case)])

    def before(self, case: ClaimFeatures, day: str) -> set[int]:
        """Return the places of the cases before this one that it is compared with; asked for in the order of time.

        Where nothing was known before this build, its own marks are kept as well, by keep_marks()."""
        id_ = case.claim.claim_id
        first, last = case.interval
        own, found = (place_of(day, id_), first, last), set()
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
        """Keep the marks of the cases that were asked for."""
        self.state.put("marks", sorted(self._rows))
        self._rows.clear()

    def around(self, case: ClaimFeatures, day: str, until: str) -> set[int]:
        """Return the places of the cases on both sides, up to a day, that this one is compared with."""
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
        """Return the first and last day of the cases of a block that one is compared with."""
        last = MAX_NEIGHBOURS  # one more than the farthest: who was pushed out of reach is within it
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
    """Yield the places of those that a case is near in time, as Case.days_from tells."""
    first, last = case.interval
    earliest, latest = first - FARTHEST, last + FARTHEST
    return (place for place, begins, ends in spots if begins <= latest and ends >= earliest)
