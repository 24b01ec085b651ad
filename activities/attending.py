"""What wants the operator's attention, read from the canonical state: one view for interrupts, inbox and digest."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from domain.approvals import Approval, ApprovalStatus
from domain.attention import AttentionDay, Notice
from domain.entities import Ticket, TicketStatus
from domain.model import Moment, Value
from domain.policies import ApprovalPolicy, AttentionPolicy
from domain.ports import Policies, State
from domain.runs import Alert
from learning.attention import Ranked, chances, local_day, needs_you_now, ranked
from learning.notices import kind_of, notices

_MEMORY = timedelta(days=60)  # habits change: older days teach nothing


class Standing(Value):
    """Where a notice stands among all. ``interrupt`` says that it is one of the few that need the operator now, ``told_at``
    when they were interrupted for it today."""

    rank: int  # from 1
    notice: Notice
    interrupt: bool
    told_at: Moment | None


@dataclass(frozen=True, kw_only=True)
class Attention:
    """``ranked`` is everything that waits and is not snoozed; ``head`` the few that need the operator now."""

    policy: AttentionPolicy
    hours: ApprovalPolicy
    ranked: tuple[Ranked, ...]
    today: AttentionDay
    days: tuple[AttentionDay, ...]

    @property
    def head(self) -> tuple[Ranked, ...]:
        return needs_you_now(self.ranked, self.policy)

    def of_approval(self, approval: Approval) -> Standing | None:
        """None where it waits no more, or is snoozed."""
        stream = f"approval/{approval.approval_id}"
        return next((s for s in self._standings if stream in s.notice.about), None)

    def of_alert(self, alert: Alert) -> Standing | None:
        """None where it is part of a question, or closed."""
        keys = (alert.key, kind_of(alert))
        return next((s for s in self._standings if s.notice.key in keys), None)

    @cached_property
    def _standings(self) -> tuple[Standing, ...]:
        head = {one.notice.key for one in self.head}
        told = {sent.notice.key: sent.at for sent in self.today.sent}
        return tuple(
            Standing(rank=n, notice=one.notice, interrupt=one.notice.key in head, told_at=told.get(one.notice.key))
            for n, one in enumerate(self.ranked, start=1)
        )


async def look(state: State, policies: Policies, *, now: Moment) -> Attention:
    """Everything that waits at ``now``, in the order in which it is worth the operator's time."""
    policy = (await policies.in_force(AttentionPolicy)).document
    hours = (await policies.in_force(ApprovalPolicy)).document
    days = await recent_days(state, hours, now=now)
    today = local_day(hours, now)
    waiting = notices(
        await state.find(Approval, status=ApprovalStatus.PENDING),
        await state.find(Alert, open="true"),
        policy=policy,
        now=now,
        pressing=await _pressing(state),
    )
    return Attention(
        policy=policy,
        hours=hours,
        ranked=ranked(waiting, chance=chances(days), policy=policy, now=now),
        today=next((d for d in days if d.day == today), AttentionDay(day=today)),
        days=days,
    )


async def _pressing(state: State) -> frozenset[str]:
    """Runs of open tickets whose customer calls it urgent. Closed ones are many, and wait for nothing."""
    still_open = [status for status in TicketStatus if status is not TicketStatus.CLOSED]
    found = [ticket for status in still_open for ticket in await state.find(Ticket, urgency="high", status=status)]
    return frozenset(f"support/{ticket.ticket_id}" for ticket in found)


async def recent_days(state: State, hours: ApprovalPolicy, *, now: Moment) -> tuple[AttentionDay, ...]:
    oldest = local_day(hours, now - _MEMORY)
    return tuple(day for day in await state.find(AttentionDay) if day.day >= oldest)
