"""The words that readers see for the codes stored in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.site.text.country_names import PLACES
from pipeline.site.text.formatting import day_words, month_words


@dataclass(frozen=True, slots=True)
class ModalityWords:
    """How a modality is displayed: a short badge, a symbol that only repeats it, and a sentence."""

    badge: str
    sign: str
    meaning: str


MODALITIES = {
    "occurred": ModalityWords("Happened", "●", "Reported as done or under way."),
    "planned": ModalityWords("Planned", "○", "Announced or expected. Not reported as done."),
    "considered": ModalityWords("Considered", "◌", "Under consideration, hoped for or in talks. Nothing is decided."),
    "postponed": ModalityWords("Postponed", "◷", "Put off. Not reported as done."),
    "cancelled": ModalityWords("Cancelled", "✕", "Called off."),
    "negated": ModalityWords("Not done", "✕", "Reported as not done."),
    "denied": ModalityWords("Denied", "✕", "A party says that it did not do this."),
    "alleged": ModalityWords(
        "Reported, unconfirmed", "?", "Claimed by someone; the reports do not vouch for it and nobody confirms it."
    ),
    "conditional": ModalityWords("Conditional", "◇", "Would happen only if a condition is met."),
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
    "target": "Directed at",
    "object": "Model, system or data",
    "instrument": "Order, law, contract or case",
    "affected": "Who is affected",
    "body": "Body",
}

FORCES = {"binding": "Binding", "voluntary": "Voluntary", "not_stated": "Not stated"}
DIRECTIONS = {"impose": "Imposing a limit", "lift": "Lifting a limit"}  # no tense, because it may only be planned
NEWNESS = {"new": "Reported as news", "background": "Recalled as background"}
SOURCE_TYPES = {
    "primary": "Government, regulator, court or legislature",
    "lab": "AI developer on its own acts",
    "wire": "News agency",
    "press": "News outlet",
    "trade": "Specialist outlet",
    "aggregator": "Aggregator",
    "unknown": "Unknown type",
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
    "credited": "Credited to a report that is not in this ledger",
}
EDGE_BASES = {
    "copy": "is a near-duplicate of",
    "wire": "reprints agency copy of",
    "family": "belongs to the same publisher group as",
    "credit": "credits",
}
FIELDS = {
    "date": "When",
    "actor": "Who acted",
    "target": "Directed at",
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
    "canonical": "Current official name",
    "alias": "Other name",
    "short": "Short name",
    "former": "Former name",
}
REVISIONS = {
    "changed": "Claim changed",
    "reworded": "Reworded, same claim",
    "vanished": "Claim removed",
    "appeared": "Claim added",
}
REVISED_FIELDS = {
    "type": "Event type changed",
    "direction": "Imposed or lifted: changed",
    "parties": "Parties changed",
    "force": "Binding or voluntary: changed",
    "attribution": "Attribution changed",
}
DATE_BASES = {
    "stated": "a date stated in the report",
    "relative": "worked out from words such as “Tuesday” and the day of publication",
    "publication": "no date is given, so the day of publication is used",
}
PUBLISHED_BASES = {
    "json-ld": "from the page’s own data for search engines",
    "meta": "from the page’s own header",
    "time": "from the date shown on the page",
    "htmldate": "estimated from the page",
    "feed": "from the feed that lists it",
    "first-seen": "the time when it was first seen is used",
    "given": "entered by the person who added it",
}
PRECISIONS = {
    "minute": "to the minute",
    "day": "to the day",
    "week": "to the week",
    "month": "to the month",
    "quarter": "to the quarter",
    "year": "to the year",
    "unknown": "unknown",
}
ORIGINS_BANDS = {"0": "No origin", "1": "1 origin only", "2-3": "2 to 3 origins", "4+": "4 or more origins"}
OUTCOMES = {
    "SAVED": "read",
    "UNCHANGED": "unchanged since the last fetch",
    "ROBOTS_DENIED": "closed to crawlers (robots.txt)",
    "GONE": "gone",
    "REFUSED": "refused",
    "RATE_LIMITED": "rate limited",
    "SERVER_ERROR": "server error",
    "NOT_AN_ARTICLE": "not an article",
    "NO_TEXT": "no article text found",
    "UNREADABLE": "unreadable",
    "TOO_LARGE": "too large",
    "TIMEOUT": "timed out",
    "CONNECTION_FAILED": "connection failed",
    "BLOCKED_ADDRESS": "address not allowed",
    "BAD_REDIRECT": "bad redirect",
    "OUT_OF_SCOPE": "off topic",
}
MATTER_WORDS = {
    "agreement": "Agreements",
    "access": "Access: requested, granted, refused",
    "restriction": "Restrictions",
    "case": "Court cases",
    "inquiry": "Inquiries and penalties",
    "rule": "Orders, laws and rules",
    "commitment": "Voluntary commitments",
    "release": "Model releases",
    "evaluation": "Tests",
    "institution": "Institutions and their heads",
}
UPCOMING_KINDS = {
    "deadline": "Deadline",
    "effect": "Takes effect",
    "hearing": "Hearing",
    "plan": "Announced",
}
UPCOMING_OUTCOMES = {
    "open": "No report yet",
    "happened": "Happened",
    "put_off": "Postponed",
    "called_off": "Cancelled",
    "moved": "Moved to another date",
}
ERROR_CAUSES = {
    "missed": "claims missed",
    "not a claim": "not a claim",
    "wrong type": "wrong event type",
    "modality wrong": "wrong modality",
    "attribution wrong": "wrong attribution",
    "date wrong": "wrong date",
    "mention wrong": "news taken for background, or the reverse",
    "direction wrong": "imposed taken for lifted, or the reverse",
    "actor missing": "actor missing",
}
DECISIONS = {
    "accept": "confirmed",
    "edit": "changed",
    "reject": "rejected",
    "add": "added",
    "merge": "merged",
    "split": "split",
    "gap": "name identified",
}
REVIEWED = {
    "": "not reviewed",
    "confirmed": "confirmed by an editor",
    "changed": "changed by an editor",
    "added": "added by an editor",
}
DECISION_STATUSES = {
    "applied": "applied",
    "reopened": "reopened: its sentence has changed",
    "waiting": "waiting: nothing in the ledger matches it",
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
    "fate": UPCOMING_OUTCOMES,
    "in_lexicon": YES_NO,
    "has_affiliate_content": YES_NO,
    "access": {"full": "Full text", "partial": "Partial text"},
}
TABLE_COLUMN_WORDS = {
    ("entities", "kind"): KINDS,
    ("unknown_names", "kind"): KINDS,
    ("claims", "reviewed"): REVIEWED,
    ("reviews", "decision"): DECISIONS,
    ("reviews", "status"): DECISION_STATUSES,
    ("origins", "kind"): ORIGIN_KINDS,
    ("upcoming", "kind"): UPCOMING_KINDS,
    ("origin_edges", "basis"): EDGE_BASES,
    ("revisions", "kind"): REVISIONS,
    ("entity_relations", "kind"): RELATIONS,
    ("entity_names", "kind"): NAME_KINDS,
}

BUILD_INFO = {
    "n_articles": "Articles read",
    "n_relevant": "Of these, on AI oversight",
    "n_claims": "Claims",
    "n_withheld": "Unsure claims, not shown",
    "min_confidence": "Minimum confidence of a claim that is shown",
    "n_events": "Events",
    "n_origins": "Independent origins",
    "n_contradictions": "Contradictions",
    "n_redirects": "Events merged or withdrawn",
    "n_reviews": "Editors’ decisions applied",
    "n_reopened": "Editors’ decisions reopened",
    "n_waiting": "Editors’ decisions without a match",
    "n_to_review": "Items awaiting review",
    "last_fetched_at": "Last page fetched",
    "program_version": "Program version",
    "schema_version": "Schema version",
}
FORMATS = {"json": "JSON", "xlsx": "Excel", "atom": "Atom feed"}
FACET_TITLES = {
    "type": "Event type",
    "modality": "Did it happen?",
    "origins_band": "Independent origins",
    "contradicted": "Do reports agree?",
    "force": "Binding?",
    "jurisdiction": "Where",
    "event_month": "Month",
    "closest_source_type": "Closest source type",
    "source_id": "Source",
    "attribution_kind": "Who says so",
    "party": "Party",
    "actor": "Who acts",
    "target": "Directed at",
    "object": "What it is about",
    "instrument": "Order, law or case",
    "model": "Model or system",
    "newness": "News or background",
    "source_type": "Source type",
    "kind": "Kind",
    "access": "Text available",
    "published_precision": "Date known",
    "in_lexicon": "In the lexicon?",
    "matter": "Subject",
    "fate": "Outcome",
    "stage": "Stage",
}


def words_for(column: str, value: object, table: str = "") -> str:
    """Return the label of a stored value; a value without a label is returned as text."""
    text = "" if value is None else str(value)
    if column == "event_month":
        return month_words(text)
    known = TABLE_COLUMN_WORDS.get((table, column)) or COLUMN_WORDS.get(column)
    return known.get(text, text.replace("_", " ")) if known else text


def side_words(field: str, value: str) -> str:
    """Return one side of a contradiction in words: a date, "Voluntary", or a name or amount unchanged."""
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
    """Return how a modality is displayed; an unknown code is displayed as itself, not as "Happened"."""
    return MODALITIES.get(code) or ModalityWords(str(code).replace("_", " ") or "Unknown", "?", "Not explained.")


def date_basis_words(basis: str | None, said: str | None) -> str:
    """Return how a claim's date is known, with the words that it was read from."""
    if not basis:
        return "no date found"
    if basis == "relative" and said:
        return f"worked out from “{said}” and the day of publication"
    if basis == "stated" and said:
        return f"stated: “{said}”"
    return DATE_BASES.get(basis, basis)


_WITHOUT_NAME = {
    "outlet": "As reported elsewhere",
    "person": "Said by a person",
    "organisation": "Said by an organisation",
}


def attribution_words(kind: str, name: str | None) -> str:
    """Return the attribution: "Said by Jane Roe", "Unnamed source", "The publisher’s own words"."""
    words = ATTRIBUTIONS.get(kind, kind.replace("_", " "))
    if name and kind != "own_reporting":
        return f"{words}{' ' if kind in _WITHOUT_NAME else ': '}{name}"
    return _WITHOUT_NAME.get(kind, words)
