"""Writes the stored figures into the marked blocks of docs/accuracy.md.

`python -m pipeline.evaluation.fitting.docs FILE`
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation.figures.stored import load_figures
from pipeline.evaluation.figures.table import lines, percent
from pipeline.nlp.events.calibration import load_calibrator

_BEGIN = r"<!-- (figures|confidence): made by `python -m pipeline\.evaluation\.fitting\.docs` -->\n"
BLOCK = re.compile(f"({_BEGIN}).*?(<!-- end -->)", re.DOTALL)


def figures_block(stored: dict[str, dict[str, Any]]) -> str:
    """Return the table of all stored measurements, one column each, and what each of them is."""
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


def confidence_block(facts: dict[str, Any]) -> str:
    """Return the reliability table, by set of texts and over all, and what the threshold withholds."""
    found = facts["calibrated"]
    rows = ["| confidence | claims | mean confidence | right | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| {each['from']:.2f} to {each['to']:.2f} | {each['claims']} | {each['mean_confidence']:.2f} | "
        f"{each['share_right']:.2f} | {each['interval'][0]:.2f} to {each['interval'][1]:.2f} |"
        for each in found["bins"]
    ]
    sets = ["| texts | claims | right | mean confidence | Brier score | calibration error | that of the bare score |"]
    sets.append("| --- |" + " --- |" * 6)
    for name, whole in [*facts["sets"].items(), ("all", facts)]:
        each = whole["calibrated"]
        low, high = each["calibration_error_interval"]
        sets.append(
            f"| {name} | {each['claims']} | {percent(each['share_right'])} | {percent(each['mean_confidence'])} | "
            f"{each['brier']:.3f} | {each['calibration_error']:.3f} [{low:.3f}, {high:.3f}] | "
            f"{whole['score']['calibration_error']:.3f} |"
        )
    least = facts["least_confidence"]
    held = next((each for each in facts["thresholds"] if each["threshold"] == least), None)
    words = ""
    if held:
        words = (
            f"Beneath the default threshold of {least} lie {held['under']} of {facts['claims']} claims, "
            f"{held['right_under']} of them right. The view without them keeps {100 * held['right_kept']:.1f} % of "
            f"the right claims, and {100 * held['share_right_over']:.1f} % of what it shows is right instead of "
            f"{100 * found['share_right']:.1f} %.\n"
        )
    return "\n".join(rows) + "\n\n" + "\n".join(sets) + "\n\n" + words


def renewed(text: str) -> str:
    """Return the document with its marked blocks made anew."""
    curve = load_calibrator()
    blocks = {"figures": figures_block(load_figures()), "confidence": confidence_block(curve.report) if curve else ""}
    return BLOCK.sub(lambda m: m[1] + "\n" + blocks[m[2]] + "\n" + m[3], text)


def main(argv: Sequence[str] | None = None) -> int:
    file = Path((argv if argv is not None else sys.argv[1:] or ["docs/accuracy.md"])[0])
    text = file.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        print(f"{file}: there is no marked block in it.", file=sys.stderr)
        return 2
    file.write_text(renewed(text), encoding="utf-8")
    print(f"Renewed the figures in {file}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
