"""Finds claims of other events that may contradict a claim, by keys in the build state."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from pipeline.aggregation.contradictions.administrations import Terms, heads_of
from pipeline.aggregation.contradictions.compare import DENIED_DAYS
from pipeline.aggregation.contradictions.find import occurrence_marks, reversal_marks
from pipeline.ledger.build.candidates import NOWHERE
from pipeline.ledger.build.state import State
from pipeline.records import Claim, Modality

_OTHER_WAY = {"yes": "no", "no": "yes"}


class ContradictionIndex:
    """Stores keys under which claims may contradict each other. `terms`: see administrations.terms_of."""

    def __init__(self, state: State, terms: Terms) -> None:
        self.state, self.terms = state, terms

    def insert(self, claim: Claim, day: str) -> None:
        """Store the keys of a claim; `day`: of its article."""
        says = "no" if claim.modality is Modality.DENIED else "yes"
        rows = [("occurrence", "\x1f".join(mark), says, day, claim.claim_id) for mark in occurrence_marks(claim)]
        rows += [("reversal", repr(mark), "", day, claim.claim_id) for mark in reversal_marks(claim)]
        if heads_of(claim, self.terms):
            rows.append(("heads", claim.evidence.article_id, "", day, claim.claim_id))
        self.state.put("contradiction_marks", sorted(rows))

    def forget(self, claim_ids: Iterable[str]) -> None:
        self.state.drop("contradiction_marks", "claim_id", claim_ids)

    def contradicting(self, claim_id: str) -> set[str]:
        """Return the claims of other events that may contradict a claim."""
        marks = self.state.rows(
            "select kind, mark, says, day from joined.contradiction_marks where claim_id = ?", (claim_id,)
        )
        return self._sharing(marks) - {claim_id}

    def around(self, event_id: str) -> set[str]:
        """Return the claims that may contradict those of an event, which are included."""
        sql = (
            "select distinct m.kind, m.mark, m.says, m.day "
            "from joined.claims c cross join joined.contradiction_marks m using (claim_id) where event_id = ?"
        )
        return self._sharing(self.state.rows(sql, (event_id,)))

    def _sharing(self, marks: Iterable[tuple[str, str, str, str]]) -> set[str]:
        found: set[str] = set()
        for kind, mark, says, day in marks:
            sql, values = (
                "select claim_id from joined.contradiction_marks where kind = ? and mark = ? and says = ?",
                [kind, mark],
            )
            values.append(_OTHER_WAY.get(says, ""))
            if kind == "occurrence" and day != NOWHERE:
                span, here = timedelta(days=DENIED_DAYS), date.fromisoformat(day)
                found.update(self.state.column(f"{sql} and day = ?", [*values, NOWHERE]))
                sql += " and day between ? and ?"
                values += [(here - span).isoformat(), (here + span).isoformat()]
            found.update(self.state.column(sql, values))
        return found


__all__ = ["ContradictionIndex"]
