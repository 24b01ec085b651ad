"""The morning page: what needs the operator, what happened, what was learned, what goes without asking, what is used."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from temporalio import activity

from activities.attending import Attention, look
from activities.steps import DigestInput, DigestText
from domain.attention import NoticeOutcome
from domain.entities import PurchaseOrder, PurchaseOrderStatus, Ticket, TicketStatus
from domain.event import new_event
from domain.learning import LearningReport
from domain.model import Moment
from domain.policies import ApprovalPolicy, AutonomyPolicy
from domain.ports import EventLog, Guards, Policies, State
from domain.retention import Upkeep
from domain.runs import Controls, Digest, DigestWritten, Run
from domain.wording import clock, counted
from learning.attention import HEAD

_DAY = timedelta(days=1)
_FEW = 5


class DigestActivities:
    """The page may go out by mail or chat: what waits is told in the words of notices, without personal data."""

    def __init__(self, *, log: EventLog, state: State, policies: Policies, guards: Guards) -> None:
        self._log = log
        self._state = state
        self._policies = policies
        self._guards = guards

    @activity.defn
    async def write_digest(self, request: DigestInput) -> DigestText:
        """One short page, kept; a second one on the same day replaces it. Sections without content are left out."""
        attention = await look(self._state, self._policies, now=request.now)
        sections = [
            _needs_you(attention),
            await self._happened(attention, request.now),
            await self._learned(request.now),
            await self._alone(request.now),
            await self._bounds(request.now),
        ]
        text = "\n\n".join(section for section in sections if section)
        data = DigestWritten(digest=Digest(day=request.day, text=text, at=request.now))
        await self._log.append([new_event(data, at=request.now, key=(request.day, request.now.isoformat()))])
        return DigestText(text=text)

    async def _happened(self, attention: Attention, now: Moment) -> str:
        since = now - _DAY
        runs = await self._state.since(Run, since)
        still_open = [status for status in TicketStatus if status is not TicketStatus.CLOSED]
        open_tickets = sum([len(await self._state.find(Ticket, status=status)) for status in still_open])
        late = await self._state.find(PurchaseOrder, status=PurchaseOrderStatus.LATE)
        lines = [
            f"{counted(len(runs), 'run')}, {sum(r.status == 'done' for r in runs)} finished",
            f"{counted(open_tickets, 'ticket')} open",
            *(f"late: purchase order {o.purchase_order_id} from {o.supplier_id}" for o in late),
            *_interrupts(attention, since),
            *(upkeep.line for upkeep in await self._state.since(Upkeep, since)),
        ]
        return _section("Since yesterday", lines)

    async def _learned(self, now: Moment) -> str:
        reports = [r for r in await self._state.since(LearningReport, now - _DAY) if r.at <= now]
        if not reports:
            return ""
        report = max(reports, key=lambda r: r.at)
        lines = [
            *_few(report.ended),
            *_few([f"waits for your word: {line}" for line in report.proposed]),
            *([f"{counted(len(report.trying), 'change')} tried on a part of the cases"] if report.trying else []),
            *([f"{counted(len(report.questions), 'question')} to you: `./steward alerts`"] if report.questions else []),
        ]
        return _section("Learned last night", lines or ["nothing new"])

    async def _alone(self, now: Moment) -> str:
        grants = (await self._policies.in_force(AutonomyPolicy)).document.grants.values()
        controls = await self._state.get(Controls, "self") or Controls()
        zone = (await self._policies.in_force(ApprovalPolicy)).document.timezone
        bypassed = [f"{b.scope}, bypassed until {clock(b.until, zone)}" for b in controls.bypasses if now < b.until]
        return _section("Goes without asking you", [*bypassed, *_few([f"{g.key}, since {g.earned_at:%d %b}" for g in grants])])

    async def _bounds(self, now: Moment) -> str:
        used = await self._guards.used(now=now)
        lines = [f"{bound}: {amount} of {limit}" for bound, (amount, limit) in sorted(used.items()) if amount and limit is not None]
        return _section("Used of today's bounds", lines)


def _needs_you(attention: Attention) -> str:
    """The first few by rank, and how many more."""
    found = attention.ranked
    if not found:
        return "## Nothing needs you"
    lines = [f"{one.notice.text}: `{one.notice.what_to_do}`" for one in found[:HEAD]]
    more = [f"and {len(found) - HEAD} more: `./steward inbox`"] if len(found) > HEAD else []
    return _section(f"Needs you ({len(found)})", [*lines, *more])


def _interrupts(attention: Attention, since: Moment) -> Iterable[str]:
    sent = [s for day in attention.days for s in day.sent if s.at >= since]
    if sent:
        acted = sum(s.outcome is NoticeOutcome.ACTED for s in sent)
        yield f"{counted(len(sent), 'interrupt')}, {acted} acted on"


def _few(lines: Sequence[str]) -> list[str]:
    return [*lines[:_FEW], *([f"and {len(lines) - _FEW} more"] if len(lines) > _FEW else [])]


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", *(f"- {line}" for line in lines)]) if lines else ""
