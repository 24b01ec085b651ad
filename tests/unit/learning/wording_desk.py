"""A shop whose replies a model words, and an operator who writes them in their own way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import memory
from activities.back_testing import BackTester
from activities.explaining import Explainer
from activities.learning import LearningActivities
from activities.refitting import Refitter
from activities.rewording import Reworder
from activities.shelf import ShelfWatch
from activities.steps import Learned, LearnInput
from agents.stock_planner import StockPlanner
from domain.approvals import Approval, ApprovalRequested, ApprovalStatus
from domain.entities import Direction, Message, Shop
from domain.events import MessageReceived, ShopDescribed
from domain.experiments import Experiment
from domain.failures import Failure
from domain.model import Value
from domain.policies import PolicyRecord
from domain.ports import Model
from domain.tasks import IMPROVE, REPLY, Answer, PromptEdit, Question, ReplyDraft
from learning.steering import stopped
from models.embedding import HashingEmbedder
from models.local import LocalModel
from models.scripted import ScriptedModel
from tests.unit.learning.happened import NOW, SIGNATURE, approval, reply
from tests.unit.learning.trial import Trial

T = TypeVar("T", bound=Value)
SHOP = Shop(name="Alder & Co", email="help@shop.example", site_url="https://shop.example", signature=SIGNATURE)
BETTER = "Name the tracking number in the first sentence."
OWN_WAY = "Follow your parcel with {tracking}. Order {order_id} left us on {shipped_on} with {carrier}."
MODELS_WAY = "Thank you for your message. Your order {order_id} went out on {shipped_on} by {carrier}, tracking number {tracking}."


def values(number: int) -> dict[str, str]:
    return {
        "order_id": f"10{number:02}",
        "shipped_on": f"{number % 27 + 1} March 2026",
        "carrier": "DHL",
        "tracking": f"TRK9{number}",
    }


def worded(
    number: int,
    status: ApprovalStatus = ApprovalStatus.EDITED,
    *,
    sent: str = OWN_WAY,
    at: datetime = NOW,
    order: int | None = None,
) -> Approval:
    """A letter about an order (its own, unless ``order`` says which) that the model worded; edited into ``sent``, or let go."""
    stated = values(number if order is None else order)
    facts = {f"order/{stated['order_id']}#{name}": value for name, value in stated.items()}
    shown, after = (reply(text.format(**stated), number=number, facts=facts) for text in (MODELS_WAY, sent))
    edited = after if status is ApprovalStatus.EDITED else None
    return approval(shown, status, number=number, edited=edited, said="better so", at=at)


class Writer(ScriptedModel):
    """Proposes ``edit``; words a letter as its prompt asks: in the operator's way where the addition is in it."""

    def __init__(self, edit: str = BETTER, *, follows: str = BETTER) -> None:
        super().__init__({IMPROVE.name: [PromptEdit(why="they want the number first", instruction=edit)]})
        self._follows = follows

    async def answer(self, question: Question[T]) -> Answer[T]:
        if question.task.name == REPLY.name:
            self.asked.append(question)
            letter = in_its_way(question, followed=self._follows in question.prompt)
            return Answer(value=question.task.answer.model_validate(letter.model_dump()), confidence=0.9, engine="w", model="w")
        return await super().answer(question)

    @property
    def edits_asked(self) -> list[Question[PromptEdit]]:
        return [q for q in self.asked if q.task.name == IMPROVE.name]


def in_its_way(question: Question[T], *, followed: bool) -> ReplyDraft:
    facts = {ref.partition("#")[2]: value for ref, value in question.trusted["facts"].items()}
    return ReplyDraft(body=f"Hello Ada,\n\n{(OWN_WAY if followed else MODELS_WAY).format(**facts)}\n\n{SIGNATURE}")


class WordingDesk:
    """A memory with the approvals that were decided in it, and nights in which Steward learns from them."""

    def __init__(self, model: Model) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        self.trial = Trial(self.kept)
        state, policies = self.kept.state, self.kept.policies
        self.steps = LearningActivities(
            log=self.kept.log,
            state=state,
            policies=policies,
            facts=self.kept.facts,
            flags=self.kept.flags,
            explainer=Explainer(model=model),
            refitter=Refitter(models=LocalModel(HashingEmbedder())),
            reworder=Reworder(model=model, state=state),
            tester=BackTester(planner=StockPlanner(state=state, policies=policies)),
            shelf=ShelfWatch(measurer=self.trial.measurer, state=state),
        )

    @classmethod
    async def open(cls, model: Model, approvals: Sequence[Approval], *, mail: str = "Where is my parcel?") -> "WordingDesk":
        desk = cls(model)
        mails = (_received(number, f"{mail} {number}") for number in range(len(approvals)))
        await desk.trial.tell(ShopDescribed(shop=SHOP), *mails, at=NOW)
        await desk.decided(approvals, at=NOW)
        return desk

    async def decided(self, approvals: Sequence[Approval], *, at: datetime) -> None:
        await self.trial.tell(*(ApprovalRequested(approval=a) for a in approvals), at=at)

    async def stop(self, trial: Experiment, *, at: datetime) -> None:
        await self.trial.tell(*stopped(trial, await self.prompts(), by="operator", hard=False, why="no gain", now=at), at=at)

    async def night(self, at: datetime = NOW + timedelta(days=1)) -> Learned:
        request = LearnInput(day=at.date().isoformat(), run_id=f"learn/{at.date()}", now=at)
        await self.steps.find_failures(request)
        proposed = await self.steps.propose_changes(request)
        await self.steps.report_learning(request)
        return proposed

    async def prompts(self) -> PolicyRecord:
        return await self.kept.state.get(PolicyRecord, "prompts") or PolicyRecord(name="prompts")

    async def failures(self) -> list[Failure]:
        return await self.kept.state.find(Failure)


def _received(number: int, body: str) -> MessageReceived:
    at = NOW - timedelta(days=1)
    sender = f"ada{number}@mail.example"
    message = Message(message_id=f"<c{number}@mail.example>", direction=Direction.INBOUND, sender=sender, at=at, body=body)
    return MessageReceived(ticket_id=f"t-{number}", source="mail", subject="parcel", message=message)
