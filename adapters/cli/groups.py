"""Commands whose name is two words, beside a command that is the first word alone and takes files."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from adapters.cli.panels import ORDER


class TwoWords(TyperGroup):
    """`audit sends` is a command of its own; `audit ./sends` still audits a file of that name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of the help."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.get(name, len(ORDER)))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first two words name, if there is one; else that of the first."""
        name = " ".join(args[:2])
        command = self.commands.get(name) if len(args) > 1 else None
        return (name, command, args[2:]) if command is not None else super().resolve_command(ctx, args)
