"""For which name of the console a passkey is made.

A browser has passkeys only over TLS or on localhost, and for names alone: an IP address can have none (W3C WebAuthn 5, secure
contexts, and 5.1.3, "effective domain").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_LOCAL = "localhost"


@dataclass(frozen=True)
class RelyingParty:
    """``rp_id`` is the name that passkeys are bound to, without the port; ``origin`` is where their answers have to come from."""

    rp_id: str
    origin: str


def relying_party(host: str, public_url: str) -> RelyingParty | None:
    """``host`` is the Host of a request that has passed the guard. None where there can be no passkeys."""
    public = urlsplit(public_url)
    scheme = public.scheme if host == public.netloc else "http"
    name = urlsplit(f"//{host}").hostname or ""
    if _is_address(name) or (scheme != "https" and name != _LOCAL):
        return None
    return RelyingParty(rp_id=name, origin=f"{scheme}://{host}")


def elsewhere(hosts: Iterable[str], public_url: str) -> str:
    """The address of this console under which there can be passkeys."""
    if relying_party(urlsplit(public_url).netloc, public_url):
        return public_url
    return next(f"http://{host}" for host in hosts if host.partition(":")[0] == _LOCAL)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
