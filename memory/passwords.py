"""Password hashes: Argon2id with the parameters of RFC 9106 for little memory (64 MiB, 3 passes), which are argon2-cffi's own."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from domain.access import normal_password
from domain.errors import SetupError

_AT_ONCE = 2
"""Each hash takes 64 MiB and a core: whoever sends many passwords at once waits, the machine does not."""


class Passwords:
    """Hashing and verifying, each in a thread. ``hasher`` is a cheaper one in tests."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The encoded hash, with its salt and parameters."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Takes as long where nothing is stored. Raises SetupError where what is stored is no hash."""
        if stored is None:
            await self.hash(password)
            return False
        async with self._turns:
            return await asyncio.to_thread(self._verify, password, stored)

    def outdated(self, stored: str) -> bool:
        """Whether it was made with other parameters than hashes are made with now."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, _bytes(password))
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError) as error:
            hint = "set the password anew with `./steward console --set-password`"
            raise SetupError("the stored password cannot be read", hint=hint) from error


def _bytes(password: str) -> bytes:
    return normal_password(password).encode("utf-8", "surrogatepass")
