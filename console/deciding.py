"""How programs decide: their own words, made into a wish of the operator at the one door."""

from typing import Any

from pydantic import Field

from console.callers import Caller
from domain.approvals import Verb
from domain.model import Moment, Name, Value
from domain.policies import OPERATOR
from workflows.deciding import DecisionRequest


class Answer(Value):
    """A decision on one question. The same ``decision_id`` is the same decision, however often it is sent.

    ``digest`` repeats what was shown. ``action`` is the whole edited action, ``snooze_until`` goes with snooze, and for
    ``hold_seconds`` an approval or an edit can be taken back with undo.
    """

    decision_id: Name
    verb: Verb
    digest: str = Field(max_length=100)
    reason: str = Field(default="", max_length=2_000)
    action: dict[str, Any] | None = None
    snooze_until: Moment | None = None
    hold_seconds: int = Field(default=0, ge=0, le=60)


def wish(caller: Caller, approval_id: str, answer: Answer) -> DecisionRequest:
    """Who decides and through which door is not the program's to say."""
    given = answer.model_dump(exclude={"action"})
    return DecisionRequest(**given, approval_id=approval_id, by=OPERATOR, via=caller.via, edited=answer.action)
