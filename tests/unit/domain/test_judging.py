"""Answers that would only fail later are refused where they are given, and the question stays."""

import pytest

from domain.actions import SendReply
from domain.approvals import Decision, Verb
from domain.errors import DecisionRefused
from domain.judging import judge
from tests.unit.learning.waiting import NOON, question
from tests.workflow import sample


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.EDIT])
def test_a_reply_without_text_is_not_sent(verb: Verb) -> None:
    """Neither as it was proposed nor as it was edited; with words it counts."""
    reply = sample.reply("Dear Ada, it is on its way.").action
    assert isinstance(reply, SendReply)
    empty = reply.model_copy(update={"body": " \n"})
    asked = question(empty if verb is Verb.APPROVE else reply)

    def answered(action: SendReply | None) -> Decision:
        return Decision(
            decision_id="one",
            approval_id=asked.approval_id,
            verb=verb,
            digest=asked.proposal.digest,
            by=asked.deciders[0],
            action=action,
        )

    with pytest.raises(DecisionRefused, match="has no text"):
        judge(asked, answered(None if verb is Verb.APPROVE else empty), NOON)
    if verb is Verb.EDIT:
        judge(asked, answered(reply), NOON)
