"""The simulated operator: answers approvals by the few rules a shop owner goes by, and leaves one a workflow open."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from domain.actions import SendReply
from domain.approvals import Approval, Decision, Verb
from domain.ids import derived_id

SUSPECTED = "injection-suspected"


class SimulatedOperator:
    """Approves most things, writes the replies it is asked to write, and rejects what looks like a fraud.

    ``answers`` are its replies by customer address. The first time it sees approvals of a workflow, it leaves the one
    with the most money at stake for the newcomer, so ``kept`` names one open approval a workflow.
    """

    def __init__(self, *, name: str, answers: Mapping[str, str]) -> None:
        self.name = name
        self.answers = answers
        self.kept: dict[str, str] = {}

    def decide(self, pending: Sequence[Approval]) -> list[Decision]:
        """Its decisions on ``pending``; an approval it keeps open gets none."""
        for workflow, approval in self._most_at_stake(pending):
            self.kept.setdefault(workflow, approval.approval_id)
        return [self._decision(a) for a in pending if a.approval_id not in self.kept.values()]

    def _most_at_stake(self, pending: Sequence[Approval]) -> Iterator[tuple[str, Approval]]:
        by_stake = sorted((a for a in pending if not _suspected(a) and not _unwritten(a)), key=_stake, reverse=True)
        return ((a.proposal.workflow, a) for a in by_stake)

    def _decision(self, approval: Approval) -> Decision:
        action = approval.proposal.action
        if _suspected(approval):
            return self._make(approval, Verb.REJECT, reason="this is not a customer of ours, it is somebody trying it on")
        if isinstance(action, SendReply) and (text := self.answers.get(action.to)) and _unwritten(approval):
            edited = action.model_copy(update={"body": text, "facts": {}})
            return self._make(approval, Verb.EDIT, reason="my own words", action=edited)
        if _unwritten(approval):
            return self._make(approval, Verb.REJECT, reason="I will answer this one by telephone")
        if approval.replaces:
            return self._make(approval, Verb.REJECT, reason="not today, then")
        return self._make(approval, Verb.APPROVE)

    def _make(self, approval: Approval, verb: Verb, *, reason: str = "", action: SendReply | None = None) -> Decision:
        return Decision(
            decision_id=str(derived_id("demo-decision", approval.approval_id)),
            approval_id=approval.approval_id,
            verb=verb,
            digest=approval.proposal.digest,
            by=self.name,
            reason=reason,
            action=action,
        )


def _suspected(approval: Approval) -> bool:
    return any(finding.code == SUSPECTED for finding in approval.proposal.verdict.findings)


def _unwritten(approval: Approval) -> bool:
    action = approval.proposal.action
    return isinstance(action, SendReply) and not action.body.strip()


def _stake(approval: Approval) -> tuple[Decimal, str]:
    money = approval.proposal.action.money()
    return (money.amount if money else Decimal(0), approval.proposal.action.stream)
