"""Access tokens that expire: asked for before they are needed, kept until shortly before they end, renewed once where refused.

Sources: RFC 6749 section 6 (refresh tokens), RFC 7523 section 2.1 (signed assertions, as Google's service accounts use them).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import BaseModel, Field, ValidationError

from connectors.http import Http, Limits
from domain.errors import Permanent

_SPARE = timedelta(minutes=2)  # a token that ends sooner is not used any more
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LIMITS = Limits(seconds=15.0, max_bytes=64 * 1024)
Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """What a provider gave the operator once, for good. ``scope`` is what is asked for; empty for all that was granted."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str = ""

    def form(self, now: datetime) -> dict[str, str]:
        asked = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": self.refresh_token}
        optional = {"client_secret": self.client_secret, "scope": self.scope}
        return asked | {name: value for name, value in optional.items() if value}


class _KeyFile(BaseModel):
    client_email: str
    private_key: str
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A key that signs for itself. ``key`` is the JSON file that Google gives."""

    token_url: str
    client_email: str
    key: str = field(repr=False)
    scope: str

    @classmethod
    def read(cls, text: str, *, scope: str, token_url: str = "") -> "ServiceAccount":
        """Raises Permanent, naming no part of the file. ``token_url`` is used in place of the file's own."""
        try:
            file = _KeyFile.model_validate_json(text)
        except ValidationError:
            raise Permanent(
                "the key of the service account is not one", hint="give the whole JSON file as it was downloaded"
            ) from None
        return cls(token_url=token_url or file.token_uri, client_email=file.client_email, key=file.private_key, scope=scope)

    def form(self, now: datetime) -> dict[str, str]:
        import jwt  # noqa: PLC0415 - cryptography takes a while to import, and only service accounts need it

        until = now + timedelta(hours=1)
        claims = {"iss": self.client_email, "scope": self.scope, "aud": self.token_url, "iat": now, "exp": until}
        try:
            signed = jwt.encode(claims, self.key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Permanent("the private key of the service account cannot sign", hint="download a new one") from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}


class _Granted(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = 3600


class AccessTokens:
    """The token of one grant, shared by everybody who needs it at once. ``name`` is the connection's, for errors."""

    def __init__(self, grant: RefreshToken | ServiceAccount, *, name: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
        parts = urlsplit(grant.token_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise Permanent(f"{name} would send its secrets unprotected to {parts.hostname}", hint="the token address is https")
        self._grant = grant
        self._name = name
        self._clock = clock
        self._path = parts.path or "/"
        self._http = Http(f"{parts.scheme}://{parts.netloc}", name=f"the sign-in of {name}", limits=_LIMITS, explain=_code)
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = datetime.min.replace(tzinfo=UTC)

    async def current(self) -> str:
        """Good for a while yet. Raises Retryable, and Permanent where the provider takes the grant no more."""
        async with self._lock:
            if self._clock() >= self._until:
                await self._renew()
            return self._token

    async def instead_of(self, refused: str) -> str:
        """Another one, where ``refused`` was not taken; who comes second gets the first one's."""
        async with self._lock:
            if self._token == refused:
                await self._renew()
            return self._token

    async def close(self) -> None:
        await self._http.close()

    async def _renew(self) -> None:
        now = self._clock()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        form = urlencode(self._grant.form(now)).encode()
        reply = await self._http.send("POST", self._path, content=form, headers=headers, repeatable=True)
        granted = reply.parse(_Granted)
        self._token = granted.access_token
        self._until = now + timedelta(seconds=granted.expires_in) - _SPARE


class BearerOf(httpx.Auth):
    """Signs requests with the current token, and once more with a new one where it is refused: nothing was done then."""

    requires_request_body = True

    def __init__(self, tokens: AccessTokens) -> None:
        self._tokens = tokens

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._tokens.current()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            request.headers["authorization"] = f"Bearer {await self._tokens.instead_of(token)}"
            yield request


def _code(body: Any) -> str:
    """``invalid_grant`` and the like."""
    return str(body["error"])
