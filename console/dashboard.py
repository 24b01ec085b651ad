"""What the first page knows: what waits, what is wrong, how things stand, and what was learned."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.attending import Attention, look
from console.places import place_of, place_of_alert
from console.settling import Unsettled, of_alert, waits_for_word
from console.tiles import Tile, tiles
from domain.approvals import Approval
from domain.attention import Notice
from domain.decisions import Mode
from domain.entities import Shop
from domain.learning import LearningReport
from domain.model import Moment
from domain.runs import Alert, AlertLevel, Controls
from memory.memory import Memory

WORKFLOWS = {"support": "Customer support", "replenish": "Stock and purchasing", "content": "Pages"}
_LEVELS = (AlertLevel.URGENT, AlertLevel.WARNING, AlertLevel.INFO)
_MOST_ALERTS = 8
_NIGHT = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Need:
    """One of the few things that need the operator now. ``what`` is the action itself, where it is a question."""

    notice: Notice
    what: str
    money: str
    href: str
    due: Moment | None
    then: str  # what happens when it lapses


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """``unsettled`` where a run waits for the operator's word on it."""

    alert: Alert
    href: str
    unsettled: Unsettled | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A workflow's mode; ``narrower`` are the actions that have another one."""

    workflow: str
    name: str
    mode: Mode
    narrower: list[tuple[str, Mode]]


@dataclass(frozen=True, kw_only=True)
class Today:
    needs: list[Need]
    more: int
    troubles: list[Trouble]
    quieter: int  # alerts that are not listed
    tiles: list[Tile]
    modes: list[Standing]
    report: LearningReport | None
    fresh: bool  # whether the report is of last night


async def today(memory: Memory, *, now: datetime, zone: str, controls: Controls) -> Today:
    attention, figures, troubles, reports = await asyncio.gather(
        look(memory.state, memory.policies, now=now),
        _tiles(memory, now=now, zone=zone),
        open_alerts(memory),
        memory.views.page(LearningReport, limit=1),
    )
    report = next(iter(reports), None)
    return Today(
        needs=[await _need(memory, one.notice) for one in attention.head],
        more=_questions(attention) - sum(_is_question(one.notice) for one in attention.head),
        troubles=troubles[:_MOST_ALERTS],
        quieter=max(len(troubles) - _MOST_ALERTS, 0),
        tiles=figures,
        modes=modes(controls),
        report=report,
        fresh=report is not None and now - report.at <= _NIGHT,
    )


async def _tiles(memory: Memory, *, now: datetime, zone: str) -> list[Tile]:
    shop = await memory.state.get(Shop, "self")
    return await tiles(memory.figures, now=now, zone=zone, currency=shop.currency if shop else "EUR")


async def open_alerts(memory: Memory) -> list[Trouble]:
    """Urgent ones first, then by age. What a question escalates is shown with the question."""
    found = [alert for alert in await memory.state.find(Alert, open="true") if not alert.key.startswith("approval/")]
    return [await _trouble(memory, alert) for alert in sorted(found, key=lambda a: (_LEVELS.index(a.level), a.at))]


async def _trouble(memory: Memory, alert: Alert) -> Trouble:
    waits = await of_alert(memory, alert) if waits_for_word(alert) else None
    return Trouble(alert=alert, href=place_of_alert(alert), unsettled=waits)


def modes(controls: Controls) -> list[Standing]:
    return [
        Standing(
            workflow=workflow,
            name=name,
            mode=controls.mode_of(workflow, ""),
            narrower=[(s.partition("/")[2], m) for s, m in sorted(controls.modes.items()) if s.startswith(f"{workflow}/")],
        )
        for workflow, name in WORKFLOWS.items()
    ]


async def _need(memory: Memory, notice: Notice) -> Need:
    approval = await _asked(memory, notice)
    if approval is None:
        return Need(notice=notice, what="", money="", href="#alerts", due=notice.due, then="")
    action = approval.proposal.action
    money = action.money()
    return Need(
        notice=notice,
        what=action.summary(),
        money=str(money) if money else "",
        href=place_of(f"approval/{approval.approval_id}"),
        due=approval.expires_at,
        then=approval.on_expiry,
    )


async def _asked(memory: Memory, notice: Notice) -> Approval | None:
    """The newest question that the notice is about."""
    keys = [stream.removeprefix("approval/") for stream in notice.about if stream.startswith("approval/")]
    found = [approval for key in keys if (approval := await memory.state.get(Approval, key))]
    return max(found, key=lambda a: a.requested_at, default=None)


def _questions(attention: Attention) -> int:
    return sum(_is_question(one.notice) for one in attention.ranked)


def _is_question(notice: Notice) -> bool:
    return notice.about[0].startswith("approval/")
