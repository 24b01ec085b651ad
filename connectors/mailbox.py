"""A mailbox over IMAP and SMTP: customers' mails come in, replies and purchase orders go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors.imap import ImapAccount, Place, Server
from connectors.imap_bell import ImapBell
from connectors.importers.mail import Threads, read_mail
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening, Setting, day, one_of, web_address, whole_number
from connectors.mail_delivery import Delivery
from connectors.maildir import PurchaseAction, purchase_diff, reply_diff
from connectors.mails import purchase_mail, reply_mail, with_domain
from connectors.oauth import AccessTokens, RefreshToken
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
        found = await self._account.calling(self._account.read, stream, Place.of(cursor), since=self._since)
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
    given, tokens = opening.settings, _tokens(opening)
    imap = ImapAccount(_server(opening, "imap", tokens), name=opening.name)
    smtp = SmtpAccount(_server(opening, "smtp", tokens), name=opening.name)
    delivery = Delivery(name=opening.name, folder=given["folder"], imap=imap, smtp=smtp, attempts=opening.attempts)
    own = [address.strip() for address in (given["address"], *given["aliases"].split(",")) if address.strip()]

    async def close() -> None:
        if tokens is not None:
            await tokens.close()

    return Opened(
        check=delivery.check,
        connectors={Capability.HELPDESK: MailboxHelpdesk(delivery), Capability.SUPPLIERS: MailboxSuppliers(delivery)},
        source=MailboxSource(imap, name=opening.name, folder=given["folder"], since=date.fromisoformat(given["since"]), own=own),
        bell=ImapBell(imap, name=opening.name, folder=given["folder"]),
        close=close,
    )


def _tokens(opening: Opening) -> AccessTokens | None:
    """None where a password lets in. Raises Permanent where neither does."""
    given, provider = opening.settings, PROVIDERS.get(opening.settings["provider"])
    refresh = opening.secret("refresh_token")
    if not refresh and not opening.secret("password"):
        raise Permanent(f"{opening.name} has no password", hint=f"`./steward connect {opening.name}` asks for it")
    if not refresh:
        return None
    token_url = given["token_url"] or (provider.token_url if provider else "")
    if not (token_url and given["client_id"]):
        raise Permanent(f"{opening.name} needs client_id and token_url for its refresh token", hint="--set client_id=...")
    grant = RefreshToken(
        token_url=token_url,
        client_id=given["client_id"],
        client_secret=opening.secret("client_secret"),
        refresh_token=refresh,
        scope=provider.scope if provider else "",
    )
    return AccessTokens(grant, name=opening.name)


def _server(opening: Opening, protocol: str, tokens: AccessTokens | None) -> Server:
    """Raises Permanent where no host is known, or the password or token would cross a network in the clear."""
    given, provider = opening.settings, PROVIDERS.get(opening.settings["provider"])
    host, port, security = given[f"{protocol}_host"], int(given[f"{protocol}_port"]), given[f"{protocol}_security"]
    if not host and provider is not None:
        host, port, security = provider.imap if protocol == "imap" else provider.smtp
    host = host or given["imap_host"]
    if not host:
        raise Permanent(f"{opening.name} needs imap_host", hint="--set imap_host=..., or --set provider=gmail")
    if security == "none" and host not in _LOOPBACK:
        raise Permanent(f"{opening.name} would send the password unprotected to {host}", hint=f"--set {protocol}_security=tls")
    password = "" if tokens else opening.secret("password")
    return Server(host, port, security, given["user"] or given["address"], password, tokens)


def _address(value: str) -> str:
    address = value.strip().lower()
    if address.count("@") != 1 or not address.isascii() or any(c.isspace() or c in "<>,;" for c in address):
        raise InvalidInput(f"{value.strip()[:60]!r} is not a mail address", hint="such as hello@shop.example")
    return address


@dataclass(frozen=True)
class Provider:
    """Host, port and security for reading and for sending; where tokens are made, and what is asked for with them."""

    imap: tuple[str, int, str]
    smtp: tuple[str, int, str]
    token_url: str
    scope: str = ""


PROVIDERS = {
    "gmail": Provider(("imap.gmail.com", 993, "tls"), ("smtp.gmail.com", 465, "tls"), "https://oauth2.googleapis.com/token"),
    "microsoft": Provider(
        ("outlook.office365.com", 993, "tls"),
        ("smtp.office365.com", 587, "starttls"),
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
    ),
}

_SECURITY = one_of("tls", "starttls", "none")

KIND = Kind(
    name="mailbox",
    title="a mailbox over IMAP and SMTP: reads customers' mails, sends replies and purchase orders",
    settings=(
        Setting(name="address", ask="The mailbox's address", check=_address),
        Setting(name="provider", ask="The provider: gmail, microsoft or other", default="other", check=one_of("other", *PROVIDERS)),
        Setting(name="imap_host", ask="The host for reading (IMAP); empty for the provider's", default=""),
        Setting(name="imap_port", ask="The port for reading", default="993", check=whole_number(1, 65_535)),
        Setting(name="imap_security", ask="The security for reading: tls, starttls or none", default="tls", check=_SECURITY),
        Setting(name="smtp_host", ask="The host for sending (SMTP); empty for the same", default=""),
        Setting(name="smtp_port", ask="The port for sending", default="465", check=whole_number(1, 65_535)),
        Setting(name="smtp_security", ask="The security for sending: tls, starttls or none", default="tls", check=_SECURITY),
        Setting(name="user", ask="The user name; empty for the address", default=""),
        Setting(name="password", ask="The password, or an app password; empty with a refresh token", default="", secret=True),
        Setting(name="refresh_token", ask="The OAuth refresh token, in place of a password", default="", secret=True),
        Setting(name="client_id", ask="The OAuth client id; empty with a password", default=""),
        Setting(name="client_secret", ask="The OAuth client secret, if there is one", default="", secret=True),
        Setting(name="token_url", ask="Where tokens are made; empty for the provider's", default="", check=web_address),
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
