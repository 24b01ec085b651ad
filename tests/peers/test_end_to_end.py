"""From a mail that arrives on Dovecot to the reply in the customer's mailbox, through the command line alone."""

import asyncio
import email
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

import stack
from tests.cli.files import write_shop
from tests.cli.steward import Steward
from tests.contract.mail_cases import question
from tests.contract.mail_servers import ADDRESS, PASSWORD, Post
from tests.peers.dovecot import dovecot_servers


@contextmanager
def in_a_thread() -> Iterator[tuple[Post, Callable[[Any], None]]]:
    """The servers, and how to let a coroutine of theirs run."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Post] = []

    async def serve() -> None:
        async with dovecot_servers() as servers:
            found.append(servers)
            ready.set()
            await over.wait()

    def live() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # it ends what the server leaves behind, and the loop
            runner.run(serve())

    thread = threading.Thread(target=live)
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0], lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(30)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(30)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Steward]:
    steward = Steward(tmp_path / "home")
    stack.start(steward.settings, worker=True)
    try:
        files = tmp_path / "files"
        files.mkdir()
        write_shop(files)
        for kind in ("catalog", "sales", "orders", "customers"):
            assert steward("import", kind, str(files / f"{kind}.csv")).code == 0
        assert steward("shop", "--set", "name=Mill", "--set", f"email={ADDRESS}", "--set", "signature=Mia").code == 0
        yield steward
    finally:
        stack.stop(steward.settings)


def eventually(fact: Callable[[], Any]) -> Any:
    deadline = monotonic() + 60
    while not (found := fact()):
        assert monotonic() < deadline, found
        sleep(0.3)
    return found


def questions(shop: Steward) -> list[dict[str, Any]]:
    """Those about customers' mails."""
    found = shop("inbox", "--all", "--json").json["approvals"]
    return [approval for approval in found if approval["proposal"]["workflow"] == "support"]


@pytest.mark.timeout(240)
def test_a_mail_is_answered_once_approved_and_live(shop: Steward) -> None:
    """In dry-run nothing leaves; live, exactly the approved reply does, in the customer's thread, and is filed as sent."""
    with in_a_thread() as (post, run):
        given = {"address": ADDRESS, "imap_host": "127.0.0.1", "imap_port": str(post.imap_port), "imap_security": "none"}
        given |= {"smtp_port": str(post.smtp_port), "smtp_security": "none"}
        words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        secret = json.dumps({"password": PASSWORD})
        connected = shop.fed(secret, "connect", "mailbox", *words, "--secrets-from", "-", "--every", "1", "--json")
        assert connected.code == 0, connected.out
        run(post.arrive(question(1, body="Hello, do you ship to Austria, and what does it cost?")))
        first, *_ = eventually(lambda: questions(shop))
        approving(shop, lambda: shop("show", first["proposal"]["run_id"], "--json").json["run"]["suggested"])
        assert post.delivered == []
        assert shop("connect", "mailbox", "--mode", "live").code == 0
        run(post.arrive(question(2, body="Hello again, do you ship to Austria?", sender="bob@example.org")))
        approving(shop, lambda: post.delivered)
        (mail,) = [email.message_from_bytes(raw) for raw in post.delivered]
        assert (mail["To"], mail["In-Reply-To"]) == ("bob@example.org", "<2@example.org>")
        (filed,) = eventually(lambda: run(post.kept("Sent")))
        assert email.message_from_bytes(filed)["Message-ID"] == mail["Message-ID"]


def approving(shop: Steward, fact: Callable[[], Any]) -> None:
    """The operator says yes to what is asked, until it is so."""

    def once_more() -> Any:
        _approve(shop)
        return fact()

    eventually(once_more)


def _approve(shop: Steward) -> None:
    """Whatever is asked: the draft, or words of the operator's own where there is none."""
    for approval in questions(shop):
        if approval["proposal"]["action"]["body"]:
            shop("approve", approval["approval_id"], "--json")
        else:
            own = "Hello, thank you for your message. We will see to it. Mia"
            shop("edit", approval["approval_id"], "--set", f"body={own}", "--json")
