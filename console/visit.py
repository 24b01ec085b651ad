"""One request of somebody who is logged in: what it may reach, and how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.house import House
from console.relying_party import RelyingParty, relying_party
from console.rendering import render
from domain.access import Session, proven
from domain.errors import AccessDenied, InvalidInput
from domain.policies import ApprovalPolicy
from domain.runs import Controls

COOKIE = "steward"
SECURE_COOKIE = "__Host-steward"
"""A browser takes a cookie of this name only over TLS and for one host (RFC 6265bis)."""
_SAFE = ("GET", "HEAD")


class NotEntered(Exception):
    """Nobody is logged in."""


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def cookie_name(house: House) -> str:
    return SECURE_COOKIE if house.secure else COOKIE


def party_of(request: Request) -> RelyingParty | None:
    """The name under which it was asked, as passkeys know it; the guard has found it to be one of ours."""
    return relying_party(request.headers["host"], house_of(request).public_url)


def client_of(request: Request) -> str:
    """The address that tries are counted for."""
    return request.client.host if request.client else "unknown"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """``zone`` is the shop's time zone (IANA); ``form`` what was sent, empty for a GET; ``seen`` the place in the log that
    the page shows at least."""

    request: Request
    house: House
    session: Session
    now: datetime
    zone: str
    controls: Controls
    waiting: int
    form: Mapping[str, Any]
    seen: int

    @property
    def proven(self) -> bool:
        """Whether the password was given or a passkey used a few minutes ago, as dangerous things need."""
        return proven(self.session, self.now)

    @property
    def partial(self) -> bool:
        """Whether a part of the page asks, not the browser for a page."""
        return _partial(self.request)

    async def still_open(self) -> bool:
        """Whether the session is not over yet, for what goes on for long. Asking is no use of it."""
        return await self.house.doorkeeper.session_of(_cookie(self.request, self.house), used=False) is not None

    async def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """The template with what every page needs, and once what was to be said."""
        flash: tuple[str, ...] = ()
        if self.session.flash and not self.partial:
            _, flash = await self.house.doorkeeper.take_flash(self.session)
        passkey = not (self.proven or self.partial) and await self.house.doorkeeper.passkeys.fits(party_of(self.request))
        return HTMLResponse(render(template, {**self._frame(), "flash": flash, "passkey": passkey, **context}), status)

    async def see(self, path: str, *, say: str = "") -> Response:
        """Go on there (303, so that going back sends nothing again), with a line to say."""
        if say:
            await self.house.doorkeeper.say(self.session, say)
        if self.partial:
            return Response(status_code=204, headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)

    async def prove(self) -> "Visit":
        """For what is dangerous: the password was given lately, or is in the form. Raises AccessDenied, TooManyTries."""
        if self.proven:
            return self
        password = str(self.form.get("password", ""))
        if not password:
            raise AccessDenied("this needs your password once more", hint="type it in the field beside the button")
        session = await self.house.doorkeeper.prove(self.session, password=password, client=client_of(self.request))
        return Visit(**{**self.__dict__, "session": session})

    @property
    def came_from(self) -> str:
        """The page of this console that sent the form; the first one where the browser does not say."""
        return inside(urlsplit(self.request.headers.get("referer", "")).path or "/")

    def field(self, name: str, *, most: int = 2_000) -> str:
        """A text of the form, stripped; empty where it is not there. Raises InvalidInput where it is too long or no text."""
        value = self.form.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise InvalidInput(f"{name} is not a text of at most {most:,} characters", hint="shorten it")
        if "\x00" in value:
            raise InvalidInput(f"{name} has a character that cannot be kept", hint="type it again")
        return value.strip()

    def _frame(self) -> dict[str, Any]:
        return {
            "path": quote(self.request.scope["path"]),  # as it stands in an address: an id may have a # in it
            "query": self.request.query_params,
            "csrf": self.session.csrf,
            "proven": self.proven,
            "now": self.now,
            "zone": self.zone,
            "controls": self.controls,
            "waiting": self.waiting,
            "ui_url": self.house.ui_url,
            "run_link": self.run_link,
            "seen": self.seen,
            "sent_from": "" if self.request.method == "GET" else self.came_from,
        }

    def run_link(self, run_id: str) -> str:
        """Where the Temporal Web UI shows the run; empty where there is none."""
        return f"{self.house.ui_url}/namespaces/default/workflows/{quote(run_id, safe='')}" if self.house.ui_url else ""


def _partial(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _cookie(request: Request, house: House) -> str:
    return request.cookies.get(cookie_name(house), "")


async def enter(request: Request) -> Visit:
    """The visit of who is logged in. Raises NotEntered, and AccessDenied where a form lacks its token."""
    house = house_of(request)
    by_itself = request.method in _SAFE and _partial(request)  # a page that is left open does not keep the session open
    session = await house.doorkeeper.session_of(_cookie(request, house), used=not by_itself)
    if session is None:
        raise NotEntered
    form = {} if request.method in _SAFE else await _form(request)
    if request.method not in _SAFE:
        _check_token(session, request, form)
    state, seen = house.memory.state, request.app.state.feed.seen  # before anything is read
    request.state.visit = visit = Visit(
        request=request,
        house=house,
        session=session,
        now=house.clock(),
        zone=(await house.memory.policies.in_force(ApprovalPolicy)).document.timezone,
        controls=await state.get(Controls, "self") or Controls(),
        waiting=await house.memory.views.waiting(),
        form=form,
        seen=seen,
    )
    return visit


Here = Annotated[Visit, Depends(enter)]
"""Every page but those of the entry takes it; nothing is shown or done without."""


async def _form(request: Request) -> Mapping[str, Any]:
    """Fields by name; those given several times as a list under ``<name>[]``."""
    sent = await request.form(max_files=0, max_fields=2_000)
    return {**dict(sent), **{f"{name}[]": sent.getlist(name) for name in sent}}


def _check_token(session: Session, request: Request, form: Mapping[str, Any]) -> None:
    given = request.headers.get("x-csrf-token") or form.get("csrf", "")
    if not isinstance(given, str) or not compare_digest(given.encode(), session.csrf.encode()):
        raise AccessDenied("this form is too old, or not from this console", hint="load the page again and repeat it")


def inside(path: str) -> str:
    """``path`` where it is one of this console's own, else the first page: a link must not lead elsewhere."""
    parts = urlsplit(path)
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if own and path.isprintable() else "/"
