"""``steward flags list | set | pin``: what is switched on, for whom, and what is being tried."""

from typing import Annotated

import typer

from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from domain.errors import InvalidInput
from domain.flags import Flag, FlagSet, own_flag

flags_app = typer.Typer(invoke_without_command=True, help="What is switched on, for what share, and since when.")

Key = Annotated[str, typer.Argument(metavar="FLAG", help="A flag of `flags list`.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(flags_app, name="flags")


@flags_app.callback()
def flags(context: typer.Context) -> None:
    """What is switched on, for what share, and since when."""
    if context.invoked_subcommand is None:
        flags_list()


@flags_app.command("list")
def flags_list(*, as_json: AsJson = False) -> None:
    """Every flag; those of policies belong to experiments and change with them."""

    async def work(system: System) -> list[Flag]:
        return await system.memory.flags.all()

    found = with_system(work, as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [(f.key, _serves(f), "pinned" if f.pinned else "", f.description) for f in found]
    print_table("Flags", ("flag", "serves", "", "what it does"), rows)


@flags_app.command("set")
def flags_set(
    key: Key,
    value: Annotated[str, typer.Argument(metavar="on|off", help="Switch it.")],
    *,
    share: Annotated[float | None, typer.Option(min=0, max=1, help="Of the cases that get it, from 0 to 1.")] = None,
    why: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Switch a flag; in force from the next decision on."""

    async def work(system: System) -> Flag:
        if value not in ("on", "off"):
            raise InvalidInput(f"{value!r} is neither on nor off", hint=f"`./steward flags set {key} off`")
        flag = await _flag(system, key)
        change = {"on": value == "on", "share": flag.share if share is None else share, "why": why}
        return await _store(system, flag.model_copy(update=change))

    _print(with_system(work, as_json=as_json), as_json=as_json)


@flags_app.command("pin")
def flags_pin(
    key: Key, *, off: Annotated[bool, typer.Option("--off", help="Let it change again.")] = False, as_json: AsJson = False
) -> None:
    """Keep a flag as it is, whatever Steward learns."""

    async def work(system: System) -> Flag:
        return await _store(system, (await _flag(system, key)).model_copy(update={"pinned": not off}))

    _print(with_system(work, as_json=as_json), as_json=as_json)


async def _flag(system: System, key: str) -> Flag:
    return own_flag(await system.memory.flags.all(), key)


async def _store(system: System, flag: Flag) -> Flag:
    at = now()
    await record(system, FlagSet(flag=flag, by=OPERATOR, at=at), at=at)
    return flag


def _serves(flag: Flag) -> str:
    if not flag.on:
        return flag.default
    return flag.served if flag.share == 1 else f"{flag.served} to {flag.share:.0%}, {flag.default} to the rest"


def _print(flag: Flag, *, as_json: bool) -> None:
    if as_json:
        print_json(flag)
    else:
        say(f"{flag.key}: {_serves(flag)}{', pinned' if flag.pinned else ''}")
