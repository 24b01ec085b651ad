"""``steward connect`` and ``steward connectors``, on real mail servers and the running shop."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.cli.steward import Said, Steward
from tests.contract.git_cases import git
from tests.contract.mail_servers import ADDRESS, PASSWORD, Post, mail_servers
from tests.contract.pushing import orders
from tests.contract.signing import SECRET, standard


@pytest.fixture
def post() -> Iterator[Post]:
    """Mail servers that go on while commands run."""
    with _in_a_thread() as servers:
        yield servers


@contextmanager
def _in_a_thread() -> Iterator[Post]:
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Post] = []

    async def serve() -> None:
        async with mail_servers() as servers:
            found.append(servers)
            ready.set()
            await over.wait()

    def live() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # it ends what the server leaves behind, and the loop
            runner.run(serve())

    thread = threading.Thread(target=live)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)


def settings(post: Post, **changes: str) -> list[str]:
    given = {"address": ADDRESS, "imap_host": "127.0.0.1", "imap_port": str(post.imap_port), "imap_security": "none"}
    given |= {"smtp_port": str(post.smtp_port), "smtp_security": "none", **changes}
    return [word for name, value in given.items() for word in ("--set", f"{name}={value}")]


@contextmanager
def connected(shop: Steward, post: Post) -> Iterator[Said]:
    """The mailbox, connected by a script; disconnected in the end, so that the shop is as before."""
    secret = json.dumps({"password": PASSWORD})
    try:
        yield shop.fed(secret, "connect", "mailbox", *settings(post), "--secrets-from", "-", "--every", "1", "--json")
    finally:
        shop("connect", "mailbox", "--forget")


def health(shop: Steward) -> Any:
    found = shop("connectors", "--json").json["connections"]
    return next(one for one in found if one["name"] == "mailbox")


def eventually(fact: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not fact():
        assert monotonic() < deadline
        sleep(0.2)


def test_a_mailbox_is_tried_connected_in_dry_run_read_and_switched(shop: Steward, post: Post) -> None:
    """From nothing to live, and what is said on the way."""
    with connected(shop, post) as told:
        assert (told.code, told.json["mode"]) == (0, "dry-run")
        assert "INBOX has 0 mails" in told.json["check"]
        assert set(told.json["does"]) == {"helpdesk", "suppliers"}
        eventually(lambda: any(s["last_success"] for s in health(shop)["streams"]))
        assert health(shop)["streams"][0]["failures"] == 0
        assert shop("connect", "mailbox", "--mode", "live", "--json").json["mode"] == "live"
        assert "INBOX has 0 mails" in shop("connectors", "--check").out
    assert health(shop)["mode"] == "off"


def test_a_file_in_the_inbox_of_the_home_is_imported_without_being_asked(shop: Steward) -> None:
    """And one that is wrong is an alert, with a report beside it."""
    inbox = shop.home / "inbox"
    eventually(inbox.is_dir)
    (inbox / "customers-new.csv").write_text("email,name\nbea@example.org,Bea\n")
    (inbox / "customers-bad.csv").write_text("email,name\nnobody,Nobody\n")
    eventually(lambda: any((inbox / "done").glob("*customers-new.csv.report.txt")))
    eventually(lambda: any((inbox / "rejected").glob("*customers-bad.csv.report.txt")))
    assert shop("state", "show", "customer/bea@example.org").code == 0
    wrong = "customers-bad.csv was not imported: line 2"
    eventually(lambda: wrong in " ".join(shop("inbox", "--all", "--json").out.split()))
    (inbox / "customers-bad.csv").write_text("email,name\nbob@example.org,Bob\n")
    eventually(lambda: wrong not in shop("inbox", "--all", "--json").out)


def test_a_system_that_calls_is_told_where(shop: Steward) -> None:
    """Once it is connected its calls are heard; unsigned ones are not."""
    secret = json.dumps({"secret": SECRET})
    try:
        told = shop.fed(secret, "connect", "webhook", "--secrets-from", "-", "--json").json
        assert told["called_at"].endswith("/hooks/webhook")
        body, at = orders(order_id="W-1"), datetime.now(UTC)
        assert httpx.post(told["called_at"], content=body).status_code == 401
        assert httpx.post(told["called_at"], content=body, headers=dict(standard(body, at=at))).status_code == 202
        eventually(lambda: shop("state", "show", "order/W-1").code == 0)
    finally:
        shop("connect", "webhook", "--forget")
    assert httpx.post(told["called_at"], content=body, headers=dict(standard(body, at=at))).status_code == 404


def test_the_password_is_in_one_private_file_and_nowhere_else(shop: Steward, post: Post) -> None:
    """Not in the log, not in what commands say, and gone when the connection is."""
    with connected(shop, post) as told:
        (kept,) = (shop.home / "secrets").iterdir()
        assert kept.stat().st_mode & 0o777 == 0o600
        said = told.out + shop("connectors", "--json").out + shop("log", "tail", "--json").out
        assert PASSWORD not in said
        assert PASSWORD in kept.read_text()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("connect", "mailbox", "--set", "password=x"), 2, "command line"),
        (("connect", "mailbox", "--set", "colour=red"), 2, "no setting"),
        (("connect", "letters", "--kind", "mailbox"), 2, "needs address"),
        (("connect", "zebra"), 2, "no kind of connection"),
        (("connect", "nobody", "--mode", "live"), 2, "nothing is connected"),
        (("connect", "Mail Box", "--kind", "mailbox", "--set", "address=a@b.example"), 2, "no name"),
    ],
)
def test_what_cannot_be_connected_is_refused_in_one_line(shop: Steward, words: tuple[str, ...], code: int, hint: str) -> None:
    said = shop(*words)
    assert (said.code, hint in said.err) == (code, True), said.err


def test_a_system_that_does_not_let_us_in_is_not_stored(shop: Steward, post: Post) -> None:
    """Nothing of it is kept, and a new system is never live at once."""
    secret = json.dumps({"password": "wrong"})
    wrong = shop.fed(secret, "connect", "post-box", "--kind", "mailbox", *settings(post), "--secrets-from", "-")
    assert (wrong.code, "refuses the user or the password" in wrong.err) == (1, True), wrong.err
    live = shop.fed(secret, "connect", "post-box", "--kind", "mailbox", *settings(post), "--secrets-from", "-", "--mode", "live")
    assert (live.code, "connected first and switched then" in live.err) == (2, True), live.err
    assert not any(c["name"] == "post-box" for c in shop("connectors", "--json").json["connections"])
    assert not (shop.home / "secrets" / "post-box.json").exists()


def test_a_folder_of_pages_is_connected_and_committed_to_git(shop: Steward, tmp_path: Path) -> None:
    """It serves the site from then on; a folder that is in no repository is not stored."""
    words = ("connect", "folder-site", "--set", f"folder={tmp_path}", "--set", "commit=yes", "--json")
    refused = shop(*words)
    assert (refused.code, "git init" in refused.out) == (1, True), refused.out
    git(tmp_path, "init", "--quiet")
    try:
        told = shop(*words)
        assert (told.code, told.json["check"]) == (0, f"0 pages in {tmp_path}, committed to git"), told.err
        assert set(told.json["does"]) == {"site"}
    finally:
        shop("connect", "folder-site", "--forget")
