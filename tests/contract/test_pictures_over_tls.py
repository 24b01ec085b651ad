"""Pictures from public addresses, over TLS: a server on loopback stands where the public ones are.

Only what is outside of the process is another one: what names mean, where a connection to a public address really goes, and
which authorities are believed. What is public and whom a certificate is for is judged as ever.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import pytest

from connectors.http import Limits
from connectors.pictures import image_at
from domain.errors import Permanent, Retryable
from tests.contract.certificates import Authority
from tests.contract.scripted_http import Reply, Server, as_json, serving
from tests.contract.wordpress_server import png

QUICK = Limits(connect_seconds=2.0, seconds=4.0, max_bytes=1_000)
MILL, PUBLIC = "mill.example", "93.184.215.14"
PICTURE = Reply(body=png())
BELIEVED = certifi.where


@dataclass
class Internet:
    """``addresses`` by name, one after the other where a name has several; ``dialled`` and ``heard`` are what was called there:
    addresses with ports, and the names that were asked for when TLS began."""

    authority: Authority
    addresses: dict[str, list[str]] = field(default_factory=lambda: {MILL: [PUBLIC]})
    asked: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    heard: list[str | None] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def mill(self, *script: Reply, certified: tuple[str, ...] = (MILL,)) -> AsyncIterator[Server]:
        """The one server there is, with a certificate for the names or addresses that are ``certified``."""
        context = self.authority.server(*certified)
        context.sni_callback = self._hear
        async with serving(*script, tls=context) as server:
            self.port = int(server.url.rpartition(":")[2])
            yield server

    def look_up(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        """As ``socket.getaddrinfo``; an address is what it is."""
        self.asked.append(host)
        known = self.addresses.get(host, [host])
        address = known.pop(0) if len(known) > 1 else known[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def _hear(self, _: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> None:
        self.heard.append(name)


@pytest.fixture
async def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Internet:
    net, loop = Internet(Authority(tmp_path)), asyncio.get_running_loop()
    connect = loop.create_connection

    async def dial(protocol: Any, host: str, port: int, **given: Any) -> Any:
        net.dialled.append((host, port))
        return await connect(protocol, "127.0.0.1", net.port, **given)

    monkeypatch.setattr(loop, "create_connection", dial)
    monkeypatch.setattr(socket, "getaddrinfo", net.look_up)
    monkeypatch.setattr(certifi, "where", lambda: str(net.authority.bundle))
    return net


async def test_the_name_is_proved_and_the_address_that_was_checked_is_called(internet: Internet) -> None:
    """The name is looked up once: that it leads to another address a moment later leads nowhere else. The server hears the
    name, in TLS and in HTTP."""
    internet.addresses[MILL] = [PUBLIC, "10.0.0.1"]
    async with internet.mill(PICTURE) as server:
        assert (await image_at(f"https://{MILL}/mug.png", limits=QUICK)).content == png()
    assert (internet.asked, internet.dialled, internet.heard) == ([MILL], [(PUBLIC, 443)], [MILL])
    assert f"\r\nhost: {MILL}\r\n" in server.heads[0].lower()


@pytest.mark.parametrize("certified", ["other.example", PUBLIC, f"x.{MILL}"])
async def test_a_certificate_for_something_else_is_refused(internet: Internet, certified: str) -> None:
    """Even one for the very address: it was not the name's."""
    async with internet.mill(PICTURE, certified=(certified,)) as server:
        with pytest.raises(Retryable, match="cannot be reached"):
            await image_at(f"https://{MILL}/mug.png", limits=QUICK)
    assert (server.paths, internet.heard) == ([], [MILL])


async def test_a_certificate_by_an_unknown_authority_is_refused(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    """By those that are believed outside of this test."""
    monkeypatch.setattr(certifi, "where", BELIEVED)
    async with internet.mill(PICTURE) as server:
        with pytest.raises(Retryable, match="cannot be reached"):
            await image_at(f"https://{MILL}/mug.png", limits=QUICK)
    assert (server.paths, internet.heard) == ([], [MILL])


@pytest.mark.parametrize(
    "target",
    [f"http://{MILL}/mug.png", "https://10.0.0.1/mug.png", "https://inside.example/", "http://127.0.0.1/", "https://localhost/"],
)
async def test_a_redirect_leads_to_no_address_inside_and_not_out_of_tls(internet: Internet, target: str) -> None:
    """Whether it says so or a name does; nobody is called there."""
    internet.addresses |= {"inside.example": ["10.0.0.1"], "localhost": ["127.0.0.1"]}
    async with internet.mill(as_json({}, status=302, location=target), PICTURE) as server:
        with pytest.raises(Permanent, match="not public, or not https"):
            await image_at(f"https://{MILL}/first", loopback=True, limits=QUICK)
    assert (server.paths, internet.dialled) == (["/first"], [(PUBLIC, 443)])


@pytest.mark.parametrize("certified", [(MILL,), (MILL, "shop.example")], ids=["not for it", "for both"])
async def test_a_redirect_to_another_name_proves_that_name(internet: Internet, certified: tuple[str, ...]) -> None:
    """At the same address too: what was proved for the first name counts for no other."""
    internet.addresses["shop.example"] = [PUBLIC]
    async with internet.mill(as_json({}, status=302, location="https://shop.example/"), PICTURE, certified=certified) as server:
        if "shop.example" in certified:
            await image_at(f"https://{MILL}/first", limits=QUICK)
        else:
            with pytest.raises(Retryable, match="cannot be reached"):
                await image_at(f"https://{MILL}/first", limits=QUICK)
    assert internet.heard == [MILL, "shop.example"]
    assert len(server.paths) == len(certified)
