"""Writes the stored figures into the marked blocks of docs/accuracy.md.

`python -m pipeline.evaluation.fitting.docs FILE`
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.accuracy.stored import load_figures
from pipeline.accuracy.table import lines, percent
from pipeline.nlp.events.calibration import load_calibrator

_BEGIN = r"<!-- (figures|confidence): made by `python -m pipeline\.evaluation\.fitting\.docs` -->\n"
BLOCK = re.compile(f"({_BEGIN}).*?(<!-- end -->)", re.DOTALL)


def figures_block(stored: dict[str, dict[str, Any]]) -> str:
    """Return the table of all stored figures, one column per file, and a note on each column."""
    columns = list(stored.values())
    rows = [["", *(each["title"] for each in columns)], ["---"] * (len(columns) + 1)]
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
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n\n" + "\n".join(said) + "\n"


def confidence_block(report: dict[str, Any]) -> str:
    """Return the reliability table, the figures by set of texts, and the effect of the default threshold."""
    found = report["calibrated"]
    rows = ["| confidence | claims | mean confidence | right | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| {each['from']:.2f} to {each['to']:.2f} | {each['claims']} | {each['mean_confidence']:.2f} | "
        f"{each['share_right']:.2f} | {each['interval'][0]:.2f} to {each['interval'][1]:.2f} |"
        for each in found["bins"]
    ]
    sets = ["| texts | claims | right | mean confidence | Brier score | calibration error | of the raw score |"]
    sets.append("| --- |" + " --- |" * 6)
    for name, whole in [*report["sets"].items(), ("all", report)]:
        each = whole["calibrated"]
        low, high = each["calibration_error_interval"]
        sets.append(
            f"| {name} | {each['claims']} | {percent(each['share_right'])} | {percent(each['mean_confidence'])} | "
            f"{each['brier']:.3f} | {each['calibration_error']:.3f} [{low:.3f}, {high:.3f}] | "
            f"{whole['score']['calibration_error']:.3f} |"
        )
    least = report["least_confidence"]
    effect = next((each for each in report["thresholds"] if each["threshold"] == least), None)
    words = ""
    if effect:
        words = (
            f"{effect['under']} of {report['claims']} claims are below the default threshold of {least}; "
            f"{effect['right_under']} of them are right. The published view keeps {100 * effect['right_kept']:.1f} % "
            f"of the right claims, and {100 * effect['share_right_over']:.1f} % of its claims are right instead of "
            f"{100 * found['share_right']:.1f} %.\n"
        )
    return "\n".join(rows) + "\n\n" + "\n".join(sets) + "\n\n" + words


def renewed(text: str) -> str:
    """Return the document with its marked blocks regenerated."""
    curve = load_calibrator()
    blocks = {"figures": figures_block(load_figures()), "confidence": confidence_block(curve.report) if curve else ""}
    return BLOCK.sub(lambda m: m[1] + "\n" + blocks[m[2]] + "\n" + m[3], text)


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
