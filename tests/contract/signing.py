"""Calls as senders sign them; written anew here, so that a fault in checking does not hide behind the same fault in signing."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from domain.connections import Webhook

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


def standard(body: bytes, *, at: datetime, message_id: str = "msg_1", key: bytes = KEY) -> Mapping[str, str]:
    """The headers of a Standard Webhooks call."""
    seconds = f"{at.timestamp():.0f}"
    signature = hmac.digest(key, b".".join((message_id.encode(), seconds.encode(), body)), "sha256")
    signed = f"v1,{base64.b64encode(signature).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": signed}


def stripe(body: bytes, *, at: datetime, secret: str) -> Mapping[str, str]:
    seconds = f"{at.timestamp():.0f}"
    signature = hmac.new(secret.encode(), b".".join((seconds.encode(), body)), hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={seconds},v1={signature},v0=deadbeef"}


def shopify(body: bytes, *, secret: str) -> Mapping[str, str]:
    return {"x-shopify-hmac-sha256": base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()}


def woocommerce(body: bytes, *, secret: str) -> Mapping[str, str]:
    """With the headers that nobody signs, as WooCommerce has them."""
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    told = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-source": "https://shop.example/", "x-wc-webhook-delivery-id": "d1"}
    return {**told, "x-wc-webhook-signature": signature}


def call(headers: Mapping[str, str], body: bytes, *, at: datetime) -> Webhook:
    return Webhook(headers=headers, body=body, at=at)
