"""Sending one mail once.

The rendered bytes are written down first. Then the server is asked to take a mail from us to them; only when it agrees is
the attempt claimed, and the bytes follow at once. So there is one step whose end a crash can hide: between the claim and
the note that the mail was taken. Whoever finds a claim without that note searches the sent mail, since many servers file
what they send; what is not there may have gone out all the same, and is for a human to say, not to be sent again.
"""

import asyncio
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from weakref import WeakValueDictionary

import structlog

from connectors.imap import ImapAccount
from connectors.smtp import SmtpAccount
from domain.actions import Action, Receipt
from domain.attempts import Attempt, AttemptStatus
from domain.errors import EffectError, Permanent, Retryable, Stale, Unknown
from domain.ports import Attempts


class Delivery:
    """The outgoing half of a mailbox, for replies and for purchase orders."""

    def __init__(self, *, name: str, folder: str, imap: ImapAccount, smtp: SmtpAccount, attempts: Attempts) -> None:
        self.name = name
        self._folder = folder
        self._imap = imap
        self._smtp = smtp
        self._attempts = attempts
        self._sending: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        """Logs in on both sides; nothing is sent. One line."""
        return f"{await self._imap.calling(self._imap.check, self._folder)}; {await self._smtp.check()}"

    async def begun(self, action: Action) -> list[Attempt]:
        """The mails of the action's thread that have gone out or are on their way."""
        return await self._attempts.begun(self.name, action.stream)

    async def send(self, action: Action, message: EmailMessage, *, key: str, expected_version: str, now: datetime) -> Receipt:
        """Raises Stale where the thread moved, Unknown where an earlier attempt under ``key`` may have gone out."""
        async with self._sending.setdefault(key, asyncio.Lock()):
            attempt = await self._attempts.prepare(self._attempt(action, message, key, now))
            receipt = _receipt(attempt, action)
            match attempt.status:
                case AttemptStatus.SENT:
                    return receipt
                case AttemptStatus.SENDING:
                    if not await self._settled_by_sent_mail(attempt):
                        raise Unknown(f"{self.name} may have sent this before", hint="look before it is sent again")
                    return receipt
            await self._hand_over(attempt, message, expected=_number(expected_version, action))
            await self._file(attempt)
            return receipt

    async def find(self, action: Action, *, key: str) -> Receipt | None:
        """Raises Retryable where an attempt was begun and nobody can tell how it ended."""
        attempt = await self._attempts.find(key)
        if attempt is None:
            return None
        receipt = _receipt(attempt, action)
        match attempt.status:
            case AttemptStatus.READY:
                return None
            case AttemptStatus.SENDING:
                if not await self._settled_by_sent_mail(attempt):
                    hint = "look in the mailbox and at the customer's answer; `steward settle` takes your word"
                    raise Retryable(f"{self.name} cannot tell whether this mail went out", hint=hint)
            case AttemptStatus.SENT:
                await self._file(attempt)
        return receipt

    async def _hand_over(self, attempt: Attempt, message: EmailMessage, *, expected: int) -> None:
        sender, recipient = (parseaddr(str(message[name]))[1] for name in ("From", "To"))
        async with self._smtp.addressed(sender=sender, recipient=recipient) as letter:
            if not await self._attempts.begin(attempt.key, expected=expected):
                raise Unknown(f"{self.name} is sending this already", hint="look what becomes of it")
            try:
                await letter.send(attempt.payload)
            except (Retryable, Permanent):  # it said no
                await self._attempts.settle(attempt.key, AttemptStatus.READY)
                raise
            await self._attempts.settle(attempt.key, AttemptStatus.SENT)

    async def _settled_by_sent_mail(self, attempt: Attempt) -> bool:
        """Whether the server itself filed the mail as sent."""
        if not await self._imap.calling(self._imap.has_sent, attempt.reference):
            return False
        await self._attempts.settle(attempt.key, AttemptStatus.SENT)
        return True

    async def _file(self, attempt: Attempt) -> None:
        """A mail that is out is out, whether the folder of sent mail shows it or not. An old one has no bytes any more."""
        if not attempt.payload:
            return
        try:
            await self._imap.calling(self._imap.file_as_sent, attempt.payload, attempt.reference)
        except EffectError as error:
            structlog.get_logger().warning("could not file a sent mail", connection=self.name, error=error.message)

    def _attempt(self, action: Action, message: EmailMessage, key: str, now: datetime) -> Attempt:
        return Attempt(
            connection=self.name,
            key=key,
            stream=action.stream,
            action_kind=action.kind,
            action_digest=action.digest(),
            reference=message["Message-ID"],
            payload=message.as_bytes(policy=message.policy.clone(cte_type="7bit")),
            at=now,
        )


def _receipt(attempt: Attempt, action: Action) -> Receipt:
    if attempt.action_digest != action.digest():
        raise Permanent("this key was used for another mail")
    return Receipt(reference=attempt.reference, at=attempt.at)


def _number(version: str, action: Action) -> int:
    """The version of a thread is the number of mails sent in it."""
    if not version.isascii() or not version.isdecimal():
        raise Stale(f"{action.stream} is not at version {version[:40]!r}")
    return int(version)
