"""What connecting a system takes: its settings and secrets from the operator, a first call, and what that says."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer
from pydantic import SecretStr

from cli.context import System
from connectors.kinds import Kind, Opening, Setting
from connectors.registry import KINDS
from connectors.vault import Vault, checked_name
from domain.actions import Capability
from domain.connections import SHARED, Connection, ConnectionMode, serving
from domain.effects import UNDER_WAY
from domain.errors import InvalidInput, NotFound, Refused, Retryable

_AGAIN = "it is tried again by itself"
"""What connectors say of systems that are connected."""
_CHECK_ADDRESS = "check its address, its port, and whether it is http or https, then connect it again"
_CHECK_COMMAND = "run its command in a shell: it must start, go on running, and speak MCP; then connect it again"


@dataclass(frozen=True)
class Wish:
    """What the command line asked for. ``typed`` are settings by name, ``secrets`` those that came by standard input."""

    name: str
    kind: str
    typed: Mapping[str, str]
    secrets: Mapping[str, str]
    serves: Sequence[Capability] | None
    every: int | None
    may_ask: bool


def kind_of(wish: Wish, known: Connection | None) -> Kind:
    """Raises NotFound for a kind nobody knows, InvalidInput for another kind than the connection has."""
    named = wish.kind or (known.kind if known else wish.name)
    if known is not None and named != known.kind:
        raise InvalidInput(f"{known.name} is a {known.kind}, not a {named}", hint="give the new one another name")
    if named not in KINDS:
        raise NotFound(f"there is no kind of connection {named!r}", hint=f"--kind is one of {', '.join(sorted(KINDS))}")
    return KINDS[named]


def described(
    wish: Wish, kind: Kind, known: Connection | None, everybody: Sequence[Connection]
) -> tuple[Connection, dict[str, str]]:
    """The connection as it will be, and its secrets as they were given now. Raises InvalidInput and Refused."""
    checked_name(wish.name)
    if shown := sorted(s.name for s in kind.settings if s.secret and s.name in wish.typed):
        raise InvalidInput(
            f"{shown[0]} is a secret, and others can see a command line", hint="let it be asked, or --secrets-from -"
        )
    before = dict(known.settings) if known else {}
    given = kind.checked({s.name: _answer(s, wish, before) for s in kind.settings} | _unknown(wish, kind))
    secret = {s.name for s in kind.settings if s.secret}
    connection = Connection(
        name=wish.name,
        kind=kind.name,
        mode=known.mode if known else ConnectionMode.DRY_RUN,
        settings={name: value for name, value in given.items() if name not in secret},
        serves=_serves(wish, kind, known, everybody),
        poll_seconds=wish.every or (known.poll_seconds if known else 60),
    )
    return connection, {name: value for name, value in given.items() if name in secret}


def _answer(setting: Setting, wish: Wish, before: Mapping[str, str]) -> str:
    if setting.secret:
        given = wish.secrets.get(setting.name, "")
        return given or (_asked_secretly(setting, keep=bool(before)) if wish.may_ask else "")
    if setting.name in wish.typed:
        return wish.typed[setting.name]
    default = before.get(setting.name, setting.default)
    return str(typer.prompt(setting.ask, default=default, show_default=bool(default))) if wish.may_ask else default or ""


def _asked_secretly(setting: Setting, *, keep: bool) -> str:
    ask = f"{setting.ask} (leave it empty to keep it)" if keep else setting.ask
    return str(typer.prompt(ask, hide_input=True, default="" if keep else setting.default, show_default=False))


def _unknown(wish: Wish, kind: Kind) -> dict[str, str]:
    names = {s.name for s in kind.settings}
    return {name: value for name, value in (*wish.typed.items(), *wish.secrets.items()) if name not in names}


def _serves(wish: Wish, kind: Kind, known: Connection | None, everybody: Sequence[Connection]) -> tuple[Capability, ...]:
    """What was said, else what it served before, else everything it can that no other connection does."""
    others = [c for c in everybody if c.name != wish.name]
    if wish.serves is None:
        return known.serves if known else tuple(c for c in kind.does if c in SHARED or serving(others, c) is None)
    for capability in wish.serves:
        if capability not in kind.does:
            raise InvalidInput(
                f"a {kind.name} cannot do what {capability} needs", hint=f"it can {', '.join(kind.does) or 'only read'}"
            )
        other = serving(others, capability)
        if other is not None and capability not in SHARED:
            raise Refused(
                f"{other.name} serves {capability}", hint=f"`./steward connect {other.name} --serves ...` without it first"
            )
    return tuple(wish.serves)


async def refuse_while_under_way(system: System, name: str, capabilities: Sequence[Capability]) -> None:
    """Where an effect may have happened, only the system it went to can tell: it must not be exchanged for another now.

    ``name`` is the connection that comes or goes; what names another one is none of its business.
    """
    for status in UNDER_WAY:
        for effect in await system.memory.ledger.effects(status=status):
            if effect.action.spec.capability in capabilities and effect.action.through in ("", name):
                hint = f"`./steward show {effect.run_id}` says more; try again when it is settled"
                raise Refused(f"an effect is still on its way: {effect.action.kind}", hint=hint)


async def first_call(system: System, connection: Connection, kind: Kind, secrets: Mapping[str, str], *, vault: Vault) -> str:
    """Open the system with what was given and ask how it is; nothing is stored. Raises what the connector raises."""
    kept = vault.secrets(connection.name, {s.name: secrets.get(s.name, s.default) for s in kind.settings if s.secret})
    given = {**kept, **{name: SecretStr(value) for name, value in secrets.items()}}
    opening = Opening(
        name=connection.name,
        settings=connection.settings,
        secrets=given,
        folder=system.settings.home / "connections" / connection.name,
        attempts=system.memory.attempts,
    )
    opened = kind.open(opening)
    try:
        return await opened.check()
    except Retryable as error:
        raise _not_connected(error, connection) from error
    finally:
        await opened.close()


def _not_connected(error: Retryable, connection: Connection) -> Retryable:
    """In a first call nobody tries again: the operator has to know what to look at."""
    if error.hint != _AGAIN:
        return error
    check = _CHECK_COMMAND if connection.settings.get("command") else _CHECK_ADDRESS
    return Retryable(error.message, hint=f"nothing was saved; {check}")


def typed(settings: Sequence[str]) -> dict[str, str]:
    """``--set NAME=VALUE``. Raises InvalidInput."""
    pairs = [setting.partition("=") for setting in settings]
    if wrong := next((whole for (_, equals, _), whole in zip(pairs, settings, strict=True) if not equals), None):
        raise InvalidInput(f"{wrong!r} is not NAME=VALUE", hint="for example --set host=mail.example.org")
    return {name.strip(): value.strip() for name, _, value in pairs}


def secrets_from(where: str) -> dict[str, str]:
    """A JSON object of secrets from standard input. Raises InvalidInput, without repeating any of it."""
    if not where:
        return {}
    if where != "-":
        raise InvalidInput("secrets are read from standard input only", hint="--secrets-from - < a file that only you can read")
    try:
        found = json.load(sys.stdin)
    except ValueError:
        raise InvalidInput("standard input is not JSON", hint='an object such as {"password": "..."}') from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidInput("the secrets are not an object of texts", hint='such as {"password": "..."}')
    return found
