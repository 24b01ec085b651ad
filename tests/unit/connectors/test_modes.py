"""A connection's mode decides what goes through it, whatever the adapter is."""

from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from agents.executor import Executor
from connectors.exchanges import Exchanges
from connectors.fakes import InMemoryAnalytics, InMemoryHelpdesk, InMemoryShop, InMemorySource
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening, Setting
from connectors.switchboard import Switchboard
from connectors.vault import Vault
from domain.actions import Capability
from domain.connections import Connection, ConnectionMode, Record, Webhook
from domain.errors import InvalidInput, Permanent, Retryable, Stale
from domain.ports import Connector, SwitchedConnector
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.outside_cases import NOW, reply

LIVE, DRY_RUN, REPLAY, OFF = ConnectionMode


def nothing(raw: bytes, at: datetime) -> ImportReport:
    return ImportReport("nothing", 1, ())


class Desk:
    """A switchboard with one connection to a help desk in memory, and another help desk for when nothing is connected."""

    def __init__(self, home: Path) -> None:
        self.inner, self.local = InMemoryHelpdesk(), InMemoryHelpdesk()
        self.source = InMemorySource(normalise=nothing)
        self.source.records = [Record(stream="records", external_id=str(n), raw=b"\xff%d" % n) for n in range(3)]
        self.openings: list[Opening] = []
        self.connection: Connection | None = None
        self.vault = Vault(home, {})
        self.vault.keep("desk", {"token": "t"})
        setting = Setting(name="token", ask="the token", secret=True)
        kind = Kind(name="desk", title="a desk", settings=(setting,), open=self.open)
        self.board = Switchboard(
            connections=self.connections, kinds={"desk": kind}, vault=self.vault, attempts=InMemoryAttempts(), home=home
        )
        self.connector: Connector = self.board.connector(Capability.HELPDESK, otherwise=self.local)

    def open(self, opening: Opening) -> Opened:
        self.openings.append(opening)
        return Opened(check=self.inner.check, connectors={Capability.HELPDESK: self.inner}, source=self.source)

    async def connections(self) -> list[Connection]:
        return [self.connection] if self.connection else []

    def switch(self, mode: ConnectionMode) -> None:
        self.connection = Connection(name="desk", kind="desk", mode=mode, serves=(Capability.HELPDESK,))

    async def connected(self) -> str:
        assert isinstance(self.connector, SwitchedConnector)
        return (await self.connector.now()).name

    async def send(self, key: str = "k") -> str:
        seen = (await self.connector.preview(reply())).record_version
        receipt = await self.connector.execute(reply(), key=key, expected_version=seen, now=NOW)
        return receipt.rehearsed_by


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_actions_go_where_the_operator_switched_them(desk: Desk) -> None:
    """Nothing connected: the local folder. Then dry-run, live, off, as it stands at each call."""
    assert await desk.send() == ""
    assert (desk.local.executed, await desk.connected()) == (1, "in-memory-helpdesk")
    desk.switch(DRY_RUN)
    assert (await desk.send(), desk.inner.executed, await desk.connected()) == ("desk", 0, "desk")
    desk.switch(LIVE)
    assert (await desk.send(), desk.inner.executed, desk.local.executed) == ("", 1, 1)
    desk.switch(OFF)
    with pytest.raises(Permanent, match="desk is off"):
        await desk.send()
    with pytest.raises(Retryable):  # whether it was done, only the system could say
        await desk.connector.find_receipt(reply(), key="k")


async def test_a_rehearsal_is_recorded_and_refuses_what_moved(desk: Desk) -> None:
    """Dry-run checks the record as an execution would, finds what was done before, and writes down what it would send."""
    desk.switch(LIVE)
    await desk.send("before")
    desk.switch(DRY_RUN)
    assert await desk.connector.find_receipt(reply(), key="before") is not None
    assert await desk.connector.find_receipt(reply(), key="k") is None
    with pytest.raises(Stale):
        await desk.connector.execute(reply(), key="k", expected_version="long ago", now=NOW)
    await desk.send()
    recorded = desk.board.exchanges("desk").answer("execute", reply())
    assert recorded["action"]["body"] == reply().body
    assert recorded["receipt"]["rehearsed_by"] == "desk"


async def test_replay_answers_from_the_record_and_calls_nobody(desk: Desk) -> None:
    """Previews, executions and readings of the dry-run come again; what was never asked is refused."""
    desk.switch(DRY_RUN)
    await desk.send()
    recording = await desk.board.source("desk")
    assert recording is not None
    pages = [await recording.read("records", cursor, now=NOW) for cursor in ("", "2")]
    desk.switch(REPLAY)
    desk.source.records.clear()
    assert await desk.send() == "desk"
    with pytest.raises(Permanent, match="never shown"):
        await desk.connector.preview(reply("another"))
    replaying = await desk.board.source("desk")
    assert replaying is not None
    assert [await replaying.read("records", cursor, now=NOW) for cursor in ("", "2")] == pages
    assert (await replaying.read("records", "3", now=NOW)).records == ()


async def test_only_a_connection_that_is_called_answers_a_greeting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In dry-run it is; in replay nobody is called."""
    monkeypatch.setattr(desk.source, "greets", lambda request: True)
    answers = []
    for mode in (DRY_RUN, REPLAY):
        desk.switch(mode)
        source = await desk.board.source("desk")
        assert source is not None
        answers.append(source.greets(Webhook(headers={}, body=b"webhook_id=1", at=NOW)))
    assert answers == [True, False]


async def test_a_half_written_line_of_the_record_harms_nothing(tmp_path: Path) -> None:
    """A crash may leave one; the file is private."""
    path = tmp_path / "deep" / "exchanges.jsonl"
    exchanges = Exchanges(path)
    exchanges.note("read", 1, "first")
    path.write_bytes(path.read_bytes() + b'{"call": "re\n[1]\n')
    exchanges.note("read", 1, "second")
    assert (exchanges.answer("read", 1), exchanges.answer("read", 2)) == ("second", None)
    assert path.stat().st_mode & 0o077 == 0


async def test_a_connection_is_opened_once_and_anew_when_a_secret_changes(desk: Desk) -> None:
    """Switching modes opens nothing; a new token does."""
    desk.switch(LIVE)
    await desk.send()
    desk.switch(DRY_RUN)
    await desk.send()
    assert len(desk.openings) == 1
    desk.vault.keep("desk", {"token": "another"})
    await desk.send()
    assert [o.secret("token") for o in desk.openings] == ["t", "another"]


async def test_a_connection_has_its_name_before_anything_was_asked_of_it(desk: Desk) -> None:
    """In a process that has just started, and where it cannot be opened."""
    desk.switch(LIVE)
    desk.vault.forget("desk")
    assert (await desk.connected(), desk.openings) == ("desk", [])


async def test_without_its_secret_a_connection_says_which_and_how(desk: Desk) -> None:
    """Nothing is guessed, and the local folder does not step in."""
    desk.switch(LIVE)
    desk.vault.forget("desk")
    with pytest.raises(Permanent, match="STEWARD_SECRET_DESK_TOKEN"):
        await desk.send()
    assert desk.local.executed == 0


def test_secrets_are_private_and_the_environment_wins(tmp_path: Path) -> None:
    """A file that others can read is not used."""
    vault = Vault(tmp_path, {"STEWARD_SECRET_MY_SHOP_TOKEN": SecretStr("from outside")})
    vault.keep("my-shop", {"token": "kept", "key": "kept"})
    found = vault.secrets("my-shop", {"token": None, "key": None, "more": ""})
    assert {name: s.get_secret_value() for name, s in found.items()} == {"token": "from outside", "key": "kept", "more": ""}
    (path,) = (tmp_path / "secrets").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(Permanent, match="others can read"):
        vault.secrets("my-shop", {"key": None})
    with pytest.raises(InvalidInput):
        vault.keep("../my-shop", {"key": "x"})


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"token": 1}'])
def test_a_damaged_file_of_secrets_is_told_without_its_content(tmp_path: Path, damage: bytes) -> None:
    vault = Vault(tmp_path, {})
    vault.keep("shop", {"token": "x"})
    (tmp_path / "secrets" / "shop.json").write_bytes(damage)
    with pytest.raises(Permanent, match="shop"):
        vault.secrets("shop", {"token": None})


async def test_pages_are_measured_by_what_is_connected(desk: Desk) -> None:
    """The local file where no connection measures."""
    analytics = desk.board.analytics(otherwise=InMemoryAnalytics({"mugs": ()}))
    desk.switch(LIVE)
    assert await analytics.measure("mugs") == []


async def test_a_source_is_there_as_long_as_its_connection_is_on(desk: Desk) -> None:
    """Nothing is read from what was never connected, or is off."""
    assert await desk.board.source("desk") is None
    desk.switch(OFF)
    assert await desk.board.source("desk") is None
    desk.switch(LIVE)
    assert await desk.board.source("desk") is desk.source


async def test_what_a_shop_has_is_read_in_dry_run_too(tmp_path: Path) -> None:
    """From the shop itself; a replay has nothing to say of now."""
    shop = InMemoryShop()
    await shop.put_stock({"MUG": 3})
    connection = Connection(name="shop", kind="shop", mode=DRY_RUN, serves=(Capability.SHOP,))

    def opened(opening: Opening) -> Opened:
        return Opened(check=shop.check, connectors={Capability.SHOP: shop})

    async def connections() -> list[Connection]:
        return [connection]

    kinds = {"shop": Kind(name="shop", title="a shop", settings=(), open=opened)}
    board = Switchboard(connections=connections, kinds=kinds, vault=Vault(tmp_path, {}), attempts=InMemoryAttempts(), home=tmp_path)
    executor = Executor(connectors={Capability.SHOP: board.connector(Capability.SHOP, otherwise=InMemoryShop())})
    assert await executor.units("MUG") == 3
    connection = connection.model_copy(update={"mode": REPLAY})
    with pytest.raises(Permanent, match="shop does not say"):
        await executor.units("MUG")
