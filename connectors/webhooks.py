"""Who signed a call: the schemes by which systems sign what they send us. Pure; comparing takes the same time for any guess.

scheme             signed                        its time                     sources
Standard Webhooks  id, time and body             of the attempt, signed       standardwebhooks.com, specification 1.0.0
Stripe             time and body                 of the attempt, signed       docs.stripe.com/webhooks, "Verify manually"
Shopify            the body alone                of what happened, unsigned   shopify.dev, "Verify webhook deliveries"
WooCommerce        the body alone                none                         its class-wc-webhook.php, generate_signature

A call that was overheard can be sent again: where the time is signed, one from another time than now is refused. Where only the
body is signed, nothing but the body says which call it is: name the record by ``digest_of`` it, and a repeat is no news.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.connections import Webhook
from domain.errors import InvalidInput, NotSigned

WINDOW = timedelta(minutes=5)
"""How far a signed time may be from ours, either way: clocks differ."""
_PREFIX = "whsec_"
_LONGEST = 12  # digits of a time in seconds
_LONGEST_ID = 200


def check_standard(request: Webhook, keys: Sequence[bytes]) -> str:
    """The call's id, which was signed with it; the same for every attempt. Raises NotSigned."""
    message_id, seconds = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    _in_time(seconds, request.at)
    versions = [part.partition(",") for part in request.headers.get("webhook-signature", "").split()]
    given = [signature for version, _, signature in versions if version == "v1"]
    signed = f"{message_id}.{seconds}.".encode() + request.body
    if not 0 < len(message_id) <= _LONGEST_ID or not _any_matches(given, [b64encode(_hmac(key, signed)).decode() for key in keys]):
        raise NotSigned("the signature is not one of ours")
    return message_id


def check_stripe(request: Webhook, secrets: Sequence[str]) -> None:
    """A secret is used as it is written, its ``whsec_`` included. Raises NotSigned."""
    items = [item.strip().partition("=") for item in request.headers.get("stripe-signature", "").split(",")]
    seconds = next((value for name, _, value in items if name == "t"), "")
    _in_time(seconds, request.at)
    signed = f"{seconds}.".encode() + request.body
    given = [value for name, _, value in items if name == "v1"]
    if not _any_matches(given, [_hmac(secret.encode(), signed).hex() for secret in secrets]):
        raise NotSigned("the signature is not one of ours")


def check_shopify(request: Webhook, secrets: Sequence[str]) -> None:
    """Its headers besides the signature are nobody's word. It repeats a call for hours as it was, so that no age is refused.

    Raises NotSigned.
    """
    given = request.headers.get("x-shopify-hmac-sha256", "")
    if not _any_matches([given], [b64encode(_hmac(secret.encode(), request.body)).decode() for secret in secrets]):
        raise NotSigned("the signature is not one of ours")


def check_woocommerce(request: Webhook, secret: str) -> None:
    """The secret is one text, spaces included: WooCommerce makes up such. The topic beside the signature is nobody's word.

    Raises NotSigned.
    """
    given = request.headers.get("x-wc-webhook-signature", "")
    if not _any_matches([given], [b64encode(_hmac(secret.encode(), request.body)).decode()]):
        raise NotSigned("the signature is not one of ours")


def is_woocommerce_ping(request: Webhook) -> bool:
    """What WooCommerce sends, unsigned, where a webhook is saved: it wants to hear 200, and keeps the webhook waiting otherwise."""
    name, _, number = request.body.partition(b"=")
    unsigned = "x-wc-webhook-signature" not in request.headers
    return unsigned and name == b"webhook_id" and number.isdigit() and len(number) <= _LONGEST


def digest_of(body: bytes) -> str:
    """A name for a call of which only the body is signed."""
    return hashlib.sha256(body).hexdigest()


def standard_keys(secret: str) -> tuple[bytes, ...]:
    """The keys of a Standard Webhooks secret: ``whsec_`` and base64; several, with spaces, while one replaces another.

    Raises InvalidInput, without repeating any of it.
    """
    try:
        keys = tuple(b64decode(word.removeprefix(_PREFIX), validate=True) for word in secret.split())
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or not all(24 <= len(key) <= 64 for key in keys):
        hint = "whsec_ and 24 to 64 bytes in base64, as the sender shows it; two with a space between while you change it"
        raise InvalidInput("this is no signing secret", hint=hint)
    return keys


def _in_time(seconds: str, now: datetime) -> None:
    plain = seconds.isascii() and seconds.isdecimal() and len(seconds) <= _LONGEST
    if not plain or abs(now.timestamp() - int(seconds)) > WINDOW.total_seconds():
        raise NotSigned("the call is not from now", hint="where the sender's clock is right, ours is wrong")


def _any_matches(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Every pair is compared, so that the time tells nothing."""
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    return any(matches)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
