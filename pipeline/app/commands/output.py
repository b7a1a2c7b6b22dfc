"""How every command speaks: plain lines, or JSON where --json is asked for, and a progress line on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


def say_json(value: Any) -> None:
    """Print a value as JSON, readable by people and programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def say_rows(rows: Iterable[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    """Print rows of texts as columns under their heads."""
    table = [heads, *rows]
    widths = [max(len(str(row[i])) for row in table) for i in range(len(heads))]
    for row in table:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """One line on a terminal that is written over, plain lines elsewhere (only the last of each step)."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.open = False

    def __call__(self, text: str) -> None:
        """Show how far a step has come."""
        if self.live:
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
            self.open = True

    def done(self, text: str) -> None:
        """Say how a step ended."""
        if self.open:
            click.echo("\r\x1b[K", nl=False, err=True)
            self.open = False
        click.echo(text)
