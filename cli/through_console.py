"""Decisions of the command line: through the API of the console where it runs, else straight to the one door.

Either way it is the same door, the same record and the same answer. A decision that may or may not have arrived is sent
again the other way: its id makes it count once.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

import stack
from cli.own_token import own_token, renewed_token
from cli.steering import Steering
from domain.errors import (
    DecisionRefused,
    InvalidFields,
    InvalidInput,
    NotFound,
    Overtaken,
    Refused,
    Retryable,
    Stale,
    StewardError,
)
from workflows.deciding import Decided, DecisionRequest

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATIENCE = 30.0  # seconds; longer than the console waits for a worker
_KINDS = {kind.__name__: kind for kind in (DecisionRefused, InvalidInput, NotFound, Refused, Retryable, Stale)}


class Decides(Protocol):
    async def decide(self, request: DecisionRequest) -> Decided: ...


class NoAnswer(Exception):
    """The console does not answer, or not as the console does."""


class ConsoleDoor:
    """``token`` gives the token to come with, ``renew`` another one where that is not good any more."""

    def __init__(
        self, *, client: httpx.AsyncClient, token: Callable[[], Awaitable[str]], renew: Callable[[], Awaitable[str]]
    ) -> None:
        self._client = client
        self._token = token
        self._renew = renew

    async def decide(self, request: DecisionRequest) -> Decided:
        """Raises what the one door raises, and NoAnswer."""
        answer = await self._send(request, await self._token())
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = await self._send(request, await self._renew())
        try:
            if answer.is_success:
                return Decided.model_validate_json(answer.content)
            raise _error(answer.json())
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise NoAnswer from error

    async def _send(self, request: DecisionRequest, token: str) -> httpx.Response:
        body = request.model_dump(mode="json", exclude={"approval_id", "by", "via", "edited"})
        try:
            return await self._client.post(
                f"/api/v1/inbox/{quote(request.approval_id, safe='')}/decisions",
                json={**body, "action": request.edited},
                headers={"authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            raise NoAnswer from error


async def decide(steering: Steering, request: DecisionRequest) -> Decided:
    """Decide through the console of this machine where there is one, else directly."""
    url = _console_of(steering)
    if url is None:
        return await steering.decider.decide(request)
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False) as client:
        door = ConsoleDoor(client=client, token=lambda: own_token(steering), renew=lambda: renewed_token(steering))
        return await through(door, request, otherwise=steering.decider)


async def through(door: Decides, request: DecisionRequest, *, otherwise: Decides) -> Decided:
    """Through ``door``; through the other one where it does not answer."""
    try:
        return await door.decide(request)
    except NoAnswer:
        return await otherwise.decide(request)


def _console_of(steering: Steering) -> str | None:
    """Only one that runs, and here: the token is for nobody else."""
    url = steering.endpoints.console_url
    if url is None or urlsplit(url).hostname not in _LOOPBACK:
        return None
    return url if stack.status(steering.settings).part("console").state == "running" else None


def _error(problem: dict[str, object]) -> StewardError:
    """The error that the problem tells of. Raises KeyError for one that is none of the door's."""
    match problem:
        case {"kind": "Overtaken", "moved": list(moved), "asked_anew": str(anew)}:
            return Overtaken(moved=[str(line) for line in moved], asked_anew=anew)
        case {"kind": "InvalidFields", "problems": dict(problems)} if problems:
            return InvalidFields("the edited action", {str(name): str(text) for name, text in problems.items()})
    return _KINDS[str(problem["kind"])](str(problem["detail"]), hint=str(problem.get("hint", "")))
