"""An authenticator in software, with the browser before it: it makes passkeys and signs, and lies where a test wants it to.

Source: W3C WebAuthn 6.1 (authenticator data), 6.5.1 (attested credential data), 5.8.1 (client data).
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
"""User present, user verified, may be backed up, is backed up, with the new key."""


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """It has one passkey. ``count`` is what it counted so far; it counts on by ``step``."""

    origin: str
    flags: int = UP | UV
    count: int = 0
    step: int = 1
    user_handle: str = ""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: Mapping[str, Any], **client: Any) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives for the options; ``client`` replaces parts of the client data."""
        self.user_handle = options["user"]["id"]
        self.count += self.step
        data = self._data(options["rp"]["id"], self.flags | AT) + self._attested()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client("webauthn.create", options, client)
        return self._answer({"clientDataJSON": b64(said), "attestationObject": b64(attestation), "transports": ["internal"]})

    def get(self, options: Mapping[str, Any], **client: Any) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives."""
        self.count += self.step
        data = self._data(options["rpId"], self.flags)
        said = self._client("webauthn.get", options, client)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": said, "authenticatorData": data, "signature": signature}
        return self._answer({name: b64(part) for name, part in parts.items()} | {"userHandle": self.user_handle or None})

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _attested(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(public)

    def _client(self, kind: str, options: Mapping[str, Any], lies: Mapping[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | dict(lies)).encode()

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
