"""Commands whose name is two words, beside a command that is the first word alone and takes files."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from adapters.cli.earlier import renamed
from adapters.cli.panels import ORDER


class TwoWords(TyperGroup):
    """`audit sends` is a command of its own; `audit ./sends` still audits a file of that name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of the help."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.get(name, len(ORDER)))

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What a shell completes: one word, so no name of two; its second word the first command completes."""
        return [one for one in super().shell_complete(ctx, incomplete) if " " not in one.value]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command, its options shown as people write them."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            show_plainly(command, ctx)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first two words name, if there is one; else that of the first."""
        args = renamed(args)
        name = " ".join(args[:2])
        command = self.commands.get(name) if len(args) > 1 else None
        if command is None:
            return super().resolve_command(ctx, args)
        show_plainly(command, ctx)
        return name, command, args[2:]


_SHOWN = {"<bool>": "", "<str>": "TEXT", "<int>": "NUMBER", "<float>": "NUMBER", "<path>": "PATH"}
_MANY = {"<list[str]>": "TEXT", "<list[Path]>": "FILE"}


def show_plainly(command: Any, ctx: Any) -> None:
    """Have the help of a command, and of those under it, say what an option takes: nothing of a flag."""
    for option in (*command.params, command.get_help_option(ctx)):
        if option is not None and option.metavar is None and option.param_type_name == "option":
            option.metavar = (_SHOWN | _MANY).get(option.display_type(ctx))
    for one in getattr(command, "commands", {}).values():
        show_plainly(one, ctx)
