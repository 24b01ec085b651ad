"""Handing a mail to an SMTP server, in steps, so that the one behind which nobody can go back stands alone."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib

from connectors.imap import Server
from domain.errors import EffectError, Permanent, Retryable, Unknown

_SECONDS = 30.0
_LOOK = "it may have gone out: look before it is sent again"


class SmtpAccount:
    """One account. Raises Retryable where the server is away or busy, Permanent where it refuses for good."""

    def __init__(self, server: Server, *, name: str) -> None:
        self._server = server
        self._name = name

    async def check(self) -> str:
        async with self._open() as client:
            await client.noop()
            return f"sends through {self._server.host}"

    @asynccontextmanager
    async def addressed(self, *, sender: str, recipient: str) -> AsyncIterator["Letter"]:
        """A letter that the server has agreed to take from ``sender`` to ``recipient``. It is not sent yet."""
        async with self._open() as client:
            await client.mail(sender)
            await client.rcpt(recipient)
            yield Letter(client, self._name)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client: aiosmtplib.SMTP | None = None
        try:
            client = await self._signed_in()
            yield client
            await client.quit()
        except aiosmtplib.SMTPAuthenticationError as error:
            what = "password" if self._server.tokens is None else "token"
            raise refusal(self._name, error.code, f"refuses the user or the {what}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise refusal(self._name, error.code, "does not take this mail") from None
        except aiosmtplib.SMTPNotSupported:
            raise Permanent(f"{self._name} does not offer what is needed to log in", hint="check the security setting") from None
        except ssl.SSLCertVerificationError:
            raise Permanent(f"{self._name} shows a certificate that is not valid for it", hint="check the host's name") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Retryable(f"{self._name} broke off ({type(error).__name__})", hint="it is tried again by itself") from None
        finally:
            if client is not None:
                client.close()

    async def _signed_in(self) -> aiosmtplib.SMTP:
        """Once more with another token, where the first is refused: nothing was sent yet."""
        tokens = self._server.tokens
        if tokens is None:
            return await self._connected("")
        token = await tokens.current()
        try:
            return await self._connected(token)
        except aiosmtplib.SMTPAuthenticationError:
            return await self._connected(await tokens.instead_of(token))

    async def _connected(self, token: str) -> aiosmtplib.SMTP:
        async def given() -> str:
            return token

        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            timeout=_SECONDS,
            local_hostname="steward.invalid",
            username=server.user if server.password or token else None,
            password=server.password or None if not token else None,
            oauth_token_generator=given if token else None,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client


class Letter:
    """A mail on the counter."""

    def __init__(self, client: aiosmtplib.SMTP, name: str) -> None:
        self._client = client
        self._name = name

    async def send(self, raw: bytes) -> None:
        """Returns when the server has taken it over. Raises Unknown where the line went dead meanwhile; Retryable and
        Permanent mean that the server said no.
        """
        try:
            await self._client.data(raw)
        except aiosmtplib.SMTPResponseException as error:
            if error.code in range(400, 600):
                raise refusal(self._name, error.code, "does not take this mail") from None
            raise Unknown(f"{self._name} answered in no known way", hint=_LOOK) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            text = f"{self._name} broke off while it took the mail ({type(error).__name__})"
            raise Unknown(text, hint=_LOOK) from None


def refusal(name: str, code: int, what: str) -> EffectError:
    """4xx passes, 5xx stays (RFC 5321, 4.2.1). The server's own words may repeat what it was sent, so they are left out."""
    text = f"{name} {what} (SMTP {code})"
    return Retryable(text, hint="it is tried again by itself") if 400 <= code < 500 else Permanent(text, hint="check the settings")
