"""Signatures of calls: published vectors, other people's code, and no way around them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe import WebhookSignature

from connectors.webhooks import (
    check_shopify,
    check_standard,
    check_stripe,
    check_woocommerce,
    digest_of,
    is_woocommerce_ping,
    standard_keys,
)
from domain.connections import Webhook
from domain.errors import InvalidInput, NotSigned
from tests.contract import signing

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = b'{"type": "orders", "data": [{"order_id": "1001"}]}'
STRIPE, SHOPIFY, WOO = "whsec_of-stripe", "shpss_of-shopify", "as made up there: {a b}<c>"
SIGNED: dict[str, Mapping[str, str]] = {
    "standard": signing.standard(BODY, at=NOW),
    "stripe": signing.stripe(BODY, at=NOW, secret=STRIPE),
    "shopify": signing.shopify(BODY, secret=SHOPIFY),
    "woocommerce": {"x-wc-webhook-signature": signing.woocommerce(BODY, secret=WOO)["x-wc-webhook-signature"]},
}
CHECKS: dict[str, Callable[[Webhook], object]] = {
    "standard": lambda call: check_standard(call, [signing.KEY]),
    "stripe": lambda call: check_stripe(call, [STRIPE]),
    "shopify": lambda call: check_shopify(call, [SHOPIFY]),
    "woocommerce": lambda call: check_woocommerce(call, WOO),
}
schemes = pytest.mark.parametrize("scheme", CHECKS)


def check(scheme: str, headers: Mapping[str, str], body: bytes = BODY, at: datetime = NOW) -> object:
    return CHECKS[scheme](Webhook(headers=headers, body=body, at=at))


def test_the_published_vector_of_standard_webhooks_is_good() -> None:
    """The one in the specification's own test suites."""
    keys = standard_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    call = Webhook(headers=headers, body=b'{"test": 2432232314}', at=datetime.fromtimestamp(1614265330, UTC))
    assert check_standard(call, keys) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_what_stripes_own_code_signs_is_good() -> None:
    header = WebhookSignature.generate_signature_header(BODY.decode(), STRIPE, int(NOW.timestamp()))
    check("stripe", {"stripe-signature": header})


@schemes
def test_a_good_call_is_good_and_one_without_a_signature_is_not(scheme: str) -> None:
    check(scheme, SIGNED[scheme])
    for name in SIGNED[scheme]:
        with pytest.raises(NotSigned):
            check(scheme, {k: v for k, v in SIGNED[scheme].items() if k != name})


@schemes
@given(data=st.data())
def test_any_changed_byte_of_the_body_is_refused(scheme: str, data: st.DataObject) -> None:
    """Flipped, left out or put in, anywhere."""
    place = data.draw(st.integers(0, len(BODY) - 1))
    byte = data.draw(st.integers(1, 255))
    flipped = BODY[:place] + bytes([BODY[place] ^ byte]) + BODY[place + 1 :]
    changes = (flipped, BODY[:place] + BODY[place + 1 :], BODY[:place] + b" " + BODY[place:])
    for changed in changes:
        with pytest.raises(NotSigned):
            check(scheme, SIGNED[scheme], changed)


@schemes
@given(data=st.data())
def test_any_changed_letter_of_what_is_signed_with_it_is_refused(scheme: str, data: st.DataObject) -> None:
    """Of a signature, an id or a time; an unused signature beside it is nobody's business."""
    name = data.draw(st.sampled_from(sorted(SIGNED[scheme])))
    value = SIGNED[scheme][name].removesuffix(",v0=deadbeef")
    place, letter = data.draw(st.integers(0, len(value) - 1)), data.draw(st.characters(max_codepoint=255))
    changed = value[:place] + letter + value[place + 1 :]
    if changed.split() == value.split() or (letter.isspace() and changed.strip() == value):
        return
    with pytest.raises(NotSigned):
        check(scheme, {**SIGNED[scheme], name: changed})


@pytest.mark.parametrize("scheme", ["standard", "stripe"])
@pytest.mark.parametrize(("off", "good"), [(299, True), (-299, True), (301, False), (-301, False)])
def test_a_call_from_another_time_is_refused_and_clocks_may_differ(scheme: str, off: int, good: bool) -> None:
    """Five minutes either way."""
    if good:
        check(scheme, SIGNED[scheme], at=NOW + timedelta(seconds=off))
        return
    with pytest.raises(NotSigned):
        check(scheme, SIGNED[scheme], at=NOW + timedelta(seconds=off))


@pytest.mark.parametrize("seconds", ["", "-1", "1e9", "٣", "9" * 400, "1772443800.5", " 1772443800"])
def test_a_time_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(NotSigned):
        check("standard", {**SIGNED["standard"], "webhook-timestamp": seconds})


def test_a_secret_can_be_replaced_by_another_without_a_gap() -> None:
    """Either side may know both: several keys here, several signatures there."""
    old, new = signing.KEY, b"fedcba9876543210fedcba9876543210"
    both = " ".join(signing.standard(BODY, at=NOW, key=key)["webhook-signature"] for key in (new, old))
    headers = {**SIGNED["standard"], "webhook-signature": f"v1a,unknown {both}"}
    for keys in ([old], [new], [b"another", old]):
        assert check_standard(Webhook(headers=headers, body=BODY, at=NOW), keys) == "msg_1"
    theirs = [signing.stripe(BODY, at=NOW, secret=secret)["stripe-signature"].split(",")[1] for secret in ("new", STRIPE)]
    check("stripe", {"stripe-signature": f"t={NOW.timestamp():.0f},{','.join(theirs)}"})
    with pytest.raises(NotSigned):
        check_standard(Webhook(headers=headers, body=BODY, at=NOW), [b"another"])


def test_a_secret_that_is_none_is_refused_without_being_repeated() -> None:
    assert standard_keys(f"{signing.SECRET}  {signing.SECRET}") == (signing.KEY, signing.KEY)
    for wrong in (" ", "whsec_", "whsec_c2hvcnQ=", "whsec_ünicode", "not base64 at all!"):
        with pytest.raises(InvalidInput) as told:
            standard_keys(wrong)
        assert wrong.strip().removeprefix("whsec_") == "" or wrong not in str(told.value)


def test_a_body_names_itself() -> None:
    assert digest_of(BODY) == digest_of(bytes(BODY)) != digest_of(BODY + b" ")


def test_what_woocommerces_own_code_signs_is_good() -> None:
    """base64_encode(hash_hmac('sha256', $payload, $secret, true)) worked out by openssl."""
    signature = {"x-wc-webhook-signature": "A971iWIMgT8Zj9A9eWfikrFj7wQ16/Qwcc4OlRl2PLc="}
    check_woocommerce(Webhook(headers=signature, body=b'{"id":1}', at=NOW), "secret")


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=x", b"webhook_id=1&id=2", b"id=1", b"", b"webhook_id=" + b"1" * 99])
def test_only_a_ping_is_a_ping(body: bytes) -> None:
    """And none that is signed: that one is checked."""
    ping = Webhook(headers={}, body=b"webhook_id=12", at=NOW)
    assert is_woocommerce_ping(ping)
    assert not is_woocommerce_ping(ping.model_copy(update={"body": body}))
    assert not is_woocommerce_ping(ping.model_copy(update={"headers": {"x-wc-webhook-signature": "x"}}))
