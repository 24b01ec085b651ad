"""Mail as it comes: every text is found, nothing hostile joins a stranger's conversation, nothing is read that is not text."""

import gzip
import mailbox
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.importers.mail import mail_files, read_mail
from connectors.importers.mail_body import MAX_CHARACTERS, text_of_html
from connectors.importers.novelty import what_is_new
from connectors.importers.report import ImportReport
from domain.catalogue import fold
from domain.errors import InvalidInput
from domain.model import Value

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(*raw: bytes, own: tuple[str, ...] = ("shop@steward.test",), since: datetime | None = None) -> ImportReport:
    return read_mail(raw, own=own, at=NOW, since=since)


def mail(body: str = "Where is my order?", **headers: str) -> bytes:
    message = EmailMessage()
    usual = {"From": "Ann <ann@example.org>", "Subject": "Order", "Message-ID": "<1@example.org>"}
    for name, value in (usual | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        message[name] = value
    message.set_content(body)
    return message.as_bytes()


def bodies(report: ImportReport) -> list[str]:
    return [e.data.message.body for e in report.accepted]


def test_a_plain_mail_becomes_a_ticket() -> None:
    """Sender, subject, text and time come from the mail."""
    (event,) = read(mail(Date="Sun, 01 Feb 2026 10:00:00 +0100")).accepted
    data = event.data
    assert (data.message.sender, data.subject, data.message.body) == ("ann@example.org", "Order", "Where is my order?")
    assert data.message.at == datetime(2026, 2, 1, 9, tzinfo=UTC)


def test_plain_text_is_preferred_and_attachments_are_named() -> None:
    """Of text, HTML and a file, the text is read and the file is mentioned."""
    message = EmailMessage()
    message["From"], message["Message-ID"] = "ann@example.org", "<2@example.org>"
    message.set_content("It is broken.")
    message.add_alternative("<p>It is <b>broken</b>.</p>", subtype="html")
    message.add_attachment(b"\xff\xd8\xff", maintype="image", subtype="jpeg", filename="photo.jpg")
    assert bodies(read(message.as_bytes())) == ["It is broken.\n[attachment not read: photo.jpg (image/jpeg)]"]


def test_html_only_mail_is_read_as_text() -> None:
    """Scripts and styles are not what the customer said."""
    html = "<head><style>p{}</style></head><p>Hello,</p><script>x()</script><div>my&nbsp;order<br>is late</div>"
    assert text_of_html(html) == "Hello,\n\nmy order\nis late"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("1 < 2 &amp; <b>3</b> > 2", "1 < 2 & 3 > 2"),
        ("<!doctype html><p title='a > b'>one</p><!-- <p>two</p> -->", "one"),
        ('<a href="x>three', "three"),
        ("<script>if (a < b) { '<p>' }</SCRIPT>four", "four"),
        ("five<script>never closed", "five"),
        ("six <unclosed", "six"),
    ],
)
def test_html_as_people_and_machines_write_it(html: str, text: str) -> None:
    """Quotes, comments, scripts, and what is closed nowhere."""
    assert text_of_html(html) == text


@pytest.mark.parametrize("piece", ["<a ", "<!--", '<a href="', "<a '", "<script>", "<", "</", "<![", "<a>", "&", "<a \"'"])
def test_the_work_grows_with_the_size_of_the_mail_and_not_with_its_square(piece: str) -> None:
    """Eight times as long takes about eight times as long; with its square it would be sixty-four."""

    def seconds(repeats: int) -> float:
        began = process_time()
        text_of_html(piece * repeats)
        return process_time() - began

    short, long = (min(seconds(repeats) for _ in range(3)) for repeats in (10_000, 80_000))
    assert long < 32 * max(short, 0.001)


@pytest.mark.parametrize("charset", ["utf-8", "nonsense-7", "us-ascii", '"', "utf-16"])
def test_wrong_charsets_lose_no_mail(charset: str) -> None:
    """A mail that lies about its charset is still a mail."""
    raw = f"From: a@b.de\nMessage-ID: <3@b.de>\nContent-Type: text/plain; charset={charset}\n\n".encode() + b"h\xf6llo \x00\xff"
    (body,) = bodies(read(raw))
    assert "\x00" not in body


def test_huge_bodies_are_cut_and_say_so() -> None:
    """The cut is told with how much is missing."""
    (body,) = bodies(read(mail("x" * (MAX_CHARACTERS + 500))))
    assert len(body) < MAX_CHARACTERS + 100
    assert "cut here: 500 more characters" in body


def test_missing_headers_are_no_obstacle() -> None:
    """Without date, subject and id there is a message, of now, with an id that repeats."""
    first, second = read(b"From: a@b.de\n\nhello"), read(b"From: a@b.de\n\nhello")
    message = first.accepted[0].data.message
    assert (message.at, message.body) == (NOW, "hello")
    assert message.message_id == second.accepted[0].data.message.message_id


@pytest.mark.parametrize("sender", ["", "nobody", "a@b.de, c@d.de", "<>", "=?utf-8?q?a=40b.de?="])
def test_mail_without_one_sender_is_rejected(sender: str) -> None:
    """Whoever cannot be named cannot be answered."""
    (rejected,) = read(f"From: {sender}\nMessage-ID: <x@y>\n\nhello".encode()).rejected
    assert (rejected.line, rejected.column) == (1, "From")


def test_a_display_name_cannot_pose_as_the_sender() -> None:
    """The address in angle brackets counts, whatever the name says."""
    (event,) = read(b'From: "victim@example.org" <thief@evil.example>\nMessage-ID: <4@e>\n\nrefund me').accepted
    assert event.data.message.sender == "thief@evil.example"


def test_an_answer_joins_its_thread() -> None:
    """By References or In-Reply-To, in whatever order the file has them."""
    later = mail("Any news?", Message_ID="<2@x>", In_Reply_To="<1@example.org>", Date="Mon, 02 Feb 2026 10:00:00 +0000")
    latest = mail("Hello?", Message_ID="<3@x>", References="<1@example.org> <2@x>", Date="Tue, 03 Feb 2026 10:00:00 +0000")
    report = read(latest, later, mail(Date="Sun, 01 Feb 2026 10:00:00 +0000"))
    assert len({e.data.ticket_id for e in report.accepted}) == 1
    assert bodies(report) == ["Where is my order?", "Any news?", "Hello?"]


def test_a_stranger_cannot_join_a_thread() -> None:
    """Naming another customer's message opens a ticket of one's own."""
    forged = mail("Refund it to me.", From="thief@evil.example", Message_ID="<9@evil>", References="<1@example.org>")
    assert len({e.data.ticket_id for e in read(mail(), forged).accepted}) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "Shop <SHOP@steward.test>"},
        {"Auto-Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List-Id": "<news.example.org>"},
    ],
)
def test_our_own_mail_and_machines_are_skipped(headers: dict[str, str]) -> None:
    """Told in the notes, not answered."""
    report = read(mail(**headers))
    assert not report.accepted
    assert report.notes[0].startswith("skipped: 1 messages")


def test_old_mail_can_be_left_in_peace() -> None:
    """--since keeps an archive from being answered."""
    report = read(mail(Date="Sun, 01 Feb 2015 10:00:00 +0000"), since=datetime(2026, 1, 1, tzinfo=UTC))
    assert (len(report.accepted), report.notes) == (0, ("skipped: 1 messages from before 2026-01-01",))


def test_a_date_in_the_future_is_now() -> None:
    """A wrong clock does not put a message after its answer."""
    assert read(mail(Date="Sun, 01 Feb 2099 10:00:00 +0000")).accepted[0].data.message.at == NOW


def test_the_same_mail_says_nothing_new() -> None:
    """A message that is in its ticket is not appended again, however the file is called."""
    report = read(mail(), mail("More", Message_ID="<2@x>", In_Reply_To="<1@example.org>"))
    known: dict[str, Value] = {}
    for event in report.accepted:
        known[event.data.stream] = fold(known.get(event.data.stream), event.data)
    assert what_is_new(report, known=known, sales={}) == []


@pytest.mark.parametrize("packed", [False, True])
def test_mbox_files_are_read(tmp_path: Path, packed: bool) -> None:
    """An mbox as mail programs write it, plain or gzipped; the file is not touched."""
    path = tmp_path / "box"
    box = mailbox.mbox(path)
    box.add(mail())
    box.add(mail("From here on\nFrom there", Message_ID="<2@x>"))
    box.close()
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    before = path.read_bytes()
    assert len(list(mail_files(path))) == 2
    assert path.read_bytes() == before


def test_maildir_folders_are_read(tmp_path: Path) -> None:
    """New and seen messages alike."""
    box = mailbox.Maildir(tmp_path / "box")
    box.add(mail())
    assert len(list(mail_files(tmp_path / "box"))) == 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A folder that is no Maildir and a file that is no mbox say so."""
    (tmp_path / "a.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(InvalidInput, match="is not"):
            list(mail_files(path))


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_garbage_is_a_ticket_a_rejection_or_skipped(garbage: bytes) -> None:
    """No bytes, with or without a sender in front, make the importer fail."""
    for raw in (garbage, b"From: a@b.de\n" + garbage):
        report = read(raw)
        assert len(report.accepted) + len(report.rejected) + len(report.notes) == 1
