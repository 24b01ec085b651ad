"""A certificate authority of a test's own, and servers' certificates by it."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """``bundle`` is the file that makes a client believe it; certificates are for a day around now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("A test's own authority")
        public = self._key.public_key()
        may = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        own = _unsigned(self._name, public, issuer=self._name)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(may, critical=True)
        self.bundle = folder / "authority.pem"
        self.bundle.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        """A server's side of TLS with a certificate for ``names``, host names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        wanted = x509.SubjectAlternativeName([_general(name) for name in names])
        unsigned = _unsigned(_named("a server"), key.public_key(), issuer=self._name).add_extension(wanted, critical=False)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self._folder / "server.pem"
        file.write_bytes(secret + unsigned.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _unsigned(name: x509.Name, key: ec.EllipticCurvePublicKey, *, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    about = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    return about.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + _DAY)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
