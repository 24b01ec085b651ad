"""Fetching a picture from whatever address somebody has given: bounded, and from public addresses only.

The address may lead anywhere, so a name is looked up once, every address it has must be public, and the connection goes to
the very one that was looked at; each redirect is looked at in the same way. What is no picture by its first bytes is none,
whatever its server says it is. Nothing else of an answer is ever repeated.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx

from connectors.http import Http, Limits
from domain.entities import LOOPBACK
from domain.errors import Permanent

LIMITS = Limits(connect_seconds=5.0, seconds=15.0, max_bytes=5 * 1024 * 1024)
_REDIRECTS = 3
_PORTS = {"https": 443, "http": 80}
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
_IPV6 = IPv6Network("2000::/3")  # all that was ever given out; Python calls more of them global


@dataclass(frozen=True)
class Image:
    """A picture's bytes and what they are, such as ``image/png``."""

    content: bytes
    media_type: str

    @property
    def ending(self) -> str:
        """Of a file's name, without the dot."""
        return _ENDINGS[self.media_type]


async def image_at(url: str, *, loopback: bool = False, limits: Limits = LIMITS) -> Image:
    """A JPEG, PNG, WebP or GIF. Raises Retryable or Permanent, as ``connectors.http`` says, and Permanent for anything else.

    ``loopback`` lets it be on this machine, for a site that is there too: where the address says so itself, and no public one
    led there.
    """
    parts = urlsplit(url)
    http = Http(
        f"{parts.scheme}://{parts.netloc}",
        name="the picture's address",
        headers={"accept": ", ".join(_ENDINGS)},
        limits=limits,
        transport=_Checked(loopback=loopback),
        redirects=_REDIRECTS,
    )
    try:
        content = (await http.get(url)).body
    except (httpx.InvalidURL, ValueError):  # an address may look like one and still name no host that can be
        raise Permanent("the picture's address cannot be") from None
    finally:
        await http.close()
    if (media_type := _media_type(content)) is None:
        raise Permanent("there is no JPEG, PNG, WebP or GIF at the picture's address")
    return Image(content, media_type)


class _Checked(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked: a name that has another one a moment later leads nowhere else."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        # a kept connection would be shared by all names at one address, and was proved for the first of them
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        error: httpx.TransportError = httpx.ConnectError("the name has no address")
        addresses = await self._addresses(request.url)
        self._loopback = self._loopback and request.url.host in LOOPBACK  # what follows is what this one leads to
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_sent_to(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout) as failed:
                error = failed
        raise error

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Raises Permanent where one of them is not public, and httpx's ConnectError where there is none."""
        if url.scheme not in _PORTS:
            raise Permanent("the picture's address leads to something else than a web address")
        host, port = url.raw_host.decode(), url.port or _PORTS[url.scheme]
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError("the name is not known") from error
        addresses = [str(where[0]) for *_, where in found]
        if not all(self._admits(url, address) for address in addresses):
            raise Permanent("the picture's address is not public, or not https")
        return addresses

    def _admits(self, url: httpx.URL, address: str) -> bool:
        meant = _meant(ip_address(address))
        if meant.is_loopback:
            return self._loopback and url.host in LOOPBACK
        known = isinstance(meant, IPv4Address) or meant in _IPV6
        return url.scheme == "https" and known and meant.is_global and not meant.is_multicast


def _sent_to(address: str, request: httpx.Request) -> httpx.Request:
    """The same request, to be proved by the certificate of the name that was asked for."""
    extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode()}
    url = request.url.copy_with(host=address)
    return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address, or the IPv4 address in it to which it leads."""
    if isinstance(address, IPv4Address):
        return address
    translated = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or translated or address


def _media_type(content: bytes) -> str | None:
    """By the first bytes, as the formats' own documents give them."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None
