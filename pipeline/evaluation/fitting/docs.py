"""Writes the stored figures into the marked blocks of docs/accuracy.md.

`python -m pipeline.evaluation.fitting.docs FILE`
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.accuracy.stored import load_figures
from pipeline.accuracy.table import GROUPS, ablation_rows, fold_rows, group_rows, lines
from pipeline.nlp.events.calibration import load_calibrator

Stored = dict[str, dict[str, Any]]
_BEGIN = r"<!-- (\w+): made by `python -m pipeline\.evaluation\.fitting\.docs` -->\n"
BLOCK = re.compile(f"({_BEGIN}).*?(<!-- end -->)", re.DOTALL)
_UNMEASURED = "Not measured yet.\n"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text as a Markdown table; the first is its heading."""
    if not rows:
        return _UNMEASURED
    ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(row) + " |" for row in ruled) + "\n"


def _held_out(stored: Stored) -> dict[str, Any]:
    return stored.get("held-out", {}).get("figures", {})


def folds_block(stored: Stored) -> str:
    """Return the table by fold."""
    return _table(fold_rows(_held_out(stored)))


def figures_block(stored: Stored) -> str:
    """Return the table of all stored figures, one column per file, and a note on each column."""
    columns = list(stored.values())
    rows = [["", *(each["title"] for each in columns)]]
    rows.append(["documents", *(str(each["documents"]) for each in columns)])
    tables = [{line.label: line for line in lines(each["figures"])} for each in columns]
    for label in dict.fromkeys(label for table in tables for label in table):
        cells = [f"{table[label].words()}, n = {table[label].n}" if label in table else "" for table in tables]
        rows.append([label, *cells])
    said = [
        f"- **{each['title']}**: {each['note']} Measured on {each['date']} with program version "
        f"`{each['program_version']}`, data `{each['data_hash']}`."
        for each in columns
    ]
    return _table(rows) + "\n" + "\n".join(said) + "\n"


def groups_block(stored: Stored) -> str:
    """Return the tables by type and by group of claims."""
    figures = _held_out(stored)
    return "\n".join(_table(group_rows(figures, family)) for family in ("type", *(name for name, _ in GROUPS)))


def ablation_block(stored: Stored) -> str:
    """Return the table of parts, and what happens without each."""
    figures = _held_out(stored)
    rows = ablation_rows(figures)
    meanings = [
        f"- {part.replace('_', ' ')}: {row['meaning']}."
        for part, row in figures.get("ablation", {}).get("without", {}).items()
    ]
    return _table(rows) + ("\n" + "\n".join(meanings) + "\n" if meanings else "")


def confidence_block(_: Stored) -> str:
    """Return the reliability table, the figures by fold, and the effect of the default threshold."""
    report = load_calibrator().report
    if not report:
        return _UNMEASURED
    rows = [["confidence", "claims", "mean confidence", "right", "95 % interval"]]
    rows += [
        [
            f"{each['from']:.2f} to {each['to']:.2f}",
            str(each["claims"]),
            f"{each['mean_confidence']:.2f}",
            f"{each['share_right']:.2f}",
            f"{each['interval'][0]:.2f} to {each['interval'][1]:.2f}",
        ]
        for each in report["calibrated"]["bins"]
    ]
    sets = [["fold", "claims", "right", "calibration error", "shown by default", "of these right"]]
    for name, each in [*report["folds"].items(), ("all", report)]:
        found, shown = each["calibrated"], each["default_view"]
        if found is not None:
            low, high = found["calibration_error_interval"]
            error = f"{found['calibration_error']:.3f} ({low:.3f} to {high:.3f})"
            over = [str(shown["over"]), f"{shown['share_right_over']:.3f}"]
            sets.append([name, str(found["claims"]), f"{found['share_right']:.3f}", error, *over])
    words = (
        f"Claims are made from a score of {report['least_score']} on. {report['default_view']['under']} of "
        f"{report['claims']} claims are below the default threshold of {report['default_confidence']}; "
        f"{report['default_view']['right_under']} of them are right.\n"
    )
    return _table(rows) + "\n" + _table(sets) + "\n" + words


BLOCKS: dict[str, Callable[[Stored], str]] = {
    "folds": folds_block,
    "figures": figures_block,
    "groups": groups_block,
    "ablation": ablation_block,
    "confidence": confidence_block,
}


def renewed(text: str) -> str:
    """Return the document with its marked blocks regenerated."""
    stored = load_figures()
    return BLOCK.sub(lambda m: m[1] + "\n" + BLOCKS[m[2]](stored) + "\n" + m[3], text)


def main(argv: Sequence[str] | None = None) -> int:
    file = Path((argv if argv is not None else sys.argv[1:] or ["docs/accuracy.md"])[0])
    text = file.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        print(f"{file} has no marked block. Name the file that docs/accuracy.md describes.", file=sys.stderr)
        return 2
    file.write_text(renewed(text), encoding="utf-8")
    print(f"Updated the figures in {file}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
