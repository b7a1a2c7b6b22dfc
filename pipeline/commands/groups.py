"""A click group that suggests the nearest command for a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'NAME'?" with the nearest known name, "" if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{near[0]}'?" if near else ""


class SuggestingGroup(click.Group):
    """A click group with "Did you mean ...?"."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            cure = did_you_mean(name, self.list_commands(ctx)) or f" `{ctx.command_path} --help` lists all commands."
            raise click.UsageError(f"There is no command '{name}'.{cure}", ctx)
        return super().resolve_command(ctx, args)
