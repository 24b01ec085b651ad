"""The MCP server over standard input and output: ``python -m console.stdio SCOPE ...`` serves it until the input ends.

Who may start it is at the machine, so that reading and proposing need no token. Deciding does, the operator's own
(``STEWARD_TOKEN``): an agent that can start programs is not yet the operator.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial

import structlog

from console.__main__ import opened
from console.callers import Caller
from console.house import House
from console.mcp_server import create_mcp
from domain.access import Scope
from domain.approvals import Via
from domain.errors import AccessDenied, StewardError
from settings import Settings

_NAME = "mcp"


async def serve(settings: Settings, scopes: Sequence[Scope]) -> None:
    async with opened(settings) as house:
        caller = caller_of(house, settings, scopes)
        if Scope.DECIDE in scopes:
            await caller.may_decide()
        await create_mcp(lambda _ctx: caller, scopes=scopes).run_stdio_async()


def caller_of(house: House, settings: Settings, scopes: Sequence[Scope]) -> Caller:
    """The token is looked at with every decision: one that is revoked meanwhile decides nothing more."""
    still = partial(_require_token, house, settings)
    return Caller(house=house, name=_NAME, scopes=frozenset(scopes), via=Via.MCP, still=still)


async def _require_token(house: House, settings: Settings) -> None:
    """Raises AccessDenied."""
    token = await house.doorkeeper.token_of(settings.token.get_secret_value()) if settings.token else None
    if token is None or Scope.DECIDE not in token.scopes:
        hint = "`./steward token issue NAME --scope decide` makes one; give it as STEWARD_TOKEN"
        raise AccessDenied("deciding needs a token of the operator's that allows it", hint=hint)


def main(words: Sequence[str]) -> int:
    structlog.configure(  # the output belongs to the protocol
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(serve(Settings.load(), [Scope(word) for word in words]))
    except StewardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
