"""Messages to the operator: one contract for apprise, over HTTP and over mail, and for the fake."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from connectors.apprise_notifier import AppriseNotifier, addresses
from connectors.fakes import InMemoryNotifier
from domain.errors import SetupError
from domain.notifying import Notification
from domain.ports import Notifier
from tests.cli.steward import Steward

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it
SECRET = "topsecrettoken"
MESSAGE = Notification(title="Steward", body="a refund waits for your word (29.00 EUR)\nhttps://steward.example/link/abc")


@dataclass
class Channel:
    """A service at the other end: what it took, and how to break it."""

    notifier: Notifier
    taken: list[str] = field(default_factory=list)
    break_: Callable[[], None] = lambda: None


class _Http(ThreadingHTTPServer):
    def __init__(self, taken: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.taken, self.status = taken, 200


class _Receiver(BaseHTTPRequestHandler):
    server: _Http

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.taken.append(body["message"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Silent."""


@pytest.fixture
def http() -> Iterator[Channel]:
    taken: list[str] = []
    with _Http(taken) as server:
        Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        url = f"json://operator:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}/hook"
        yield Channel(AppriseNotifier([url]), taken, lambda: setattr(server, "status", 503))
        server.shutdown()


class _Mailbox:
    def __init__(self, taken: list[str]) -> None:
        self.taken, self.broken = taken, False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.broken:
            return f"554 no more for {SECRET}@shop.example"
        mail = message_from_bytes(envelope.content, policy=default)
        body = mail.get_body(("plain",))
        self.taken.append(body.get_content() if body else "")
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[Channel]:
    taken: list[str] = []
    box, port = _Mailbox(taken), _free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        url = f"mailto://127.0.0.1:{port}/?from=steward@shop.example&to={SECRET}@shop.example"
        yield Channel(AppriseNotifier([url]), taken, lambda: setattr(box, "broken", True))
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def memory() -> Channel:
    notifier = InMemoryNotifier(["json"])
    channel = Channel(notifier, break_=lambda: notifier.broken.add("json"))
    channel.taken = _Bodies(notifier)
    return channel


class _Bodies(list[str]):
    """What the fake was told, as it is told."""

    def __init__(self, notifier: InMemoryNotifier) -> None:
        self._notifier = notifier

    def __iter__(self) -> Iterator[str]:
        return (message.body for _, message in self._notifier.sent)

    def __len__(self) -> int:
        return len(self._notifier.sent)


@pytest.fixture(params=["http", "mail", "memory"])
def channel(request: pytest.FixtureRequest) -> Channel:
    found: Channel = request.getfixturevalue(request.param)
    return found


class TestNotifier:
    async def test_a_message_arrives_as_it_was_written(self, channel: Channel) -> None:
        """Once, with its link whole."""
        (delivery,) = await channel.notifier.send(MESSAGE, to=channel.notifier.services)
        assert (delivery.service, delivery.ok) == (channel.notifier.services[0], True)
        assert [body.replace("\r\n", "\n").strip() for body in channel.taken] == [MESSAGE.body]

    async def test_a_service_that_refuses_is_an_answer_without_its_address(
        self, channel: Channel, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing of the address is in the name, the answer, the log or on the terminal."""
        channel.break_()
        with caplog.at_level(logging.DEBUG):
            (delivery,) = await channel.notifier.send(MESSAGE, to=channel.notifier.services)
        assert (delivery.ok, len(channel.taken)) == (False, 0)
        logged = [r.getMessage() for r in caplog.records if not r.name.startswith("mail.")]  # that is the mail server's own
        assert SECRET not in f"{delivery} {channel.notifier.services} {logged} {capfd.readouterr()}"

    async def test_only_the_services_that_are_named_are_told(self, channel: Channel) -> None:
        """None, where none is."""
        assert await channel.notifier.send(MESSAGE, to=()) == ()
        assert len(channel.taken) == 0


async def test_a_service_that_is_away_or_unknown_keeps_no_other_from_its_message(http: Channel) -> None:
    """Each has a name of its own; what apprise does not know is said to be so."""
    good = next(iter(vars(http.notifier)["_urls"].values()))
    notifier = AppriseNotifier(["json://127.0.0.1:9/", "nonsense://x", good])
    assert notifier.services == ("json", "nonsense", "json-2")
    deliveries = await notifier.send(MESSAGE, to=notifier.services)
    assert [d.ok for d in deliveries] == [False, False, True]
    assert "no address that apprise knows" in deliveries[1].said
    assert len(http.taken) == 1


def test_addresses_come_from_the_environment_or_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    """Apart by spaces, commas or lines; a file that others may read is refused."""
    file = tmp_path / "notify"
    assert addresses(None, file) == ()
    file.write_text("# my phone\nntfy://topic\n\nmailto://a:b@x.example?to=c@x.example,d@x.example\n")
    with pytest.raises(SetupError, match="chmod 600"):
        addresses(None, file)
    file.chmod(0o600)
    assert addresses(None, file) == ("ntfy://topic", "mailto://a:b@x.example?to=c@x.example,d@x.example")
    assert addresses(SecretStr("ntfy://one, json://two"), file) == ("ntfy://one", "json://two")


def test_the_command_tries_each_service_and_says_what_it_answered(http: Channel, nobody: Steward) -> None:
    """Without a running Steward; the exit code is 1 where one did not take it, and no address is shown."""
    unset = nobody("notify", "--test")
    assert (unset.code, unset.out.startswith("No test line was sent: set STEWARD_NOTIFY_URLS")) == (1, True)
    file = nobody.home / "notify"
    nobody.home.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(vars(http.notifier)["_urls"].values()))
    file.chmod(0o600)
    assert nobody("notify").out == "Messages go to json. `./steward notify --test` tries it.\n"
    assert nobody("notify", "--test").code == 0
    http.break_()
    said = nobody("notify", "--test", "--json")
    assert (said.code, said.json["deliveries"][0]["ok"], len(http.taken)) == (1, False, 1)
    assert SECRET not in said.out


@pytest.fixture
def nobody(tmp_path: Path) -> Steward:
    """The command where nothing was ever started."""
    return Steward(tmp_path / "home")
