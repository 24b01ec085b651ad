"""What undoing a run would do, worked out from its effects."""

from datetime import UTC, datetime

from domain.actions import Action, CancelOrder, SendReply
from domain.decisions import Diff
from domain.effects import Effect, EffectStatus
from domain.undoing import undoing

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CANCEL = CancelOrder(order_id="1001", reason="asked")
REPLY = SendReply(ticket_id="t", message_id="m", to="a@example.org", sender="s@example.org", subject="s", body="b")


def effect(key: str, action: Action, *, status: EffectStatus = EffectStatus.COMMITTED, compensates: str = "") -> Effect:
    diff = Diff(record=action.stream, record_version="1", before={"status": "paid"}, after={})
    return Effect(
        key=key,
        run_id="r",
        workflow="support",
        step="s",
        action=action,
        diff=diff,
        status=status,
        compensates=compensates,
        reserved_at=NOW,
        updated_at=NOW,
    )


def test_what_has_an_inverse_is_undone_and_the_rest_stays() -> None:
    """In the order of the ledger, newest first, with the reason for what stays."""
    plan = undoing([effect("2", REPLY), effect("1", CANCEL)])
    assert [(u.effect.key, u.inverse.kind) for u in plan.undo] == [("1", "reinstate-order")]
    assert [stay.effect.key for stay in plan.stays] == ["2"]
    assert "irreversible" in plan.stays[0].why


def test_only_what_stands_is_undone() -> None:
    """Not what failed, was undone already, or undid something itself."""
    gone = [effect(s.value, CANCEL, status=s) for s in EffectStatus if s is not EffectStatus.COMMITTED]
    plan = undoing([*gone, effect("x", CANCEL, compensates="y")])
    assert (plan.undo, plan.stays) == ((), ())


def test_the_digest_names_exactly_these_effects() -> None:
    """One more, or one less, is another one; the order does not matter."""
    one, two = effect("1", CANCEL), effect("2", REPLY)
    assert undoing([one, two]).digest == undoing([two, one]).digest
    assert undoing([one, two]).digest != undoing([one]).digest


def test_money_or_stock_is_known_by_the_risk() -> None:
    """Of what was done or of what undoes it."""
    assert undoing([effect("1", CANCEL)]).moves_money
    assert not undoing([effect("2", REPLY)]).moves_money


def test_what_nobody_knows_may_be_money_too() -> None:
    """It is found out first, and undone where it happened; what failed is not, nor what undid something."""
    for status, money in ((EffectStatus.UNKNOWN, True), (EffectStatus.EXECUTING, True), (EffectStatus.FAILED, False)):
        assert undoing([effect("1", CANCEL, status=status)]).moves_money is money
    assert not undoing([effect("1", CANCEL, status=EffectStatus.UNKNOWN, compensates="0")]).moves_money
    assert not undoing([effect("2", REPLY, status=EffectStatus.UNKNOWN)]).moves_money
