"""The one rule that says whether an answer to an approval counts. Every door ends here."""

from domain.actions import SendReply
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.errors import DecisionRefused
from domain.model import Moment
from domain.money import Money
from domain.wording import left


def judge(approval: Approval, decision: Decision, now: Moment) -> None:
    """Whether ``decision`` counts for ``approval`` at ``now``.

    Raises DecisionRefused with the reason. Every door (update, signal, CLI, console) ends here.
    """
    if decision.by not in approval.deciders:
        raise DecisionRefused(f"{decision.by} may not decide this", hint=f"it is for {', '.join(approval.deciders)}")
    if decision.digest != approval.proposal.digest:
        raise DecisionRefused("the proposal changed since it was shown", hint="look at it again, then decide")
    if decision.verb is Verb.UNDO:
        _judge_undo(approval, now)
        return
    _judge_state(approval, now)
    _judge_verb(approval, decision, now)


def _judge_undo(approval: Approval, now: Moment) -> None:
    if approval.is_held(now):
        return
    match approval.status:
        case ApprovalStatus.PENDING:
            raise DecisionRefused("there is nothing to take back: it waits for a decision", hint="see `steward inbox`")
        case ApprovalStatus.APPROVED | ApprovalStatus.EDITED:
            hint = f"`steward rollback {approval.proposal.run_id} --preview` says what can be undone"
            raise DecisionRefused("it is too late to take it back: it has begun", hint=hint)
        case status:
            raise DecisionRefused(
                f"approval {approval.approval_id} is {status}; that is not taken back", hint="see `steward inbox`"
            )


def _judge_state(approval: Approval, now: Moment) -> None:
    if approval.status is not ApprovalStatus.PENDING:
        held = approval.is_held(now)
        hint = "`steward undo` takes that back while it is held" if held else "see `steward inbox`"
        raise DecisionRefused(f"approval {approval.approval_id} is already {approval.status}", hint=hint)
    if now >= approval.expires_at:
        raise DecisionRefused(f"approval {approval.approval_id} expired", hint=f"its default, {approval.on_expiry}, was taken")


def _judge_verb(approval: Approval, decision: Decision, now: Moment) -> None:
    action = approval.proposal.action
    match decision.verb:
        case Verb.APPROVE if isinstance(action, SendReply) and action.unwritten:
            raise DecisionRefused("this reply has no text yet", hint="use edit and write it")
        case Verb.EDIT if isinstance(decision.action, SendReply) and decision.action.unwritten:
            raise DecisionRefused("this reply has no text", hint="write one, or reject it if nothing is to be sent")
        case Verb.EDIT if decision.action is None:
            raise DecisionRefused("an edit needs the edited action", hint="see `steward show` for its fields")
        case Verb.EDIT if decision.action is not None and (decision.action.kind, decision.action.stream) != (
            action.kind,
            action.stream,
        ):
            raise DecisionRefused("an edit cannot turn an action into another one", hint="reject it and propose the other action")
        case Verb.EDIT if decision.action is not None and _is_nothing(decision.action.money()):
            raise DecisionRefused("an amount of money is more than nothing", hint="reject it if nothing is to be paid")
        case Verb.REJECT if not decision.reason.strip():
            raise DecisionRefused("a rejection needs a reason", hint="it is what Steward learns from")
        case Verb.SNOOZE if decision.snooze_until is None or decision.snooze_until <= now:
            raise DecisionRefused("a snooze needs a time in the future", hint="for example --for 2h")
        case Verb.SNOOZE if decision.snooze_until is not None and decision.snooze_until >= approval.expires_at:
            raise DecisionRefused(
                "a snooze must end before the approval expires",
                hint=f"it expires in {left(approval.expires_at - now)}",
            )
        case _:
            return


def _is_nothing(money: Money | None) -> bool:
    return money is not None and money.amount <= 0
