"""Converts records to rows of the tables and back. Pure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pipeline.records import Claim, DateSpan, Findings
from scrapers.items import Article, Precision, RemovedBlock

MAX_QUOTE = 700  # maximum length of a published quote
Row = dict[str, Any]


def article_row(article: Article) -> Row:
    """Return the row of crawl.db's table `articles`, without its two seen_at columns."""
    return {
        "article_id": article.article_id,
        "version": article.version,
        "source_id": article.source_id,
        "url": article.url,
        "title": article.title,
        "text": article.text,
        "language": article.language,
        "byline": json.dumps(article.byline, ensure_ascii=False),
        "published_at": moment(article.published_at),
        "published_basis": article.published_basis,
        "published_precision": article.published_precision.value,
        "modified_at": moment(article.modified_at),
        "fetched_at": moment(article.fetched_at),
        "page_sha256": article.page_sha256,
        "publisher": article.publisher,
        "links": json.dumps(article.links, ensure_ascii=False),
        "removed_blocks": json.dumps([[b.text, b.rule] for b in article.removed_blocks], ensure_ascii=False),
        "has_affiliate_content": int(article.has_affiliate_content),
        "access": article.access,
    }


def article_of(row: Mapping[str, Any] | sqlite3.Row) -> Article:
    """Return the article of a row of `articles`."""
    return Article(
        article_id=row["article_id"],
        version=row["version"],
        source_id=row["source_id"],
        url=row["url"],
        title=row["title"],
        text=row["text"],
        language=row["language"],
        byline=tuple(json.loads(row["byline"])),
        published_at=_moment_of(row["published_at"]),
        published_basis=row["published_basis"],
        published_precision=Precision(row["published_precision"]),
        modified_at=_moment_of(row["modified_at"]),
        fetched_at=_moment_of(row["fetched_at"]),
        page_sha256=row["page_sha256"],
        publisher=row["publisher"],
        links=tuple((url, text) for url, text in json.loads(row["links"])),
        removed_blocks=tuple(RemovedBlock(text, rule) for text, rule in json.loads(row["removed_blocks"])),
        has_affiliate_content=bool(row["has_affiliate_content"]),
        access=row["access"],
    )


def findings_row(findings: Findings, program_version: str) -> Row:
    """Return the row of crawl.db's table `findings`."""
    return {
        "article_id": findings.article_id,
        "version": findings.version,
        "program_version": program_version,
        "relevant": int(findings.relevant),
        "relevance_score": findings.relevance_score,
        "findings": findings_text(findings),
    }


def findings_of(text: str) -> Findings:
    """Return the findings from their JSON text. Unknown keys are ignored; missing keys take their defaults."""
    return _findings_adapter().validate_json(text)


def findings_text(findings: Findings) -> str:
    """Return findings as JSON text; equal findings give equal text."""
    plain = _findings_adapter().dump_python(findings, mode="json")
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@cache
def _findings_adapter() -> TypeAdapter[Findings]:
    return TypeAdapter(Findings)


def moment(value: datetime | None) -> str | None:
    """Return a time as ISO text; None for None."""
    return value.isoformat() if value else None


def utc(value: datetime | None) -> str | None:
    """Return a time as ISO text in UTC, which sorts by time."""
    return moment(value.astimezone(UTC)) if value else None


def _moment_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def day(value: datetime | None) -> str | None:
    """Return the day of a time as ISO text."""
    return value.date().isoformat() if value else None


def date_columns(span: DateSpan | None) -> Row:
    """Return the date columns that claims and events share."""
    return {
        "date_start": span.start.isoformat() if span else None,
        "date_end": span.end.isoformat() if span else None,
        "date_precision": span.precision.value if span else None,
    }


def bounded(claim: Claim) -> tuple[str, int, int]:
    """Return the quote of a claim and its offsets, cut to MAX_QUOTE characters around the trigger.

    The cut quote is still the text of the article at these offsets.
    """
    evidence = claim.evidence
    if len(evidence.quote) <= MAX_QUOTE:
        return evidence.quote, evidence.start, evidence.end
    middle = (claim.trigger_start + claim.trigger_end) // 2 - evidence.start
    start = max(0, min(middle - MAX_QUOTE // 2, len(evidence.quote) - MAX_QUOTE))
    return evidence.quote[start : start + MAX_QUOTE], evidence.start + start, evidence.start + start + MAX_QUOTE


def claim_row(claim: Claim, article: Article, event_id: str, origin_id: str | None) -> Row:
    """Return the row of the published table `claims`."""
    quote, start, end = bounded(claim)
    return {
        "claim_id": claim.claim_id,
        "event_id": event_id,
        "article_id": article.article_id,
        "version": article.version,
        "source_id": article.source_id,
        "origin_id": origin_id,
        "type": claim.type,
        "modality": claim.modality.value,
        "direction": claim.direction,
        "force": claim.force.value,
        "newness": claim.newness,
        **date_columns(claim.date),
        "date_basis": claim.date.basis if claim.date else None,
        "date_said": claim.date.said if claim.date else None,
        "attribution_kind": claim.attribution.kind,
        "attribution_name": claim.attribution.name,
        "quote": quote,
        "quote_start": start,
        "quote_end": end,
        "trigger": claim.trigger,
        "trigger_start": claim.trigger_start,
        "trigger_end": claim.trigger_end,
        "confidence": round(claim.confidence, 4),
        "rule": claim.rule,
        "published_on": day(article.published_at),
    }


def unsure_claim_row(claim: Claim, article: Article) -> Row:
    """Return the row of the published table `unsure_claims`: no event, no origin, parties as text."""
    row = claim_row(claim, article, "", None)
    parties = "; ".join(f"{p.role}: {p.name}" for p in claim.participants)
    del row["event_id"], row["origin_id"]
    return row | {"participants": parties}


def claim_participant_rows(claim: Claim) -> list[Row]:
    """Return the rows of the published table `claim_participants`, in the order of the claim."""
    return [
        {
            "claim_id": claim.claim_id,
            "position": position,
            "role": p.role,
            "entity_id": p.entity_id,
            "name": p.name,
            "text": p.text,
            "start": p.start,
            "end": p.end,
        }
        for position, p in enumerate(claim.participants)
    ]
