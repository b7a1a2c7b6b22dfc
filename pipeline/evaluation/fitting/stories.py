"""Turns training stories into documents with annotations, to be read like news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.nlp.training.corpus import FOLDER, Example, Note

Document = dict[str, Any]


def story_documents(examples: Iterable[Example], folder: Path = FOLDER) -> Iterator[tuple[Document, Document]]:
    """Yield each story as a text and its annotation, in the format of docs/claims.md.

    Claims share an event only within the event group of their story.

    Args:
        examples: The examples, in the order of the corpus.
        folder: The corpus folder, for paragraphs and titles.
    """
    files: dict[str, list[str]] = {}
    for source, group in groupby(examples, key=lambda each: each.source):
        story = list(group)
        name = story[0].place.rpartition(":")[0]
        lines = files.setdefault(name, (folder / name).read_text(encoding="utf-8").splitlines())
        text, claims = "", []
        for each in story:
            line = int(each.place.rpartition(":")[2])
            new_paragraph = line >= 2 and not lines[line - 2].strip()
            text += ("\n\n" if new_paragraph else " ") if text else ""
            span = len(text), len(text) + len(each.sentence)
            text += each.sentence
            claims += [_claim(note, each, span) for note in each.notes]
        day = story[0].published.isoformat() if story[0].published else None
        title = next((line[1:].strip()[6:].strip() for line in lines if line[1:].strip().startswith("title:")), "")
        document = {"id": source, "title": title, "published": day, "text": text}
        yield document, {"id": source, "relevant": story[0].relevant, "claims": claims}


def _claim(note: Note, example: Example, span: tuple[int, int]) -> Document:
    return {
        "start": span[0],
        "end": span[1],
        "quote": example.sentence,
        "type": note.type,
        "trigger": note.trigger,
        "modality": note.modality,
        "mention": note.newness,
        "attribution": {"kind": note.attribution, "name": note.speaker},
        "date": {"value": note.date, "basis": note.date_basis} if note.date else None,
        "force": note.force,
        "event": note.event or f"group/{example.group}",
        "participants": [{"role": r.role, "name": r.name, "text": r.text} for r in note.roles],
        **({"direction": note.direction} if note.direction else {}),
        **({"optional": True} if note.optional else {}),
    }
