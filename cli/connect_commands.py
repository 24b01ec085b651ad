"""``steward connect | connectors``: the systems you have already, and how they are doing."""

import sys
from typing import Annotated, Any

import typer

from cli.connecting import Wish, described, first_call, kind_of, refuse_while_under_way, secrets_from, typed
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from connectors import open_switchboard
from connectors.kinds import Kind
from connectors.registry import KINDS
from connectors.vault import Vault
from domain.actions import Capability
from domain.connections import CONNECTING, MEANS, Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet, StreamProgress
from domain.errors import InvalidInput, NotFound, StewardError
from domain.wording import counted


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command()(connect)
    app.command()(connectors)


def connect(
    name: Annotated[str, typer.Argument(help="What you call it; also its kind, unless --kind says another.", show_default=False)],
    *,
    kind: Annotated[str, typer.Option(help="The kind of system; `./steward connectors` lists them.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting; what is not given is asked.")
    ] = None,
    secrets: Annotated[str, typer.Option("--secrets-from", metavar="-", help="Read secrets as JSON from standard input.")] = "",
    serves: Annotated[list[Capability] | None, typer.Option(help="What goes through it; else all it can.")] = None,
    every: Annotated[int | None, typer.Option(min=1, max=86_400, help="Seconds between two readings.")] = None,
    mode: Annotated[ConnectionMode | None, typer.Option(help="Switch a connected system.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Disconnect it: off, serving nothing, its secrets removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect a system: asks what it needs, tries it, and turns it on in dry-run. Switch it with --mode when you trust it."""
    only_mode = mode is not None and not (kind or settings or secrets or serves or every)

    async def work(system: System) -> dict[str, Any]:
        known = await system.memory.state.get(Connection, name)
        if forget:
            return await _forget(system, known, name)
        if only_mode and mode is not None:
            return await _switch(system, known, name, mode)
        if mode is not None and (known is None or mode is not known.mode):
            raise InvalidInput("a system is connected first and switched then", hint=f"without --mode; then --mode {mode}")
        may_ask = sys.stdin.isatty() and not as_json
        wish = Wish(name, kind, typed(settings or []), secrets_from(secrets), serves or None, every, may_ask)
        return await _connect(system, wish, known)

    told = with_system(work, as_json=as_json)
    if as_json:
        print_json(told)
    else:
        _tell(told)


async def _connect(system: System, wish: Wish, known: Connection | None) -> dict[str, Any]:
    kind = kind_of(wish, known)
    everybody = await system.memory.state.find(Connection)
    connection, given = described(wish, kind, known, everybody)
    moved = set(connection.serves) ^ set(known.serves if known else ())
    await refuse_while_under_way(system, wish.name, tuple(moved))
    vault = Vault(system.settings.home, system.settings.connection_secrets)
    said = await first_call(system, connection, kind, given, vault=vault)
    vault.keep(connection.name, given)
    await record(system, ConnectionDescribed(connection=connection, by=OPERATOR), at=now())
    return _told(connection, kind, said, at=system.endpoints.console_url or "")


async def _switch(system: System, known: Connection | None, name: str, mode: ConnectionMode) -> dict[str, Any]:
    known = _connected(known, name)
    await record(system, ConnectionModeSet(name=name, mode=mode, by=OPERATOR), at=now())
    return _told(known.model_copy(update={"mode": mode}), KINDS[known.kind], "", at=system.endpoints.console_url or "")


async def _forget(system: System, known: Connection | None, name: str) -> dict[str, Any]:
    """Its settings stay in the log, as everything does; what was read stays read."""
    known = _connected(known, name)
    await refuse_while_under_way(system, name, known.serves)
    gone = known.model_copy(update={"mode": ConnectionMode.OFF, "serves": ()})
    await record(system, ConnectionDescribed(connection=gone, by=OPERATOR), at=now())
    Vault(system.settings.home, {}).forget(name)
    return _told(gone, KINDS[known.kind], "")


def _connected(known: Connection | None, name: str) -> Connection:
    if known is None:
        raise NotFound(f"nothing is connected as {name!r}", hint=f"`./steward connect {name}` connects it")
    return known


def _told(connection: Connection, kind: Kind, said: str, *, at: str = "") -> dict[str, Any]:
    """``at`` is where the console is: systems that call us call there."""
    return {
        "name": connection.name,
        "kind": kind.name,
        "mode": connection.mode.value,
        "check": said,
        "called_at": f"{at}/hooks/{connection.name}" if kind.called and at else "",
        "reads": dict(kind.reads),
        "does": {c.value: kind.does[c] for c in connection.serves if c in kind.does},
        "measures": kind.measures,
    }


def _tell(told: dict[str, Any]) -> None:
    if told["check"]:
        say(f"{told['name']}: {told['check']}")
    rows = [("reads", stream, words) for stream, words in told["reads"].items()]
    rows += [("does", capability, words) for capability, words in told["does"].items()]
    rows += [("measures", "pages", told["measures"])] if told["measures"] else []
    print_table(f"{told['name']} ({told['kind']})", ("", "what", "means"), rows)
    if told["called_at"]:
        say(f"Enter at the sender: {told['called_at']} (from outside by your tunnel or proxy: docs/kinds.md)")
    say(f"Mode {told['mode']}: {MEANS[ConnectionMode(told['mode'])]}.")
    if told["mode"] == ConnectionMode.DRY_RUN:
        say(f"When you trust it: `./steward connect {told['name']} --mode live`")


def connectors(
    *,
    check: Annotated[bool, typer.Option("--check", help="Call each system now and say what it answers.")] = False,
    as_json: AsJson = False,
) -> None:
    """The connected systems with their health, and the kinds that can be connected."""

    async def work(system: System) -> list[dict[str, Any]]:
        return [await _health(system, c, check=check) for c in await system.memory.state.find(Connection)]

    found = with_system(work, as_json=as_json)
    if as_json:
        print_json({"connections": found, "kinds": {name: kind.title for name, kind in sorted(KINDS.items())}})
        return
    rows = [(c["name"], c["kind"], c["mode"], ", ".join(c["serves"]), _read(c), _trouble(c)) for c in found]
    print_table("Connected", ("name", "kind", "mode", "serves", "read", "trouble"), rows, empty="nothing yet")
    for connection in found:
        if connection["check"]:
            say(f"{connection['name']}: {connection['check']}")
    print_table("Can be connected", ("kind", "what it is"), [(name, kind.title) for name, kind in sorted(KINDS.items())])


async def _health(system: System, connection: Connection, *, check: bool) -> dict[str, Any]:
    streams = await system.memory.cursors.streams(connection.name)
    return {
        "name": connection.name,
        "kind": connection.kind,
        "mode": connection.mode.value,
        "serves": [c.value for c in connection.serves],
        "check": await _checked(system, connection) if check else "",
        "streams": [_progress(s) for s in streams if s.stream != CONNECTING or s.failures],
    }


async def _checked(system: System, connection: Connection) -> str:
    async def nobody() -> list[Connection]:
        return [connection]

    settings = system.settings
    board = open_switchboard(
        settings.home, connections=nobody, secrets=settings.connection_secrets, attempts=system.memory.attempts
    )
    try:
        return await board.opened(connection).check()
    except StewardError as error:
        return f"does not work: {error}"
    finally:
        await board.close()


def _progress(progress: StreamProgress) -> dict[str, Any]:
    age = (now() - progress.read_at).total_seconds() if progress.read_at else None
    return {
        "stream": progress.stream,
        "last_success": progress.read_at.isoformat() if progress.read_at else "",
        "cursor_age_seconds": None if age is None else round(age),
        "failures": progress.failures,
        "error": progress.error,
    }


def _read(connection: dict[str, Any]) -> str:
    read = [s for s in connection["streams"] if s["last_success"]]
    return ", ".join(f"{s['stream']} {s['cursor_age_seconds']} s ago" for s in read) or "never"


def _trouble(connection: dict[str, Any]) -> str:
    return "; ".join(f"{s['error']} ({counted(s['failures'], 'time')})" for s in connection["streams"] if s["failures"])
