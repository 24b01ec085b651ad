"""What words mean: the planners' and the gate's own for a doubt, and the operator's for a correction. Tables, read from the top."""

import re
from dataclasses import dataclass

from domain.actions import PlacePurchaseOrder
from domain.failures import RootCause
from learning.causes.seen import Cause, Seen
from learning.observed import Kind


@dataclass(frozen=True)
class Told:
    """``mode`` and ``ref`` may use the pattern's groups, {topic}, {supplier}, and {subject}: the product or order it is about."""

    words: str
    cause: RootCause
    mode: str
    ref: str = ""


_PLAYBOOK = "policy/support#playbooks"

TOLD: tuple[Told, ...] = (
    Told(r"nothing is known for '(?P<field>\w+)'", RootCause.DATA_MISSING, "missing fact: {field}", "{subject}#{field}"),
    Told(r"it is not clear which product is meant", RootCause.DATA_MISSING, "unknown product", "catalogue#products"),
    Told(r"the supplier's address is a placeholder", RootCause.DATA_MISSING, "missing fact: email", "supplier/{supplier}#email"),
    Told(r"never counted: (?P<sku>[^,;\s]+)", RootCause.DATA_MISSING, "missing fact: stock", "stock/{sku}#on_hand"),
    Told(r"sales are known only until", RootCause.DATA_STALE, "sales history is old", "sales#until"),
    Told(r"it moved since you saw it", RootCause.DATA_STALE, "it moved while it waited: {topic}"),
    Told(r"the item is priced in", RootCause.DATA_WRONG, "two currencies in one order", "{subject}#currency"),
    Told(r"no playbook for (?P<intent>[\w-]+)", RootCause.POLICY_GAP, "no playbook: {intent}", f"{_PLAYBOOK}.{{intent}}"),
    Told(
        r"(?P<intent>[\w-]+) is always answered by a person",
        RootCause.POLICY_GAP,
        "always by a person: {intent}",
        f"{_PLAYBOOK}.{{intent}}",
    ),
    Told(r"another language \((?P<code>\w+)\)", RootCause.POLICY_GAP, "another language: {code}", "policy/support#languages"),
    Told(
        r"the playbook does not allow (?P<what>a refund|cancelling)",
        RootCause.POLICY_GAP,
        "not allowed: {what}",
        f"{_PLAYBOOK}.{{topic}}.actions",
    ),
    Told(r"reported damaged more than", RootCause.POLICY_GAP, "damaged after the window", "policy/support#refund_window_days"),
    Told(
        r"is already refunded|nothing is left to refund",
        RootCause.POLICY_GAP,
        "refunded before: {topic}",
        f"{_PLAYBOOK}.{{topic}}",
    ),
    Told(
        r"no refund limit is set in (?P<code>[A-Z]{3})",
        RootCause.POLICY_GAP,
        "no refund limit: {code}",
        "policy/support#refund_limit",
    ),
    Told(r"is above the limit of", RootCause.POLICY_WRONG, "refund above the limit", "policy/support#refund_limit"),
    Told(
        r"this answer was given before",
        RootCause.POLICY_WRONG,
        "the answer did not settle it: {topic}",
        f"{_PLAYBOOK}.{{topic}}",
    ),
    Told(
        r"the playbook says that a person looks",
        RootCause.POLICY_WRONG,
        "always looked at: {topic}",
        f"{_PLAYBOOK}.{{topic}}.ask",
    ),
    Told(r"the new address is only the customer's word", RootCause.EXTERNAL, "an address nobody can check"),
    Told(r"check how many are damaged", RootCause.EXTERNAL, "the customer left something out: how many"),
    Told(r"the intent is not clear \((?P<intent>[\w-]+),", RootCause.MODEL, "unclear intent: {intent}", "policy/triage"),
    Told(r"it looks like (?P<intent>[\w-]+), but not surely", RootCause.MODEL, "unclear intent: {intent}", "policy/triage"),
    Told(r"cannot be answered by mail", RootCause.EXTERNAL, "a sender that cannot be answered"),
    Told(r"minimum quantities last very long", RootCause.EXTERNAL, "minimum quantities last very long"),
    Told(r"taking a page down is the owner's decision", RootCause.EXTERNAL, "a page to take down"),
    Told(r"breaker is open", RootCause.TOOL, "an outside system was down"),
)


def in_our_words(seen: Seen) -> Cause | None:
    """What we said ourselves when we asked, handed over, or did not act."""
    for entry in TOLD:
        if match := re.search(entry.words, seen.case.told):
            known = {"topic": seen.topic, "subject": seen.subject, "supplier": seen.supplier_id or "unknown"}
            fields = {**known, **match.groupdict()}
            return Cause(entry.cause, entry.mode.format(**fields)[:200], entry.ref.format(**fields))
    return None


_SAID: tuple[Told, ...] = (
    Told(r"\b(out of date|outdated|not true any ?more|old price|sold out by now)\b", RootCause.DATA_STALE, "out of date: {kind}"),
    Told(r"\b(wrong|incorrect) (price|date|size|material|number|fact)\b", RootCause.DATA_WRONG, "wrong fact: {kind}"),
    Told(r"\b(another|wrong|different) (order|product|item)\b", RootCause.MODEL, "wrong order or product: {topic}"),
    Told(r"\basks? for what the customer (said|wrote)\b", RootCause.MODEL, "asked what was said: {topic}"),
    Told(r"\b(nothing is due|not due|too generous|no refund|at most .{1,20} is due)\b", RootCause.POLICY_WRONG, "not due: {topic}"),
)
_OF_ORDERS: tuple[Told, ...] = (
    Told(r"\btoo (much|many|large|expensive)\b", RootCause.POLICY_WRONG, "ordered too much", "policy/stock#lot_factor"),
    Told(r"\btoo (little|few|small)\b|\bmore of\b", RootCause.POLICY_WRONG, "ordered too little", "policy/stock#service_level"),
)


def in_the_operators_words(seen: Seen) -> Cause | None:
    """What the operator wrote when they rejected or changed it, where it says enough."""
    if seen.action is None or seen.case.kind not in (Kind.REJECTED, Kind.EDITED):
        return None
    table = _OF_ORDERS if isinstance(seen.action, PlacePurchaseOrder) else _SAID
    entry = next((e for e in table if re.search(e.words, seen.case.told, re.IGNORECASE)), None)
    if entry is None:
        return None
    fields = {"topic": seen.topic, "kind": seen.action.kind}
    return Cause(entry.cause, entry.mode.format(**fields), entry.ref.format(**fields))
