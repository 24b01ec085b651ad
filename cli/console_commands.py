"""``steward console`` and ``steward token``: the way into the console, for the operator and for programs."""

import sys
import webbrowser
from getpass import getpass
from typing import Annotated

import typer

from cli.context import System, now, with_system
from cli.entrance import Entrance, directions, entrance
from cli.output import AsJson, give_up, print_json, print_table, say
from cli.times import Times, operators_times
from domain.access import ApiToken, Ousted, Scope, usable
from domain.errors import InvalidInput, SetupError, StewardError
from domain.wording import counted
from memory.keyring import MOST_DAYS, Keyring

token_app = typer.Typer(help="What programs may do here: issue a token, list them, revoke one.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command()(console)
    app.add_typer(token_app, name="token")


def console(
    *,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    set_password: Annotated[bool, typer.Option("--set-password", help="Set a new password; sessions and passkeys end.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="With --set-password: read it from the first line of the input.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say where the console is and how to get in, or set its password."""
    if stdin and not set_password:
        raise typer.BadParameter("--stdin goes with --set-password")
    if set_password:
        _set_password(stdin=stdin, as_json=as_json)
        return
    found = with_system(_running_console, as_json=as_json)
    if as_json:
        print_json({"url": found.url, "setup_code": found.setup_code})
    for line in () if as_json else directions(found):
        say(line)
    if open_it and found.url:
        webbrowser.open(found.url)


@token_app.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="What you will know it by.")],
    *,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it again for more.")],
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How long it is good for.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program. It is shown this once."""

    async def work(system: System) -> str:
        return await _keyring(system).issue(name, scope, days)

    secret = with_system(work, as_json=as_json)
    if as_json:
        print_json({"name": name, "token": secret})
    else:
        say(secret)
        say(f"This is {name}, good for {counted(days, 'day')}. Keep it now: it is not shown again.")


@token_app.command("list")
def list_tokens(*, as_json: AsJson = False) -> None:
    """Every token there ever was, and whether it is still good."""

    async def work(system: System) -> tuple[list[ApiToken], Times]:
        return await _keyring(system).tokens(), await operators_times(system.memory.policies)

    found, times = with_system(work, as_json=as_json)
    if as_json:
        print_json([token.model_dump(mode="json", exclude={"token_hash"}) for token in found])
        return
    rows = [(t.name, ", ".join(t.scopes), _standing(t, times), times.clock(t.used_at) if t.used_at else "never") for t in found]
    print_table("Tokens", ("name", "may", "is", "last used"), rows, empty="none was issued")


@token_app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="Its name, as `token list` shows it.")], *, as_json: AsJson = False) -> None:
    """Take a token back at once."""

    async def work(system: System) -> None:
        await _keyring(system).revoke(name)

    with_system(work, as_json=as_json)
    if as_json:
        print_json({"revoked": name})
    else:
        say(f"{name} lets nobody in any more.")


async def _running_console(system: System) -> Entrance:
    found = await entrance(system)
    if found.url is None:
        raise SetupError("the console does not run", hint="`./steward up` starts it; `./steward status` says how the parts are")
    return found


def _set_password(*, stdin: bool, as_json: bool) -> None:
    async def running(_system: System) -> None:
        """Nobody is asked for a password that cannot be set."""

    async def work(system: System) -> tuple[Ousted, list[str]]:
        ousted = await _keyring(system).reset_password(password)
        return ousted, [token.name for token in await system.memory.tokens.all() if usable(token, now())]

    with_system(running, as_json=as_json)
    try:
        password = _asked_password(stdin=stdin)  # outside the event loop, which would swallow Ctrl-C
    except StewardError as error:
        give_up(error, as_json=as_json)
    ousted, tokens = with_system(work, as_json=as_json)
    if as_json:
        counts = {"sessions_closed": ousted.sessions, "passkeys_removed": ousted.passkeys}
        print_json({"password": "set", **counts, "tokens_standing": tokens})
        return
    closed = f" Closed sessions: {ousted.sessions}." if ousted.sessions else ""
    removed = f" Removed passkeys: {ousted.passkeys}." if ousted.passkeys else ""
    say(f"The password is set.{closed}{removed}")
    if tokens:
        say(f"Tokens still let programs in: {', '.join(tokens)}. `./steward console token revoke NAME` ends one.")


def _asked_password(*, stdin: bool) -> str:
    """Without the end of its line; a terminal does not show it."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput("nobody can be asked for a password here", hint="give it as a line of the input, with --stdin")
    first, second = getpass("New password: "), getpass("Once more: ")
    if first != second:
        raise InvalidInput("the two are not the same", hint="nothing is changed; try again")
    return first


def _keyring(system: System) -> Keyring:
    kept = system.memory
    return Keyring(credentials=kept.credentials, tokens=kept.tokens, log=kept.log, clock=now)


def _standing(token: ApiToken, times: Times) -> str:
    if token.revoked_at:
        return f"revoked since {times.clock(token.revoked_at)}"
    if not usable(token, now()):
        return "expired"
    return f"good until {times.day(token.expires_at)}" if token.expires_at else "good"
