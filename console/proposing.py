"""How programs propose an action: as a run of its own, which asks the operator whatever it is."""

from uuid import uuid4

from pydantic import Field

from console.callers import Caller
from domain.actions import Action
from domain.autonomy import PROPOSE
from domain.errors import Refused
from domain.model import Value
from domain.runs import Run
from workflows.proposed import ProposedInput

MOST_OPEN = 50
"""Proposals that may wait at once: a program that proposes without end must not bury the rest."""


class Proposal(Value):
    """``proposal_id`` makes repeating it harmless. ``ticket_id`` is the conversation that asks for the action, if any."""

    action: Action
    reason: str = Field(min_length=1, max_length=2_000)
    proposal_id: str = Field(default="", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$|^$")
    ticket_id: str = Field(default="", max_length=200)


class Entered(Value):
    """The run that carries the proposal. It asks the operator, or says why it was refused."""

    run_id: str


async def propose(caller: Caller, proposal: Proposal) -> Entered:
    """Raises InvalidInput where the id stands for another proposal, Refused where too many wait, Retryable."""
    house = caller.house
    if await house.memory.views.count(Run, workflow=PROPOSE, status="running") >= MOST_OPEN:
        raise Refused(f"{MOST_OPEN} proposals are open already", hint="wait until the operator has decided some of them")
    proposed = ProposedInput(action=proposal.action, by=caller.name, reason=proposal.reason, ticket_id=proposal.ticket_id)
    return Entered(run_id=await house.gateway.propose(proposal.proposal_id or uuid4().hex, proposed))
