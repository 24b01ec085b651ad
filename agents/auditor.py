"""The Auditor: may block and raise alerts, may do nothing. Invariants in code, read from the canonical state."""

from collections.abc import AsyncIterator
from datetime import datetime

from pydantic import ValidationError

from agents.audit.after import after_findings
from agents.audit.findings import hold
from agents.audit.notes import NoteAudit
from agents.audit.procurement import ProcurementAudit
from agents.audit.publishing import PublishingAudit
from agents.audit.stock import StockAudit
from agents.audit.support import SupportAudit
from agents.audit.tools import ToolAudit
from domain.actions import (
    Action,
    AddNote,
    AdjustStock,
    ArchiveNote,
    CallTool,
    CancelOrder,
    CancelPurchaseOrder,
    ChangeAddress,
    PlacePurchaseOrder,
    PublishContent,
    RefundOrder,
    ReinstateOrder,
    SendReply,
    UnpublishContent,
)
from domain.decisions import Diff, Finding, Verdict, Why
from domain.effects import Effect
from domain.errors import DomainError
from domain.ports import Policies, State

_CHANGES: dict[str, frozenset[str]] = {
    "send-reply": frozenset({"sent_in_thread", "to", "subject", "body"}),
    "refund-order": frozenset({"refunds"}),
    "cancel-order": frozenset({"status"}),
    "reinstate-order": frozenset({"status"}),
    "change-address": frozenset({"ship_to"}),
    "adjust-stock": frozenset({"on_hand"}),
    "place-purchase-order": frozenset({"status", "to", "total", "lines"}),
    "cancel-purchase-order": frozenset({"status", "to", "total", "lines"}),
    "publish-content": frozenset({"piece"}),
    "unpublish-content": frozenset({"piece"}),
    "call-tool": frozenset({"called_with"}),
    "add-note": frozenset({"note"}),
    "archive-note": frozenset({"note"}),
}
"""The fields of the outside record that each kind of action may change. Anything else is a kind of error nobody foresaw."""


class Auditor:
    """Judges an action before and an effect after. What it has no rule for it holds under the code "unclassified"."""

    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def before(self, *, action: Action, diff: Diff, why: Why, now: datetime, run_id: str = "") -> Verdict:
        """Whether ``action`` may go ahead as shown in ``diff``, by the policies that its run has."""
        findings = [*_wider_than_declared(action, diff)]
        try:
            async for finding in self._invariants(action, why, now, self._policies.of(run_id)):
                findings.append(finding)  # noqa: PERF401 - what was found before an error is kept
        except (DomainError, ValidationError, ArithmeticError) as error:
            findings.append(hold("unclassified", f"the audit of {action.kind} met what it does not know: {error}"))
        return Verdict(findings=tuple(findings))

    async def after(self, *, effect: Effect, now: datetime) -> Verdict:
        """Whether the canonical state, at or after ``now``, agrees with what the effect promised."""
        return Verdict(findings=await after_findings(effect, state=self._state, now=now))

    def _invariants(self, action: Action, why: Why, now: datetime, policies: Policies) -> AsyncIterator[Finding]:
        match action:
            case SendReply():
                return SupportAudit(state=self._state, policies=policies).reply(action)
            case RefundOrder() | CancelOrder() | ReinstateOrder() | ChangeAddress():
                return SupportAudit(state=self._state, policies=policies).order_change(action, why)
            case AdjustStock():
                return StockAudit(state=self._state).adjust(action)
            case PlacePurchaseOrder():
                return ProcurementAudit(state=self._state, policies=policies).place(action, now)
            case CancelPurchaseOrder():
                return ProcurementAudit(state=self._state, policies=policies).cancel(action)
            case PublishContent():
                return PublishingAudit(state=self._state, policies=policies).publish(action)
            case UnpublishContent():
                return PublishingAudit(state=self._state, policies=policies).unpublish(action)
            case CallTool():
                return ToolAudit(policies=policies).call(action)
            case AddNote() | ArchiveNote():
                return NoteAudit(state=self._state).note(action)


def _wider_than_declared(action: Action, diff: Diff) -> tuple[Finding, ...]:
    wider = [name for name, _, _ in diff.changes() if name not in _CHANGES[action.kind]]
    return tuple(hold("unclassified", f"{action.kind} would also change {name!r} of {diff.record}") for name in wider)
