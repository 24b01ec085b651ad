"""How often somebody may try to come in, whichever way: see ``access.attempt`` for the rule."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from domain.access import EVERYBODY, LoginAttempt, LoginRefused, LoginWay, client_key, network
from domain.errors import TooManyTries
from domain.ports import Credentials
from memory.keyring import access_event
from memory.timeline import Timeline


class Throttle:
    """``client`` is always the address a request came from. A try counts before it is looked at."""

    def __init__(self, *, credentials: Credentials, log: Timeline, clock: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._log = log
        self._clock = clock

    async def admit(self, client: str, *also: str) -> LoginAttempt:
        """Count it under the client's key and then ``also`` under these; the wait of the last one that begins one is its own.

        Raises TooManyTries.
        """
        attempts: list[LoginAttempt] = []
        for key in (client_key(client), *also):
            tried = await self._credentials.attempt(key, now=self._clock())
            if not tried.admitted and tried.until is not None:
                raise TooManyTries("too many tries", until=tried.until, hint=_wait(tried.until - self._clock()))
            attempts.append(tried)
        until = max((tried.until for tried in attempts if tried.until), default=None)
        return attempts[0].model_copy(update={"until": until})

    async def forgive(self, client: str) -> None:
        for key in (client_key(client), EVERYBODY):
            await self._credentials.forgive(key)

    async def refused(self, tried: LoginAttempt, client: str, way: LoginWay) -> None:
        """Tell the log where a wait begins with this failure."""
        if tried.until is not None:
            told = LoginRefused(network=network(client), refused=tried.failures, until=tried.until, way=way, at=self._clock())
            await self._log.append([access_event(told)])


def _wait(span: timedelta) -> str:
    """How long: whoever is not in yet has no zone."""
    minutes, seconds = divmod(max(ceil(span.total_seconds()), 0), 60)
    return f"the next one counts in {minutes} min {seconds} s" if minutes else f"the next one counts in {seconds} s"
