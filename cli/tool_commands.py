"""``steward tools NAME [map | unmap TOOL]``: which tools of a server may be called, and on which terms."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.connecting import typed
from cli.context import System, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.policy_commands import activate, record_of
from connectors import open_switchboard
from connectors.offered_tools import OfferedTool, terms_for
from domain.connections import Connection
from domain.errors import InvalidInput, NotFound
from domain.policies import ToolsPolicy
from domain.risk import Reversibility, Risk
from domain.tools import ToolTerms

_SHOWN = 100
_POLICY = "tools"


class Do(StrEnum):
    LIST = "list"
    MAP = "map"
    UNMAP = "unmap"


class RiskName(StrEnum):
    R0 = "R0"
    R1 = "R1"
    R2 = "R2"
    R3 = "R3"


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(tools)


def tools(
    name: Annotated[str, typer.Argument(help="The connection, as `./steward connectors` shows it.", show_default=False)],
    do: Annotated[Do, typer.Argument(help="What to do.")] = Do.LIST,
    tool: Annotated[str, typer.Argument(help="The tool to map or unmap.", show_default=False)] = "",
    *,
    risk: Annotated[RiskName, typer.Option(help="What a call can do: R0 nothing .. R3 irreversible harm.")] = RiskName.R3,
    words: Annotated[str, typer.Option(help="What it does, in your words; else its name is shown.")] = "",
    key_argument: Annotated[str, typer.Option(help="The argument that makes calling it twice harmless.")] = "",
    undo: Annotated[str, typer.Option(help="The tool of this server that takes a call back.")] = "",
    undo_argument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SOURCE", help="What it is given: arguments.X or result.X of the call, or =TEXT."),
    ] = None,
    exactly: Annotated[bool, typer.Option("--exactly", help="What is taken back leaves no trace.")] = False,
    find: Annotated[str, typer.Option(help="Only tools with this in their name or words.")] = "",
    why: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """The tools of a connected MCP server. Only those that you map can be proposed, and each call is asked about."""
    wish: dict[str, Any] = {"risk": Risk[risk], "words": words, "key_argument": key_argument}
    if undo:
        back = Reversibility.REVERSIBLE if exactly else Reversibility.COMPENSABLE
        wish |= {"undo": undo, "undo_arguments": typed(undo_argument or []), "reversibility": back}

    async def work(system: System) -> dict[str, Any]:
        if (do is Do.LIST) is bool(tool):
            raise InvalidInput("which tool?" if not tool else "list takes no tool", hint=f"./steward tools {name} map TOOL")
        if do is Do.UNMAP:
            return await _unmap(system, name, tool, why)
        offered = await _offered(system, name)
        if do is Do.MAP:
            return await _map(system, f"{name}/{tool}", terms_for(offered, tool, **wish), why)
        return await _list(system, name, offered, find)

    told = with_system(work, as_json=as_json)
    if as_json:
        print_json(told)
    elif do is Do.LIST:
        _tell(name, told["tools"])
    else:
        say(told["said"])


async def _offered(system: System, name: str) -> tuple[OfferedTool, ...]:
    connection = await system.memory.state.get(Connection, name)
    if connection is None:
        raise NotFound(f"nothing is connected as {name!r}", hint=f"`./steward connect {name} --kind mcp`")

    async def nobody() -> list[Connection]:
        return [connection]

    settings = system.settings
    board = open_switchboard(
        settings.home, connections=nobody, secrets=settings.connection_secrets, attempts=system.memory.attempts
    )
    try:
        offered = board.opened(connection).offered
        if offered is None:
            raise InvalidInput(f"{name} is a {connection.kind} and has no tools", hint="tools are those of the kind mcp")
        return await offered()
    finally:
        await board.close()


async def _map(system: System, key: str, terms: ToolTerms, why: str) -> dict[str, Any]:
    """What the operator maps, the operator has ratified."""
    version = await _change(system, {**await _in_force(system), key: terms}, why or f"map {key}")
    said = f"{key} may be proposed as {terms.risk.name}, {terms.reversibility}: you are asked about every call"
    return {"tool": key, "terms": terms, "version": version, "said": said}


async def _unmap(system: System, name: str, tool: str, why: str) -> dict[str, Any]:
    key, known = f"{name}/{tool}", await _in_force(system)
    if key not in known:
        raise NotFound(f"{key} is not mapped", hint=f"`./steward tools {name}` shows what is")
    version = await _change(system, {k: terms for k, terms in known.items() if k != key}, why or f"unmap {key}")
    return {"tool": key, "terms": None, "version": version, "said": f"{key} is not called any more; what waits for you is refused"}


async def _change(system: System, mapped: dict[str, ToolTerms], why: str) -> int:
    document = ToolsPolicy(tools=mapped).model_dump(mode="json")
    return (await activate(system, _POLICY, await record_of(system, _POLICY), document, why)).version


async def _in_force(system: System) -> dict[str, ToolTerms]:
    return (await system.memory.policies.in_force(ToolsPolicy)).document.tools


async def _list(system: System, name: str, offered: Sequence[OfferedTool], find: str) -> dict[str, Any]:
    """What is mapped and not offered any more is shown too."""
    mapped = {key.partition("/")[2]: terms for key, terms in (await _in_force(system)).items() if key.startswith(f"{name}/")}
    rows = [_row(tool, mapped.get(tool.name)) for tool in offered]
    there = {tool.name for tool in offered}
    rows += [_row(OfferedTool(name=gone), terms, state="gone") for gone, terms in mapped.items() if gone not in there]
    wanted = [r for r in rows if find.lower() in f"{r['tool']} {r['title']} {r['description']}".lower()]
    return {"name": name, "tools": sorted(wanted, key=lambda r: not r["state"])}


def _row(tool: OfferedTool, terms: ToolTerms | None, *, state: str = "") -> dict[str, Any]:
    if terms is not None and not state:
        state = "mapped" if terms.digest == tool.digest else "changed since it was mapped"
    return {
        "tool": tool.name,
        "state": state,
        "risk": terms.risk.name if terms else "",
        "reversibility": terms.reversibility.value if terms else "",
        "arguments": list(tool.arguments),
        "title": tool.title,
        "description": tool.description,
        "digest": tool.digest,
        "terms": terms,
    }


def _tell(name: str, rows: Sequence[dict[str, Any]]) -> None:
    table = [(r["tool"], r["state"] or "not mapped", r["risk"], ", ".join(r["arguments"])[:80], _short(r)) for r in rows[:_SHOWN]]
    columns = ("tool", "state", "risk", "takes", "says of itself")
    print_table(f"Tools of {name}", columns, table, empty="none")
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN:,} more; --find narrows them down")
    say(f"\n./steward tools {name} map TOOL --risk R1    unmap TOOL")


def _short(row: dict[str, Any]) -> str:
    text = " ".join((row["title"] or row["description"]).split())
    return text if len(text) <= 100 else text[:99] + "…"
