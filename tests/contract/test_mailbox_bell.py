"""A mailbox that says when a mail came in, and one that is let in by tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from connectors.fakes import InMemorySources
from connectors.imap_bell import ImapBell
from connectors.kinds import Opened
from connectors.mailbox import KIND, PROVIDERS
from domain.actions import Capability
from domain.connections import Connection
from domain.errors import InvalidInput, Permanent, Retryable
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.imap_gate import Gate, gate
from tests.contract.mail_cases import question
from tests.contract.mail_servers import Post, mail_servers
from tests.contract.outside_cases import NOW, reply
from tests.contract.scripted_http import Call, Reply, as_json, serving
from tests.workflow.waiting import until
from workflows.listening import Listeners


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with mail_servers() as servers:
        yield servers


@pytest.fixture
async def at_the_gate(post: Post) -> AsyncIterator[Gate]:
    async with gate(post) as running:
        yield running


def through(post: Post, at_the_gate: Gate, **changes: str) -> Opened:
    return post.opened(InMemoryAttempts(), imap_port=str(at_the_gate.port), **changes)


def bell_of(opened: Opened, *, renewed: float = 60.0) -> ImapBell:
    bell = opened.bell
    assert isinstance(bell, ImapBell)
    bell._renewed = renewed
    return bell


async def soon(rings: Any) -> None:
    await asyncio.wait_for(anext(rings), 10)


class TestBell:
    async def test_it_rings_when_it_listens_and_whenever_a_mail_comes(self, post: Post) -> None:
        async with aclosing(bell_of(post.opened(InMemoryAttempts())).rings()) as rings:
            await soon(rings)
            for number in (1, 2):
                ringing = asyncio.create_task(anext(rings))
                await post.arrive(question(number))
                await asyncio.wait_for(ringing, 10)

    async def test_a_mail_that_comes_between_two_idles_rings(self, post: Post) -> None:
        """And an IDLE that is renewed because nothing came does not."""
        async with aclosing(bell_of(post.opened(InMemoryAttempts()), renewed=0.05).rings()) as rings:
            await soon(rings)
            ringing = asyncio.create_task(anext(rings))
            done, _ = await asyncio.wait({ringing}, timeout=0.5)
            assert not done
            await post.arrive(question(1))
            await asyncio.wait_for(ringing, 10)

    async def test_a_server_without_idle_has_no_bell(self, post: Post, at_the_gate: Gate) -> None:
        """It is polled as before."""
        at_the_gate.with_idle = False
        assert [ring async for ring in bell_of(through(post, at_the_gate)).rings()] == []

    async def test_a_line_that_is_cut_is_said_to_be(self, post: Post, at_the_gate: Gate) -> None:
        async with aclosing(bell_of(through(post, at_the_gate)).rings()) as rings:
            await soon(rings)
            ringing = asyncio.create_task(anext(rings))
            await asyncio.sleep(0)
            at_the_gate.cut()
            with pytest.raises(Retryable, match="broke off"):
                await asyncio.wait_for(ringing, 10)

    async def test_whoever_stops_listening_leaves_nothing_behind(self, post: Post, at_the_gate: Gate) -> None:
        """At whatever moment: no line stays open, and no thread stays busy."""
        for moment in (0.0, 0.01, 0.05, 0.2):
            rings = bell_of(through(post, at_the_gate)).rings()

            async def listen(rings: Any = rings) -> None:
                async with aclosing(rings):
                    async for _ in rings:
                        pass

            task = asyncio.create_task(listen())
            await asyncio.sleep(moment)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await until(_fact(lambda: not at_the_gate.lines))
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 10)

    async def test_a_wrong_password_is_the_operators_business(self, post: Post) -> None:
        with pytest.raises(Permanent):
            await soon(bell_of(post.opened(InMemoryAttempts(), password="wrong")).rings())


def _fact(said: Any) -> Any:
    async def fact() -> bool:
        return bool(said())

    return fact


class TestListeners:
    async def test_a_mail_wakes_the_run_and_a_cut_line_is_mended(self, post: Post, at_the_gate: Gate) -> None:
        """Each new line rings once, since something may have come meanwhile."""
        looks: list[str] = []

        async def look(name: str) -> None:
            looks.append(name)

        async def connections() -> list[Connection]:
            return [Connection(name="mailbox", kind="mailbox")]

        sources = InMemorySources()
        sources.bells["mailbox"] = bell_of(through(post, at_the_gate))
        listeners = Listeners(sources=sources, connections=connections, look=look, first_pause=0.01)
        running = asyncio.create_task(listeners.run())
        await until(_fact(lambda: len(looks) == 1))
        await post.arrive(question(1))
        await until(_fact(lambda: len(looks) == 2))
        at_the_gate.cut()
        await until(_fact(lambda: len(looks) == 3))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await until(_fact(lambda: not at_the_gate.lines))
        assert set(looks) == {"mailbox"}


class Provider:
    """Makes tokens, and tells the servers about them."""

    def __init__(self, post: Post, at_the_gate: Gate) -> None:
        self.made: list[Any] = []
        self.refuses = False
        self._sets = (post.tokens, at_the_gate.tokens)

    def answer(self, asked: Call) -> Reply:
        if self.refuses:
            return as_json({"error": "invalid_grant", "error_description": "once-for-all"}, status=400)
        self.made.append(asked.body)
        token = f"token-{len(self.made)}"
        for known in self._sets:
            known.add(token)
        return as_json({"access_token": token, "expires_in": 3600})

    def withdraw(self) -> None:
        for known in self._sets:
            known.clear()


@asynccontextmanager
async def with_tokens(post: Post, at_the_gate: Gate) -> AsyncIterator[tuple[Opened, Provider]]:
    provider = Provider(post, at_the_gate)
    async with serving(answer=provider.answer) as server:
        opened = through(
            post, at_the_gate, password="", refresh_token="once-for-all", client_id="me", token_url=f"{server.url}/token"
        )
        yield opened, provider
        await opened.close()


class TestTokens:
    async def test_one_token_lets_in_for_reading_and_for_sending(self, post: Post, at_the_gate: Gate) -> None:
        """No password is asked for, and one token does for everything."""
        async with with_tokens(post, at_the_gate) as (opened, provider):
            assert "INBOX has 0 mails" in await opened.check()
            await post.arrive(question(1))
            assert opened.source is not None
            assert len((await opened.source.read("INBOX", "", now=NOW)).records) == 1
            desk = opened.connectors[Capability.HELPDESK]
            await desk.execute(reply(), key="k", expected_version="0", now=NOW)
            assert len(post.delivered) == 1
            async with aclosing(bell_of(opened).rings()) as rings:
                await soon(rings)
            assert [form["refresh_token"] for form in provider.made] == ["once-for-all"]

    async def test_a_token_that_is_refused_is_renewed_once(self, post: Post, at_the_gate: Gate) -> None:
        """By either server; a mail that waits goes out all the same."""
        async with with_tokens(post, at_the_gate) as (opened, provider):
            await opened.check()
            provider.withdraw()
            assert opened.source is not None
            await opened.source.read("INBOX", "", now=NOW)
            assert len(provider.made) == 2
            post.tokens.clear()
            desk = opened.connectors[Capability.HELPDESK]
            await desk.execute(reply(), key="k", expected_version="0", now=NOW)
            assert (len(provider.made), len(post.delivered)) == (3, 1)

    async def test_a_grant_that_was_taken_back_is_the_operators_business(self, post: Post, at_the_gate: Gate) -> None:
        """And no error tells a secret."""
        async with with_tokens(post, at_the_gate) as (opened, provider):
            await opened.check()
            provider.withdraw()
            provider.refuses = True
            assert opened.source is not None
            with pytest.raises(Permanent, match="invalid_grant") as told:
                await opened.source.read("INBOX", "", now=NOW)
        assert not any(s in f"{told.value!r} {told.value}" for s in ("once-for-all", "token-1"))

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_a_provider_is_known_by_its_name(self, post: Post, provider: str) -> None:
        """Its servers, and where its tokens are made."""
        opened = post.opened(
            InMemoryAttempts(), provider=provider, imap_host="", smtp_host="", password="", refresh_token="x", client_id="me"
        )
        desk: Any = opened.connectors[Capability.HELPDESK]
        servers = (bell_of(opened)._account._server, desk._delivery._smtp._server)
        assert all(s.security in ("tls", "starttls") and s.tokens is not None for s in servers)
        assert [s.host for s in servers] == [PROVIDERS[provider].imap[0], PROVIDERS[provider].smtp[0]]

    def test_without_any_way_in_it_is_not_opened(self, post: Post) -> None:
        for changes, words in (
            ({"password": ""}, "has no password"),
            ({"password": "", "refresh_token": "x"}, "client_id"),
            ({"imap_host": ""}, "imap_host"),
        ):
            with pytest.raises(Permanent, match=words):
                post.opened(InMemoryAttempts(), **changes)
        with pytest.raises(InvalidInput):
            KIND.checked({"address": "a@b.example", "provider": "carrier pigeon"})
