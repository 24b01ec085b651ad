"""Routes of the inbox: what waits, one question in full, and decisions, one by one or many at once."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from console import reading
from console.api.entry import Decides, Proposer, Reader
from console.deciding import Answer, wish
from console.proposing import Entered, Proposal, propose
from domain.model import Name
from workflows.deciding import Decided, NotDecided

router = APIRouter()
_MOST_AT_ONCE = 100


class BatchAnswer(Answer):
    approval_id: Name


class Batch(BaseModel):
    decisions: list[BatchAnswer] = Field(min_length=1, max_length=_MOST_AT_ONCE)


class Row(BaseModel):
    """What became of one decision of a batch."""

    approval_id: str
    decided: Decided | None = None
    refused: NotDecided | None = None


class Rows(BaseModel):
    """In the order of the batch."""

    rows: list[Row]


@router.get("/inbox", tags=["inbox"])
async def inbox(caller: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> reading.Waiting:
    """What waits for the operator, by its worth."""
    return await reading.waiting(caller.house, limit=limit)


@router.post("/inbox/decisions", tags=["inbox"])
async def decide_many(caller: Decides, batch: Batch) -> Rows:
    """Each for itself: one that does not count keeps no other from counting."""
    wishes = [wish(caller, one.approval_id, Answer(**one.model_dump(exclude={"approval_id"}))) for one in batch.decisions]
    return Rows(rows=[_row(result) for result in await caller.house.decider.decide_all(wishes)])


@router.get("/inbox/{approval_id}", tags=["inbox"])
async def question(caller: Reader, approval_id: str) -> reading.AskedInFull:
    """One question in full, decided or not."""
    return await reading.asked(caller.house, approval_id)


@router.post("/inbox/{approval_id}/decisions", tags=["inbox"])
async def decide(caller: Decides, approval_id: str, answer: Answer) -> Decided:
    """Approve, edit, reject, snooze, or undo what is held. Recorded as the operator's, with this door."""
    return await caller.house.decider.decide(wish(caller, approval_id, answer))


@router.post("/proposals", tags=["proposals"], status_code=202)
async def enter_proposal(caller: Proposer, proposal: Proposal) -> Entered:
    """Propose one action. It is audited like every other, and the operator is always asked before anything happens."""
    return await propose(caller, proposal)


def _row(result: Decided | NotDecided) -> Row:
    if isinstance(result, Decided):
        return Row(approval_id=result.approval_id, decided=result)
    return Row(approval_id=result.approval_id, refused=result)
