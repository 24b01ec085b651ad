"""``steward inbox | show | alerts``: what waits for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from activities.attending import Attention, Standing, look
from cli.choosing import choose
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.showing import Shown, look_up, print_shown, run_of, web_ui_link
from cli.times import Times, operators_times
from domain.approvals import Approval, ApprovalStatus
from domain.model import Value
from domain.runs import Alert, AlertClosed, AlertLevel, Controls
from domain.wording import left

_SOON = timedelta(hours=6)
_TODAY = timedelta(hours=24)


class Urgency(StrEnum):
    NOW = "now"
    TODAY = "today"
    LATER = "later"


_TITLES = {Urgency.NOW: "Now", Urgency.TODAY: "Today", Urgency.LATER: "When you have time"}


class Waiting(Value):
    """A question as the inbox shows it; a snoozed one has no standing."""

    urgency: Urgency
    seconds_left: int
    standing: Standing | None
    approval: Approval


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that ``inbox`` shows."""

    attention: Attention
    waiting: Sequence[Waiting]
    asleep: Sequence[Approval]
    alerts: Sequence[Alert]
    controls: Controls
    times: Times


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (inbox, show, alerts):
        app.command()(command)


def inbox(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is snoozed.")] = False,
    as_json: AsJson = False,
) -> None:
    """What waits for you: the few things that need you now, then the rest."""
    page = with_system(lambda system: _page(system, everything=everything), as_json=as_json)
    if as_json:
        print_json(_as_json(page))
        return
    if page.controls.kill_switch:
        why = page.controls.kill_reason or "no reason given"
        say(f"The kill switch is on ({why}): nothing you approve happens before ./steward kill --off.")
    _print_head(page)
    _print_waiting([w for w in page.waiting if not (w.standing and w.standing.interrupt)])
    if page.alerts:
        _print_alerts(page.alerts)
    if not page.waiting and not page.alerts:
        say("Nothing needs you.")
    if page.asleep:
        ends = min(a.snoozed_until for a in page.asleep if a.snoozed_until)
        say(f"{len(page.asleep)} snoozed, the first until {page.times.clock(ends)}; --all shows them")
    if page.waiting:
        first = page.waiting[0].approval.approval_id[:8]
        say(f"\n./steward show {first}    then approve {first} | reject {first} --reason … | edit {first} | snooze {first}")


def show(
    which: Annotated[str, typer.Argument(metavar="ID", help="A question's or a run's id, or enough of it.")],
    *,
    full: Annotated[bool, typer.Option("--full", help="A long text as a whole, and every fact.")] = False,
    as_json: AsJson = False,
) -> None:
    """One question with its before and after, or one run step by step."""

    async def work(system: System) -> tuple[Shown, str | None, Times]:
        return await look_up(system, which), system.endpoints.ui_url, await operators_times(system.memory.policies)

    shown, ui_url, times = with_system(work, as_json=as_json)
    link = web_ui_link(ui_url, run_of(shown))
    if as_json:
        print_json({**vars(shown), "web_ui": link})
        return
    print_shown(shown, times, full=full)
    if link:
        say(f"\nStep by step: {link}")


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


async def _page(system: System, *, everything: bool) -> Page:
    at = now()
    state = system.memory.state
    attention = await look(state, system.memory.policies, now=at)
    asked = await state.find(Approval, status=ApprovalStatus.PENDING)
    asleep = [] if everything else [a for a in asked if a.snoozed_until is not None and a.snoozed_until > at]
    return Page(
        attention=attention,
        waiting=sorted((_waiting(attention, a, at) for a in asked if a not in asleep), key=_order),
        asleep=asleep,
        alerts=await open_alerts(system),
        controls=await state.get(Controls, "self") or Controls(),
        times=await operators_times(system.memory.policies),
    )


def _waiting(attention: Attention, approval: Approval, at: datetime) -> Waiting:
    standing = attention.of_approval(approval)
    return Waiting(
        urgency=urgency_of(approval, pressing=standing is not None and standing.notice.pressing, at=at),
        seconds_left=_seconds(approval, at),
        standing=standing,
        approval=approval,
    )


def _order(waiting: Waiting) -> tuple[bool, int, datetime]:
    """By rank; what is snoozed last."""
    standing = waiting.standing
    return standing is None, standing.rank if standing else 0, waiting.approval.requested_at


def _as_json(page: Page) -> dict[str, Any]:
    approvals = [
        {**w.approval.model_dump(mode="json"), "urgency": w.urgency, "seconds_left": w.seconds_left, **_weights(w.standing)}
        for w in page.waiting
    ]
    alerts = [{**a.model_dump(mode="json"), **_weights(page.attention.of_alert(a))} for a in page.alerts]
    return {
        "approvals": approvals,
        "alerts": alerts,
        "snoozed": len(page.asleep),
        "kill_switch": page.controls.kill_switch,
    }


def _weights(standing: Standing | None) -> dict[str, Any]:
    if standing is None:
        return {"rank": None, "value_at_risk": None, "interrupt": False, "told_at": None}
    shown = standing.model_dump(mode="json", include={"rank", "interrupt", "told_at"})
    return {**shown, "value_at_risk": round(standing.notice.value_at_risk, 2)}


def urgency_of(approval: Approval, *, pressing: bool, at: datetime) -> Urgency:
    """``pressing`` says that the customer's own words are urgent."""
    remaining = approval.expires_at - at
    if pressing or approval.escalated or remaining <= _SOON:
        return Urgency.NOW
    return Urgency.TODAY if approval.reminders or remaining <= _TODAY else Urgency.LATER


def _seconds(approval: Approval, at: datetime) -> int:
    return max(0, int((approval.expires_at - at).total_seconds()))


def _print_head(page: Page) -> None:
    """The few that need the operator now: what this is about stands in full, because this is their own screen."""
    questions = {s.notice.key: w for w in page.waiting if (s := w.standing)}
    rows = []
    for one in page.attention.head:
        notice, standing = one.notice, questions.get(one.notice.key)
        told = next((page.times.clock(s.at) for s in page.attention.today.sent if s.notice.key == notice.key), "")
        rows.append((*_row(standing), told) if standing else ("", notice.text, notice.what_to_do, "", told))
    if rows:
        print_table("Needs you now", ("id", "what", "why you", "time left", "told you"), rows)
        say("")


def _print_waiting(waiting: Sequence[Waiting]) -> None:
    for urgency, title in _TITLES.items():
        rows = [_row(w) for w in waiting if w.urgency is urgency]
        if rows:
            print_table(title, ("id", "what", "why you", "time left"), rows)
            say("")


def _print_alerts(found: Sequence[Alert]) -> None:
    rows = [(a.level, a.text + (f" (×{a.times})" if a.times > 1 else ""), a.what_to_do, a.key) for a in found]
    print_table("Alerts", ("level", "what", "what to do", "key"), rows)


def _row(waiting: Waiting) -> tuple[str, str, str, str]:
    approval = waiting.approval
    remaining = f"{left(timedelta(seconds=waiting.seconds_left))}, then {approval.on_expiry}"
    return approval.approval_id[:8], approval.proposal.action.summary(), "; ".join(approval.proposal.gate.reasons), remaining
