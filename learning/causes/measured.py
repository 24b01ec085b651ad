"""Root causes of measured results that were bad."""

from datetime import timedelta

from domain.actions import RefundOrder
from domain.failures import RootCause
from learning.causes.seen import Cause, Seen, playbook_ref
from learning.observed import Kind, situation_of

_ASKING = frozenset({"ask", "not-yours", "which-of-yours", "which-item", "which-address"})


def mistaken_approval(seen: Seen) -> Cause | None:
    """A person let it go as shown, and it was wrong all the same."""
    metric = seen.case.metric
    if seen.case.kind is not Kind.MEASURED or metric not in ("refund-wrong", "corrected"):
        return None
    actions = [a.proposal.action for a in seen.approved_as_shown]
    concerned = [action for action in actions if metric == "corrected" or isinstance(action, RefundOrder)]
    return Cause(RootCause.HUMAN, f"approved, then wrong: {concerned[-1].kind}") if concerned else None


def wrong_refund(seen: Seen) -> Cause | None:
    if seen.case.metric != "refund-wrong":
        return None
    return Cause(RootCause.POLICY_WRONG, f"refunded wrongly: {seen.topic}", playbook_ref(seen.topic))


def asked_back(seen: Seen) -> Cause | None:
    """The customer wrote again because we had to ask them something."""
    asked = {situation_of(approval) for approval in seen.approvals} & _ASKING
    if seen.case.metric != "reopened" or not asked:
        return None
    return Cause(RootCause.EXTERNAL, f"the customer left something out: {min(asked)}")


def answer_not_enough(seen: Seen) -> Cause | None:
    if seen.case.metric != "reopened":
        return None
    named = "/".join(part for part in (seen.topic, seen.situation) if part)
    return Cause(RootCause.POLICY_WRONG, f"the answer did not settle it: {named}", playbook_ref(seen.topic, seen.situation))


def needless_question(seen: Seen) -> Cause | None:
    """All that the run asked was approved as shown."""
    if seen.case.metric != "unaided" or not seen.approvals or len(seen.approved_as_shown) < len(seen.approvals):
        return None
    return Cause(RootCause.POLICY_WRONG, f"asked though right: {seen.topic}", "policy/autonomy#grants")


def answered_late(seen: Seen) -> Cause | None:
    if seen.case.metric != "first-response-minutes":
        return None
    waited = sum((a.decided_at - a.requested_at for a in seen.approvals if a.decided_at), timedelta(0))
    if waited >= timedelta(minutes=seen.case.value) / 2:
        return Cause(RootCause.HUMAN, "answered late: it waited for a decision")
    return Cause(RootCause.TOOL, "answered late")


def ran_out(seen: Seen) -> Cause | None:
    """Too little in stock: the supplier takes longer than is stated, or the service level is too low."""
    if seen.case.metric not in ("stock-out-days", "fill-rate"):
        return None
    if seen.lead_time_differs():
        supplier = seen.supplier_id
        return Cause(RootCause.DATA_WRONG, f"lead time is not as stated: {supplier}", f"supplier/{supplier}#lead_time_days")
    return Cause(RootCause.POLICY_WRONG, "ran out of stock", "policy/stock#service_level")


def supplier_late(seen: Seen) -> Cause | None:
    if seen.case.metric != "supplier-lateness":
        return None
    supplier = seen.supplier_id
    return Cause(RootCause.EXTERNAL, f"supplier late: {supplier or 'any'}", f"supplier/{supplier}" if supplier else "")


def little_read(seen: Seen) -> Cause | None:
    match seen.case.metric:
        case "ctr":
            return Cause(RootCause.POLICY_WRONG, "few clicks", "policy/content#title_weights")
        case "seconds-on-page":
            return Cause(RootCause.PROMPT, "hardly read", "prompt/content")
    return None
