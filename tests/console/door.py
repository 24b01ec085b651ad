"""The doorkeeper of tests: the real one, with a hash that is cheap to make."""

from datetime import UTC, datetime

from argon2 import PasswordHasher

from console.doorkeeper import Doorkeeper
from memory.memory import Memory
from memory.passwords import Passwords

CODE = "AAAA-BBBB"
PASSWORD = "a long sentence of my own"


def doorkeeper(kept: Memory) -> Doorkeeper:
    return Doorkeeper(
        credentials=kept.credentials,
        sessions=kept.sessions,
        tokens=kept.tokens,
        passkeys=kept.passkeys,
        challenges=kept.challenges,
        log=kept.log,
        clock=lambda: datetime.now(UTC),
        setup_code=lambda: CODE,
        passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
    )
