"""Whether the operator had a hand in a run, read from its events. Pure."""

from collections.abc import Sequence

from domain.approvals import ApprovalDecided, ApprovalTakenBack, Verb
from domain.event import Event
from domain.events import TicketHandedOver, TicketRelabelled
from domain.runs import RunStarted


def hand_of_the_operator(events: Sequence[Event]) -> dict[str, float]:
    """The metrics ``corrected`` and ``unaided`` of a run that ended, since it last began.

    A correction is an edit, a rejection or another intent; a run is unaided where nobody was asked or handed anything.
    Empty for a run in which nothing was decided at all, by anybody.
    """
    starts = [e.seq for e in events if e.type == RunStarted.type]
    since = [e for e in events if e.seq >= max(starts, default=0)]
    undone = {e.data["undone"] for e in since if e.type == ApprovalTakenBack.type}
    decisions = [e.data["decision"] for e in since if e.type == ApprovalDecided.type]
    verbs = {str(d["verb"]) for d in decisions if d["decision_id"] not in undone} - {Verb.SNOOZE.value}
    kinds = {e.type for e in since}
    corrected = bool(verbs & {Verb.EDIT.value, Verb.REJECT.value}) or TicketRelabelled.type in kinds
    aided = bool(verbs) or TicketHandedOver.type in kinds
    acted = any(e.causation_id for e in since)
    if not (acted or aided or corrected):
        return {}
    return {"corrected": float(corrected), "unaided": float(not aided)}
