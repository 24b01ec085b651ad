"""One contract for password, sessions, passkeys and tokens: the fakes and Postgres go through the same tests."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest

import memory
from domain.access import (
    FORGET_TRIES_AFTER,
    AccessRecord,
    ApiToken,
    LoggedIn,
    Ousted,
    PasswordSet,
    PasswordWay,
    Scope,
    Session,
    TokenRevoked,
    flashed,
)
from domain.passkeys import Challenge, Passkey, PasskeyAdded, PasskeyRemoved, Purpose
from memory.keyring import access_event, sha256
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
CLIENT = "203.0.113.9"


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str]:
    """The addresses of the servers, started only for the tests that use them."""
    names = () if request.param == "in-memory" else ("database_url", "chroma_url")
    return {name: request.getfixturevalue(name) for name in names}


@pytest.fixture
async def kept(urls: dict[str, str]) -> AsyncIterator[memory.Memory]:
    """Memory of either kind, empty."""
    if not urls:
        yield memory.in_memory(embedder=HashingEmbedder())
        return
    async with memory.open_memory(embedder=HashingEmbedder(), home=None, **urls) as opened:
        yield opened


def session(number: int, **changes: object) -> Session:
    times = dict.fromkeys(("opened_at", "seen_at", "proven_at"), NOW) | {"expires_at": NOW + 30 * DAY}
    return Session(session_id=sha256(str(number)), csrf="c", **times).model_copy(update=changes)


def token(number: int, name: str = "phone") -> ApiToken:
    return ApiToken(
        name=name, token_hash=sha256(str(number)), scopes=(Scope.READ, Scope.DECIDE), created_at=NOW, expires_at=NOW + DAY
    )


def passkey(number: int, name: str = "phone", **changes: object) -> Passkey:
    made = Passkey(
        name=name,
        credential_id=bytes([number]) * 16,
        public_key=b"\x00\xffkey",
        sign_count=1,
        rp_id="localhost",
        transports=("internal", "hybrid"),
        may_sync=True,
        backed_up=False,
        created_at=NOW,
    )
    return made.model_copy(update=changes)


def challenge(number: int, **changes: object) -> Challenge:
    asked = Challenge(digest=sha256(str(number)), purpose=Purpose.LOG_IN, rp_id="localhost", expires_at=NOW + SECOND)
    return asked.model_copy(update=changes)


async def told(kept: memory.Memory) -> Counter[str]:
    return Counter(event.type for event in await kept.log.read())


class TestCredentials:
    async def test_a_password_replaces_the_one_it_was_meant_to_replace(self, kept: memory.Memory) -> None:
        """Else nothing is changed and nothing told."""
        event = access_event(PasswordSet(how=PasswordWay.FIRST, at=NOW))
        assert await kept.credentials.password() is None
        assert not await kept.credentials.set_password("x", replaces="y", events=[event])
        assert await kept.credentials.set_password("one", replaces=None, events=[event])
        assert not await kept.credentials.set_password("two", replaces=None, events=[event])
        assert await kept.credentials.set_password("two", replaces="one")
        assert await kept.credentials.password() == "two"
        assert await told(kept) == {"access.password-set": 1}
        assert await kept.state.get(AccessRecord, "self") == AccessRecord(password_set_at=NOW)

    async def test_of_first_passwords_at_once_one_is_set(self, kept: memory.Memory) -> None:
        """The others are told that they came late."""
        done = await asyncio.gather(*(kept.credentials.set_password(f"p{n}", replaces=None) for n in range(6)))
        assert sorted(done) == [False] * 5 + [True]
        assert await kept.credentials.password() == f"p{done.index(True)}"

    async def test_a_password_set_anew_ends_sessions_and_passkeys(self, kept: memory.Memory) -> None:
        """All or nothing."""
        await kept.credentials.set_password("one", replaces=None)
        for number in range(2):
            await kept.sessions.open(session(number))
            await kept.passkeys.add(passkey(number, str(number)), session_id=sha256(str(number)))
        event = access_event(PasswordSet(how=PasswordWay.TERMINAL, at=NOW))
        assert await kept.credentials.reset_password("two", replaces="x", events=[event]) is None
        assert len(await kept.passkeys.all()) == 2
        assert await kept.credentials.reset_password("two", replaces="one", events=[event]) == Ousted(sessions=2, passkeys=2)
        assert (await kept.credentials.password(), await kept.passkeys.all(), await kept.sessions.close_all()) == ("two", [], 0)
        assert await told(kept) == {"access.password-set": 1}

    async def test_nothing_survives_a_password_set_anew_in_the_same_moment(self, kept: memory.Memory) -> None:
        """Neither a passkey that is just added nor a session that is just opened by one."""
        await kept.credentials.set_password("p0", replaces=None)
        for turn in range(5):
            await kept.sessions.open(session(1))
            await kept.passkeys.add(passkey(1), session_id=sha256("1"))
            await asyncio.gather(
                kept.passkeys.add(passkey(2, "desk"), session_id=sha256("1")),
                kept.sessions.open(session(2), passkey=passkey(1).credential_id),
                kept.credentials.reset_password(f"p{turn + 1}", replaces=f"p{turn}"),
                kept.sessions.open(session(3), passkey=passkey(1).credential_id),
                kept.passkeys.add(passkey(3, "lap"), session_id=sha256("1")),
            )
            assert (await kept.passkeys.all(), await kept.sessions.close_all()) == ([], 0)

    async def test_tries_at_once_all_count(self, kept: memory.Memory) -> None:
        """Of twenty, the free ones and the one that begins the wait are let through."""
        tries = await asyncio.gather(*(kept.credentials.attempt(CLIENT, now=NOW) for _ in range(20)))
        assert sorted(t.failures for t in tries if t.admitted) == [1, 2, 3, 4, 5, 6]
        assert {t.until for t in tries if not t.admitted} == {NOW + 2 * SECOND}
        assert (await kept.credentials.attempt("198.51.100.1", now=NOW)).failures == 1

    async def test_tries_are_forgotten_after_a_success_or_a_day(self, kept: memory.Memory) -> None:
        """And only those of the client that succeeded."""
        for client in (CLIENT, CLIENT, "198.51.100.1"):
            await kept.credentials.attempt(client, now=NOW)
        await kept.credentials.forgive(CLIENT)
        assert (await kept.credentials.attempt(CLIENT, now=NOW)).failures == 1
        assert (await kept.credentials.attempt("198.51.100.1", now=NOW)).failures == 2
        later = NOW + FORGET_TRIES_AFTER + SECOND
        assert [(await kept.credentials.attempt(c, now=later)).failures for c in (CLIENT, "198.51.100.1")] == [1, 1]


class TestSessions:
    async def test_a_session_is_there_until_it_is_closed(self, kept: memory.Memory) -> None:
        """It stands as it was opened, and its opening is told."""
        opened = session(1, flash=("Welcome",))
        await kept.sessions.open(opened, events=[access_event(LoggedIn(network="this machine", at=NOW))])
        assert await kept.sessions.get(opened.session_id) == opened
        await kept.sessions.close(opened.session_id)
        assert await kept.sessions.get(opened.session_id) is None
        assert await kept.sessions.change(opened.session_id, lambda s: s) is None
        assert await told(kept) == {"access.logged-in": 1}

    async def test_changes_at_once_follow_each_other(self, kept: memory.Memory) -> None:
        """None is lost; a change gives the session before it and after it."""
        await kept.sessions.open(session(1))
        lines = [f"line {n}" for n in range(5)]
        await asyncio.gather(*(kept.sessions.change(sha256("1"), partial(flashed, line=line)) for line in lines))
        changed = await kept.sessions.change(sha256("1"), lambda s: s.model_copy(update={"flash": (), "seen_at": NOW + DAY}))
        assert changed is not None
        before, after = changed
        assert sorted(before.flash) == lines
        assert after == session(1, seen_at=NOW + DAY) == await kept.sessions.get(sha256("1"))

    async def test_all_are_closed_but_the_one_that_is_kept(self, kept: memory.Memory) -> None:
        """The number of those closed is said."""
        for number in range(3):
            await kept.sessions.open(session(number))
        assert await kept.sessions.close_all(keep=sha256("1")) == 2
        assert [bool(await kept.sessions.get(sha256(str(n)))) for n in range(3)] == [False, True, False]
        assert await kept.sessions.close_all() == 1

    async def test_expired_sessions_go_when_one_is_opened(self, kept: memory.Memory) -> None:
        """So the table does not grow."""
        await kept.sessions.open(session(1, expires_at=NOW + SECOND))
        await kept.sessions.open(session(2, opened_at=NOW + SECOND))
        assert await kept.sessions.get(sha256("1")) is None


class TestPasskeys:
    async def test_a_passkey_stands_as_it_was_added(self, kept: memory.Memory) -> None:
        """In order; its name and its credential id stand once, and who added it was logged in."""
        await kept.sessions.open(session(1))
        event = access_event(PasskeyAdded(name="phone", rp_id="localhost", at=NOW))
        added = [
            await kept.passkeys.add(one, session_id=who, events=[event] if good else [])
            for one, who, good in (
                (passkey(1), sha256("2"), False),
                (passkey(1), sha256("1"), True),
                (passkey(2), sha256("1"), False),
                (passkey(1, "desk"), sha256("1"), False),
                (passkey(2, "desk", backed_up=True, transports=()), sha256("1"), False),
            )
        ]
        assert added == [False, True, False, False, True]
        assert await kept.passkeys.all() == [passkey(1), passkey(2, "desk", backed_up=True, transports=())]
        assert await told(kept) == {"access.passkey-added": 1}

    async def test_of_uses_with_one_count_one_is_noted(self, kept: memory.Memory) -> None:
        """The others have seen what is not there any more."""
        await kept.sessions.open(session(1))
        await kept.passkeys.add(passkey(1), session_id=sha256("1"))
        uses = [kept.passkeys.used(passkey(1), sign_count=9, backed_up=True, at=NOW + SECOND) for _ in range(4)]
        assert sorted(await asyncio.gather(*uses)) == [False] * 3 + [True]
        assert await kept.passkeys.all() == [passkey(1, sign_count=9, backed_up=True, used_at=NOW + SECOND)]
        assert not await kept.passkeys.used(passkey(2), sign_count=9, backed_up=True, at=NOW)

    async def test_a_removed_passkey_opens_no_session(self, kept: memory.Memory) -> None:
        """While it is there it does; its removal is told once, and with it every session but one is closed."""
        await kept.sessions.open(session(1))
        await kept.passkeys.add(passkey(1), session_id=sha256("1"))
        assert await kept.sessions.open(session(2), passkey=passkey(1).credential_id)
        event = access_event(PasskeyRemoved(name="phone", at=NOW))
        assert [await kept.passkeys.remove("phone", keep=sha256("1"), events=[event]) for _ in range(2)] == [True, False]
        assert not await kept.sessions.open(session(3), passkey=passkey(1).credential_id, events=[event])
        assert [bool(await kept.sessions.get(sha256(str(n)))) for n in (1, 2, 3)] == [True, False, False]
        assert await told(kept) == {"access.passkey-removed": 1}

    async def test_authenticators_know_the_operator_as_one(self, kept: memory.Memory) -> None:
        """1 to 64 bytes, always the same."""
        handle = await kept.passkeys.operator()
        assert handle == await kept.passkeys.operator()
        assert 1 <= len(handle) <= 64


class TestChallenges:
    async def test_a_challenge_is_taken_once(self, kept: memory.Memory) -> None:
        """Of several at once by one; what was never asked is None."""
        asked = challenge(1, purpose=Purpose.PROVE, session_id=sha256("s"))
        await kept.challenges.add(asked, now=NOW)
        taken = await asyncio.gather(*(kept.challenges.take(asked.digest) for _ in range(6)))
        assert [one for one in taken if one] == [asked]
        assert await kept.challenges.take(sha256("2")) is None

    async def test_expired_challenges_go_when_one_is_added(self, kept: memory.Memory) -> None:
        """So the table does not grow."""
        await kept.challenges.add(challenge(1), now=NOW)
        await kept.challenges.add(challenge(2, expires_at=NOW + DAY), now=NOW + SECOND)
        assert [bool(await kept.challenges.take(sha256(str(n)))) for n in (1, 2)] == [False, True]


class TestApiTokens:
    async def test_a_name_stands_once(self, kept: memory.Memory) -> None:
        """Taken back, it may be given anew; both stay in the list, in order."""
        assert await kept.tokens.add(token(1))
        assert not await kept.tokens.add(token(2))
        event = access_event(TokenRevoked(name="phone", at=NOW + SECOND))
        assert [await kept.tokens.revoke("phone", at=NOW + SECOND, events=[event]) for _ in range(2)] == [True, False]
        assert await kept.tokens.add(token(2))
        revoked = token(1).model_copy(update={"revoked_at": NOW + SECOND})
        assert await kept.tokens.all() == [revoked, token(2)]
        assert await told(kept) == {"access.token-revoked": 1}

    async def test_a_token_is_found_by_its_hash_and_its_use_is_kept(self, kept: memory.Memory) -> None:
        """What is not there is None, and using it changes nothing."""
        await kept.tokens.add(token(1))
        for number in (1, 2):
            await kept.tokens.used(sha256(str(number)), at=NOW + SECOND)
        assert await kept.tokens.get(sha256("1")) == token(1).model_copy(update={"used_at": NOW + SECOND})
        assert await kept.tokens.get(sha256("2")) is None
