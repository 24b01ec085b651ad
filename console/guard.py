"""What every request has to pass before a page sees it: size, Host, origin; and the headers that every answer carries.

Sources: OWASP cheat sheets on cross-site request forgery and HTTP headers; Fetch Metadata (W3C) for ``Sec-Fetch-Site``.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.links import PATH as LINKS

MOST_BYTES = 1_000_000
"""The largest body of a request."""
SAFE = ("GET", "HEAD", "OPTIONS")
HOOKS = "/hooks/"
"""Where systems call us. They come from elsewhere by nature; each call is signed, and a cookie is worth nothing there."""
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser hides the origin of its own forms too
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware. Only the ``hosts`` are answered: another site can make a name of its own resolve to this machine."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _dressed(send, _headers(scope["path"]))
        if refusal := self._refusal(scope["method"], scope["path"], Headers(scope=scope)):
            await refusal(scope, receive, answer)
            return
        await self._app(scope, _limited(receive), answer)

    def _refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        if headers.get("host", "") not in self._hosts:
            return PlainTextResponse("this name is not served here; see STEWARD_CONSOLE_URL\n", 421)
        if _length(headers) > MOST_BYTES:
            return PlainTextResponse(f"a request has at most {MOST_BYTES:,} bytes\n", 413)
        if method not in SAFE and not path.startswith(HOOKS) and not self._own(headers):
            return PlainTextResponse("this request comes from another site\n", 403)
        return None

    def _own(self, headers: Headers) -> bool:
        """Whether the request comes from a page of this console, or from a program that carries a token instead of a cookie."""
        if headers.get("authorization", "").lower().startswith("bearer ") and "cookie" not in headers:
            return True
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin") or headers.get("referer")
        return bool(origin) and urlsplit(origin).netloc in self._hosts


def _length(headers: Headers) -> int:
    stated = headers.get("content-length", "0")
    return int(stated) if stated.isdecimal() else MOST_BYTES + 1


class TooLarge(Exception):
    """A body without an honest length went on and on."""


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise TooLarge
        return message

    return limited


def _headers(path: str) -> dict[str, str]:
    caching = "public, max-age=3600" if path.startswith("/static/") else "no-store"
    # The address of a link opens a question: it is told to nobody, not to the console's own files and forms either.
    referrer = {"referrer-policy": "strict-origin"} if path.startswith(LINKS) else {}
    return HEADERS | {"cache-control": caching} | referrer


def _dressed(send: Send, headers: dict[str, str]) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.decode().lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *((name.encode(), value.encode()) for name, value in headers.items() if name not in own),
            ]
        await send(message)

    return dressed
