"""Passkeys and challenges, in memory."""

from collections.abc import Sequence

from domain.event import NewEvent
from domain.model import Moment
from domain.passkeys import Challenge, Passkey
from memory.fakes.store import Store


class InMemoryPasskeys:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def operator(self) -> bytes:
        return b"the operator, in memory"

    async def add(self, passkey: Passkey, *, session_id: str, events: Sequence[NewEvent] = ()) -> bool:
        names = {one.name for one in self._store.passkeys.values()}
        if session_id not in self._store.sessions or passkey.name in names or passkey.credential_id in self._store.passkeys:
            return False
        self._store.append(events)
        self._store.passkeys[passkey.credential_id] = passkey
        return True

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: Moment) -> bool:
        stands = self._store.passkeys.get(passkey.credential_id)
        if stands is None or stands.sign_count != passkey.sign_count:
            return False
        used = {"sign_count": sign_count, "backed_up": backed_up, "used_at": at}
        self._store.passkeys[passkey.credential_id] = stands.model_copy(update=used)
        return True

    async def remove(self, name: str, *, keep: str, events: Sequence[NewEvent] = ()) -> bool:
        found = next((one for one in self._store.passkeys.values() if one.name == name), None)
        if found is None:
            return False
        self._store.append(events)
        del self._store.passkeys[found.credential_id]
        for session_id in self._store.sessions.keys() - {keep}:
            del self._store.sessions[session_id]
        return True

    async def all(self) -> list[Passkey]:
        return list(self._store.passkeys.values())


class InMemoryChallenges:
    def __init__(self) -> None:
        self._challenges: dict[str, Challenge] = {}

    async def add(self, challenge: Challenge, *, now: Moment) -> None:
        open_ones = {digest: one for digest, one in self._challenges.items() if one.expires_at > now}
        self._challenges = open_ones | {challenge.digest: challenge}

    async def take(self, digest: str) -> Challenge | None:
        return self._challenges.pop(digest, None)
