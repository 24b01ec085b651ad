"""Identifiers and digests.

Ids of things that can be delivered twice are derived from what they name (RFC 9562 UUIDv5), so that a repeat
collides with itself instead of becoming a second thing.
"""

import hashlib
import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:steward")


def derived_id(*parts: str) -> uuid.UUID:
    """The same parts always give the same id; ("a", "bc") and ("ab", "c") differ."""
    return uuid.uuid5(NAMESPACE, canonical_json(list(parts)))


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces, UTF-8 text, decimals and times as strings: one text per value (after RFC 8785)."""
    return json.dumps(value, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hex characters."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def slugify(text: str, *, limit: int = 80) -> str:
    """Lower-case ASCII words joined by hyphens; never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:limit].rstrip("-")
    return slug or digest(text)[:12]


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date() | uuid.UUID():
            return str(value)
        case Decimal():
            return str(value)
        case bytes():
            return value.hex()
        case Mapping():
            return dict(value)
        case tuple() | frozenset() | set():
            return sorted(value) if not isinstance(value, tuple) else list(value)
    raise TypeError(f"no canonical JSON for {type(value).__name__}")
