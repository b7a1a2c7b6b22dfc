"""Extracts the claims of documents (id, title, published, text) in the exchange format, grouped by event.

The format is that of docs/claims.md as JSON: each claim has its quote with offsets in the document's own text, type,
trigger, modality, attribution, date, force, newness (key "mention"), participants, and a key shared by all claims about
the same event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.aggregation.aggregate import aggregate
from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.events.calibration import load_calibrator
from pipeline.nlp.pipeline import extract, load
from pipeline.nlp.pool import extract_all
from pipeline.records import Claim, Event, Findings
from scrapers.reading.plain_text import PlainText, plain_text

if TYPE_CHECKING:
    from spacy.language import Language

CALIBRATION = "calibration.json"  # in the folder of a fold: the curve that was fitted on the other folds
Read = tuple[dict[str, Any], PlainText, Findings]  # a document, its text as read, and what was found


def read_folder(
    documents: Iterable[dict[str, Any]],
    lexicon: Sequence[Path],
    say: Callable[[str], None],
    *,
    folds: Path | None = None,
    least_confidence: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Yield the findings of each document as JSON values.

    Args:
        documents: The documents; `published` is a date or None.
        lexicon: Additional lexicon files.
        say: Reports progress.
        folds: A folder of weights as written by `pipeline.nlp.training.train --folds-out`; each document is then read
            with the weights that have not seen it, and documents in no fold are left out.
        least_confidence: Claims below it are left out.
    """
    read: list[Read] = []
    for document, text, findings in read_documents(documents, lexicon, folds=folds):
        sure = tuple(claim for claim in findings.claims if claim.confidence >= least_confidence)
        read.append((document, text, replace(findings, claims=sure)))
        say(f"read {len(read)} documents")
    yield from exchange_rows(read, lexicon)


def exchange_rows(read: Sequence[Read], lexicon: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield documents that were read in the exchange format, with their claims grouped by event."""
    joined = aggregate(
        [findings for _, _, findings in read],
        [text.article for _, text, _ in read],
        (),
        lexicon=load_lexicon(*lexicon),
        min_confidence=0.0,
    )
    keys = {event.event_id: _key(event) for event in joined.events}
    for document, text, findings in read:
        yield {
            "id": document["id"],
            "title": text.article.title,
            "published": document["published"].isoformat() if document["published"] else None,
            "relevant": findings.relevant,
            **({"unread": findings.unread} if findings.unread else {}),
            "cites": sorted({credit.name for credit in findings.credits}),
            "claims": [claim_row(claim, text, keys[joined.claim_event[claim.claim_id]]) for claim in findings.claims],
        }


def read_documents(
    documents: Iterable[dict[str, Any]], lexicon: Sequence[Path], *, folds: Path | None = None
) -> Iterator[Read]:
    """Yield each document with its text as read and its findings; `published` is a date or None."""
    if folds is None:
        taken = [(document, text_of(document)) for document in documents]
        every = extract_all((text.article for _, text in taken), lexicon)
        for (document, text), findings in zip(taken, every, strict=True):
            yield document, text, findings
        return
    for folder, unseen in documents_by_fold(documents, folds):  # one pipeline at a time: each holds its own weights
        nlp = load_fold(folder, lexicon)
        for document in unseen:
            text = text_of(document)
            yield document, text, extract(text.article, nlp)


def documents_by_fold(documents: Iterable[dict[str, Any]], folds: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Yield the folder of each fold with the documents that its weights have not seen; others are left out."""
    fold_of, unseen = held_out(folds), defaultdict(list)
    for document in documents:
        if document["id"] in fold_of:
            unseen[fold_of[document["id"]]].append(document)
    yield from sorted(unseen.items())


def load_fold(folder: Path, lexicon: Sequence[Path] = ()) -> Language:
    """Return the pipeline with the weights of a fold, and with its calibration if it has its own."""
    own = folder / CALIBRATION
    return load(lexicon=lexicon, weights=folder, calibration=own if own.is_file() else None)


def default_confidence(folder: Path) -> float:
    """Return the confidence from which a fold's claims are shown by default."""
    own = folder / CALIBRATION
    return (load_calibrator(own) if own.is_file() else load_calibrator()).default_confidence


def text_of(document: dict[str, Any]) -> PlainText:
    """Return the text of a document as it is read; `published` is a date or None."""
    return plain_text(
        document["text"],
        name=document["id"],
        title=str(document.get("title") or ""),
        published=document["published"],
        publisher=str(document.get("site") or ""),
    )


def held_out(folds: Path) -> dict[str, Path]:
    """Return document id -> the folder with the weights of the fold that has not seen it."""
    found: dict[str, Path] = {}
    for folder in sorted(path for path in folds.iterdir() if (path / "documents.json").is_file()):
        found |= dict.fromkeys(json.loads((folder / "documents.json").read_text(encoding="utf-8")), folder)
    return found


def _key(event: Event) -> str:
    day = event.date.value if event.date else "undated"
    return f"{day}/{event.type}/{event.event_id}"


def claim_row(claim: Claim, text: PlainText, event: str) -> dict[str, Any]:
    """Return a claim in the exchange format; offsets and quote refer to the document's own text."""
    start, end = text.original_span(claim.evidence.start, claim.evidence.end)
    return {
        "quote": text.original[start:end],
        "start": start,
        "end": end,
        "trigger": claim.trigger,
        "type": claim.type,
        "modality": claim.modality.value,
        **({"direction": claim.direction} if claim.direction else {}),
        "attribution": {"kind": claim.attribution.kind, "name": claim.attribution.name},
        "date": {"value": claim.date.value, "basis": claim.date.basis} if claim.date else None,
        "force": claim.force.value,
        "mention": claim.newness,
        "event": event,
        "participants": [{"role": p.role, "name": p.name, "text": p.text} for p in claim.participants],
        "confidence": claim.confidence,
        "rule": claim.rule,
    }
