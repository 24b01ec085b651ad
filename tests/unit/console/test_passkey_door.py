"""The door for passkeys: what counts as an answer, what does not, and what is told of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.ceremony import LONGEST_ANSWER, NotVerified, assertion, challenge_of, registration
from console.relying_party import RelyingParty, elsewhere, relying_party
from domain.access import Session, proven
from domain.errors import AccessDenied, AccessError, InvalidInput, NotFound, TooManyTries
from tests.unit.console.authenticator import BE, BS, UP, UV, Authenticator, b64
from tests.unit.console.door import HERE, PASSWORD, THERE, Door

HOME = RelyingParty(rp_id="localhost", origin="http://localhost:8400")
ABROAD = RelyingParty(rp_id="steward.example", origin="https://steward.example")


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(origin=HOME.origin)


@pytest.fixture
async def mine(door: Door) -> Session:
    """The session of the operator."""
    return (await door.set_up()).session


@pytest.fixture
async def added(door: Door, key: Authenticator, mine: Session) -> Authenticator:
    """An authenticator that was added as *phone*."""
    await add(door, key, mine)
    return key


async def add(door: Door, key: Authenticator, session: Session, name: str = "phone") -> None:
    keys = door.keeper().passkeys
    await keys.add(session, HOME, name, json.dumps(key.create(await keys.ask_new(session, HOME, name))))


async def answer(door: Door, key: Authenticator, **client: Any) -> dict[str, Any]:
    """To a challenge for logging in."""
    return key.get(await door.keeper().passkeys.ask_log_in(HOME, HERE), **client)


async def refusal(door: Door, answered: object, party: RelyingParty = HOME) -> AccessError:
    text = answered if isinstance(answered, str) else json.dumps(answered)
    with pytest.raises(AccessError) as refused:
        await door.keeper().passkeys.log_in(party, text, THERE)
    return refused.value


async def lying(door: Door, key: Authenticator, **client: Any) -> object:
    return await answer(door, key, **client)


async def broken(door: Door, key: Authenticator, part: str, value: object) -> object:
    """A good answer but for one part, of itself or of its response."""
    good = await answer(door, key)
    if part in good["response"]:
        return good | {"response": {**good["response"], part: value}}
    return good | {part: value}


async def touched_only(door: Door, key: Authenticator) -> object:
    """The user was present and not verified."""
    key.flags = UP
    return await answer(door, key)


async def unheeded(door: Door, key: Authenticator) -> object:
    """Nobody touched it."""
    key.flags = UV
    return await answer(door, key)


async def turned_syncable(door: Door, key: Authenticator) -> object:
    key.flags = UP | UV | BE
    return await answer(door, key)


async def impossible_flags(door: Door, key: Authenticator) -> object:
    """Backed up and never to be."""
    key.flags = UP | UV | BS
    return await answer(door, key)


async def unknown(door: Door, key: Authenticator) -> object:
    """Another passkey, made for this name somewhere else."""
    asked = await door.keeper().passkeys.ask_log_in(HOME, HERE)
    return Authenticator(origin=HOME.origin, user_handle=key.user_handle).get(asked)


async def impostor(door: Door, key: Authenticator) -> object:
    """Another key under the credential id of the one that was added."""
    asked = await door.keeper().passkeys.ask_log_in(HOME, HERE)
    return Authenticator(origin=HOME.origin, user_handle=key.user_handle, credential_id=key.credential_id, count=99).get(asked)


async def for_proof(door: Door, key: Authenticator) -> object:
    """An answer to what is asked of who is in already."""
    session = (await door.keeper().log_in(password=PASSWORD, client=HERE)).session
    return key.get(await door.keeper().passkeys.ask_proof(session, HOME))


async def for_another_name(door: Door, key: Authenticator) -> object:
    return key.get({**await door.keeper().passkeys.ask_log_in(HOME, HERE), "rpId": "steward.example"})


async def as_it_is(_door: Door, _key: Authenticator, text: str) -> object:
    return text


DEEP = bytes(32) + b"\xc5" + bytes(22) + b"\x81" * 9_000
"""Authenticator data with a list in a list in a list in place of a key."""
WRONG: dict[str, Callable[[Door, Authenticator], Awaitable[object]]] = {
    "another origin": partial(lying, origin=ABROAD.origin),
    "another port": partial(lying, origin="http://localhost:8401"),
    "no origin": partial(lying, origin=7),
    "another type": partial(lying, type="webauthn.create"),
    "framed": partial(lying, crossOrigin=True),
    "another challenge": partial(lying, challenge=b64(b"x" * 32)),
    "a challenge that is a number": partial(lying, challenge=7),
    "a challenge that is nothing": partial(lying, challenge=None),
    "touched only": touched_only,
    "nobody there": unheeded,
    "turned syncable": turned_syncable,
    "impossible flags": impossible_flags,
    "unknown": unknown,
    "impostor": impostor,
    "for proof": for_proof,
    "for another name": for_another_name,
    "another id": partial(broken, part="id", value="AA"),
    "a raw id that is a number": partial(broken, part="rawId", value=7),
    "a password": partial(broken, part="type", value="password"),
    "a response that is a list": partial(broken, part="response", value=[]),
    "another signature": partial(broken, part="signature", value=b64(b"x" * 64)),
    "no signature": partial(broken, part="signature", value=""),
    "no authenticator data": partial(broken, part="authenticatorData", value=""),
    "authenticator data that is no text": partial(broken, part="authenticatorData", value=7),
    "authenticator data that is no Base64": partial(broken, part="authenticatorData", value="é"),
    "deep CBOR after authenticator data": partial(broken, part="authenticatorData", value=b64(DEEP)),
    "client data that is no JSON": partial(broken, part="clientDataJSON", value=b64(b"somebody")),
    "client data that is deep": partial(broken, part="clientDataJSON", value=b64(b"[" * 20_000)),
    "client data that is no UTF-8": partial(broken, part="clientDataJSON", value=b64(b"\xff\xfe")),
    "another user": partial(broken, part="userHandle", value=b64(b"somebody")),
    "no user": partial(broken, part="userHandle", value=None),
    "a user that is a number": partial(broken, part="userHandle", value=7),
    "half a byte of a user": partial(broken, part="userHandle", value="A"),
    "nothing": partial(as_it_is, text=""),
    "no JSON": partial(as_it_is, text="{"),
    "NUL": partial(as_it_is, text="\x00"),
    "null": partial(as_it_is, text="null"),
    "a list": partial(as_it_is, text="[]"),
    "a text": partial(as_it_is, text='"x"'),
    "a huge number": partial(as_it_is, text="9" * 20_000),
    "a deep list": partial(as_it_is, text="[" * 20_000),
    "too much": partial(as_it_is, text="x" * (LONGEST_ANSWER + 1)),
    "half a character": partial(as_it_is, text='{"id": "\\ud800", "rawId": "\\ud800", "response": {"clientDataJSON": "\\ud800"}}'),
}
"""What is no good answer, by what is wrong with it."""


class TestAdding:
    async def test_a_passkey_is_added_and_known_by_its_name(self, door: Door, added: Authenticator) -> None:
        """The log tells its name and for what; no part of the key."""
        (kept,) = await door.keeper().passkeys.all()
        assert (kept.name, kept.rp_id, kept.transports, kept.used_at) == ("phone", "localhost", ("internal",), None)
        assert (kept.credential_id, kept.sign_count, kept.may_sync, kept.backed_up) == (added.credential_id, 1, False, False)
        told = str(await door.kept.log.read())
        assert (await door.told())[-1] == "passkey-added"
        assert [word for word in (added.credential_id.hex(), b64(added.credential_id), kept.public_key.hex()) if word in told] == []

    async def test_whether_it_is_synced_is_kept(self, door: Door, key: Authenticator, mine: Session) -> None:
        """As the authenticator says."""
        key.flags = UP | UV | BE | BS
        await add(door, key, mine)
        (kept,) = await door.keeper().passkeys.all()
        assert (kept.may_sync, kept.backed_up) == (True, True)

    async def test_what_is_asked_for_needs_no_user_name_and_a_verified_user(self, door: Door, added: Authenticator) -> None:
        """Always for the same user, who is nobody's name; on no device that has one for this name."""
        session = (await door.keeper().log_in(password=PASSWORD, client=HERE)).session
        asked = [await door.keeper().passkeys.ask_new(session, party, "desk") for party in (HOME, ABROAD)]
        wanted = {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
        assert [(one["authenticatorSelection"], one["attestation"]) for one in asked] == [(wanted, "none")] * 2
        assert {one["user"]["id"] for one in asked} == {added.user_handle}
        assert [[left["id"] for left in one["excludeCredentials"]] for one in asked] == [[b64(added.credential_id)], []]

    async def test_a_name_stands_once_and_is_one(self, door: Door, added: Authenticator, mine: Session) -> None:
        """Refused before the browser asks anything."""
        for name in ("phone", " phone ", "", "x" * 65, "a\nb", "\u202eenohp"):
            with pytest.raises(InvalidInput):
                await door.keeper().passkeys.ask_new(mine, HOME, name)

    @pytest.mark.parametrize(
        "lie", [{"origin": ABROAD.origin}, {"type": "webauthn.get"}, {"crossOrigin": True}, {"challenge": "AA"}]
    )
    async def test_what_was_made_elsewhere_is_not_added(self, door: Door, key: Authenticator, mine: Session, lie: Any) -> None:
        """By another site, as an answer to something else, or to nothing."""
        keys = door.keeper().passkeys
        made = key.create(await keys.ask_new(mine, HOME, "phone"), **lie)
        with pytest.raises(InvalidInput, match="could not be added"):
            await keys.add(mine, HOME, "phone", json.dumps(made))
        assert await keys.all() == []

    async def test_what_was_made_without_a_verified_user_is_not_added(self, door: Door, key: Authenticator, mine: Session) -> None:
        """A touch alone is not enough."""
        key.flags = UP
        with pytest.raises(InvalidInput, match="could not be added"):
            await add(door, key, mine)

    async def test_a_closed_session_adds_nothing(self, door: Door, key: Authenticator, mine: Session) -> None:
        """Not even what it was asked for before."""
        keys = door.keeper().passkeys
        made = key.create(await keys.ask_new(mine, HOME, "phone"))
        await door.keeper().log_out(mine)
        with pytest.raises(InvalidInput):
            await keys.add(mine, HOME, "phone", json.dumps(made))


class TestComingIn:
    async def test_a_passkey_opens_a_session_that_has_proved_itself(self, door: Door, added: Authenticator) -> None:
        """The log says how; the list when it was used."""
        door.later(hours=1)
        entered = await door.keeper().passkeys.log_in(HOME, json.dumps(await answer(door, added)), THERE)
        assert await door.keeper().session_of(entered.cookie) == entered.session
        assert proven(entered.session, door.now)
        (told,) = await door.kept.log.last(limit=1)
        assert (told.type, told.data["way"], told.data["refused"]) == ("access.logged-in", "passkey", 0)
        (kept,) = await door.keeper().passkeys.all()
        assert (kept.used_at, kept.sign_count) == (door.now, 2)

    async def test_strangers_are_not_told_which_passkeys_there_are(self, door: Door, added: Authenticator) -> None:
        """They are asked for any, with a verified user."""
        asked = await door.keeper().passkeys.ask_log_in(HOME, THERE)
        assert (asked["allowCredentials"], asked["userVerification"], asked["rpId"]) == ([], "required", "localhost")
        assert b64(added.credential_id) not in str(asked)

    @pytest.mark.parametrize("wrong", WRONG, ids=WRONG.keys())
    async def test_a_refusal_is_the_same_whatever_the_reason(self, door: Door, added: Authenticator, wrong: str) -> None:
        """No answer, or one with anything wrong; the right one is taken as before."""
        refused = await refusal(door, await WRONG[wrong](door, added))
        assert (type(refused), refused.message) == (AccessDenied, "this passkey is not accepted")
        added.flags, added.origin = UP | UV, HOME.origin
        await door.keeper().passkeys.log_in(HOME, json.dumps(await answer(door, added)), THERE)

    async def test_a_wrong_answer_uses_the_challenge_up(self, door: Door, added: Authenticator) -> None:
        """Nobody tries several."""
        asked = await door.keeper().passkeys.ask_log_in(HOME, HERE)
        assert isinstance(await refusal(door, added.get(asked, origin=ABROAD.origin)), AccessDenied)
        assert isinstance(await refusal(door, added.get(asked)), AccessDenied)

    async def test_another_name_of_this_console_is_another_door(self, door: Door, added: Authenticator) -> None:
        """Neither the passkey nor the challenge counts there."""
        assert isinstance(await refusal(door, await answer(door, added), ABROAD), AccessDenied)
        assert [await door.keeper().passkeys.fits(party) for party in (HOME, ABROAD, None)] == [True, False, False]

    async def test_an_answer_counts_once(self, door: Door, added: Authenticator) -> None:
        """Of several at once one comes in; and replayed it is worth nothing."""
        said = json.dumps(await answer(door, added))
        tries = (door.keeper().passkeys.log_in(HOME, said, HERE) for _ in range(4))
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one).__name__ for one in done) == {"Entered": 1, "AccessDenied": 3}
        assert isinstance(await refusal(door, said), AccessDenied)

    async def test_a_challenge_is_good_for_five_minutes(self, door: Door, added: Authenticator) -> None:
        """To the second."""
        late, timely = await answer(door, added), await answer(door, added)
        door.later(minutes=5, seconds=-1)
        await door.keeper().passkeys.log_in(HOME, json.dumps(timely), HERE)
        door.later(seconds=1)
        assert isinstance(await refusal(door, late), AccessDenied)

    async def test_a_counter_that_goes_back_is_told(self, door: Door, added: Authenticator) -> None:
        """There may be a copy of it: which one is said, and from where. Without a good signature nothing is said."""
        before = await answer(door, added)
        await door.keeper().passkeys.log_in(HOME, json.dumps(await answer(door, added)), HERE)
        forged = {**before, "response": {**before["response"], "signature": b64(b"x" * 70)}}
        added.count -= 1
        for said in (forged, await answer(door, added)):
            assert isinstance(await refusal(door, said), AccessDenied)
        told = [event for event in await door.kept.log.read() if event.type == "access.passkey-doubted"]
        assert [(one.data["name"], one.data["network"]) for one in told] == [("phone", "203.0.113.0/24")]

    async def test_one_that_does_not_count_is_never_doubted(self, door: Door, key: Authenticator, mine: Session) -> None:
        """As those that are synced: they say 0 every time."""
        key.step = 0
        await add(door, key, mine)
        for _ in range(3):
            await door.keeper().passkeys.log_in(HOME, json.dumps(await answer(door, key)), HERE)

    async def test_who_fails_too_often_waits_as_with_a_password(self, door: Door, added: Authenticator) -> None:
        """For both at once, and the log says how it was tried."""
        for _ in range(6):
            assert isinstance(await refusal(door, "{}"), AccessDenied)
        assert isinstance(await refusal(door, await answer(door, added)), TooManyTries)
        with pytest.raises(TooManyTries):
            await door.keeper().log_in(password=PASSWORD, client=THERE)
        (told,) = [event for event in await door.kept.log.read() if event.type == "access.login-refused"]
        assert (told.data["way"], told.data["refused"]) == ("passkey", 6)
        door.later(seconds=2)
        await door.keeper().passkeys.log_in(HOME, json.dumps(await answer(door, added)), THERE)
        assert isinstance(await refusal(door, "{}"), AccessDenied)

    async def test_challenges_are_not_given_without_end(self, door: Door, added: Authenticator) -> None:
        """To one address; another one gets its own, and none is given where no passkey fits."""
        keys = door.keeper().passkeys
        for _ in range(20):
            await keys.ask_log_in(HOME, THERE)
        with pytest.raises(TooManyTries):
            await keys.ask_log_in(HOME, "203.0.113.77")
        await keys.ask_log_in(HOME, HERE)
        with pytest.raises(AccessDenied):
            await keys.ask_log_in(ABROAD, HERE)


class TestProving:
    async def test_a_passkey_proves_what_the_password_proves(self, door: Door, added: Authenticator, mine: Session) -> None:
        """Those are asked for that there are; it need not say whose it is."""
        keys = door.keeper().passkeys
        door.later(minutes=10)
        asked = await keys.ask_proof(mine, HOME)
        assert [one["id"] for one in asked["allowCredentials"]] == [b64(added.credential_id)]
        added.user_handle = ""
        await keys.prove(mine, HOME, json.dumps(added.get(asked)), HERE)
        kept = await door.kept.sessions.get(mine.session_id)
        assert kept is not None
        assert proven(kept, door.now)

    async def test_what_was_asked_in_another_session_proves_nothing(self, door: Door, added: Authenticator, mine: Session) -> None:
        """Nor what was asked for logging in, nor a touch alone."""
        keys = door.keeper().passkeys
        other = (await door.keeper().log_in(password=PASSWORD, client=HERE)).session
        answers = [added.get(await keys.ask_proof(other, HOME)), added.get(await keys.ask_log_in(HOME, HERE))]
        added.flags = UP
        answers.append(added.get(await keys.ask_proof(mine, HOME)))
        door.later(minutes=4)
        for said in answers:
            with pytest.raises(AccessDenied):
                await keys.prove(mine, HOME, json.dumps(said), HERE)
        assert await door.kept.sessions.get(mine.session_id) == mine

    async def test_a_session_that_is_over_is_not_proved(self, door: Door, added: Authenticator, mine: Session) -> None:
        """However good the answer."""
        said = added.get(await door.keeper().passkeys.ask_proof(mine, HOME))
        await door.keeper().log_out(mine)
        with pytest.raises(AccessDenied):
            await door.keeper().passkeys.prove(mine, HOME, json.dumps(said), HERE)


class TestRemoving:
    async def test_a_removed_passkey_opens_nothing(self, door: Door, added: Authenticator, mine: Session) -> None:
        """Nor do the sessions that it may have opened; the own one goes on."""
        keys, said = door.keeper().passkeys, await answer(door, added)
        other = await keys.log_in(HOME, json.dumps(await answer(door, added)), HERE)
        await keys.remove(mine, "phone")
        sessions = [await door.kept.sessions.get(one.session_id) for one in (mine, other.session)]
        assert [session is not None for session in sessions] == [True, False]
        assert isinstance(await refusal(door, said), AccessDenied)
        assert (await door.told())[-1] == "passkey-removed"

    async def test_what_is_not_there_is_not_removed(self, door: Door, mine: Session) -> None:
        """Whatever it is called."""
        for name in ("phone", "", "\x00"):
            with pytest.raises(NotFound):
                await door.keeper().passkeys.remove(mine, name)

    async def test_one_that_is_removed_meanwhile_opens_nothing(self, door: Door, added: Authenticator, mine: Session) -> None:
        """Between its answer and the session."""
        said = await answer(door, added)
        door.between = lambda: door.keeper().passkeys.remove(mine, "phone")
        assert isinstance(await refusal(door, said), AccessDenied)
        assert await door.kept.sessions.close_all(keep=mine.session_id) == 0

    async def test_a_password_set_at_the_machine_removes_them_all(self, door: Door, added: Authenticator, mine: Session) -> None:
        """With every session; one that is changed by who knows it leaves them."""
        await door.keeper().change_password(mine, PASSWORD, "four words of mine", HERE)
        assert len(await door.keeper().passkeys.all()) == 1
        with pytest.raises(InvalidInput):
            await door.keeper().keyring.reset_password("short")
        ousted = await door.keeper().keyring.reset_password(PASSWORD)
        assert (ousted.sessions, ousted.passkeys, await door.keeper().passkeys.all()) == (1, 1, [])
        (told,) = await door.kept.log.last(limit=1)
        assert told.pre is not None
        assert (told.type, told.pre["passkeys"], "passkeys" in told.post) == ("access.password-set", ["phone"], False)


@given(st.binary(max_size=300), st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData"]))
def test_no_bytes_break_the_parsers(raw: bytes, part: str) -> None:
    """Whatever comes is refused in one way."""
    response = dict.fromkeys(("clientDataJSON", "attestationObject", "authenticatorData", "signature"), "AA") | {part: b64(raw)}
    text = json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})
    for parse in (registration, assertion):
        with suppress(NotVerified):
            challenge_of(parse(text))


@pytest.mark.parametrize(
    ("host", "public_url", "party"),
    [
        ("localhost:8400", "http://127.0.0.1:8400", HOME),
        ("steward.example", "https://steward.example", ABROAD),
        ("steward.example:8443", "https://steward.example:8443/", RelyingParty("steward.example", "https://steward.example:8443")),
        ("localhost:8400", "https://steward.example", HOME),
        ("127.0.0.1:8400", "http://127.0.0.1:8400", None),
        ("[::1]:8400", "http://127.0.0.1:8400", None),
        ("192.0.2.7", "https://192.0.2.7", None),
        ("steward.lan:8400", "http://steward.lan:8400", None),
        ("0.0.0.0:8400", "http://0.0.0.0:8400", None),
    ],
)
def test_a_passkey_needs_a_name_and_tls_or_localhost(host: str, public_url: str, party: RelyingParty | None) -> None:
    """As browsers do."""
    assert relying_party(host, public_url) == party


def test_where_there_can_be_none_it_is_said_where_there_can() -> None:
    """Under the public address where that has TLS, else on the machine itself."""
    hosts = ("127.0.0.1:8400", "localhost:8400", "[::1]:8400")
    assert elsewhere(hosts, "http://127.0.0.1:8400") == "http://localhost:8400"
    assert elsewhere(hosts, "https://steward.example") == "https://steward.example"
