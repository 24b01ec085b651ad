"""Where connected systems call us: ``POST /hooks/<connection>``. No session, no cookie: the call's own signature counts.

Some systems ask first whether anybody is here: that is answered with 200, and nothing comes of it.
A call is taken when it is stored; only then it is answered with 202, and its connection is read at once. Whoever gets another
answer keeps the call and sends it again. Nothing of a call's content is ever repeated in a log.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from temporalio.service import RPCError

from activities.intake import Intake
from connectors.vault import checked_name
from console.guard import HOOKS
from console.house import House
from console.turnstile import Turnstile
from domain.connections import Record, Webhook
from domain.errors import EffectError, InvalidInput, NotFound, NotSigned
from domain.ports import Source

router = APIRouter()
_BURST, _PER_SECOND = 240, 20.0  # of one sender; a shop that is edited in bulk calls for every article
_READ_WITHIN = 10.0  # seconds for a body to arrive
_STORE_WITHIN = 8.0  # seconds; senders give up after ten or so
_WAKE_WITHIN = 10.0
_log = structlog.get_logger(__name__)


@router.post(HOOKS + "{connection}")
async def take(request: Request, connection: str) -> Response:
    """See the module."""
    hooks: Hooks = request.app.state.hooks
    return await hooks.take(request, connection)


class Hooks:
    """Checks calls, keeps them and has them read."""

    def __init__(self, house: House) -> None:
        kept = house.memory
        self._house = house
        self._intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
        self._turnstile = Turnstile(burst=_BURST, per_second=_PER_SECOND)
        self._wakes = Wakes(house.gateway.look)

    async def take(self, request: Request, connection: str) -> Response:
        now = self._house.clock()
        if not self._turnstile.passes(request.client.host if request.client else "", now=now):
            return _answer(429, "too many calls", wait=5)
        try:
            async with asyncio.timeout(_READ_WITHIN):
                body = await request.body()
            call = Webhook(headers={name.lower(): value for name, value in request.headers.items()}, body=body, at=now)
            async with asyncio.timeout(_STORE_WITHIN):
                source = await self._source(connection)
                if source.greets(call):
                    return _answer(200, "here")
                await self._intake.accept(connection, _verified(source, call), now=call.at)
        except (NotFound, NotSigned, InvalidInput, EffectError, TimeoutError, ClientDisconnect) as error:
            return _refused(connection, error)
        return _answer(202, "taken", then=BackgroundTask(self._wakes.wake, connection))

    async def _source(self, connection: str) -> Source:
        try:
            source = await self._house.sources.source(checked_name(connection))
        except InvalidInput:
            source = None
        if source is None:
            raise NotFound("nobody is called here")
        return source


class Wakes:
    """Has connections read. Many calls at once become few: one that comes while a wake is on its way asks for one more."""

    def __init__(self, look: Callable[[str], Awaitable[None]]) -> None:
        self._look = look
        self._under_way: set[str] = set()
        self._again: set[str] = set()

    async def wake(self, connection: str) -> None:
        """What came in is stored: where nobody can be woken, the next reading finds it."""
        self._again.add(connection)
        if connection in self._under_way:
            return
        self._under_way.add(connection)
        try:
            while connection in self._again:
                self._again.discard(connection)
                async with asyncio.timeout(_WAKE_WITHIN):
                    await self._look(connection)
        except (RPCError, RuntimeError, TimeoutError) as error:
            _log.warning("a connection could not be woken", connection=connection, kind=type(error).__name__)
        finally:
            self._under_way.discard(connection)


def _verified(source: Source, call: Webhook) -> tuple[Record, ...]:
    """What a stranger sent must not break more than its own call."""
    try:
        return source.verify_webhook(call)
    except (InvalidInput, NotFound, EffectError):
        raise
    except Exception as error:  # noqa: BLE001 - as it says
        _log.error("a call broke its reader", connection=source.name, kind=type(error).__name__)
        raise InvalidInput("this makes no sense") from None


def _refused(connection: str, error: Exception) -> Response:
    """Three kinds of no: not to you (401, 404), not like this (400), not now (503). Senders keep what was refused."""
    if not isinstance(error, NotFound):
        _log.warning("a call was not taken", connection=connection, kind=type(error).__name__)
    match error:
        case NotFound():
            return _answer(404, "nobody is called here")
        case NotSigned():
            return _answer(401, "not signed, or not now")
        case InvalidInput():
            return _answer(400, error.message)
        case ClientDisconnect():
            return _answer(400, "the call broke off")
    return _answer(503, "not now: send it again", wait=30)


def _answer(status: int, text: str, *, wait: int | None = None, then: BackgroundTask | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={"retry-after": str(wait)} if wait else None, background=then)
