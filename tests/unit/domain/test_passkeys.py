"""The rules of passkeys: when an answer counts, when a counter is doubted, and what the log knows."""

from datetime import timedelta

import pytest

from domain.access import AccessRecord, LoggedIn, LoginRefused, LoginWay, PasswordSet, PasswordWay
from domain.catalogue import fold
from domain.event import EventData
from domain.passkeys import Challenge, PasskeyAdded, PasskeyDoubted, PasskeyRemoved, Purpose, counts, went_back
from domain.steering_words import steered
from tests.unit.domain.happenings import NOW

ASKED = Challenge(
    digest="a" * 64, purpose=Purpose.PROVE, session_id="b" * 64, rp_id="localhost", expires_at=NOW + timedelta(minutes=5)
)


def test_an_answer_counts_for_what_was_asked_where_and_when_it_was() -> None:
    """Every part of it."""
    here = {"session_id": "b" * 64, "rp_id": "localhost", "now": NOW}
    assert counts(ASKED, Purpose.PROVE, **here)  # type: ignore[arg-type]
    assert not counts(ASKED, Purpose.REGISTER, **here)  # type: ignore[arg-type]
    for other in ({"session_id": ""}, {"rp_id": "steward.example"}, {"now": ASKED.expires_at}):
        assert not counts(ASKED, Purpose.PROVE, **(here | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "doubted"), [(0, 0, False), (0, 1, False), (1, 2, False), (2, 2, True), (2, 1, True), (1, 0, True)]
)
def test_a_counter_only_goes_forward_where_there_is_one(before: int, after: int, doubted: bool) -> None:
    """An authenticator that has once counted does not stop."""
    assert went_back(before, after) is doubted


def record(*happened: EventData) -> AccessRecord | None:
    found = None
    for data in happened:
        found = fold(found, data)
    return found


def test_the_log_knows_which_passkeys_there_are() -> None:
    """A password that is set at the machine removes them; one that is changed does not."""
    added = [PasskeyAdded(name=name, rp_id="localhost", at=NOW) for name in ("phone", "desk", "phone")]
    doubted, removed = PasskeyDoubted(name="desk", network="unknown", at=NOW), PasskeyRemoved(name="desk", at=NOW)
    changed, reset = (PasswordSet(how=how, at=NOW) for how in (PasswordWay.CHANGED, PasswordWay.TERMINAL))
    assert record(*added) == AccessRecord(passkeys=("desk", "phone"))
    assert record(*added, doubted, changed, removed) == AccessRecord(passkeys=("phone",), password_set_at=NOW)
    assert record(*added, reset) == AccessRecord(password_set_at=NOW)


def test_what_was_recorded_before_there_were_passkeys_still_folds_into_the_same() -> None:
    """Else an old log would not prove its state any more."""
    old = record(LoggedIn(network="unknown", at=NOW))
    assert old is not None
    assert set(old.model_dump(mode="json")) == {"password_set_at", "logins", "last_login_at", "blocks", "last_block_at", "tokens"}
    assert LoggedIn.model_validate({"network": "unknown", "at": NOW}).way is LoginWay.PASSWORD


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LoggedIn(network="this machine", at=NOW), "logged in from this machine"),
        (LoggedIn(network="this machine", way=LoginWay.PASSKEY, at=NOW), "logged in with a passkey from this machine"),
        (
            LoginRefused(network="unknown", refused=6, until=NOW, way=LoginWay.PASSKEY, at=NOW),
            "log-in with a passkey refused 6 times from unknown: it has to wait",
        ),
        (PasskeyAdded(name="phone", rp_id="localhost", at=NOW), "passkey phone added for localhost"),
        (PasskeyRemoved(name="phone", at=NOW), "passkey phone removed"),
        (
            PasskeyDoubted(name="phone", network="unknown", at=NOW),
            "passkey phone refused from unknown: its counter went back, so there may be a copy of it",
        ),
    ],
)
def test_what_happens_with_passkeys_is_said_in_words(data: EventData, words: str) -> None:
    """As the timeline and the audit trail show it."""
    assert steered(data) == words
