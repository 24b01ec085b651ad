"""The doorkeeper: who gets in, who waits, and what is told of it."""

import asyncio
from collections import Counter

import pytest
from argon2 import PasswordHasher

from domain.access import Scope, proven
from domain.entities import Shop
from domain.errors import AccessDenied, AccessError, InvalidInput, NotFound, TooManyTries
from domain.event import new_event
from domain.events import ShopDescribed
from domain.model import Value
from memory.keyring import sha256
from tests.unit.console.door import CODE, HERE, OTHER, PASSWORD, THERE, Door
from tests.unit.domain.happenings import NOW


@pytest.fixture
def door() -> Door:
    return Door()


async def refusal(door: Door, password: str = "wrong", client: str = THERE) -> AccessError:
    with pytest.raises(AccessError) as refused:
        await door.keeper().log_in(password=password, client=client)
    return refused.value


class TestSetUp:
    async def test_who_has_the_code_sets_the_first_password_and_is_in(self, door: Door) -> None:
        """However the code is typed; afterwards the password is what counts."""
        keeper = door.keeper()
        assert await keeper.needs_setup()
        entered = await keeper.set_up(code=" ABCD efgh-IJKLmnop ", password=PASSWORD, client=HERE)
        assert not await keeper.needs_setup()
        assert await keeper.session_of(entered.cookie) == entered.session
        assert proven(entered.session, door.now)
        assert await door.told() == ["password-set", "logged-in"]

    async def test_a_wrong_code_is_throttled_as_a_wrong_password_is(self, door: Door) -> None:
        """Even the right one has to wait then."""
        for _ in range(6):
            with pytest.raises(AccessDenied, match="not the setup code"):
                await door.keeper().set_up(code="abcd", password=PASSWORD, client=THERE)
        with pytest.raises(TooManyTries):
            await door.keeper().set_up(code=CODE, password=PASSWORD, client=THERE)
        assert await door.keeper().needs_setup()
        door.later(seconds=2)
        await door.keeper().set_up(code=CODE, password=PASSWORD, client=THERE)

    async def test_there_is_one_first_password(self, door: Door) -> None:
        """Of several at once one is set, and later the code opens nothing."""
        tries = (door.keeper().set_up(code=CODE, password=f"{PASSWORD} {n}", client=HERE) for n in range(4))
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one).__name__ for one in done) == {"Entered": 1, "AccessDenied": 3}
        with pytest.raises(AccessDenied, match="set already"):
            await door.set_up()

    async def test_the_shops_name_is_no_password(self, door: Door) -> None:
        """It is asked for once more, without a wait."""
        shop = Shop(name="Mud and Clay", email="shop@mud.example", currency="EUR", site_url="https://mud.example", signature="Mia")
        await door.kept.log.append([new_event(ShopDescribed(shop=shop), at=NOW, key=("1",))])
        for _ in range(9):
            with pytest.raises(InvalidInput, match="shop's name"):
                await door.keeper().set_up(code=CODE, password="mud-and-clay", client=HERE)
        assert await door.keeper().needs_setup()


class TestLogIn:
    async def test_the_password_opens_a_session_of_its_own(self, door: Door) -> None:
        """Only the hash of the cookie is kept, and no secret is in the log or in what is printed."""
        first = await door.set_up()
        entered = await door.keeper().log_in(password=PASSWORD, client=HERE)
        assert entered.session.session_id == sha256(entered.cookie) != first.session.session_id
        assert entered.session.csrf != first.session.csrf
        written = str(await door.kept.log.read()) + repr(entered)
        secrets = (entered.cookie, entered.session.csrf, PASSWORD, str(await door.kept.credentials.password()), HERE)
        assert [secret for secret in secrets if secret in written] == []

    async def test_a_refusal_is_the_same_whatever_the_reason(self, door: Door) -> None:
        """Nothing set, another password, an empty one, a huge one, one that is no text."""
        before = await refusal(door)
        await door.set_up()
        after = [await refusal(door, password, "198.51.100.1") for password in ("", "x" * 9_999, "\ud800", PASSWORD.upper())]
        assert {(str(error), type(error)) for error in (before, *after)} == {(str(before), AccessDenied)}

    async def test_who_fails_too_often_waits_longer_each_time(self, door: Door) -> None:
        """During the wait the right password is not looked at, and others are not held up."""
        await door.set_up()
        await door.fail(6)
        for wait in (2, 4, 8):
            blocked = await refusal(door, PASSWORD)
            assert isinstance(blocked, TooManyTries)
            assert blocked.until == door.later(seconds=wait)
            assert isinstance(await refusal(door), AccessDenied)
        await door.keeper().log_in(password=PASSWORD, client="198.51.100.1")
        door.later(seconds=16)
        await door.keeper().log_in(password=PASSWORD, client=THERE)
        assert [type(await refusal(door)) for _ in range(6)] == [AccessDenied] * 6

    async def test_tries_at_once_are_no_way_around_the_wait(self, door: Door) -> None:
        """Of thirty only six are looked at."""
        await door.set_up()
        tries = (door.keeper().log_in(password="wrong", client=THERE) for _ in range(30))
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one) for one in done) == {AccessDenied: 6, TooManyTries: 24}

    async def test_who_changes_his_address_waits_in_the_end(self, door: Door) -> None:
        """A hundred strangers cost nothing; then everybody waits, until somebody knows the password. Who is in is not held up."""
        entered = await door.set_up()
        for n in range(101):
            await door.fail(1, client=f"203.0.113.{n}")
        blocked = await refusal(door, PASSWORD, "198.51.100.1")
        assert (type(blocked), (await door.told()).count("login-refused")) == (TooManyTries, 1)
        await door.keeper().prove(entered.session, PASSWORD, HERE)
        assert isinstance(await refusal(door, "wrong", "198.51.100.2"), AccessDenied)

    async def test_a_flood_is_one_event_a_wait(self, door: Door) -> None:
        """It says how many failed, until when, and from which network."""
        await door.set_up()
        await door.fail(5)
        assert "login-refused" not in await door.told()
        for _ in range(3):
            await door.fail(1)
            with pytest.raises(TooManyTries):
                await door.fail(50)
            door.later(minutes=15)
        await door.keeper().log_in(password=PASSWORD, client=THERE)
        events = [event for event in await door.kept.log.read() if event.data.get("network") == "203.0.113.0/24"]
        assert [(e.type.removeprefix("access."), e.data["refused"]) for e in events] == [
            ("login-refused", 6),
            ("login-refused", 7),
            ("login-refused", 8),
            ("logged-in", 8),
        ]

    async def test_a_password_that_is_changed_meanwhile_lets_nobody_in(self, door: Door) -> None:
        """The session that was opened with the old one is closed again."""
        entered = await door.set_up()
        door.between = lambda: door.keeper().change_password(entered.session, PASSWORD, OTHER, HERE)
        assert isinstance(await refusal(door, PASSWORD), AccessDenied)
        assert await door.kept.sessions.close_all(keep=entered.session.session_id) == 0

    async def test_the_hash_is_made_anew_when_its_parameters_changed(self, door: Door) -> None:
        """By logging in, also twice at once; the password stays the same."""
        await door.set_up()
        before = await door.kept.credentials.password()
        door.hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        await asyncio.gather(*(door.keeper().log_in(password=PASSWORD, client=HERE) for _ in range(2)))
        after = await door.kept.credentials.password()
        assert after != before
        await door.keeper().log_in(password=PASSWORD, client=HERE)
        assert await door.kept.credentials.password() == after


class TestSessions:
    async def test_what_is_no_cookie_opens_nothing(self, door: Door) -> None:
        """Not a session's own id either."""
        session = (await door.set_up()).session
        for cookie in ("", "x", "A" * 43, session.session_id, "\x00", "ä" * 43):
            assert await door.keeper().session_of(cookie) is None

    async def test_a_session_that_is_used_lives_and_one_that_is_not_ends(self, door: Door) -> None:
        """Its use is written down once a minute."""
        entered = await door.set_up()
        door.later(seconds=59)
        assert await door.keeper().session_of(entered.cookie) == entered.session
        for _ in range(3):
            door.later(hours=11)
            session = await door.keeper().session_of(entered.cookie)
            assert session is not None
            assert session.seen_at == door.now
        door.later(hours=12)
        assert await door.keeper().session_of(entered.cookie) is None

    async def test_a_page_that_is_left_open_keeps_no_session_open(self, door: Door) -> None:
        """What it loads by itself is no use of it."""
        entered = await door.set_up()
        door.later(hours=11)
        assert await door.keeper().session_of(entered.cookie, used=False) == entered.session
        door.later(hours=1)
        assert await door.keeper().session_of(entered.cookie, used=False) is None

    async def test_no_session_outlives_thirty_days(self, door: Door) -> None:
        """However much it is used."""
        entered, uses = await door.set_up(), 0
        while await door.keeper().session_of(entered.cookie):
            door.later(hours=10)
            uses += 1
        assert uses == 30 * 24 / 10

    async def test_logging_out_ends_it(self, door: Door) -> None:
        """What it still tries is nothing or refused."""
        entered = await door.set_up()
        await door.keeper().log_out(entered.session)
        await door.keeper().say(entered.session, "Done.")
        assert await door.keeper().session_of(entered.cookie) is None
        assert await door.keeper().take_flash(entered.session) == (entered.session, ())
        with pytest.raises(AccessDenied, match="over"):
            await door.keeper().prove(entered.session, PASSWORD, HERE)

    async def test_the_password_given_once_more_is_a_proof_for_a_while(self, door: Door) -> None:
        """A wrong one counts as at the door."""
        session = (await door.set_up()).session
        door.later(minutes=10)
        assert not proven(session, door.now)
        for _ in range(6):
            with pytest.raises(AccessDenied):
                await door.keeper().prove(session, "wrong", THERE)
        with pytest.raises(TooManyTries):
            await door.keeper().prove(session, PASSWORD, THERE)
        assert proven(await door.keeper().prove(session, PASSWORD, HERE), door.now)

    async def test_a_line_is_said_once(self, door: Door) -> None:
        """In the order in which they were said, also of two at once."""
        session = (await door.set_up()).session
        await asyncio.gather(*(door.keeper().say(session, line) for line in ("Approved.", "Sent.")))
        after, lines = await door.keeper().take_flash(session)
        assert lines == ("Approved.", "Sent.")
        assert await door.keeper().take_flash(after) == (after, ())

    async def test_a_new_password_closes_every_other_session(self, door: Door) -> None:
        """The old one opens nothing any more; a wrong old one changes nothing."""
        mine, other = await door.set_up(), await door.keeper().log_in(password=PASSWORD, client=THERE)
        with pytest.raises(AccessDenied):
            await door.keeper().change_password(mine.session, "wrong", OTHER, HERE)
        with pytest.raises(InvalidInput, match="too short"):
            await door.keeper().change_password(mine.session, PASSWORD, "short", HERE)
        await door.keeper().change_password(mine.session, PASSWORD, OTHER, HERE)
        assert [bool(await door.keeper().session_of(one.cookie)) for one in (mine, other)] == [True, False]
        assert isinstance(await refusal(door, PASSWORD), AccessDenied)
        await door.keeper().log_in(password=OTHER, client=HERE)


class TestTokens:
    async def test_a_token_is_shown_once_and_known_by_its_hash(self, door: Door) -> None:
        """It says what it may do; no part of it is in the log."""
        secret = await door.keeper().keyring.issue("phone", [Scope.PROPOSE, Scope.READ, Scope.READ], 90)
        token = await door.keeper().token_of(secret)
        assert token is not None
        assert (token.name, token.scopes, token.token_hash) == ("phone", (Scope.READ, Scope.PROPOSE), sha256(secret))
        assert secret.startswith("stw_")
        assert secret[4:] not in str(await door.kept.log.read())
        assert token.token_hash not in str(await door.kept.log.read())

    async def test_its_use_is_noted_once_a_minute(self, door: Door) -> None:
        """In the list the operator sees when it was last used."""
        secret = await door.keeper().keyring.issue("phone", [Scope.READ], None)
        for seconds in (0, 59, 1):
            door.later(seconds=seconds)
            token: Value | None = await door.keeper().token_of(secret)
        assert [token] == await door.keeper().keyring.tokens()
        assert (await door.keeper().keyring.tokens())[0].used_at == door.now

    async def test_an_expired_and_a_revoked_token_open_nothing(self, door: Door) -> None:
        """Nor does what is no token."""
        expiring, revoked = [await door.keeper().keyring.issue(name, [Scope.READ], 1) for name in ("a", "b")]
        await door.keeper().keyring.revoke("b")
        assert await door.keeper().token_of(revoked) is None
        assert await door.keeper().token_of(expiring) is not None
        door.later(days=1)
        for bearer in (expiring, "", "stw_", expiring[4:], expiring.upper(), expiring + "x", "stw_" + "ä" * 43):
            assert await door.keeper().token_of(bearer) is None
        assert await door.told() == ["token-issued", "token-issued", "token-revoked"]

    async def test_what_is_no_token_is_not_issued(self, door: Door) -> None:
        """A name twice, no name, nothing to do, no time or too much; and none is revoked that is not there."""
        await door.keeper().keyring.issue("phone", [Scope.READ], 1)
        wrong = (("phone", 1), ("", 1), ("a\nb", 1), ("x" * 65, 1), ("ok", 0), ("ok", 3_651), ("ok", 10**9))
        for name, days in wrong:
            with pytest.raises(InvalidInput):
                await door.keeper().keyring.issue(name, [Scope.READ], days)
        with pytest.raises(InvalidInput, match="of no use"):
            await door.keeper().keyring.issue("ok", [], 1)
        for name in ("nope", "\x00"):
            with pytest.raises(NotFound):
                await door.keeper().keyring.revoke(name)

    async def test_no_program_takes_the_name_of_the_command_line(self, door: Door) -> None:
        """What it decides would look as if the operator had typed it at the machine."""
        keyring = door.keeper().keyring
        for name in ("cli", "CLI"):
            with pytest.raises(InvalidInput, match="command line"):
                await keyring.issue(name, [Scope.READ], 1)
        own = await door.keeper().token_of(await keyring.issue_own(1))
        assert own is not None
        assert (own.name, own.scopes) == ("cli", tuple(Scope))
