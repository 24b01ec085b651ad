"""The mailbox on Dovecot: the same contracts as in the fast suite, and a kill before every line of its code."""

import asyncio
import email
import json
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from connectors.imap_bell import ImapBell
from domain.actions import Capability
from memory.fakes.shelves import InMemoryAttempts
from tests.contract import mail_cases
from tests.contract.every_connector import EveryConnector
from tests.contract.every_source import EverySource, SourceCase
from tests.contract.mail_cases import question, source_of
from tests.contract.outside_cases import NOW, Case, reply
from tests.peers.dovecot import dovecot_servers

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[Capability.HELPDESK, Capability.SUPPLIERS])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async with mail_cases.sending(request.param, dovecot_servers)(tmp_path) as opened:
        yield opened


@pytest.fixture
async def source_case(tmp_path: Path) -> AsyncIterator[SourceCase]:
    async with mail_cases.reading(dovecot_servers)(tmp_path) as opened:
        yield opened


class TestMailboxOnDovecot(EveryConnector):
    """Replies and purchase orders."""


class TestFolderOnDovecot(EverySource):
    """Customers' mails."""


async def test_a_mail_goes_out_once_and_lies_in_the_folder_that_the_server_marks_as_sent() -> None:
    """Found there by its Message-ID; a huge mail comes in whole in its beginning."""
    async with dovecot_servers() as post:
        connector = post.opened(InMemoryAttempts()).connectors[Capability.HELPDESK]
        await connector.execute(reply(), key="k", expected_version="0", now=NOW)
        await connector.find_receipt(reply(), key="k")
        assert [email.message_from_bytes(raw)["Message-ID"] for raw in await post.kept("Sent")] == ["<reply-1@mill.example>"]
        await post.arrive(question(1, body="Where is it? " + "x" * 25_000_000))
        (record,) = (await source_of(post).read("INBOX", "", now=NOW)).records
        assert len(record.raw) == 1024 * 1024


async def test_dovecot_says_when_a_mail_comes() -> None:
    """While it is listened to, and between two IDLEs."""
    async with dovecot_servers() as post:
        bell = post.opened(InMemoryAttempts()).bell
        assert isinstance(bell, ImapBell)
        async with aclosing(bell.rings()) as rings:
            await asyncio.wait_for(anext(rings), 20)
            for number in (1, 2, 3):
                ringing = asyncio.create_task(anext(rings))
                await post.arrive(question(number))
                await asyncio.wait_for(ringing, 20)


@pytest.mark.timeout(600)
async def test_killed_before_any_line_it_never_sends_two_mails(database_url: str, tmp_path: Path) -> None:
    """Nothing is lost either, without a human being asked."""
    async with dovecot_servers() as post:

        async def deliver(envelope: Envelope) -> str:
            assert isinstance(envelope.content, bytes)
            message_id = str(email.message_from_bytes(envelope.content)["Message-ID"]).strip("<>")
            (tmp_path / f"{len(post.delivered)}-{message_id}").write_bytes(envelope.content)
            return post.take(envelope)

        post.taking = deliver
        where = [database_url, str(post.imap_port), str(post.smtp_port), str(tmp_path)]
        driver = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.peers.kill_mailbox", *where), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await driver.communicate()
    counts = json.loads(said)
    print("mailbox on Dovecot", counts, file=sys.stderr)
    assert driver.returncode == 0
    assert counts["kills"] > 50
    assert (counts["lost"], counts["doubled"], counts["torn"]) == (0, 0, 0)
    assert 0 < counts["undecided"] < 20
