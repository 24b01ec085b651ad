"""HTTP as every connector speaks it: bounded in time and size, polite, and with one meaning for each way it can go wrong.

What a failure means depends on whether the request may be repeated. One that may not, and may have reached the server,
is Unknown: whoever sent it has to look what became of it.

status                        may be repeated       may not
408, 425, 429                 Retryable             Retryable (the server took nothing)
409, 412, 428                 Stale                 Stale
3xx, other 4xx                Permanent             Permanent
5xx                           Retryable             Unknown, unless 503 says when to come back
no connection                 Retryable             Retryable
cut, slow, too large, not     Retryable, or         Unknown
  what was expected           Permanent for content
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from connectors.rate_limit import exhausted_for, retry_after
from domain.errors import EffectError, Permanent, Retryable, Stale, Unknown

T = TypeVar("T")
_REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
_PATIENCE = timedelta(seconds=5)  # a shorter wait that the server asks for is waited out here


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``seconds`` bound a whole call, from the connection to the last byte; ``max_bytes`` its body."""

    connect_seconds: float = 5.0
    seconds: float = 30.0
    max_bytes: int = 10 * 1024 * 1024
    pages: int = 200


@dataclass(frozen=True)
class Reply:
    """A good answer. ``system`` and ``repeatable`` say what it means when it is not what was expected."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    system: str = field(repr=False)
    repeatable: bool = field(repr=False)

    def parse(self, wanted: type[T]) -> T:
        """The body as ``wanted``: a pydantic model, ``list[Model]``, ``dict[str, Any]``. Raises Permanent or Unknown."""
        try:
            return TypeAdapter(wanted).validate_python(json.loads(self.body))
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body"
            raise self._surprise(f"answered something else than expected at {where}") from None
        except (ValueError, RecursionError):
            raise self._surprise("did not answer with JSON") from None

    def _surprise(self, what: str) -> EffectError:
        text, hint = f"{self.system} {what}", "it may have been updated, or a proxy answers in its place"
        return Permanent(text, hint=hint) if self.repeatable else Unknown(text, hint=hint)


@cache
def trust() -> ssl.SSLContext:
    """Whom we take a server's word from; to read all authorities takes 20 ms, and each client would do it anew."""
    return httpx.create_ssl_context(trust_env=False)


class Http:
    """Calls to one system. ``explain`` picks a short code from its error bodies; nothing else of them is ever repeated.
    ``busy`` are codes by which it says, with whatever status, that it was asked too often and took nothing.

    Redirects are not followed and links to other hosts refused: credentials go where they were meant to go. Only who has none
    may name a number of ``redirects`` to follow, and look at each in a ``transport`` of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        explain: Callable[[Any], str] = lambda _: "",
        busy: frozenset[str] = frozenset(),
        transport: httpx.AsyncBaseTransport | None = None,
        redirects: int = 0,
    ) -> None:
        assert not (redirects and auth)
        self.name = name
        self._base = base_url.rstrip("/")
        self._limits = limits
        self._explain = explain
        self._busy = busy
        self._redirects = redirects
        self._rest_until: datetime | None = None
        self._client = httpx.AsyncClient(
            auth=auth,
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "Steward", **(headers or {})},
            timeout=httpx.Timeout(limits.seconds, connect=limits.connect_seconds),
            follow_redirects=False,
            trust_env=False,
            verify=trust(),
            transport=transport,
        )

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> Reply:
        return await self.send("GET", path, params=params)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Reply:
        """``body`` goes as JSON, ``content`` as it is. ``repeatable`` is what the method says, unless the caller knows better:
        a POST with an idempotency key may be repeated. Raises as the table above says.
        """
        may_repeat = method in _REPEATABLE if repeatable is None else repeatable
        await self._be_polite()
        request = self._client.build_request(
            method, self._url(path), params=dict(params) if params else None, json=body, content=content, headers=headers
        )
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._exchange(request, may_repeat)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise Retryable(f"{self.name} cannot be reached", hint="it is tried again by itself") from None
        except (httpx.HTTPError, TimeoutError):
            raise self._uncertain(f"{self.name} did not answer to the end", may_repeat) from None
        except (httpx.InvalidURL, UnicodeError):
            raise Permanent(f"{self.name} has an address that cannot be", hint="mend the setting") from None

    async def pages(
        self, path: str, *, params: Mapping[str, str] | None = None, following: Callable[[Reply], str | None]
    ) -> AsyncIterator[Reply]:
        """One page after the other; ``following`` finds the path or link of the next. Raises Permanent for a chain without end."""
        next_path: str | None = path
        for _ in range(self._limits.pages):
            if next_path is None:
                return
            reply = await self.get(next_path, params=params if next_path == path else None)
            yield reply
            next_path = following(reply)
        if next_path is not None:
            raise Permanent(f"{self.name} has more than {self._limits.pages} pages of this", hint="read it in smaller parts")

    async def close(self) -> None:
        await self._client.aclose()

    async def _exchange(self, request: httpx.Request, may_repeat: bool) -> Reply:
        response = await self._client.send(request, stream=True)
        for _ in range(self._redirects):
            if response.next_request is None:
                break
            await response.aclose()
            response = await self._client.send(response.next_request, stream=True)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._remember_wishes(headers)
            if not response.is_success:
                raise await self._refusal(response, headers, may_repeat)
            return Reply(response.status_code, headers, await self._body(response, may_repeat), self.name, may_repeat)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response, may_repeat: bool) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self._content(f"{self.name} packed its answer although it was asked not to", may_repeat)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise self._content(f"{self.name} answered with more than {self._limits.max_bytes:,} bytes", may_repeat)
        return bytes(body)

    async def _refusal(self, response: httpx.Response, headers: Mapping[str, str], may_repeat: bool) -> EffectError:
        status, wish = response.status_code, retry_after(headers, now=datetime.now(UTC))
        reason = await self._reason(response)
        text = f"{self.name} answered {status}{f' ({reason})' if reason else ''}"
        if reason in self._busy:
            return Retryable(text, hint="it is tried again by itself", retry_after=wish)
        match status:
            case 401 | 403:
                return Permanent(text, hint=f"its credentials are wrong or expired: `./steward connect {self.name}`")
            case 301 | 302 | 303 | 307 | 308:
                return Permanent(text, hint="it points elsewhere and is not followed: set the address that it means, with https")
            case 408 | 425 | 429:
                return Retryable(text, hint="it is tried again by itself", retry_after=wish)
            case 409 | 412 | 428:
                return Stale(text, hint="look at it again")
            case 503 if wish is not None:
                return Retryable(text, hint="it is tried again by itself", retry_after=wish)
            case _ if status >= 500:
                return self._uncertain(text, may_repeat)
        return Permanent(text, hint="the same request would be refused again")

    async def _reason(self, response: httpx.Response) -> str:
        """A short code, where the body has one; it is cut and cleaned, since strangers wrote it."""
        code = ""
        with suppress(EffectError, httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):
            code = self._explain(json.loads(await self._body(response, True)))
        return "".join(c for c in code[:80] if c.isalnum() or c in " ._-/")

    def _uncertain(self, text: str, may_repeat: bool) -> EffectError:
        if may_repeat:
            return Retryable(text, hint="it is tried again by itself")
        return Unknown(text, hint="it may have happened all the same: look before it is repeated")

    def _content(self, text: str, may_repeat: bool) -> EffectError:
        return Permanent(text) if may_repeat else Unknown(text, hint="it may have happened all the same")

    def _url(self, path: str) -> str:
        if not path.startswith(("http://", "https://")):
            return f"{self._base}/{path.lstrip('/')}"
        if urlsplit(path)[:2] != urlsplit(self._base)[:2]:
            raise Permanent(f"{self.name} pointed to another host", hint="its next page is not taken from there")
        return path

    def _remember_wishes(self, headers: Mapping[str, str]) -> None:
        now = datetime.now(UTC)
        wish = retry_after(headers, now=now) or exhausted_for(headers, now=now)
        if wish is not None:
            self._rest_until = now + wish

    async def _be_polite(self) -> None:
        """Wait as long as the server asked; raises Retryable where that is long."""
        rest = (self._rest_until or datetime.min.replace(tzinfo=UTC)) - datetime.now(UTC)
        if rest > _PATIENCE:
            raise Retryable(f"{self.name} asked to be left alone", hint="it is tried again by itself", retry_after=rest)
        if rest > timedelta(0):
            await asyncio.sleep(rest.total_seconds())
