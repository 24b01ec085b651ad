from datetime import UTC, datetime
from pathlib import Path

from connectors.importers.mail import mail_files, read_mail
from demo.data import load
from demo.shop import customers
from demo.tickets import MORNING, NOON, mails, mbox
from domain.event import NewEvent

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHOP = "hello@fennelandflint.example"


def imported(tmp_path: Path, batch: str) -> tuple[NewEvent, ...]:
    path = tmp_path / f"{batch}.mbox"
    path.write_bytes(mbox(batch, shop=SHOP, now=NOW))
    report = read_mail(mail_files(path), own=[SHOP], at=NOW)
    assert not report.rejected
    assert not report.notes
    return report.accepted


def test_every_mail_passes_the_importer_of_real_mail(tmp_path: Path) -> None:
    """Senders and texts arrive as they were written, umlauts included."""
    events = imported(tmp_path, MORNING)
    assert {e.data.message.sender for e in events} == {mail.address for mail in mails(MORNING)}
    german = next(e for e in events if e.data.message.sender.startswith("karin"))
    assert "über einer Woche" in german.data.message.body


def test_the_second_mail_of_a_thread_joins_its_ticket(tmp_path: Path) -> None:
    """A reply that arrives in a later mailbox belongs to the conversation it answers."""
    morning = {e.data.message.sender: e.data.ticket_id for e in imported(tmp_path, MORNING)}
    reply = next(e for e in imported(tmp_path, NOON) if e.data.message.in_reply_to)
    assert reply.data.ticket_id == morning[reply.data.message.sender]
    assert reply.data.subject.startswith("Re: ")


def test_importing_a_mailbox_twice_is_importing_it_once(tmp_path: Path) -> None:
    """The ids of its events come from the mails."""
    assert [e.event_id for e in imported(tmp_path, MORNING)] == [e.event_id for e in imported(tmp_path, MORNING)]


def test_one_product_is_asked_about_often_enough_to_become_a_page() -> None:
    """Repeated questions are where content comes from."""
    asked = sum("oak chopping board" in mail.body.lower() for mail in mails(MORNING))
    assert asked >= load("shop")["policies"]["content"]["repeated_questions"]


def test_some_senders_are_strangers() -> None:
    """A hostile mail, spam and somebody who asks about another customer's order."""
    known = {customer.email for customer in customers().values()}
    assert len({mail.address for mail in mails(MORNING)} - known) >= 3
