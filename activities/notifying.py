"""The steps that reach the operator outside: interrupts and the morning page, each to every service once."""

from collections.abc import Sequence

from temporalio import activity

from activities.linking import Linking
from activities.steps import DigestInput
from domain.approvals import Approval, ApprovalStatus
from domain.attention import AttentionDay, Notice, NoticeDelivered, Sent
from domain.errors import Retryable
from domain.event import EventData, new_event
from domain.links import PATH
from domain.model import Moment, Name, Value
from domain.notifying import UNDELIVERED, Notification, undelivered
from domain.ports import EventLog, Notifier, State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised, Digest, DigestDelivered

_SHOWN = 200  # characters of what did not get through


class Told(Value):
    """An interrupt that was chosen: the same key again on a day is another one where its level rose."""

    key: Name
    level: AlertLevel


class NotifyInput(Value):
    """``day`` is the operator's."""

    day: Name
    told: tuple[Told, ...]
    now: Moment


class UndeliveredInput(Value):
    services: str
    now: Moment


class NotifyActivities:
    """A message that a service took is recorded, so that a repeated step goes to the others only.

    A step that dies between the two sends it once more: better twice than not at all.
    """

    def __init__(self, *, log: EventLog, state: State, notifier: Notifier, linking: Linking, console_url: str) -> None:
        self._log = log
        self._state = state
        self._notifier = notifier
        self._linking = linking
        self._console = console_url.rstrip("/")

    @activity.defn
    async def notify(self, request: NotifyInput) -> None:
        """Send the interrupts of ``told``. Raises Retryable naming the services that did not take one."""
        day = await self._state.get(AttentionDay, request.day)
        missed: dict[str, None] = {}
        for sent in day.sent if day and self._notifier.services else ():
            if Told(key=sent.notice.key, level=sent.notice.level) in request.told:
                missed |= dict.fromkeys(await self._tell(sent, request))
        await self._judge(list(missed), request.now)

    @activity.defn
    async def send_digest(self, request: DigestInput) -> None:
        """Send the page of a day, once. Raises Retryable naming the services that did not take it."""
        digest = await self._state.get(Digest, request.day)
        waiting = self._missing(digest.delivered) if digest else ()
        if digest is None or not waiting:
            return
        body = f"{digest.text}\n\n{self._console}/"
        taken, missed = await self._send(Notification(title=f"Steward, {request.day}", body=body), waiting)
        if taken:
            delivered = DigestDelivered(day=request.day, services=taken)
            await self._append(delivered, request.now, request.day, *taken)
        await self._judge(missed, request.now)

    @activity.defn
    async def admit_undelivered(self, request: UndeliveredInput) -> None:
        """Raise an alert, once until messages get through again."""
        known = await self._state.get(Alert, UNDELIVERED)
        if known is None or not known.open:
            alert = undelivered(request.services[:_SHOWN], now=request.now)
            await self._append(AlertRaised(alert=alert), request.now, UNDELIVERED, request.now.isoformat())

    async def _tell(self, sent: Sent, request: NotifyInput) -> Sequence[str]:
        """The services that did not take it."""
        waiting = self._missing(sent.delivered)
        if not waiting:
            return ()
        notice = sent.notice
        message = Notification(
            title="Steward",
            body=f"{notice.text}\n{await self._link(notice, request.now)}",
            urgent=notice.level is AlertLevel.URGENT,
        )
        taken, missed = await self._send(message, waiting)
        if taken:
            delivered = NoticeDelivered(day=request.day, key=notice.key, level=notice.level, services=taken)
            await self._append(delivered, request.now, request.day, notice.key, notice.level.value, *taken)
        return missed

    async def _link(self, notice: Notice, now: Moment) -> str:
        """To the one question it is about, as a link that decides it; else to the inbox."""
        keys = [stream.removeprefix("approval/") for stream in notice.about if stream.startswith("approval/")]
        found = [await self._state.get(Approval, key) for key in keys]
        waiting = [a for a in found if a is not None and a.status is ApprovalStatus.PENDING]
        token = await self._linking.issue(waiting[0], now=now) if len(waiting) == 1 else None
        return f"{self._console}{PATH}{token}" if token else f"{self._console}/inbox"

    def _missing(self, delivered: Sequence[str]) -> tuple[str, ...]:
        return tuple(service for service in self._notifier.services if service not in delivered)

    async def _send(self, message: Notification, to: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """The services that took it, and those that did not."""
        deliveries = await self._notifier.send(message, to=to)
        taken = tuple(d.service for d in deliveries if d.ok)
        return taken, [service for service in to if service not in taken]

    async def _judge(self, missed: Sequence[str], now: Moment) -> None:
        if missed:
            raise Retryable(", ".join(missed))
        alert = await self._state.get(Alert, UNDELIVERED)
        if alert is not None and alert.open and self._notifier.services:
            await self._append(AlertClosed(key=UNDELIVERED, by="steward"), now, UNDELIVERED, alert.at.isoformat())

    async def _append(self, data: EventData, at: Moment, *key: str) -> None:
        await self._log.append([new_event(data, at=at, key=key)])
