"""Messages to the operator: who is told what, once, and with which link."""

import json
from datetime import timedelta
from typing import Any

import pytest

import memory
from activities.attention import AttendInput, AttentionActivities
from activities.linking import Linking
from activities.notifying import NotifyActivities, NotifyInput, UndeliveredInput
from activities.steps import DigestInput
from connectors.fakes import InMemoryNotifier
from domain.approvals import ApprovalReminded, ApprovalRequested
from domain.attention import NoticeDelivered
from domain.errors import Retryable
from domain.event import EventData, new_event
from domain.links import OpenLink
from domain.notifying import UNDELIVERED, Notification
from domain.runs import Alert, AlertLevel, AlertRaised, Digest, DigestWritten
from models.embedding import HashingEmbedder
from tests.unit.learning.happened import reply
from tests.unit.learning.waiting import NOON, alert, question, refund

CONSOLE = "https://steward.example"


class Office:
    """A log, the step that chooses interrupts, and the one that sends them to two services."""

    def __init__(self, *services: str) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        self.notifier = InMemoryNotifier(services)
        self.linking = Linking(links=self.kept.links, state=self.kept.state)
        ports: dict[str, Any] = {"log": self.kept.log, "state": self.kept.state}
        self._attention = AttentionActivities(**ports, policies=self.kept.policies)
        self.out = NotifyActivities(**ports, notifier=self.notifier, linking=self.linking, console_url=f"{CONSOLE}/")

    async def tell(self, *events: EventData) -> None:
        await self.kept.log.append([new_event(data, at=NOON, key=(data.stream, data.type)) for data in events])

    async def attend(self) -> NotifyInput:
        """Choose what interrupts, and what is to be sent for it."""
        attended = await self._attention.attend(AttendInput(run_id="attention/x", now=NOON))
        return NotifyInput(day=attended.day, told=attended.told, now=NOON)

    @property
    def messages(self) -> list[tuple[str, Notification]]:
        return self.notifier.sent

    async def raw_log(self) -> str:
        return json.dumps([event.model_dump(mode="json") for event in await self.kept.log.read()])


@pytest.fixture
def office() -> Office:
    return Office("phone", "mail")


def asked(number: int = 1, **given: Any) -> ApprovalRequested:
    return ApprovalRequested(approval=question(refund(number, amount=90), number=number, at=NOON, **given))


async def test_an_interrupt_is_one_line_and_a_link_and_sent_once(office: Office) -> None:
    """To each service; the same step again sends nothing."""
    await office.tell(asked())
    request = await office.attend()
    for _ in range(2):
        await office.out.notify(request)
    assert [service for service, _ in office.messages] == ["phone", "mail"]
    line, link = office.messages[0][1].body.splitlines()
    assert line == "a refund waits for your word (90.00 EUR)"
    assert link.startswith(f"{CONSOLE}/link/")


async def test_the_link_opens_the_question_and_its_token_is_nowhere_else(office: Office) -> None:
    """Neither in the log nor in what is kept of the link."""
    await office.tell(asked())
    await office.out.notify(await office.attend())
    token = office.messages[0][1].body.rpartition("/")[2]
    found = await office.linking.look(token, now=NOON)
    assert isinstance(found, OpenLink)
    assert (found.approval_id, found.needs_login) == (question(refund(1, amount=90), number=1, at=NOON).approval_id, True)
    assert token not in await office.raw_log()


async def test_an_alert_leads_to_the_inbox(office: Office) -> None:
    """There is nothing to decide by a link; what is urgent says so."""
    await office.tell(AlertRaised(alert=alert("log-broken", AlertLevel.URGENT)))
    await office.out.notify(await office.attend())
    message = office.messages[0][1]
    assert (message.body, message.urgent) == (f"the log does not verify\n{CONSOLE}/inbox", True)


async def test_a_service_that_failed_is_tried_again_and_no_other(office: Office) -> None:
    """The error names the service, so that the step is repeated."""
    await office.tell(asked())
    request = await office.attend()
    office.notifier.broken.add("mail")
    with pytest.raises(Retryable, match=r"^mail$"):
        await office.out.notify(request)
    office.notifier.broken.clear()
    await office.out.notify(request)
    assert [service for service, _ in office.messages] == ["phone", "mail"]


async def test_what_grew_worse_is_sent_again(office: Office) -> None:
    """The same question on the same day, at a higher level."""
    await office.tell(asked())
    await office.out.notify(await office.attend())
    approval_id = asked().approval.approval_id
    await office.tell(ApprovalReminded(approval_id=approval_id, escalation=True))
    await office.out.notify(await office.attend())
    assert [message.urgent for _, message in office.messages] == [False, False, True, True]


async def test_where_nothing_is_set_up_nothing_is_sent_or_recorded() -> None:
    """And nothing is wrong."""
    office = Office()
    await office.tell(asked(), AlertRaised(alert=alert("log-broken", AlertLevel.URGENT)))
    await office.out.notify(await office.attend())
    assert NoticeDelivered.type not in await office.raw_log()


async def test_that_nothing_gets_through_is_alerted_once_until_it_does(office: Office) -> None:
    """The alert closes by itself with the next message that gets through."""
    for minutes in (0, 5):
        await office.out.admit_undelivered(UndeliveredInput(services="mail", now=NOON + timedelta(minutes=minutes)))
    raised = await office.kept.state.get(Alert, UNDELIVERED)
    assert raised is not None
    assert (raised.open, raised.times) == (True, 1)
    await office.tell(asked())
    await office.out.notify(await office.attend())
    closed = await office.kept.state.get(Alert, UNDELIVERED)
    assert closed is not None
    assert not closed.open


async def test_a_stranger_says_nothing_in_a_message(office: Office) -> None:
    """No address, no name, no word of theirs."""
    await office.tell(ApprovalRequested(approval=question(reply("ada@post.example"), number=3, at=NOON)))
    await office.out.notify(await office.attend())
    assert not any("ada" in message.model_dump_json() for _, message in office.messages)


async def test_the_page_of_a_day_is_sent_once(office: Office) -> None:
    """A second page of the same day is kept, not sent."""
    for text in ("## Nothing needs you", "## Needs you (1)"):
        written = DigestWritten(digest=Digest(day="2026-03-30", text=text, at=NOON))
        await office.kept.log.append([new_event(written, at=NOON, key=(text,))])
        await office.out.send_digest(DigestInput(day="2026-03-30", now=NOON))
    assert [(service, message.body) for service, message in office.messages] == [
        (service, f"## Nothing needs you\n\n{CONSOLE}/") for service in ("phone", "mail")
    ]
