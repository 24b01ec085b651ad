"""Values that tests of the simulation are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from demo.shop import catalogue
from demo.simulation.letters import Letter, Post
from demo.simulation.mails import Written
from demo.simulation.parcels import Parcel, parcels_of
from demo.simulation.people import customer
from demo.simulation.scenario import Scenario
from demo.simulation.truth import Asked, Truth
from domain.actions import Action, SendReply
from domain.approvals import Approval
from domain.decisions import Diff, GateDecision, GateOutcome, Proposal, Verdict, Why

NOW = datetime(2030, 1, 9, 9, tzinfo=UTC)
SEED = 5


def orders(days: int, scenario: Scenario | None = None, seed: int = SEED) -> list[Parcel]:
    """All orders of the two weeks before the first day and of ``days`` days."""
    products, usual = catalogue(), scenario or Scenario()
    return [parcel for day in range(-13, days + 1) for parcel in parcels_of(day, products, scenario=usual, seed=seed)]


def letters(days: int, scenario: Scenario | None = None, seed: int = SEED) -> list[Letter]:
    post = Post(catalogue(), scenario=scenario or Scenario(), seed=seed)
    known = orders(days, scenario, seed)
    return [letter for day in range(1, days + 1) for letter in post.letters(day, known)]


def truth(intent: str = "late", **given: Any) -> Truth:
    return Truth(**{"intent": intent, "order_id": "20123", "title": "Moss stoneware mug", "given": frozenset(Asked), **given})


def letter(about: Truth) -> Letter:
    return Letter(key="d1-0", at=NOW, who=customer(1, seed=SEED), truth=about, written=Written(subject="Hello", body="Where?"))


def reply(body: str = "It is on its way.", *, ticket: str = "", **facts: str) -> SendReply:
    first = letter(truth())
    return SendReply(
        ticket_id=ticket or first.ticket_id,
        message_id="<one@shop.example>",
        to=first.who.email,
        sender="hello@shop.example",
        subject="Re: Hello",
        body=body,
        facts={ref.replace("__", "/", 1).replace("__", "#"): value for ref, value in facts.items()},
    )


def approval(action: Action, *, ticket: str = "", step: str = "turn-1/reply") -> Approval:
    proposal = Proposal(
        run_id=f"support/{ticket}",
        workflow="support",
        step=step,
        action=action,
        diff=Diff(record="one", record_version="1", before={}, after={}),
        verdict=Verdict(),
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=("the mode is ask",)),
        why=Why(reason="test", facts={"ticket": ticket}),
        policy_versions={},
        proposed_at=NOW,
    )
    moments = {f"{m}_at": NOW + timedelta(hours=n) for n, m in enumerate(("requested", "remind", "escalate", "expires"))}
    return Approval(approval_id="one", proposal=proposal, deciders=("operator",), **moments)
