"""What waits for the operator, told in Steward's own words: questions and alerts as one list of notices. Pure.

Nothing of what strangers wrote goes into a text: kinds of actions and alerts have fixed sentences, and all else is numbers.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from domain.actions import Risk, SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.attention import Notice
from domain.ids import derived_id
from domain.model import Moment
from domain.policies import AttentionPolicy
from domain.runs import Alert, AlertLevel

_NAMED = 20  # streams that a notice of many things names
_ASKED = {
    "send-reply": "a reply to a customer waits for your word",
    "refund-order": "a refund waits for your word",
    "cancel-order": "the cancellation of an order waits for your word",
    "reinstate-order": "an order that was cancelled waits to be taken up again",
    "change-address": "a new address for an order waits for your word",
    "adjust-stock": "a change of the shop's stock waits for your word",
    "place-purchase-order": "a purchase order waits for your word",
    "cancel-purchase-order": "the cancellation of a purchase order waits for your word",
    "publish-content": "a page waits to be published",
    "unpublish-content": "a page waits to be taken down",
    "call-tool": "the call of a tool waits for your word",
    "add-note": "a note on a customer waits for your word",
    "archive-note": "taking back a note on a customer waits for your word",
}
_UNWRITTEN = "a customer waits for a reply in your own words"
_SAID = {
    "ticket": ("a ticket is with you", "{} tickets are with you"),
    "unknown": ("nobody knows whether an effect happened", "nobody knows whether {} effects happened"),
    "undo": ("something could not be taken back", "{} things could not be taken back"),
    "audit-after": ("something that was done looks wrong", "{} things that were done look wrong"),
    "restless": ("a run that is to be taken back does not come to rest", "{} runs that are to be taken back do not come to rest"),
    "stuck": ("a step breaks again and again", "{} steps break again and again"),
    "late": ("a delivery is late", "{} deliveries are late"),
    "gave-way": ("a purchase order was left out", "{} purchase orders were left out"),
    "experiment": ("a change that was tried wants a look", "{} changes that were tried want a look"),
    "ratify": ("a proposed change waits for your word", "{} proposed changes wait for your word"),
    "question": ("Steward lacks a fact that you know", "Steward lacks {} facts that you know"),
    "log-broken": ("the log does not verify", "the log does not verify"),
    "anchors": ("the proof of the log could not be kept", "the proof of the log could not be kept"),
    "archive": ("a month of the log could not be archived", "{} months of the log could not be archived"),
    "notify": ("messages to you do not get through", "messages to you do not get through"),
    "recall": ("recall does not find what it must know", "recall does not find what it must know"),
}
_ANYTHING = ("something wants a look", "{} things want a look")
_ASKED_MINUTES = {Risk.R0: 5, Risk.R1: 15, Risk.R2: 30, Risk.R3: 120}
_ALERT_MINUTES = {AlertLevel.INFO: 5, AlertLevel.WARNING: 20, AlertLevel.URGENT: 120}
"""How long it takes to make good what nobody looked at: judgements, not measurements. Money that moves comes on top."""


def notices(
    approvals: Iterable[Approval],
    alerts: Iterable[Alert],
    *,
    policy: AttentionPolicy,
    now: Moment,
    pressing: Collection[str] = (),
) -> tuple[Notice, ...]:
    """Everything that waits and is not snoozed. ``pressing`` names runs whose customer says that it is urgent.

    A question asked anew is the same notice. Open alerts of a kind are one notice, but for urgent ones, which stand alone.
    An alert that a question escalates is part of it, and gone where the question is decided.
    """
    asked = [a for a in approvals if a.status is ApprovalStatus.PENDING]
    waiting = [_asked(a, policy, pressing) for a in asked if a.snoozed_until is None or a.snoozed_until <= now]
    raised = [a for a in alerts if a.open and not a.key.startswith("approval/")]
    return (*_folded(waiting), *_raised(raised, policy))


def _asked(approval: Approval, policy: AttentionPolicy, pressing: Collection[str]) -> Notice:
    proposal = approval.proposal
    action, money = proposal.action, proposal.action.money()
    minutes = _ASKED_MINUTES[action.risk]
    unwritten = isinstance(action, SendReply) and action.unwritten
    text = _UNWRITTEN if unwritten else _ASKED[action.kind]
    return Notice(
        key=str(derived_id("notice", proposal.run_id, proposal.step)),
        kind=action.kind,
        level=_level(approval),
        value_at_risk=_price(minutes, policy) + (float(abs(money.amount)) if money else 0.0),
        text=f"{text} ({money})" if money else text,
        what_to_do=f"./steward show {approval.approval_id[:8]}",
        about=(f"approval/{approval.approval_id}",),
        at=approval.requested_at,
        due=approval.expires_at,
        pressing=proposal.run_id in pressing,
    )


def _level(approval: Approval) -> AlertLevel:
    """A question is urgent when nobody answered for long and money or stock hangs on it."""
    if approval.escalated and approval.proposal.action.risk >= Risk.R2:
        return AlertLevel.URGENT
    return AlertLevel.WARNING if approval.reminders or approval.escalated else AlertLevel.INFO


def _folded(found: Iterable[Notice]) -> Iterator[Notice]:
    """One notice a key: as severe as the worst of it, as old as the oldest, and worth its dearest part."""
    by_key: dict[str, list[Notice]] = {}
    for notice in found:
        by_key.setdefault(notice.key, []).append(notice)
    for same in by_key.values():
        newest = max(same, key=lambda n: n.at)
        change = {
            "level": max((n.level for n in same), key=list(AlertLevel).index),
            "value_at_risk": max(n.value_at_risk for n in same),
            "about": tuple(stream for n in same for stream in n.about),
            "count": len(same),
            "at": min(n.at for n in same),
        }
        yield newest.model_copy(update=change)


def _raised(alerts: Sequence[Alert], policy: AttentionPolicy) -> Iterator[Notice]:
    yield from (_alarm(a.key, [a], policy) for a in alerts if a.level is AlertLevel.URGENT)
    by_kind: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.level is not AlertLevel.URGENT:
            by_kind.setdefault(kind_of(alert), []).append(alert)
    yield from (_alarm(kind, found, policy) for kind, found in by_kind.items())


def _alarm(key: str, found: Sequence[Alert], policy: AttentionPolicy) -> Notice:
    kind = kind_of(found[0])
    one, many = _SAID.get(kind, _ANYTHING)
    return Notice(
        key=key,
        kind=kind,
        level=max((a.level for a in found), key=list(AlertLevel).index),
        value_at_risk=sum(_price(_ALERT_MINUTES[a.level], policy) for a in found),
        text=one if len(found) == 1 else many.format(len(found)),
        what_to_do="./steward alerts",
        about=tuple(f"alert/{a.key}" for a in found[:_NAMED]),
        count=len(found),
        at=min(a.at for a in found),
    )


def kind_of(alert: Alert) -> str:
    return alert.key.partition("/")[0] or "other"


def _price(minutes: float, policy: AttentionPolicy) -> float:
    return minutes / 60 * float(policy.hour_of_work.amount)
