"""Fetching a picture from an address that somebody gave, against servers on loopback."""

import socket

import httpx
import pytest

from connectors.http import Limits
from connectors.pictures import image_at
from domain.errors import EffectError, Permanent
from tests.contract.http_trouble import TROUBLE
from tests.contract.scripted_http import Reply, as_json, serving
from tests.contract.wordpress_server import png

QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=1_000)
KINDS = {
    "image/jpeg": (b"\xff\xd8\xff\xe0....JFIF", "jpg"),
    "image/png": (png(), "png"),
    "image/gif": (b"GIF89a..", "gif"),
    "image/webp": (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_picture_is_known_by_its_first_bytes(kind: str) -> None:
    """Whatever its server says it is: this one says that it is JSON."""
    content, ending = KINDS[kind]
    async with serving(Reply(body=content)) as server:
        image = await image_at(f"{server.url}/mug?v=1", loopback=True, limits=QUICK)
    assert (image.content, image.media_type, image.ending) == (content, kind, ending)
    assert server.paths == ["/mug?v=1"]


@pytest.mark.parametrize(
    "content", [b"", b"<html>Not found", b"<svg onload='x()'/>", b"RIFF\x10\0\0\0WAVEfmt ", b"%PDF-1.7"], ids=lambda c: repr(c[:5])
)
async def test_what_is_no_picture_is_none(content: bytes) -> None:
    """Also where its server calls it one."""
    async with serving(Reply(body=content, headers={"content-type": "image/png"})) as server:
        with pytest.raises(Permanent, match="no JPEG, PNG, WebP or GIF"):
            await image_at(server.url, loopback=True, limits=QUICK)


@pytest.mark.parametrize(("reply", "reading", "writing"), [case for case in TROUBLE if case.id != "redirect"])
async def test_each_trouble_has_one_meaning(reply: Reply, reading: type[EffectError], writing: type[EffectError]) -> None:
    """Among others a picture that is too large, and one that drips."""
    async with serving(reply) as server:
        with pytest.raises(reading):
            await image_at(server.url, loopback=True, limits=QUICK)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/mug.png",
        "https://localhost/mug.png",
        "https://[::1]/mug.png",
        "https://[::ffff:127.0.0.1]/mug.png",
        "https://0.0.0.0/mug.png",
        "https://10.0.0.1/mug.png",
        "https://172.16.0.1/mug.png",
        "https://192.168.1.1/mug.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/mug.png",
        "https://224.0.0.1/mug.png",
        "https://[fe80::1]/mug.png",
        "https://[fd00::1]/mug.png",
        "https://[fec0::1]/mug.png",
        "https://[::10.0.0.1]/mug.png",
        "https://[64:ff9b::a00:1]/mug.png",
        "https://[64:ff9b:1::a00:1]/mug.png",
        "https://[2002:a00:1::1]/mug.png",
        "https://2130706433/mug.png",
        "http://93.184.215.14/mug.png",
    ],
)
async def test_only_public_addresses_are_called_and_only_with_tls(url: str) -> None:
    """Neither this machine nor its network, however they are written."""
    with pytest.raises(Permanent, match="not public, or not https"):
        await image_at(url, limits=QUICK)


@pytest.mark.parametrize("host", ["xn--0", "..", ".example", f"{'a' * 64}.example", "a\u200bb"])
async def test_an_address_that_cannot_be_is_an_error_as_any(host: str) -> None:
    """Whoever publishes a page can count on it."""
    with pytest.raises(EffectError):
        await image_at(f"https://{host}/mug.png", limits=QUICK)


async def test_a_site_on_this_machine_lets_pictures_be_here_and_nowhere_else_inside() -> None:
    """Loopback is let through, the network around it is not."""
    with pytest.raises(Permanent, match="not public"):
        await image_at("https://10.0.0.1/mug.png", loopback=True, limits=QUICK)


@pytest.mark.parametrize("target", ["https://10.0.0.1/", "http://93.184.215.14/", "https://[fe80::1]/", "ftp://127.0.0.1/"])
async def test_a_redirect_is_looked_at_as_the_first_address_was(target: str) -> None:
    async with serving(as_json({}, status=302, location=target)) as server:
        with pytest.raises(Permanent, match=r"not public|something else"):
            await image_at(server.url, loopback=True, limits=QUICK)
    assert len(server.paths) == 1


@pytest.mark.parametrize("first", ["https://93.184.215.14/", "http://127.0.0.1:8000/"], ids=["at once", "after this machine"])
async def test_a_public_address_never_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """Not even where pictures may be here."""
    called: list[str] = []
    there = {"127.0.0.1:8000": "https://93.184.215.14/", "93.184.215.14": "http://127.0.0.1:9000/"}

    async def answered(_: object, request: httpx.Request) -> httpx.Response:
        called.append(request.url.netloc.decode())
        target = there.get(called[-1])
        return httpx.Response(302, headers={"location": target}) if target else httpx.Response(200, content=png())

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answered)
    with pytest.raises(Permanent, match="not public"):
        await image_at(first, loopback=True, limits=QUICK)
    assert called[-1] == "93.184.215.14"


async def test_a_name_for_this_machine_is_not_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who can name a host can let the name lead anywhere."""
    async with serving(Reply(body=png())) as server:
        port = int(server.url.rpartition(":")[2])
        here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        with pytest.raises(Permanent, match="not public"):
            await image_at(f"http://mill.example:{port}/", loopback=True, limits=QUICK)
    assert server.paths == []


async def test_a_redirect_is_followed_three_times() -> None:
    """Relative ones too; the fourth is one too many."""
    on, there = as_json({}, status=302, location="/next"), Reply(body=png())
    async with serving(on, on, on, there) as server:
        assert (await image_at(f"{server.url}/first", loopback=True, limits=QUICK)).content == png()
        assert server.paths == ["/first", "/next", "/next", "/next"]
    async with serving(on) as server:
        with pytest.raises(Permanent, match="302"):
            await image_at(f"{server.url}/first", loopback=True, limits=QUICK)
        assert len(server.paths) == 4


async def test_the_name_that_was_asked_for_is_what_the_server_hears() -> None:
    """Although the connection goes to the address that was checked."""
    async with serving(Reply(body=png())) as server:
        port = server.url.rpartition(":")[2]
        await image_at(f"http://localhost:{port}/", loopback=True, limits=QUICK)
    assert f"localhost:{port}" in server.heads[0]
