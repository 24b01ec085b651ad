"""``steward policies ratify | drop | rollback | pin``: the operator's word on what Steward proposes, and the way back."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, say
from domain.errors import NotFound
from domain.event import EventData
from domain.experiments import Experiment
from domain.policies import POLICY_TYPES, PolicyDropped, PolicyPinned, PolicyRecord
from learning.steering import approved, earlier, ratified, stopped

Which = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completing(POLICY_TYPES))]
Number = Annotated[int, typer.Argument(metavar="VERSION", help="A proposed version of `policies history`.")]
Why = Annotated[str, typer.Option(help="A word for the record.")]
Decide = Callable[[System, PolicyRecord], Awaitable[tuple[EventData, ...]]]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``policies``."""
    for name, command in (("ratify", ratify), ("drop", drop), ("rollback", rollback), ("pin", pin)):
        app.command(name)(command)


def ratify(name: Which, version: Number, *, as_json: AsJson = False) -> None:
    """Bring a proposed version into force. One that is being tried waits until it has won."""

    async def decide(system: System, found: PolicyRecord) -> tuple[EventData, ...]:
        trial = await _trial(system, found)
        if trial is not None and trial.candidate == version:
            return ratified(trial, found, by=OPERATOR, now=now())
        return approved(found, version, by=OPERATOR, now=now())

    _decide(name, decide, f"version {version} of {name} is in force", as_json=as_json)


def drop(name: Which, version: Number, *, why: Why = "the operator does not want it", as_json: AsJson = False) -> None:
    """Turn a proposed version down; Steward does not propose it again without new evidence."""

    async def decide(system: System, found: PolicyRecord) -> tuple[EventData, ...]:
        trial = await _trial(system, found)
        if trial is not None and trial.candidate == version:
            return stopped(trial, found, by=OPERATOR, hard=False, why=why, now=now())
        if all(v.version != version for v in found.proposed):
            raise NotFound(f"no version {version} of {name} is proposed", hint=f"`./steward policies history {name}` shows them")
        return (PolicyDropped(name=name, number=version, why=why, by=OPERATOR),)

    _decide(name, decide, f"version {version} of {name} is out", as_json=as_json)


def rollback(
    name: Which,
    *,
    hard: Annotated[bool, typer.Option("--hard", help="Runs in flight leave the version that is tried at once, too.")] = False,
    why: Why = "rolled back by the operator",
    as_json: AsJson = False,
) -> None:
    """Take the last change back: what is being tried, or else the version in force. It holds from the next decision on."""

    async def decide(system: System, found: PolicyRecord) -> tuple[EventData, ...]:
        trial = await _trial(system, found)
        if trial is not None:
            return stopped(trial, found, by=OPERATOR, hard=hard, why=why, now=now())
        return (earlier(found, by=OPERATOR, now=now(), why=why),)

    _decide(name, decide, f"{name} was rolled back", as_json=as_json)


def pin(
    name: Which, *, off: Annotated[bool, typer.Option("--off", help="Let it be changed again.")] = False, as_json: AsJson = False
) -> None:
    """Keep a policy as it is: Steward proposes no change of it."""

    async def decide(_system: System, _found: PolicyRecord) -> tuple[EventData, ...]:
        return (PolicyPinned(name=name, on=not off, by=OPERATOR),)

    _decide(name, decide, f"{name} is {'no longer pinned' if off else 'pinned'}", as_json=as_json)


async def _trial(system: System, found: PolicyRecord) -> Experiment | None:
    return await system.memory.state.get(Experiment, found.trial) if found.trial else None


def _decide(name: str, decide: Decide, said: str, *, as_json: bool) -> None:
    """Append what the operator decided, unless the policy or its experiment moved since it was looked at."""

    async def work(system: System) -> PolicyRecord:
        if name not in POLICY_TYPES:
            raise NotFound(f"there is no policy {name!r}", hint=f"there are {', '.join(POLICY_TYPES)}")
        state = system.memory.state
        expected = {f"policy/{name}": await state.version(PolicyRecord, name)}
        found = await state.get(PolicyRecord, name) or PolicyRecord(name=name)
        if found.trial:
            expected[f"experiment/{found.trial}"] = await state.version(Experiment, found.trial)
        await record(system, *await decide(system, found), at=now(), expected=expected)
        return await state.get(PolicyRecord, name) or found

    after = with_system(work, as_json=as_json)
    if as_json:
        print_json({"name": name, "active": after.active, "pinned": after.pinned, "trial": after.trial})
    else:
        say(f"{said}; version {after.active} is in force")
