"""The programs that come with a token: who one is, and what it may do. A cookie is worth nothing here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from starlette.requests import Request

from console.house import House
from domain.access import CLI_TOKEN, ApiToken, Scope
from domain.approvals import Via
from domain.errors import AccessDenied
from domain.event import EventData, new_event
from domain.policies import OPERATOR

_SCHEME = "bearer "


class NotKnown(AccessDenied):
    """No token, or none that is good."""

    def __init__(self) -> None:
        super().__init__("this needs a token that is good", hint="`steward token issue NAME --scope read`; see docs/api.md")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A program at one of the doors. It acts in the name of the operator, who issued its token.

    ``still`` raises AccessDenied where the token is not good any more: one that stays for long is asked again.
    """

    house: House
    name: str
    scopes: frozenset[Scope]
    via: Via
    still: Callable[[], Awaitable[None]] | None = None

    @property
    def now(self) -> datetime:
        return self.house.clock()

    def need(self, scope: Scope) -> None:
        """Raises AccessDenied where the token was not issued for this."""
        if scope not in self.scopes:
            raise AccessDenied(f"{self.name} may not {scope} here", hint=f"issue a token with --scope {scope}")

    async def may_decide(self) -> None:
        """Raises AccessDenied where it may not, or may not any more."""
        self.need(Scope.DECIDE)
        if self.still:
            await self.still()

    async def record(self, *events: EventData, expected: dict[str, int] | None = None) -> None:
        """Append what the operator has this program do; the source says which program it was. Raises VersionConflict."""
        occurrence, source = str(uuid4()), f"{self.via}/{self.name}"
        named = [
            new_event(data, at=self.now, key=(occurrence, str(n)), actor=OPERATOR, source=source) for n, data in enumerate(events)
        ]
        await self.house.memory.log.append(named, expected=expected)


async def caller_of(house: House, request: Request, via: Via) -> Caller:
    """Raises NotKnown."""
    header = request.headers.get("authorization", "")
    token = await house.doorkeeper.token_of(header[len(_SCHEME) :].strip()) if header.lower().startswith(_SCHEME) else None
    if token is None:
        raise NotKnown
    return caller(house, token, via)


def caller(house: House, token: ApiToken, via: Via) -> Caller:
    """The command line of this machine keeps its own name for the door, whichever way it takes."""
    own = Via.CLI if token.name == CLI_TOKEN else via
    return Caller(house=house, name=token.name, scopes=frozenset(token.scopes), via=own)
