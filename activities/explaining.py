"""Root causes of failures that neither a rule nor the classifier could explain, asked of a model."""

from collections.abc import Sequence

from agents.prompting import prompt_of
from agents.skills.message_text import newest
from domain.actions import SendReply
from domain.approvals import Approval
from domain.errors import EffectError
from domain.failures import Failure, RootCause
from domain.model import Moment
from domain.ports import Model
from domain.tasks import EXPLAIN, FailureCause, Question
from learning.failures import labelled_by_model, unlabelled
from learning.observed import Observed

MOST_A_NIGHT = 10
_SHOWN = 1_500  # characters of a text
_MEANINGS: dict[RootCause, str] = {
    RootCause.DATA_MISSING: "a fact that was needed is not known to the shop",
    RootCause.DATA_STALE: "a fact was true once and is not any more",
    RootCause.DATA_WRONG: "a fact that the shop holds is wrong",
    RootCause.POLICY_GAP: "nothing is laid down for this kind of case",
    RootCause.POLICY_WRONG: "what is laid down (a template, a limit, a threshold) is not what the owner wants",
    RootCause.TOOL: "an outside system failed or was slow",
    RootCause.PROMPT: "a model that had the right facts worded them as the owner would not",
    RootCause.MODEL: "a model misunderstood the case",
    RootCause.EXTERNAL: "a customer, supplier or carrier did something that nobody here can mend",
    RootCause.HUMAN: "the owner decided late, or let something wrong pass",
}


class Explainer:
    def __init__(self, *, model: Model) -> None:
        self._model = model

    async def explained(self, failures: Sequence[Failure], observed: Observed, *, now: Moment) -> tuple[Failure, ...]:
        """``failures``, with a model's label where nothing else gave one: the dearest, at most ``MOST_A_NIGHT``.

        Whatever keeps the model from answering leaves them as they are.
        """
        waiting = sorted(unlabelled(failures), key=lambda f: (-f.severe, -f.cost, f.at, f.failure_id))[:MOST_A_NIGHT]
        labelled = {f.failure_id: await self._labelled(f, observed, now) for f in waiting}
        return tuple(labelled.get(f.failure_id, f) for f in failures)

    async def _labelled(self, failure: Failure, observed: Observed, now: Moment) -> Failure:
        try:
            answer = await self._model.answer(_question(failure, observed, now))
        except EffectError:
            return failure
        cause = answer.value.cause
        if not answer.confidence:  # the local engine has no opinion
            return failure
        return labelled_by_model(failure, cause=cause, mode=_mode(failure, cause), confidence=round(answer.confidence, 3))


def _question(failure: Failure, observed: Observed, now: Moment) -> Question[FailureCause]:
    return Question(
        task=EXPLAIN,
        trusted={"metric": failure.metric, "value": failure.value, "causes": {c.value: told for c, told in _MEANINGS.items()}},
        untrusted={name: text[:_SHOWN] for name, text in _texts(failure, observed).items() if text},
        prompt=prompt_of(EXPLAIN),
        asked_at=now,
    )


def _texts(failure: Failure, observed: Observed) -> dict[str, str]:
    """What was said, drafted and sent in the run, and what the customer wrote last."""
    approval = next((a for a in reversed(observed.approvals_by_run.get(failure.run_id, ())) if a.decided_at), None)
    ticket = observed.ticket_by_id.get(failure.run_id.removeprefix("support/"))
    message = ticket.last_inbound if ticket else None
    texts = {"topic": failure.topic, "said": failure.detail, "message": newest(message.body) if message else ""}
    return texts | (_decided(approval) if approval else {})


def _decided(approval: Approval) -> dict[str, str]:
    before, after = approval.proposal.action, approval.decision.action if approval.decision else None
    drafted = before.body if isinstance(before, SendReply) else before.summary()
    sent = after.body if isinstance(after, SendReply) else after.summary() if after else ""
    return {"drafted": drafted, "sent": sent}


def _mode(failure: Failure, cause: RootCause) -> str:
    """In our own words: a model's would group nothing, and could be a stranger's."""
    return f"{cause.value.replace('-', ' ')}: {failure.metric}, {failure.topic or 'any'}"[:200]
