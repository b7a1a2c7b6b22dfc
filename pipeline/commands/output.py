"""Output of the commands: text, tables, JSON, and a progress line on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Output JSON.")


def say_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def say_rows(rows: Iterable[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    """Print rows as aligned columns under their headings."""
    table = [heads, *rows]
    widths = [max(len(str(row[i])) for row in table) for i in range(len(heads))]
    for row in table:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """A line that is overwritten on a terminal; elsewhere only the result of each step is printed."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.open = False

    def __call__(self, text: str) -> None:
        """Show the progress of a step."""
        if self.live:
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
            self.open = True

    def done(self, text: str) -> None:
        """Print the result of a step."""
        if self.open:
            click.echo("\r\x1b[K", nl=False, err=True)
            self.open = False
        click.echo(text)
