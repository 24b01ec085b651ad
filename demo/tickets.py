"""The mails of the demo's day, as an mbox (RFC 4155) of Internet messages (RFC 5322)."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from demo.data import load
from domain.model import Value

MORNING, NOON = "morning", "noon"


class Mail(Value):
    """One mail of the day. ``minutes_ago`` counts back from the demo's start; ``reply_to`` names the mail it answers."""

    id: str
    sender: str
    subject: str
    body: str
    minutes_ago: int
    batch: str = MORNING
    reply_to: str = ""

    @property
    def address(self) -> str:
        return parseaddr(self.sender)[1]

    @property
    def message_id(self) -> str:
        return f"<{self.id}@{self.address.partition('@')[2]}>"


def mails(batch: str) -> list[Mail]:
    """The mails of ``batch`` in the order of their arrival."""
    return [mail for mail in _all().values() if mail.batch == batch]


def mbox(batch: str, *, shop: str, now: datetime) -> bytes:
    """The mailbox that holds ``batch``, addressed to ``shop`` and dated before ``now``."""
    known = _all()
    parts = (_part(mail, known.get(mail.reply_to), shop=shop, now=now) for mail in known.values() if mail.batch == batch)
    return b"".join(parts)


def _all() -> dict[str, Mail]:
    """Every mail by id. A reply takes its subject from the mail it answers."""
    found: dict[str, Mail] = {}
    for row in load("tickets"):
        first = found.get(row.get("reply_to", ""))
        subject = f"Re: {first.subject}" if first else row["subject"]
        mail = Mail.model_validate({**{k: v for k, v in row.items() if k != "from"}, "sender": row["from"], "subject": subject})
        found[mail.id] = mail
    return found


def _part(mail: Mail, answered: Mail | None, *, shop: str, now: datetime) -> bytes:
    at = now - timedelta(minutes=mail.minutes_ago)
    message = EmailMessage(policy=SMTP.clone(linesep="\n"))
    message["From"], message["To"], message["Subject"] = mail.sender, shop, mail.subject
    message["Date"], message["Message-ID"] = format_datetime(at), mail.message_id
    if answered is not None:
        message["In-Reply-To"] = message["References"] = answered.message_id
    message.set_content(mail.body, charset="utf-8", cte="quoted-printable")
    envelope = f"From {mail.address} {at:%a %b %d %H:%M:%S %Y}\n".encode()
    return envelope + message.as_bytes().replace(b"\nFrom ", b"\n>From ") + b"\n"
