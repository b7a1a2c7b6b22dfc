"""A code of the ledger comes in, the plain words that a reader sees go out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from pipeline.lexicon.months import MONTHS
from pipeline.site.text.country_names import PLACES


@dataclass(frozen=True, slots=True)
class ModalityWords:
    """How one modality is shown: a short badge, a sign that is never the only bearer of meaning, and a sentence."""

    badge: str
    sign: str
    meaning: str


MODALITIES = {
    "occurred": ModalityWords("Happened", "●", "Reported as done or under way."),
    "planned": ModalityWords("Planned", "○", "Announced or expected. Not reported as done."),
    "considered": ModalityWords("Considered", "◌", "Weighed, hoped for or in talks. Nothing is decided."),
    "postponed": ModalityWords("Postponed", "◷", "Put off. Not reported as done."),
    "cancelled": ModalityWords("Cancelled", "✕", "Called off."),
    "negated": ModalityWords("Not done", "✕", "Reported as not done."),
    "denied": ModalityWords("Denied", "✕", "A party says that it did not do this."),
    "alleged": ModalityWords(
        "Reported, unconfirmed", "?", "Claimed by somebody; the reports keep their distance and nobody confirms it."
    ),
    "conditional": ModalityWords("Conditional", "◇", "Would happen only under a condition."),
}

TYPES = {
    "executive_action": "Executive action",
    "legislation": "Legislation",
    "regulation": "Regulation",
    "agreement": "Agreement",
    "commitment": "Commitment",
    "access_request": "Access requested",
    "access_grant": "Access given",
    "refusal": "Refusal",
    "restriction": "Restriction",
    "model_release": "Model release",
    "evaluation": "Evaluation",
    "investigation": "Investigation",
    "litigation": "Court case",
    "enforcement": "Enforcement",
    "institution": "Institution",
}

FAMILIES = {
    "Orders, laws and rules": ("executive_action", "legislation", "regulation"),
    "Limits and penalties": ("restriction", "enforcement"),
    "Courts and inquiries": ("litigation", "investigation"),
    "Agreements and promises": ("agreement", "commitment"),
    "Access and refusals": ("access_request", "access_grant", "refusal"),
    "Models, tests and bodies": ("model_release", "evaluation", "institution"),
}

ROLES = {
    "actor": "Who acts",
    "target": "Towards whom",
    "object": "Model, system or data",
    "instrument": "Order, law, contract or case",
    "affected": "Who is affected",
    "body": "Body",
}

FORCES = {"binding": "Binding", "voluntary": "Voluntary", "not_stated": "Not stated"}
DIRECTIONS = {"impose": "Imposing a limit", "lift": "Lifting a limit"}  # in no tense: it may be planned only
NEWNESS = {"new": "Reported as news", "background": "Recalled as background"}
SOURCE_TYPES = {
    "primary": "Government, regulator, court or legislature",
    "lab": "AI developer on its own acts",
    "wire": "News agency",
    "press": "News outlet",
    "trade": "Specialist outlet",
    "aggregator": "Aggregator",
    "unknown": "Sort not known",
}
KINDS = {
    "organisation": "Organisation",
    "agency": "Public body",
    "government": "Government",
    "outlet": "News publisher",
    "person": "Person",
    "model": "AI model or system",
    "instrument": "Order, law, contract or case",
    "group": "Group",
    "place": "Place",
}
ATTRIBUTIONS = {
    "own_reporting": "The publisher’s own words",
    "person": "Said by",
    "organisation": "Said by",
    "anonymous": "Unnamed source",
    "document": "From a document",
    "outlet": "As reported by",
}
ORIGIN_KINDS = {
    "original": "Own report",
    "wire": "News agency copy",
    "family": "Publishers of one group",
    "credited": "Credited to a report outside this ledger",
}
EDGE_BASES = {
    "copy": "is nearly the same text as",
    "wire": "reprints agency copy of",
    "family": "belongs to the same publisher group as",
    "credit": "credits",
}
FIELDS = {
    "date": "When",
    "actor": "Who acted",
    "target": "Towards whom",
    "amount": "How much",
    "force": "Binding or voluntary",
    "happened": "Whether it happened",
    "direction": "Imposed or lifted",
    "parties": "Who took part",
}
DEALINGS = {
    "with": "Agrees or works with",
    "against": "Acts against",
    "from": "Faces action by",
    "lift": "Restrictions lifted between them",
}
RELATIONS = {"part_of": "Part of", "made_by": "Made by", "member_of": "Member of"}
NAME_KINDS = {
    "canonical": "Present official name",
    "alias": "Other name",
    "short": "Short name",
    "former": "Former name",
}
REVISIONS = {
    "changed": "Says something else now",
    "reworded": "Other words, the same claim",
    "vanished": "No longer said",
    "appeared": "Said since the edit",
}
REVISED_FIELDS = {
    "type": "Another kind of event",
    "direction": "Imposed or lifted: changed",
    "parties": "Other parties",
    "force": "Binding or not: changed",
    "attribution": "Said by somebody else",
}
DATE_BASES = {
    "stated": "a date stated in the report",
    "relative": "worked out from words such as “Tuesday” and the day of publication",
    "publication": "no time is given, so the day of publication stands in",
}
PUBLISHED_BASES = {
    "json-ld": "from the page’s own data for search engines",
    "meta": "from the page’s own header",
    "time": "from the day that the page shows",
    "htmldate": "guessed from the page",
    "feed": "from the feed that lists it",
    "first-seen": "the moment when it was first seen stands in",
    "given": "given by whoever added it",
}
PRECISIONS = {
    "minute": "to the minute",
    "day": "to the day",
    "week": "to the week",
    "month": "to the month",
    "quarter": "to the quarter",
    "year": "to the year",
    "unknown": "not known",
}
ORIGINS_BANDS = {"0": "No origin", "1": "1 origin only", "2-3": "2 to 3 origins", "4+": "4 origins or more"}
OUTCOMES = {
    "SAVED": "read",
    "UNCHANGED": "unchanged since the last visit",
    "ROBOTS_DENIED": "closed to crawlers (robots.txt)",
    "GONE": "gone",
    "REFUSED": "refused",
    "RATE_LIMITED": "asked us to slow down",
    "SERVER_ERROR": "server error",
    "NOT_AN_ARTICLE": "not an article",
    "NO_TEXT": "no article text found",
    "UNREADABLE": "unreadable",
    "TOO_LARGE": "too large",
    "TIMEOUT": "timed out",
    "CONNECTION_FAILED": "connection failed",
    "BLOCKED_ADDRESS": "address not allowed",
    "BAD_REDIRECT": "led on to nowhere",
    "OUT_OF_SCOPE": "outside the subject",
}
MATTER_WORDS = {
    "agreement": "Agreements",
    "access": "Access: asked, given, refused",
    "restriction": "Restrictions",
    "case": "Court cases",
    "inquiry": "Inquiries and penalties",
    "rule": "Orders, laws and rules",
    "commitment": "Voluntary commitments",
    "release": "Model releases",
    "evaluation": "Tests",
    "institution": "Bodies and their heads",
}
DUE_KINDS = {
    "deadline": "Deadline",
    "effect": "Takes effect",
    "hearing": "Hearing",
    "plan": "Announced",
}
FATES = {
    "open": "No report yet",
    "happened": "Happened",
    "put_off": "Put off",
    "called_off": "Called off",
    "moved": "Moved to another day",
}
FAULTS = {
    "missed": "claims missed",
    "not a claim": "no claim at all",
    "wrong type": "wrong kind of event",
    "modality wrong": "wrong on how sure it is",
    "attribution wrong": "wrong on who says so",
    "date wrong": "wrong date",
    "mention wrong": "news taken for background, or the reverse",
    "direction wrong": "imposed taken for lifted, or the reverse",
    "actor missing": "somebody who acts is missing",
}
DECISIONS = {
    "accept": "confirmed",
    "edit": "changed",
    "reject": "rejected",
    "add": "added",
    "merge": "merged",
    "split": "split",
    "gap": "name settled",
}
REVIEWED = {"": "read by the program alone", "confirmed": "confirmed by an editor", "changed": "changed by an editor",
            "added": "added by an editor"}  # fmt: skip
DECISION_STATUSES = {
    "applied": "applied",
    "reopened": "opened again: its sentence has changed",
    "waiting": "fits nothing in the ledger now",
    "replaced": "replaced by a later decision",
}

CONTRADICTED = {"0": "Reports agree", "1": "Reports disagree"}
YES_NO = {"0": "No", "1": "Yes"}

COLUMN_WORDS = {
    "type": TYPES,
    "modality": {code: words.badge for code, words in MODALITIES.items()},
    "force": FORCES,
    "direction": DIRECTIONS,
    "newness": NEWNESS,
    "role": ROLES,
    "closest_source_type": SOURCE_TYPES,
    "source_type": SOURCE_TYPES,
    "origins_band": ORIGINS_BANDS,
    "contradicted": CONTRADICTED,
    "jurisdiction": PLACES,
    "attribution_kind": ATTRIBUTIONS
    | {
        "person": "Said by a person",
        "organisation": "Said by an organisation",
        "outlet": "As another outlet reports",
    },
    "date_basis": DATE_BASES,
    "date_precision": PRECISIONS,
    "published_precision": PRECISIONS,
    "outcome": OUTCOMES,
    "field": FIELDS,
    "matter": MATTER_WORDS,
    "fate": FATES,
    "in_lexicon": YES_NO,
    "has_affiliate_content": YES_NO,
    "access": {"full": "Whole text read", "partial": "Only a part could be read"},
}
TABLE_COLUMN_WORDS = {
    ("entities", "kind"): KINDS,
    ("unknown_names", "kind"): KINDS,
    ("claims", "reviewed"): REVIEWED,
    ("reviews", "decision"): DECISIONS,
    ("reviews", "status"): DECISION_STATUSES,
    ("origins", "kind"): ORIGIN_KINDS,
    ("upcoming", "kind"): DUE_KINDS,
    ("origin_edges", "basis"): EDGE_BASES,
    ("revisions", "kind"): REVISIONS,
    ("entity_relations", "kind"): RELATIONS,
    ("entity_names", "kind"): NAME_KINDS,
}

FACTS = {
    "n_articles": "Articles read",
    "n_relevant": "Of these on AI oversight",
    "n_claims": "Claims",
    "n_withheld": "Claims too unsure to be shown",
    "min_confidence": "A claim is shown where it is read rightly with a probability of at least",
    "n_events": "Events",
    "n_origins": "Independent origins",
    "n_contradictions": "Disagreements between reports",
    "n_redirects": "Events that were merged or withdrawn",
    "n_reviews": "Editors’ decisions that count",
    "n_reopened": "Editors’ decisions that were opened again",
    "n_waiting": "Editors’ decisions that fit nothing now",
    "n_to_review": "Things that await an editor",
    "last_fetched_at": "Last page fetched",
    "program_version": "Version of the program",
    "schema_version": "Version of the tables",
}
FORMATS = {"json": "JSON", "xlsx": "Excel", "atom": "Atom feed"}
FACET_TITLES = {
    "type": "Kind of event",
    "modality": "How sure it is",
    "origins_band": "Independent origins",
    "contradicted": "Do reports agree?",
    "force": "Binding?",
    "jurisdiction": "Where",
    "event_month": "Month",
    "closest_source_type": "Nearest source",
    "source_id": "Source",
    "attribution_kind": "Who says so",
    "party": "Who takes part",
    "actor": "Who acts",
    "target": "Towards whom",
    "object": "What it is about",
    "instrument": "Order, law or case",
    "model": "Model or system",
    "newness": "News or background",
    "source_type": "Type of source",
    "kind": "What it is",
    "access": "How much was read",
    "published_precision": "Date known",
    "in_lexicon": "In the lexicon?",
    "matter": "What it is about",
    "fate": "What became of it",
    "stage": "Stage",
}


def words_for(column: str, value: object, table: str = "") -> str:
    """Return the words for a stored value of a column; a value without words of its own comes back as it is."""
    text = "" if value is None else str(value)
    if column == "event_month":
        return month_words(text)
    known = TABLE_COLUMN_WORDS.get((table, column)) or COLUMN_WORDS.get(column)
    return known.get(text, text.replace("_", " ")) if known else text


def side_words(field: str, value: str) -> str:
    """Return the words for one side of a disagreement: a day in words, "Voluntary", a name or a sum as it is."""
    if field == "date":
        return day_words(value)
    if field in ("force", "direction", "happened"):
        words = words_for(field, value)
        return words[:1].upper() + words[1:]
    return value


def title_for(column: str) -> str:
    """Return the heading of a column or facet."""
    return FACET_TITLES.get(column, column.replace("_", " "))


def modality_words(code: str) -> ModalityWords:
    """Return how a modality is shown; an unknown code is shown as itself, never as something that happened."""
    return MODALITIES.get(code) or ModalityWords(str(code).replace("_", " ") or "Unknown", "?", "Not explained.")


def month_words(value: str) -> str:
    """Return "May 2026" for "2026-05"; anything else as it is."""
    year, _, month = value.partition("-")
    if len(year) == 4 and month.isdigit() and 1 <= int(month) <= 12:
        return f"{MONTHS[int(month) - 1]} {year}"
    return value


def day_words(value: str | None) -> str:
    """Return "5 May 2026" for an ISO day or moment; "" for none; anything else as it is."""
    if not value:
        return ""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return month_words(value)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def with_day_words(text: str) -> str:
    """Return a text with the ISO days in it in words."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda match: day_words(match.group()), text)


def moment_words(value: str | None) -> str:
    """Return "5 May 2026, 14:30 UTC" for an ISO moment in UTC; a bare day without the time."""
    if not value or len(value) < 16:
        return day_words(value)
    return f"{day_words(value)}, {value[11:16]} UTC"


def span_words(start: str | None, end: str | None, precision: str | None) -> str:
    """Return when something happened, no finer than it is known: "5 May 2026", "May 2026", "2026", "no date given"."""
    if not start:
        return "no date given"
    end = end or start
    if precision == "year":
        return start[:4]
    if precision == "quarter":
        return _three_months(start, end)
    if precision == "month":
        return month_words(start[:7])
    if precision == "week":
        return f"Week of {day_words(start)}"
    if start == end or precision in ("day", "minute"):
        return day_words(start)
    return f"{day_words(start)} to {day_words(end)}"


def _three_months(start: str, end: str) -> str:
    """Return "Third quarter of 2026", or "September to November 2026" where the months are those of a season."""
    month = int(start[5:7]) if start[5:7].isdigit() else 1
    if month % 3 == 1 and start[:4] == end[:4]:
        return f"{('First', 'Second', 'Third', 'Last')[month // 3]} quarter of {start[:4]}"
    first = month_words(start[:7])
    return f"{first.removesuffix(f' {end[:4]}')} to {month_words(end[:7])}"


def count_words(n: int, one: str, many: str = "") -> str:
    """Return "1 article", "3 articles", "1,204 articles"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def size_words(n_bytes: int) -> str:
    """Return the size of a file: "640 kB", "3.3 MB", "1.2 GB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{max(1, round(n_bytes / 1000))} kB"


def support_words(n_origins: int, n_articles: int) -> str:
    """Return what stands behind an event: "2 independent origins (5 articles)"."""
    return f"{count_words(n_origins, 'independent origin')} ({count_words(n_articles, 'article')})"


def date_basis_words(basis: str | None, said: str | None) -> str:
    """Return how a claim's date is known, with the words it was read from."""
    if not basis:
        return "no date could be read"
    if basis == "relative" and said:
        return f"worked out from “{said}” and the day of publication"
    if basis == "stated" and said:
        return f"stated: “{said}”"
    return DATE_BASES.get(basis, basis)


def chance_words(confidence: float) -> str:
    """Return a confidence as a reader counts: "87 in 100"."""
    return f"{round(100 * confidence)} in 100"


NAMELESS = {"outlet": "As reported elsewhere", "person": "Said by a person", "organisation": "Said by an organisation"}


def attribution_words(kind: str, name: str | None) -> str:
    """Return who says so: "Said by Jane Roe", "Unnamed source", "The publisher’s own words"."""
    words = ATTRIBUTIONS.get(kind, kind.replace("_", " "))
    if name and kind != "own_reporting":
        return f"{words}{' ' if kind in NAMELESS else ': '}{name}"
    return NAMELESS.get(kind, words)
