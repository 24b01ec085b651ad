"""A door with a clock of its own, a cheap hash and nothing behind it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher

from console.doorkeeper import Doorkeeper
from console.entered import Entered
from domain.access import Session
from domain.errors import AccessDenied
from domain.event import NewEvent
from memory import Memory, in_memory
from memory.passwords import Passwords
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW

CODE, PASSWORD, OTHER = "abcd-efgh-ijkl-mnop", "tin roof sparrow", "nine grey kettles"
HERE, THERE = "127.0.0.1", "203.0.113.77"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Interrupted:
    """The sessions of ``door``, before the opening of which something else happens once."""

    def __init__(self, door: "Door") -> None:
        self._door = door
        self.get = door.kept.sessions.get
        self.change = door.kept.sessions.change
        self.close = door.kept.sessions.close
        self.close_all = door.kept.sessions.close_all

    async def open(self, session: Session, *, passkey: bytes | None = None, events: Sequence[NewEvent] = ()) -> bool:
        meanwhile, self._door.between = self._door.between, _nothing
        await meanwhile()
        return await self._door.kept.sessions.open(session, passkey=passkey, events=events)


async def _nothing() -> None:
    pass


@dataclass
class Door:
    """``now`` moves only when a test moves it; ``between`` happens before the next session is opened."""

    now: datetime = NOW
    hasher: PasswordHasher = CHEAP
    between: Callable[[], Awaitable[None]] = _nothing
    kept: Memory = field(default_factory=lambda: in_memory(embedder=HashingEmbedder()))

    def keeper(self) -> Doorkeeper:
        kept = self.kept
        return Doorkeeper(
            credentials=kept.credentials,
            sessions=Interrupted(self),
            tokens=kept.tokens,
            passkeys=kept.passkeys,
            challenges=kept.challenges,
            log=kept.log,
            clock=lambda: self.now,
            setup_code=lambda: CODE,
            passwords=Passwords(self.hasher),
        )

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    async def set_up(self) -> Entered:
        return await self.keeper().set_up(code=CODE, password=PASSWORD, client=HERE)

    async def fail(self, times: int, *, client: str = THERE) -> None:
        for _ in range(times):
            try:
                await self.keeper().log_in(password="wrong", client=client)
            except AccessDenied:
                continue

    async def told(self) -> list[str]:
        return [event.type.removeprefix("access.") for event in await self.kept.log.read()]
