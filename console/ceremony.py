"""The two ceremonies of W3C Web Authentication Level 3: making a passkey (7.1) and having it sign (7.2), by py_webauthn.

Verified are the type, the challenge, the origin and that no other site framed the page, the name (RP id), that somebody was
there and was verified by the authenticator, the algorithm, the signature, the owner, and that the key may sync as before.
The counter and the challenge's age are for the caller. No I/O.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from console.relying_party import RelyingParty
from domain.passkeys import CHALLENGE_HOLDS, Passkey

Answer = RegistrationCredential | AuthenticationCredential
LONGEST_ANSWER = 32_000
"""Characters of a browser's answer; with the longest attestation it has about ten thousand."""
_log = structlog.get_logger(__name__)
_NAME, _USER = "Steward", "operator"
_WAIT = int(CHALLENGE_HOLDS.total_seconds() * 1000)


class NotVerified(Exception):
    """An answer that is none, or is not good. Why is for developers: nobody outside is told."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What an authenticator says of itself with a good signature."""

    sign_count: int
    backed_up: bool


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """``operator`` is whom authenticators know the operator as."""

    party: RelyingParty
    operator: bytes

    # --- making one -----------------------------------------------------------------------------------------------

    def creation(self, challenge: bytes, there: Sequence[Passkey]) -> dict[str, Any]:
        """Options for ``navigator.credentials.create`` as JSON (5.4): one that needs no user name, on no device of ``there``."""
        options = generate_registration_options(
            rp_id=self.party.rp_id,
            rp_name=_NAME,
            user_name=_USER,
            user_id=self.operator,
            challenge=challenge,
            timeout=_WAIT,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_described(there),
        )
        return options_to_json_dict(options)

    def made(self, answer: RegistrationCredential, challenge: bytes, *, name: str, now: datetime) -> Passkey:
        """Raises NotVerified."""
        with _verifying():
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.party.rp_id,
                expected_origin=self.party.origin,
                require_user_verification=True,
            )
            return Passkey(
                name=name,
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                rp_id=self.party.rp_id,
                transports=tuple(transport.value for transport in answer.response.transports or ()),
                may_sync=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
                backed_up=verified.credential_backed_up,
                created_at=now,
            )

    # --- having it sign -------------------------------------------------------------------------------------------

    def request(self, challenge: bytes, among: Sequence[Passkey] = ()) -> dict[str, Any]:
        """Options for ``navigator.credentials.get`` as JSON (5.5). Without ``among`` the authenticator says which it has."""
        options = generate_authentication_options(
            rp_id=self.party.rp_id,
            challenge=challenge,
            timeout=_WAIT,
            allow_credentials=_described(among),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    def signed(self, answer: AuthenticationCredential, challenge: bytes, passkey: Passkey, *, named: bool) -> Signed:
        """``named``: it was among those that the request named, and then need not say whose it is. Raises NotVerified."""
        with _verifying():
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.party.rp_id,
                expected_origin=self.party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=0,  # looked at by the caller, once the signature is known to be good
                require_user_verification=True,
            )
        owner = answer.response.user_handle
        if owner != self.operator and not (named and owner is None):
            raise NotVerified("this passkey is somebody else's")
        if (verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE) != passkey.may_sync:
            raise NotVerified("whether it may sync never changes")
        return Signed(sign_count=verified.new_sign_count, backed_up=verified.credential_backed_up)


def registration(text: str) -> RegistrationCredential:
    """The JSON of what ``create`` gave (5.1, RegistrationResponseJSON). Raises NotVerified."""
    with _verifying():
        return parse_registration_credential_json(_bounded(text))


def assertion(text: str) -> AuthenticationCredential:
    """The JSON of what ``get`` gave (5.1, AuthenticationResponseJSON). Raises NotVerified."""
    with _verifying():
        return parse_authentication_credential_json(_bounded(text))


def challenge_of(answer: Answer) -> bytes:
    """The challenge that it says it answers. Raises NotVerified, also where a page of another site had asked."""
    with _verifying():
        said = parse_client_data_json(answer.response.client_data_json)
    if said.cross_origin:
        raise NotVerified("asked for by a page within another site's")
    return said.challenge


@contextmanager
def _verifying() -> Iterator[None]:
    """The library's parsers raise whatever the broken bytes lead them to; what they did not foresee is worth a look."""
    try:
        yield
    except WebAuthnException as error:
        raise NotVerified(str(error)[:200]) from error  # it may repeat what it was given
    except Exception as error:
        _log.warning("passkey_unforeseen", error=type(error).__name__)
        raise NotVerified(str(error)[:200]) from error


def _bounded(text: str) -> str:
    if len(text) > LONGEST_ANSWER:
        raise NotVerified("too long")
    return text


def _described(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=one.credential_id, transports=[AuthenticatorTransport(way) for way in one.transports])
        for one in passkeys
    ]
