"""The door for passkeys: adding and removing them, coming in with one, and proving with one what else the password proves.

Every answer is to a challenge of ours, which counts once, for a few minutes, for one purpose and in one session. A refusal is
the same whatever the reason.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from console.ceremony import Answer, Ceremony, NotVerified, assertion, challenge_of, registration
from console.entered import Entered, entered
from console.relying_party import RelyingParty
from console.throttle import Throttle
from console.turnstile import Turnstile
from domain.access import LoggedIn, LoginAttempt, LoginWay, PasskeyName, Session, client_key, network
from domain.errors import AccessDenied, InvalidInput, NotFound, TooManyTries
from domain.passkeys import (
    CHALLENGE_HOLDS,
    Challenge,
    Passkey,
    PasskeyAdded,
    PasskeyDoubted,
    PasskeyRemoved,
    Purpose,
    counts,
    went_back,
)
from domain.ports import Challenges, Passkeys, Sessions
from memory.keyring import access_event, sha256_of
from memory.timeline import Timeline

_CHALLENGE_BYTES = 32
_BURST, _EVERY = 20, timedelta(seconds=5)  # challenges that a stranger's address is given: each is a row for a few minutes
_NAME: TypeAdapter[str] = TypeAdapter(PasskeyName)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Occasion:
    """What a passkey is asked for, under which name, and in which session; before the log-in there is none."""

    purpose: Purpose
    party: RelyingParty
    session_id: str = ""


class PasskeyDoor:
    """``client`` is always the address a request came from, ``party`` the name under which it came. ``clock`` gives aware
    moments. Every method raises Retryable where the store is away."""

    def __init__(
        self,
        *,
        passkeys: Passkeys,
        challenges: Challenges,
        sessions: Sessions,
        log: Timeline,
        clock: Callable[[], datetime],
        throttle: Throttle,
    ) -> None:
        self._passkeys = passkeys
        self._challenges = challenges
        self._sessions = sessions
        self._log = log
        self._clock = clock
        self._throttle = throttle
        self._turnstile = Turnstile(burst=_BURST, per_second=1 / _EVERY.total_seconds())

    async def all(self) -> list[Passkey]:
        """In the order in which they were added, for whatever name."""
        return await self._passkeys.all()

    async def fits(self, party: RelyingParty | None) -> bool:
        """Whether there is one that can be used here."""
        return party is not None and bool(await self._of(party))

    # --- adding and removing --------------------------------------------------------------------------------------

    async def ask_new(self, session: Session, party: RelyingParty, name: str) -> dict[str, Any]:
        """What the browser needs to make one. Raises InvalidInput where the name is none, or is taken."""
        await self._free(name)
        challenge = await self._challenge(_Occasion(Purpose.REGISTER, party, session.session_id))
        return (await self._ceremony(party)).creation(challenge, await self._of(party))

    async def add(self, session: Session, party: RelyingParty, name: str, answer: str) -> None:
        """Raises InvalidInput where it is not what was asked for, and AccessDenied where the session is over."""
        name = await self._free(name)
        try:
            made = registration(answer)
            challenge = await self._asked(made, _Occasion(Purpose.REGISTER, party, session.session_id))
            passkey = (await self._ceremony(party)).made(made, challenge, name=name, now=self._clock())
        except NotVerified as error:
            _log.info("passkey_not_added", why=str(error))
            raise _not_added() from error
        told = access_event(PasskeyAdded(name=name, rp_id=party.rp_id, at=passkey.created_at))
        if not await self._passkeys.add(passkey, session_id=session.session_id, events=[told]):
            raise _not_added()

    async def remove(self, session: Session, name: str) -> None:
        """Every other session is closed, since it may have been opened by it. Raises NotFound."""
        if name not in {one.name for one in await self._passkeys.all()}:
            raise _no_passkey()
        told = access_event(PasskeyRemoved(name=name, at=self._clock()))
        if not await self._passkeys.remove(name, keep=session.session_id, events=[told]):
            raise _no_passkey()

    # --- coming in, and proving -----------------------------------------------------------------------------------

    async def ask_log_in(self, party: RelyingParty, client: str) -> dict[str, Any]:
        """What the browser needs to have one sign. It names none: whoever asks is a stranger yet.

        Raises AccessDenied where there is none for this name, and TooManyTries.
        """
        now = self._clock()
        if not await self.fits(party):
            raise _denied()
        if not self._turnstile.passes(client_key(client), now=now):
            raise TooManyTries("too many tries", until=now + _EVERY, hint="wait a few seconds, or use the password")
        challenge = await self._challenge(_Occasion(Purpose.LOG_IN, party))
        return (await self._ceremony(party)).request(challenge)

    async def log_in(self, party: RelyingParty, answer: str, client: str) -> Entered:
        """Raises AccessDenied, TooManyTries.

        A signature cannot be guessed, however many try: strangers' tries do not keep the operator out.
        """
        tried = await self._throttle.admit(client)
        passkey = await self._check(_Occasion(Purpose.LOG_IN, party), answer, tried, client)
        now = self._clock()
        opened = entered(now)
        told = LoggedIn(network=network(client), refused=tried.failures - 1, way=LoginWay.PASSKEY, at=now)
        if not await self._sessions.open(opened.session, passkey=passkey.credential_id, events=[access_event(told)]):
            raise _denied()
        return opened

    async def ask_proof(self, session: Session, party: RelyingParty) -> dict[str, Any]:
        """What the browser needs to have one of those sign that there are."""
        challenge = await self._challenge(_Occasion(Purpose.PROVE, party, session.session_id))
        return (await self._ceremony(party)).request(challenge, await self._of(party))

    async def prove(self, session: Session, party: RelyingParty, answer: str, client: str) -> None:
        """As good as the password given once more. Raises AccessDenied, TooManyTries."""
        tried = await self._throttle.admit(client)
        await self._check(_Occasion(Purpose.PROVE, party, session.session_id), answer, tried, client)
        now = self._clock()
        proved = {"proven_at": now, "seen_at": now}
        if await self._sessions.change(session.session_id, lambda s: s.model_copy(update=proved)) is None:
            raise _denied()

    # --- helpers --------------------------------------------------------------------------------------------------

    async def _check(self, occasion: _Occasion, answer: str, tried: LoginAttempt, client: str) -> Passkey:
        """The passkey that has signed what it was asked to; its use is noted. Raises AccessDenied."""
        try:
            passkey = await self._signing(occasion, answer, client)
        except NotVerified as error:
            _log.info("passkey_refused", why=str(error))
            await self._throttle.refused(tried, client, LoginWay.PASSKEY)
            raise _denied() from error
        await self._throttle.forgive(client)
        return passkey

    async def _signing(self, occasion: _Occasion, text: str, client: str) -> Passkey:
        answer = assertion(text)
        challenge = await self._asked(answer, occasion)
        passkey = next((one for one in await self._of(occasion.party) if one.credential_id == answer.raw_id), None)
        if passkey is None:
            raise NotVerified("no such passkey")
        ceremony = await self._ceremony(occasion.party)
        signed = ceremony.signed(answer, challenge, passkey, named=occasion.purpose is Purpose.PROVE)
        if went_back(passkey.sign_count, signed.sign_count):
            doubted = PasskeyDoubted(name=passkey.name, network=network(client), at=self._clock())
            await self._log.append([access_event(doubted)])
            raise NotVerified("its counter went back")
        now = self._clock()
        if not await self._passkeys.used(passkey, sign_count=signed.sign_count, backed_up=signed.backed_up, at=now):
            raise NotVerified("removed, or used somewhere else in this moment")
        return passkey

    async def _challenge(self, occasion: _Occasion) -> bytes:
        """A new one; only its digest is kept."""
        challenge, now = secrets.token_bytes(_CHALLENGE_BYTES), self._clock()
        kept = Challenge(
            digest=sha256_of(challenge),
            purpose=occasion.purpose,
            session_id=occasion.session_id,
            rp_id=occasion.party.rp_id,
            expires_at=now + CHALLENGE_HOLDS,
        )
        await self._challenges.add(kept, now=now)
        return challenge

    async def _asked(self, answer: Answer, occasion: _Occasion) -> bytes:
        """The challenge that it answers, which is used up, good or not. Raises NotVerified where it was not asked here and now."""
        challenge, now = challenge_of(answer), self._clock()
        kept = await self._challenges.take(sha256_of(challenge))
        here = {"session_id": occasion.session_id, "rp_id": occasion.party.rp_id}
        if kept is None or not counts(kept, occasion.purpose, **here, now=now):
            raise NotVerified("nobody asked for this")
        return challenge

    async def _of(self, party: RelyingParty) -> list[Passkey]:
        return [one for one in await self._passkeys.all() if one.rp_id == party.rp_id]

    async def _ceremony(self, party: RelyingParty) -> Ceremony:
        return Ceremony(party=party, operator=await self._passkeys.operator())

    async def _free(self, name: str) -> str:
        """The name as it is kept. Raises InvalidInput."""
        try:
            plain = _NAME.validate_python(name)
        except ValidationError as error:
            raise InvalidInput("this is no name for a passkey", hint="1 to 64 characters, as 'my telephone'") from error
        if plain in {one.name for one in await self._passkeys.all()}:
            raise InvalidInput(f"there is a passkey {plain} already", hint="take another name")
        return plain


def _denied() -> AccessDenied:
    return AccessDenied("this passkey is not accepted", hint="try once more, or use the password")


def _not_added() -> InvalidInput:
    return InvalidInput("this passkey could not be added", hint="load the page again and repeat it")


def _no_passkey() -> NotFound:
    return NotFound("there is no such passkey", hint="the list on this page shows which there are")
