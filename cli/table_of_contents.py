"""Every command in one table. Only the module of the command that is called is imported, so that each starts fast."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Entry:
    """``home`` is the module whose ``register`` adds the command to an app."""

    name: str
    home: str
    panel: str
    summary: str


_DAILY, _STEER, _DATA, _LOOK, _MACHINE = "Every day", "Steering", "Your business", "Looking inside", "The machine"

CONTENTS = (
    Entry("inbox", "inbox_commands", _DAILY, "What waits for you: the few things that need you now, then the rest."),
    Entry("console", "console_commands", _DAILY, "Say where the console is and how to get in, or set its password."),
    Entry("show", "inbox_commands", _DAILY, "One question with its before and after, or one run step by step."),
    Entry("approve", "decision_commands", _DAILY, "Let it happen exactly as shown."),
    Entry("edit", "decision_commands", _DAILY, "Change it and let the changed one happen; without options your editor opens."),
    Entry("reject", "decision_commands", _DAILY, "Do not do it."),
    Entry("snooze", "decision_commands", _DAILY, "Put the reminders off; the expiry stays as it is."),
    Entry("undo", "decision_commands", _DAILY, "Take an approval back while it is held; it waits for you again."),
    Entry("alerts", "inbox_commands", _DAILY, "What went wrong and is not settled yet; close what you have dealt with."),
    Entry("settle", "decision_commands", _DAILY, "Say what became of an effect that nobody could find out about."),
    Entry("run", "run_commands", _DAILY, "Start a run now and watch it until it is done or waits."),
    Entry("learn", "learn_command", _DAILY, "What went wrong and why, what is proposed, tried, kept and taken back."),
    Entry("mode", "control_commands", _STEER, "Show what is asked and what is automatic, or change it."),
    Entry("bypass", "control_commands", _STEER, "For a while, do without asking what the mode ask would ask; other rules stay."),
    Entry("kill", "control_commands", _STEER, "Stop every new effect at once. What waits keeps waiting; nothing is lost."),
    Entry("breaker", "breaker_commands", _STEER, "What failed too often and rests, and when it is tried again."),
    Entry("rollback", "rollback_commands", _STEER, "Undo what a run did since it began; says before what cannot be undone."),
    Entry("cancel", "rollback_commands", _STEER, "Ask a run to stop; what its current plan began is undone."),
    Entry("policies", "policy_commands", _STEER, "The rules: limits, windows, hours, languages. Every change is a version."),
    Entry("failures", "failure_commands", _LOOK, "What went wrong and why; confirm or correct the why."),
    Entry("flags", "flag_commands", _STEER, "What is switched on, for what share, and what is being tried."),
    Entry("experiments", "experiment_commands", _STEER, "What is tried on a part of the cases, and on what evidence."),
    Entry("schedule", "schedule_commands", _STEER, "The times at which runs start by themselves."),
    Entry("connect", "connect_commands", _DATA, "Connect a system: asks what it needs, tries it, and turns it on in dry-run."),
    Entry("connectors", "connect_commands", _DATA, "The connected systems and how they are doing."),
    Entry("tools", "tool_commands", _DATA, "The tools of a connected MCP server: which may be called, and at what risk."),
    Entry("import", "import_commands", _DATA, "Import data of other systems. All lines or none; again changes nothing."),
    Entry("shop", "business_commands", _DATA, "Who you are: name, address, currency and signature of the shop."),
    Entry("received", "business_commands", _DATA, "Say that a purchase order has arrived: its units go on the shelf."),
    Entry("describe", "business_commands", _DATA, "Complete what is known of a product; closes the question that asked for it."),
    Entry("relabel", "business_commands", _DATA, "Correct what a ticket is about; Steward learns from it."),
    Entry("log", "memory_commands", _LOOK, "The event log: everything that ever happened, in order."),
    Entry("state", "memory_commands", _LOOK, "The state of the business, as the log makes it."),
    Entry("memory", "memory_commands", _LOOK, "Facts and texts that can be recalled."),
    Entry("up", "stack_commands", _MACHINE, "Start everything; what runs already is left as it is."),
    Entry("down", "stack_commands", _MACHINE, "Stop everything; nothing is lost."),
    Entry("status", "stack_commands", _MACHINE, "Say which parts run. The exit code is 0 when the stack is up, else 3."),
    Entry("doctor", "stack_commands", _MACHINE, "Look for what is wrong and say what to do. The exit code is 1 when something is."),
    Entry("logs", "stack_commands", _MACHINE, "Show the logs of the parts."),
    Entry("token", "console_commands", _MACHINE, "What programs may do here: issue a token, list them, revoke one."),
    Entry("notify", "notify_command", _MACHINE, "Say where messages to you go; --test tries it."),
    Entry("mcp", "mcp_command", _MACHINE, "Serve the Model Context Protocol to an agent that starts this; it may read, or more."),
    Entry("demo", "demo_command", _MACHINE, "Run a demo shop for a day, crash it in the middle, and show that nothing is lost."),
    Entry("simulate", "simulate_command", _MACHINE, "Run the demo shop for many days in virtual time, and compare."),
)


class _Contents(TyperGroup):
    """Lists commands by their summaries, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {e.name: TyperCommand(name=e.name, help=e.summary, rich_help_panel=e.panel) for e in CONTENTS}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and command(str(name)), rest


def command(name: str) -> Any:
    """The command itself, with its parameters."""
    (entry,) = (e for e in CONTENTS if e.name == name)
    app = typer.Typer(add_completion=False)
    import_module(f"cli.{entry.home}").register(app)
    return typer.main.get_group(app).commands[name]


_app = typer.Typer(name="steward", cls=_Contents, no_args_is_help=True)


@_app.callback()
def _steward() -> None:
    """Steward runs the routine of a one-person company and asks you where judgement is needed."""


steward: Any = typer.main.get_command(_app)
