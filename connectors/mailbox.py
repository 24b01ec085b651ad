"""A mailbox over IMAP and SMTP: customers' mails come in, replies and purchase orders go out."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from connectors.imap import ImapAccount, Place, Server
from connectors.importers.mail import Threads, read_mail
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening, Setting, day, one_of, whole_number
from connectors.mail_delivery import Delivery
from connectors.maildir import PurchaseAction, purchase_diff, reply_diff
from connectors.mails import purchase_mail, reply_mail, with_domain
from connectors.reading import ReadingSource, only_new
from connectors.smtp import SmtpAccount
from domain import connections
from domain.actions import Action, Capability, Receipt, SendReply
from domain.connections import Page, Reading, Record
from domain.decisions import Diff
from domain.entities import Direction, Message, Shop, Ticket
from domain.errors import InvalidInput, Permanent
from domain.events import MessageReceived
from domain.ports import State

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class MailboxHelpdesk:
    """Replies to tickets, in their threads. See ``ports.Connector``."""

    capability = Capability.HELPDESK

    def __init__(self, delivery: Delivery) -> None:
        self.name = delivery.name
        self._delivery = delivery

    async def check(self) -> str:
        return await self._delivery.check()

    async def preview(self, action: Action) -> Diff:
        return reply_diff(_reply(action), len(await self._delivery.begun(action)))

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        message = reply_mail(_reply(action), now)
        return await self._delivery.send(action, message, key=key, expected_version=expected_version, now=now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await self._delivery.find(action, key=key)


class MailboxSuppliers:
    """Purchase orders and their cancellations, with the order as CSV and HTML. See ``ports.Connector``."""

    capability = Capability.SUPPLIERS

    def __init__(self, delivery: Delivery) -> None:
        self.name = delivery.name
        self._delivery = delivery

    async def check(self) -> str:
        return await self._delivery.check()

    async def preview(self, action: Action) -> Diff:
        purchase, begun = _purchase(action), await self._delivery.begun(action)
        return purchase_diff(purchase, [attempt.action_kind for attempt in begun], str(len(begun)))

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        message = purchase_mail(_purchase(action), now)
        return await self._delivery.send(action, message, key=key, expected_version=expected_version, now=now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await self._delivery.find(action, key=key)


class MailboxSource(ReadingSource):
    """What comes into one folder. ``own`` are addresses of ours, whose mails start nothing. See ``ports.Source``."""

    def __init__(self, account: ImapAccount, *, name: str, folder: str, since: date, own: Sequence[str]) -> None:
        self.name = name
        self.streams = (folder,)
        self._account = account
        self._since = since
        self._own = tuple(own)

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        """A cursor is the folder's numbering and the last number read; where the numbering is new, all is read again."""
        found = await asyncio.to_thread(self._account.read, stream, Place.of(cursor), since=self._since)
        records = tuple(Record(stream=stream, external_id=str(place), raw=raw) for place, raw in found.mails)
        return Page(records=records, cursor=str(found.place), more=found.more)

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        return read_mail([raw], own=self._own, at=at)

    async def understand(self, delivery: connections.Delivery, *, stream: str, state: State) -> Reading:
        """An answer joins the ticket whose mail it answers, where the same person wrote in it."""
        shop = await state.get(Shop, "self")
        own = (*self._own, *([shop.email] if shop else []))
        alone = read_mail([delivery.raw], own=own, at=delivery.at)
        senders = {event.data.message.sender for event in alone.accepted if isinstance(event.data, MessageReceived)}
        tickets = [ticket for sender in sorted(senders) for ticket in await state.find(Ticket, sender=sender)]
        return await only_new(read_mail([delivery.raw], own=own, at=delivery.at, threads=threads_of(tickets)), state)


def threads_of(tickets: Sequence[Ticket]) -> Threads:
    """Where each message of ``tickets`` is, ours under the ids that they went out with."""
    return {(ticket.sender, _known_as(m)): ticket.ticket_id for ticket in tickets for m in ticket.messages}


def _known_as(message: Message) -> str:
    ours = message.direction is Direction.OUTBOUND
    return _bare(with_domain(message.message_id, message.sender) if ours else message.message_id)


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>").strip()


def _reply(action: Action) -> SendReply:
    if not isinstance(action, SendReply):
        raise Permanent(f"the help desk cannot {action.kind}")
    return action


def _purchase(action: Action) -> PurchaseAction:
    if not isinstance(action, PurchaseAction):
        raise Permanent(f"the purchasing mail cannot {action.kind}")
    return action


def _open(opening: Opening) -> Opened:
    given = opening.settings
    imap = ImapAccount(_server(opening, "imap", given["imap_host"]), name=opening.name)
    smtp = SmtpAccount(_server(opening, "smtp", given["smtp_host"] or given["imap_host"]), name=opening.name)
    delivery = Delivery(name=opening.name, folder=given["folder"], imap=imap, smtp=smtp, attempts=opening.attempts)
    own = [address.strip() for address in (given["address"], *given["aliases"].split(",")) if address.strip()]
    return Opened(
        check=delivery.check,
        connectors={Capability.HELPDESK: MailboxHelpdesk(delivery), Capability.SUPPLIERS: MailboxSuppliers(delivery)},
        source=MailboxSource(imap, name=opening.name, folder=given["folder"], since=date.fromisoformat(given["since"]), own=own),
    )


def _server(opening: Opening, protocol: str, host: str) -> Server:
    """Raises Permanent where the password would cross a network in the clear."""
    security = opening.settings[f"{protocol}_security"]
    if security == "none" and host not in _LOOPBACK:
        raise Permanent(f"{opening.name} would send the password unprotected to {host}", hint=f"--set {protocol}_security=tls")
    port = int(opening.settings[f"{protocol}_port"])
    return Server(host, port, security, opening.settings["user"] or opening.settings["address"], opening.secret("password"))


def _address(value: str) -> str:
    address = value.strip().lower()
    if address.count("@") != 1 or not address.isascii() or any(c.isspace() or c in "<>,;" for c in address):
        raise InvalidInput(f"{value.strip()[:60]!r} is not a mail address", hint="such as hello@shop.example")
    return address


_SECURITY = one_of("tls", "starttls", "none")

KIND = Kind(
    name="mailbox",
    title="a mailbox over IMAP and SMTP: reads customers' mails, sends replies and purchase orders",
    settings=(
        Setting(name="address", ask="The mailbox's address", check=_address),
        Setting(name="imap_host", ask="The host for reading (IMAP)"),
        Setting(name="imap_port", ask="The port for reading", default="993", check=whole_number(1, 65_535)),
        Setting(name="imap_security", ask="The security for reading: tls, starttls or none", default="tls", check=_SECURITY),
        Setting(name="smtp_host", ask="The host for sending (SMTP); empty for the same", default=""),
        Setting(name="smtp_port", ask="The port for sending", default="465", check=whole_number(1, 65_535)),
        Setting(name="smtp_security", ask="The security for sending: tls, starttls or none", default="tls", check=_SECURITY),
        Setting(name="user", ask="The user name; empty for the address", default=""),
        Setting(name="password", ask="The password, or an app password", secret=True),
        Setting(name="folder", ask="The folder to read", default="INBOX"),
        Setting(name="since", ask="Read mails from this day on", default="today", check=day),
        Setting(name="aliases", ask="Other addresses of yours, with commas", default=""),
    ),
    open=_open,
    reads={"mails": "customers' mails become tickets and answers; machines, bounces and your own mails do not"},
    does={
        Capability.HELPDESK: "sends replies in the customer's thread",
        Capability.SUPPLIERS: "sends purchase orders and cancellations, with the order as CSV and HTML",
    },
)
