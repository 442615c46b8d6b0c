"""The groups in which the help lists the commands: by what somebody comes to do."""

from __future__ import annotations

import typer

PANELS: dict[str, tuple[str, ...]] = {
    "Everyday": ("audit", "audit sends", "gate", "import", "status", "why", "demo", "find"),
    "People": ("record", "history", "note", "correct", "two-people", "merge", "unmerge", "review"),
    "Evidence and rules": ("map", "policy"),
    "HubSpot": ("hubspot", "drift", "doctor"),
    "Operations": (
        *("init", "upgrade", "backup", "restore", "check", "replay", "database"),
        *("serve", "keys", "webhooks", "streams", "dlq", "generate"),
    ),
}
"""Panel -> its commands, in the order of the help."""


ORDER = {name: place for place, name in enumerate(name for names in PANELS.values() for name in names)}
"""Where a command stands in the help."""


def arrange(app: typer.Typer) -> None:
    """Put every command into its panel. KeyError for a command of none."""
    panels = {name: panel for panel, names in PANELS.items() for name in names}

    for command in app.registered_commands:
        command.rich_help_panel = panels[str(command.name or getattr(command.callback, "__name__", ""))]
    for group in app.registered_groups:
        group.rich_help_panel = panels[str(group.name)]
