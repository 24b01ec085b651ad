"""``steward policies ratify | drop | rollback | pin``: the operator's word on what Steward proposes, and the way back."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from activities.ratifying import Ratifier
from cli.choosing import completing
from cli.context import OPERATOR, System, now, with_system
from cli.output import AsJson, print_json, say
from domain.policies import POLICY_TYPES, PolicyRecord

Which = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completing(POLICY_TYPES))]
Number = Annotated[int, typer.Argument(metavar="VERSION", help="A proposed version of `policies history`.")]
Why = Annotated[str, typer.Option(help="A word for the record.")]
Decide = Callable[[Ratifier], Awaitable[PolicyRecord]]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``policies``."""
    for name, command in (("ratify", ratify), ("drop", drop), ("rollback", rollback), ("pin", pin)):
        app.command(name)(command)


def ratify(name: Which, version: Number, *, as_json: AsJson = False) -> None:
    """Bring a proposed version into force. One that is being tried waits until it has won."""
    _decide(name, lambda word: word.ratify(name, version), f"version {version} of {name} is in force", as_json=as_json)


def drop(name: Which, version: Number, *, why: Why = "the operator does not want it", as_json: AsJson = False) -> None:
    """Turn a proposed version down; Steward does not propose it again without new evidence."""
    _decide(name, lambda word: word.drop(name, version, why=why), f"version {version} of {name} is out", as_json=as_json)


def rollback(
    name: Which,
    *,
    hard: Annotated[bool, typer.Option("--hard", help="Runs in flight leave the version that is tried at once, too.")] = False,
    why: Why = "rolled back by the operator",
    as_json: AsJson = False,
) -> None:
    """Take the last change back: what is being tried, or else the version in force. It holds from the next decision on."""
    _decide(name, lambda word: word.roll_back(name, hard=hard, why=why), f"{name} was rolled back", as_json=as_json)


def pin(
    name: Which, *, off: Annotated[bool, typer.Option("--off", help="Let it be changed again.")] = False, as_json: AsJson = False
) -> None:
    """Keep a policy as it is: Steward proposes no change of it."""
    _decide(name, lambda word: word.pin(name, on=not off), f"{name} is {'no longer pinned' if off else 'pinned'}", as_json=as_json)


def ratifier(system: System) -> Ratifier:
    """The operator's word, now."""
    return Ratifier(log=system.memory.log, state=system.memory.state, by=OPERATOR, now=now())


def _decide(name: str, decide: Decide, said: str, *, as_json: bool) -> None:
    """Record what the operator decided, unless the policy or its experiment moved since it was looked at."""

    async def work(system: System) -> PolicyRecord:
        return await decide(ratifier(system))

    after = with_system(work, as_json=as_json)
    if as_json:
        print_json({"name": name, "active": after.active, "pinned": after.pinned, "trial": after.trial})
    else:
        say(f"{said}; version {after.active} is in force")
