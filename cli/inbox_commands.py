"""``steward inbox | show | alerts``: what waits for the operator."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from cli.choosing import choose
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.showing import Shown, look_up, print_shown
from cli.wording import clock, left
from domain.approvals import Approval, ApprovalStatus
from domain.entities import Ticket
from domain.model import Value
from domain.runs import Alert, AlertClosed, AlertLevel, Controls

_SOON = timedelta(hours=6)
_TODAY = timedelta(hours=24)


class Urgency(StrEnum):
    NOW = "now"
    TODAY = "today"
    LATER = "later"


_TITLES = {Urgency.NOW: "Now", Urgency.TODAY: "Today", Urgency.LATER: "When you have time"}


class Waiting(Value):
    """A question as the inbox ranks it."""

    urgency: Urgency
    seconds_left: int
    approval: Approval


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (inbox, show, alerts):
        app.command()(command)


def inbox(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is snoozed.")] = False,
    as_json: AsJson = False,
) -> None:
    """What waits for you, the most urgent first."""

    async def work(system: System) -> tuple[list[Waiting], list[Approval], list[Alert], Controls]:
        asleep = [] if everything else await _snoozed(system)
        waiting = [w for w in await _waiting(system) if w.approval not in asleep]
        controls = await system.memory.state.get(Controls, "self") or Controls()
        return waiting, asleep, await open_alerts(system), controls

    waiting, asleep, alerts_open, controls = with_system(work, as_json=as_json)
    if as_json:
        ranked = [{**w.approval.model_dump(mode="json"), "urgency": w.urgency, "seconds_left": w.seconds_left} for w in waiting]
        print_json({"approvals": ranked, "alerts": alerts_open, "snoozed": len(asleep), "kill_switch": controls.kill_switch})
        return
    if controls.kill_switch:
        why = controls.kill_reason or "no reason given"
        say(f"The kill switch is on ({why}): nothing you approve happens before ./steward kill --off.")
    _print_waiting(waiting)
    if alerts_open:
        _print_alerts(alerts_open)
    if not waiting and not alerts_open:
        say("Nothing needs you.")
    if asleep:
        ends = min(a.snoozed_until for a in asleep if a.snoozed_until)
        say(f"{len(asleep)} snoozed, the first until {clock(ends)}; --all shows them")
    if waiting:
        first = waiting[0].approval.approval_id[:8]
        say(f"\n./steward show {first}    then approve {first} | reject {first} --reason … | edit {first} | snooze {first}")


def show(
    which: Annotated[str, typer.Argument(metavar="ID", help="A question's or a run's id, or enough of it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One question with its before and after, or one run step by step."""

    async def work(system: System) -> tuple[Shown, str | None]:
        return await look_up(system, which), system.endpoints.ui_url

    shown, ui_url = with_system(work, as_json=as_json)
    print_shown(shown, ui_url=ui_url, as_json=as_json)


def alerts(
    *,
    close: Annotated[str | None, typer.Option("--close", metavar="KEY", help="You have dealt with this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """What went wrong and is not settled yet; close what you have dealt with."""

    async def work(system: System) -> tuple[str, list[Alert]]:
        there = await open_alerts(system)
        if close is None:
            return "", there
        alert = choose(there, close, key=lambda a: a.key, what="open alert", hint="see `./steward alerts`")
        at = now()
        await record(system, AlertClosed(key=alert.key, by=OPERATOR), at=at)
        return alert.key, [a for a in there if a.key != alert.key]

    closed, there = with_system(work, as_json=as_json)
    if as_json:
        print_json({"closed": closed, "alerts": there} if closed else {"alerts": there})
        return
    if closed:
        say(f"closed: {closed}")
    if there:
        _print_alerts(there)
    elif not closed:
        say("No alert is open.")


async def open_alerts(system: System) -> list[Alert]:
    """Urgent ones first, then by age."""
    order = [AlertLevel.URGENT, AlertLevel.WARNING, AlertLevel.INFO]
    found = [a for a in await system.memory.state.find(Alert) if a.open]
    return sorted(found, key=lambda a: (order.index(a.level), a.at))


async def _waiting(system: System) -> list[Waiting]:
    """By urgency, then money at stake, then age."""
    at = now()
    pressing = {f"support/{ticket.ticket_id}" for ticket in await system.memory.state.find(Ticket, urgency="high")}
    found = [
        Waiting(urgency=urgency_of(a, pressing=a.proposal.run_id in pressing, at=at), seconds_left=_seconds(a, at), approval=a)
        for a in await system.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    ]
    return sorted(found, key=lambda w: (list(Urgency).index(w.urgency), -_stake(w.approval), w.approval.requested_at))


def urgency_of(approval: Approval, *, pressing: bool, at: datetime) -> Urgency:
    """``pressing`` says that the customer's own words are urgent."""
    remaining = approval.expires_at - at
    if pressing or approval.escalated or remaining <= _SOON:
        return Urgency.NOW
    return Urgency.TODAY if approval.reminders or remaining <= _TODAY else Urgency.LATER


async def _snoozed(system: System) -> list[Approval]:
    at = now()
    pending = await system.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    return [a for a in pending if a.snoozed_until is not None and a.snoozed_until > at]


def _seconds(approval: Approval, at: datetime) -> int:
    return max(0, int((approval.expires_at - at).total_seconds()))


def _stake(approval: Approval) -> float:
    money = approval.proposal.action.money()
    return float(money.amount) if money else 0.0


def _print_waiting(waiting: list[Waiting]) -> None:
    for urgency, title in _TITLES.items():
        rows = [_row(w) for w in waiting if w.urgency is urgency]
        if rows:
            print_table(title, ("id", "what", "why you", "time left"), rows)
            say("")


def _print_alerts(found: list[Alert]) -> None:
    rows = [(a.level, a.text + (f" (×{a.times})" if a.times > 1 else ""), a.what_to_do, a.key) for a in found]
    print_table("Alerts", ("level", "what", "what to do", "key"), rows)


def _row(waiting: Waiting) -> tuple[str, str, str, str]:
    approval = waiting.approval
    remaining = f"{left(timedelta(seconds=waiting.seconds_left))}, then {approval.on_expiry}"
    return approval.approval_id[:8], approval.proposal.action.summary(), "; ".join(approval.proposal.gate.reasons), remaining
