"""The rules of entering: how long one waits, what a password is, when a session or a token ends."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import (
    AccessRecord,
    ApiToken,
    LoggedIn,
    LoginAttempt,
    LoginRefused,
    PasswordSet,
    PasswordWay,
    Scope,
    Session,
    TokenIssued,
    TokenRevoked,
    Tries,
    alive,
    attempt,
    blocked_until,
    check_password,
    client_key,
    flashed,
    network,
    normal_password,
    proven,
    usable,
)
from domain.catalogue import fold
from domain.errors import InvalidInput
from tests.unit.domain.happenings import NOW

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SESSION = Session(
    session_id="a" * 64, csrf="c", opened_at=NOW, seen_at=NOW, expires_at=NOW + 30 * DAY, proven_at=NOW, flash=("Hello",)
)
TOKEN = ApiToken(name="phone", token_hash="b" * 64, scopes=(Scope.READ,), created_at=NOW, expires_at=NOW + DAY)


def test_the_wait_doubles_after_five_free_failures() -> None:
    """From 2 seconds to a quarter of an hour, and never more."""
    waits = [until and (until - NOW).total_seconds() for until in (blocked_until(n, NOW) for n in range(17))]
    assert waits == [*[None] * 6, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert blocked_until(10**9, NOW) == NOW + 15 * MINUTE


@given(st.lists(st.integers(0, 2_000), max_size=60))
def test_within_an_hour_nobody_gets_many_tries(gaps: list[int]) -> None:
    """However they are spaced: the free ones, the nine of the doubling, and one a quarter of an hour."""
    now, tries, admitted = NOW, Tries(failures=0, last=NOW), 0
    for gap in gaps:
        now += gap * SECOND / 10
        found = attempt(tries, now)
        admitted += found.admitted
        tries = Tries(failures=found.failures, last=now) if found.admitted else tries
    assert admitted <= 5 + 9 + (now - NOW) // (15 * MINUTE) + 1


def test_a_try_during_the_wait_does_not_prolong_it() -> None:
    """And one after a quiet day begins anew."""
    tries = Tries(failures=8, last=NOW)
    assert attempt(tries, NOW + SECOND) == LoginAttempt(admitted=False, failures=8, until=NOW + 8 * SECOND)
    assert attempt(tries, NOW + 8 * SECOND) == LoginAttempt(admitted=True, failures=9, until=NOW + 24 * SECOND)
    assert attempt(tries, NOW + DAY) == LoginAttempt(admitted=True, failures=1, until=None)


def test_a_session_ends_after_half_a_day_unused_or_after_thirty_days() -> None:
    """To the second."""
    assert [alive(SESSION, NOW + 12 * HOUR - s * SECOND) for s in (1, 0)] == [True, False]
    used = SESSION.model_copy(update={"seen_at": NOW + 30 * DAY - SECOND})
    assert [alive(used, NOW + 30 * DAY - s * SECOND) for s in (1, 0)] == [True, False]


def test_a_proof_holds_for_ten_minutes() -> None:
    """To the second."""
    assert [proven(SESSION, NOW + 10 * MINUTE - s * SECOND) for s in (1, 0)] == [True, False]


def test_a_token_is_good_until_it_expires_or_is_revoked() -> None:
    """One without an end is good for ever."""
    assert [usable(TOKEN, NOW + DAY - s * SECOND) for s in (1, 0)] == [True, False]
    assert not usable(TOKEN.model_copy(update={"revoked_at": NOW}), NOW)
    assert usable(TOKEN.model_copy(update={"expires_at": None}), NOW + 10_000 * DAY)


def test_only_the_last_few_lines_wait_for_the_next_page() -> None:
    """Each cut to a length that fits."""
    said = SESSION
    for number in range(9):
        said = flashed(said, f"{number}" * 900)
    assert [line[0] for line in said.flash] == list("45678")
    assert {len(line) for line in said.flash} == {500}


@pytest.mark.parametrize(
    "password",
    ["", "short", "ninechars", "x" * 1_001, "aaaaaaaaaaaa", "1212121212", "Password123", "PASS-WORD-2026", "1234567890"],
)
def test_a_password_that_would_be_guessed_is_refused(password: str) -> None:
    """Too short, too long, too few characters, or among the commonest."""
    with pytest.raises(InvalidInput) as refused:
        check_password(password)
    assert refused.value.hint


@pytest.mark.parametrize("password", ["Mud & Clay Co", "mudclayco99", "Mud-and-Clay 2026"])
def test_the_shops_name_is_no_password(password: str) -> None:
    """However it is written, and with a number behind it."""
    with pytest.raises(InvalidInput, match="shop's name"):
        check_password(password, shop_name="Mud and Clay" if "and" in password else "Mud & Clay Co.")


@pytest.mark.parametrize(
    "password", ["tin roof sparrow", "ten chars!", "ÄÖÜäöüßéèê", "😀🙈🎈🧵🪡🥐🧀🍷🪐🌋", "7193058264", "tin roof " * 111]
)
def test_any_other_password_will_do(password: str) -> None:
    """In any script, with or without a name of the shop that has no letters."""
    for shop_name in ("", "!!!", "Mud"):
        check_password(password, shop_name=shop_name)


def test_a_password_is_the_same_from_every_keyboard() -> None:
    """Composed and decomposed umlauts are one."""
    assert normal_password("Scho\u0308n") == normal_password("Sch\u00f6n")


@pytest.mark.parametrize(
    ("client", "key", "coarse"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("127.0.0.1", "127.0.0.1", "this machine"),
        ("::1", "::/64", "this machine"),
        ("testclient", "unknown", "unknown"),
        ("\x00" * 9_999, "unknown", "unknown"),
    ],
)
def test_tries_are_counted_by_address_and_told_by_network(client: str, key: str, coarse: str) -> None:
    """What the log keeps for ever names nobody."""
    assert (client_key(client), network(client)) == (key, coarse)


def test_the_log_knows_who_may_enter() -> None:
    """The fold of everything that can happen at the door."""
    happened = (
        PasswordSet(how=PasswordWay.FIRST, at=NOW),
        LoggedIn(network="this machine", at=NOW),
        LoginRefused(network="unknown", refused=6, until=NOW + 2 * SECOND, at=NOW),
        TokenIssued(name="phone", scopes=(Scope.READ,), at=NOW),
        TokenIssued(name="desk", scopes=(Scope.READ,), at=NOW),
        TokenRevoked(name="phone", at=NOW),
    )
    record = None
    for data in happened:
        record = fold(record, data)
    assert record == AccessRecord(password_set_at=NOW, logins=1, last_login_at=NOW, blocks=1, last_block_at=NOW, tokens=("desk",))
