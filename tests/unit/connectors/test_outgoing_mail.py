"""Outgoing mail is well formed, goes to one recipient, and nothing in it can add a header."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from connectors import open_local
from domain.actions import Action, CancelPurchaseOrder, Capability, SendReply
from domain.errors import Permanent, Stale
from tests.contract.outside_cases import NOW, purchase, reply


def mails(home: Path) -> list[Path]:
    return [*home.rglob("*.steward")]


async def written(home: Path, capability: Capability, action: Action, key: str = "k") -> EmailMessage:
    """The mail the action leaves in the Maildir, parsed from its bytes."""
    connector = open_local(home)[capability]
    seen = (await connector.preview(action)).record_version
    known = {*(home / "outside/mail/outgoing/new").glob("*")}
    await connector.execute(action, key=key, expected_version=seen, now=NOW)
    (new,) = {*(home / "outside/mail/outgoing/new").glob("*")} - known
    message = BytesParser(policy=policy.SMTP).parsebytes(new.read_bytes())
    assert isinstance(message, EmailMessage)
    return message


async def test_reply_headers(tmp_path: Path) -> None:
    """A reply carries its Message-ID, the thread it answers and the time it was written."""
    message = await written(tmp_path, Capability.HELPDESK, reply(in_reply_to="question@customer.example"))
    assert message["Message-ID"] == "<reply-1@mill.example>"
    assert message["In-Reply-To"] == message["References"] == "<question@customer.example>"
    assert message["Date"] == "Mon, 02 Mar 2026 09:30:15 +0000"
    assert (message["To"], message["From"]) == ("ada@example.org", "Mill Shop <hello@mill.example>")


async def test_reply_text_survives(tmp_path: Path) -> None:
    """Text of any script arrives as it was written, and a long subject too."""
    body, subject = "Grüße, 你好 👋\n.\nFrom here on\n" + "x" * 2000, "Ü" * 150
    message = await written(tmp_path, Capability.HELPDESK, reply(body=body, subject=subject))
    assert message.get_content().replace("\r\n", "\n").strip() == body
    assert message["Subject"] == subject


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hi\r\nBcc: eve@example.org"},
        {"subject": "Hi\nBcc: eve@example.org"},
        {"to": "ada@example.org\r\nBcc: eve@example.org"},
        {"to": "ada@example.org, eve@example.org"},
        {"to": "Ada <ada@example.org>, eve@example.org"},
        {"to": "not an address"},
        {"sender": "Shop\nReply-To: eve@example.org <s@mill.example>"},
        {"message_id": "a> \r\nBcc: eve@example.org <b"},
        {"body": "  \n "},
        {"body": "half a \ud800 character"},
    ],
    ids=str,
)
async def test_refused_headers(tmp_path: Path, changes: dict[str, str]) -> None:
    """A line break, a second recipient, a broken id or no text at all is refused for good, and no mail is left."""
    action = SendReply.model_construct(**{**dict(reply()), **changes})
    connector = open_local(tmp_path)[Capability.HELPDESK]
    with pytest.raises(Permanent):
        await connector.execute(action, key="k", expected_version="0", now=NOW)
    assert mails(tmp_path) == []


async def test_strange_reference_is_left_out(tmp_path: Path) -> None:
    """An In-Reply-To that is no Message-ID, as tickets from a table have, is left out."""
    message = await written(tmp_path, Capability.HELPDESK, reply(in_reply_to="row 12\r\nBcc: eve@example.org"))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


async def test_message_id_is_used_once(tmp_path: Path) -> None:
    """The same Message-ID under another key is refused, so a reply cannot go out twice through two runs."""
    await written(tmp_path, Capability.HELPDESK, reply())
    connector = open_local(tmp_path)[Capability.HELPDESK]
    with pytest.raises(Permanent, match="Message-ID"):
        await connector.execute(reply(), key="another", expected_version="1", now=NOW)


async def test_mail_taken_by_a_sender_is_still_known(tmp_path: Path) -> None:
    """When a mail program has moved the mail to ``cur``, its receipt is found and it is not written again."""
    await written(tmp_path, Capability.HELPDESK, reply())
    box = tmp_path / "outside/mail/outgoing"
    (mail,) = (box / "new").iterdir()
    mail.rename(box / "cur" / f"{mail.name}:2,S")
    connector = open_local(tmp_path)[Capability.HELPDESK]
    assert await connector.find_receipt(reply(), key="k") is not None
    await connector.execute(reply(), key="k", expected_version="0", now=NOW)
    assert not [*(box / "new").iterdir()]


async def test_thread_moves(tmp_path: Path) -> None:
    """A reply shown before another one went out on the same ticket is stale."""
    connector = open_local(tmp_path)[Capability.HELPDESK]
    seen = (await connector.preview(reply("two"))).record_version
    await written(tmp_path, Capability.HELPDESK, reply("one"))
    with pytest.raises(Stale):
        await connector.execute(reply("two"), key="two", expected_version=seen, now=NOW)


async def test_purchase_order_parts(tmp_path: Path) -> None:
    """A purchase order is text, HTML and a CSV file that say the same."""
    message = await written(tmp_path, Capability.SUPPLIERS, purchase())
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    (table,) = message.iter_attachments()
    assert text is not None
    assert html is not None
    assert "24 x MUG  Mug, red  at 4.10 EUR" in text.get_content()
    assert "<td>Mug, red</td><td>24</td>" in html.get_content()
    assert table.get_content().splitlines()[1] == 'MUG,"Mug, red",24,4.10,98.40,EUR'
    assert table.get_filename() == "PO-7.csv"


async def test_hostile_titles(tmp_path: Path) -> None:
    """A title cannot become HTML or a spreadsheet formula."""
    action = purchase()
    line = action.purchase_order.lines[0].model_copy(update={"title": '=HYPERLINK("http://x")<script>'})
    order = action.purchase_order.model_copy(update={"lines": (line,)})
    message = await written(tmp_path, Capability.SUPPLIERS, action.model_copy(update={"purchase_order": order}))
    html = message.get_body(("html",))
    (table,) = message.iter_attachments()
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "MUG,\"'=HYPERLINK" in table.get_content()


async def test_cancellation_answers_the_order(tmp_path: Path) -> None:
    """The cancellation refers to the order's own mail, and an order is neither placed nor cancelled twice."""
    placed = await written(tmp_path, Capability.SUPPLIERS, purchase(), "place")
    inverse = purchase().inverse({})
    assert isinstance(inverse, CancelPurchaseOrder)
    cancelled = await written(tmp_path, Capability.SUPPLIERS, inverse, "cancel")
    assert cancelled["In-Reply-To"] == placed["Message-ID"]
    for again in (purchase(), inverse):
        with pytest.raises(Permanent):
            await open_local(tmp_path)[Capability.SUPPLIERS].preview(again)
