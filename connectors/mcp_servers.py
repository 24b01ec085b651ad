"""Which MCP server a connection means, and how much of it is listened to."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from domain.errors import InvalidInput, Permanent

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class ToolLimits:
    """``listing_seconds`` bound the greeting and the list, ``calling_seconds`` one call; ``max_bytes`` one answer over HTTP."""

    listing_seconds: float = 20.0
    calling_seconds: float = 30.0
    max_bytes: int = 10 * 1024 * 1024
    tools: int = 20_000


@dataclass(frozen=True, kw_only=True)
class RemoteServer:
    url: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class LocalServer:
    """A program that the operator named. It sees of the environment what the SDK passes on, and ``env``."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


def server_of(name: str, settings: Mapping[str, str], token: str) -> RemoteServer | LocalServer:
    """Raises Permanent where the settings name no server, or two, or would send the token in the clear."""
    url, command, variable = settings["url"], settings["command"], settings["token_variable"]
    if bool(url) == bool(command):
        raise Permanent(f"{name} needs an address or a command, and not both", hint="--set url=... or --set command=...")
    if url:
        if token and urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK:
            raise Permanent(f"{name} would send the token unprotected", hint="--set url=https://...")
        return RemoteServer(url=url, token=token)
    if token and not variable:
        raise Permanent(f"{name} needs to know where its command looks for the token", hint="--set token_variable=API_TOKEN")
    words = shlex.split(command)
    return LocalServer(command=words[0], args=tuple(words[1:]), env={variable: token} if token else {})


def command_line(value: str) -> str:
    """A program with its arguments, quoted as in a shell, or nothing. No shell ever sees it. Raises InvalidInput."""
    try:
        words = shlex.split(value)
    except ValueError:
        raise InvalidInput("the command has a quote that is not closed", hint="such as: uvx some-server --read-only") from None
    return shlex.join(words)


def variable_name(value: str) -> str:
    """The name of an environment variable, or nothing. Raises InvalidInput."""
    name = value.strip()
    if name and not (name.isascii() and name.isidentifier()):
        raise InvalidInput(f"{name[:40]!r} is no name of a variable", hint="such as API_TOKEN")
    return name
