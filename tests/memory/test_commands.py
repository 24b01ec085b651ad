"""``steward log | state | memory`` as somebody types them: what they say, and their exit codes."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import memory
from cli.table_of_contents import steward as command
from domain.actions import Capability
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet
from domain.deliveries import arrived
from domain.entities import PurchaseOrder, PurchaseOrderLine
from domain.event import new_event
from domain.events import OrderPlaced, ProductListed, PurchaseOrderSent, StockCounted, StockReceived
from domain.money import Money
from domain.retention import Anchor
from memory.anchors import FileAnchors
from tests.contract.test_memory_ports import passage, remember
from tests.unit.domain.happenings import NOW, order, product, sale

Steward = Callable[..., tuple[int, str, str]]


@pytest.fixture
def steward(
    servers: Any, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Steward:
    """Run a command against this test's database: exit code, standard output, standard error."""
    at = conninfo_to_dict(database_url)
    monkeypatch.setenv(
        "DATABASE_URL", f"postgresql://{at['user']}:{quote(str(at['password']))}@{at['host']}:{at['port']}/{at['dbname']}"
    )
    monkeypatch.setenv("TEMPORAL_ADDRESS", servers.temporal_address)
    monkeypatch.setenv("CHROMA_URL", servers.chroma_url)
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> tuple[int, str, str]:
        code = command(list(words), prog_name="steward", standalone_mode=False)
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return run


@pytest.fixture
async def filled(kept: memory.Memory) -> memory.Memory:
    """A product listed at two prices, an order, a sale, and a note."""
    await fill(kept)
    await remember(kept, [passage("mug", "the mug survives the dishwasher")])
    return kept


async def fill(kept: memory.Memory) -> None:
    listed = [new_event(ProductListed(product=product(price=p)), at=NOW, key=(p,)) for p in ("10", "11")]
    await kept.log.append([*listed, new_event(OrderPlaced(order=order()), at=NOW, key=("1001",)), sale(1)])


def test_the_log_is_verified_and_says_how_to_prove_it_later(filled: memory.Memory, steward: Steward) -> None:
    """The anchor it prints is the one it takes."""
    code, out, _ = steward("log", "verify")
    assert (code, out.splitlines()[0]) == (0, "5 events verified; nothing was changed, removed or cut off")
    anchor = out.split("--anchor ")[1].strip()
    code, out, _ = steward("log", "verify", "--anchor", anchor, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, _, err = steward("log", "verify", "--anchor", "yesterday")
    assert (code, err.splitlines()[0]) == (2, "'yesterday' is not an anchor")


def test_a_log_that_was_changed_fails_with_the_event_named(filled: memory.Memory, steward: Steward, database_url: str) -> None:
    """Exit code 1, for people and for programs; the rebuild finds nothing wrong with the state, or says so."""
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE event DISABLE TRIGGER USER")
        admin.execute("UPDATE event SET post = jsonb_set(post, '{on_hand}', '5') WHERE seq = 4")
    code, _, err = steward("log", "verify")
    assert (code, err.splitlines()[0]) == (
        1,
        "the log does not verify: event 4 (stock.sold on stock/MUG) was changed after it was recorded",
    )
    code, out, _ = steward("state", "rebuild", "--check", "--json")
    assert (code, json.loads(out)["differences"]) == (1, ["event 4 (stock.sold) folds into something else than it recorded"])


async def test_the_log_must_contain_the_head_noted_last(filled: memory.Memory, steward: Steward, tmp_path: Path) -> None:
    """Nobody has to give the anchor by hand: the nightly one is in the home."""
    other = Anchor(head=(await filled.log.head()).model_copy(update={"hash": "a" * 64}), at=NOW, whole=True)
    await FileAnchors(tmp_path).note(other)
    code, _, err = await asyncio.to_thread(steward, "log", "verify")
    assert (code, "event 5 with hash aaaaaaaaaaaa…, is not part of this log" in err) == (1, True)


def test_the_last_events_are_shown_in_order(filled: memory.Memory, steward: Steward) -> None:
    """Of all streams or of one."""
    code, out, _ = steward("log", "tail", "-n", "2")
    assert (code, [line.split()[-2] for line in out.splitlines()]) == (0, ["stock/MUG", "note/mug"])
    code, out, _ = steward("log", "tail", "--stream", "product/MUG", "--json")
    assert [event["seq"] for event in json.loads(out)] == [1, 2]


def test_state_is_shown_listed_and_proved(filled: memory.Memory, steward: Steward) -> None:
    """What is not there, or cannot be, is exit code 2 with what to do."""
    code, out, _ = steward("state", "show", "stock/MUG", "--json")
    assert (code, json.loads(out)["version"], json.loads(out)["body"]["on_hand"]) == (0, 1, -1)
    code, out, _ = steward("state", "list", "order", "--where", "status=paid")
    assert (code, "1001" in out) == (0, True)
    code, out, _ = steward("state", "rebuild", "--check")
    assert (code, out.splitlines()[-1]) == (0, "every row agrees")
    for words in (("show", "order/7"), ("show", "nonsense"), ("list", "planet"), ("list", "order", "--where", "x"), ("rebuild",)):
        code, out, err = steward("state", *words)
        assert (code, out, len(err.splitlines())) == (2, "", 2)


async def test_what_is_here_and_not_on_sale_is_said_and_rebuilt(filled: memory.Memory, steward: Steward) -> None:
    """In words above the figures; the log alone gives the same state."""
    counted = StockCounted(sku="LAMP", on_hand=40, as_of=NOW)
    came = [StockReceived(sku="LAMP", units=n, purchase_order_id=f"po-{n}", on_sale=False) for n in (12, 5)]
    told = StockCounted(sku="LAMP", on_hand=45, lists="po-5")
    await filled.log.append([new_event(data, at=NOW, key=(str(n),)) for n, data in enumerate((counted, *came, told))])
    code, out, _ = await asyncio.to_thread(steward, "state", "show", "stock/LAMP")
    assert (code, out.splitlines()[1]) == (0, "45 on sale, 12 here and not yet in the shop")
    code, out, _ = await asyncio.to_thread(steward, "state", "rebuild", "--check")
    assert (code, out.splitlines()[-1]) == (0, "every row agrees")


async def test_what_waits_is_proposed_again_by_saying_that_it_is_here(filled: memory.Memory, steward: Steward) -> None:
    """Only what waits of it, and only to a shop that is live."""
    lines = tuple(PurchaseOrderLine(sku=sku, title="", units=12, unit_cost=Money.of(4)) for sku in ("LAMP", "MUG"))
    order = PurchaseOrder(purchase_order_id="po-12", supplier_id="acme", lines=lines, ordered_at=NOW, expected_at=NOW)
    shop = Connection(name="woo", kind="woocommerce", mode=ConnectionMode.LIVE, serves=(Capability.SHOP,))
    connected, sent = ConnectionDescribed(connection=shop, by="operator"), PurchaseOrderSent(purchase_order=order)
    told = StockCounted(sku="MUG", on_hand=12, lists="po-12")
    story = (connected, sent, *arrived(order, at=NOW, connections=[shop]), told)
    await filled.log.append([new_event(data, at=NOW, key=(str(n),)) for n, data in enumerate(story)])
    code, out, _ = await asyncio.to_thread(steward, "received", "po-12", "--json")
    said = json.loads(out)
    assert (code, said["received"], said["proposed"]["units"]) == (0, {}, {"LAMP": 12})
    due = await filled.log.read(stream="purchase-order/po-12")
    assert [event.type for event in due][-1] == "purchase-order.listing-due"
    code, out, _ = await asyncio.to_thread(steward, "received", "po-12")
    assert "is proposed again: `./steward inbox`, or `./steward show restock/po-12`" in out
    switched = ConnectionModeSet(name="woo", mode=ConnectionMode.OFF, by="operator")
    await filled.log.append([new_event(switched, at=NOW, key=("off",))])
    code, _, err = await asyncio.to_thread(steward, "received", "po-12")
    assert (code, "the shop has to be live; or set its stock in the shop" in err) == (2, True)


def test_a_state_that_differs_is_put_right_with_a_word(filled: memory.Memory, steward: Steward, database_url: str) -> None:
    """Not unless somebody says so; then it says what differed, and afterwards nothing does."""
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("UPDATE sales SET units = 7")
    assert steward("state", "rebuild", "--apply")[0] == 2
    assert steward("state", "rebuild", "--check")[0] == 1
    code, out, _ = steward("state", "rebuild", "--apply", "--yes")
    assert (code, "sales MUG on 2026-03-01: differs from the replay" in out, "put right" in out) == (0, True, True)
    assert steward("state", "rebuild", "--check")[0] == 0


def test_memory_is_searched_facts_are_shown_and_the_index_is_rebuilt(filled: memory.Memory, steward: Steward) -> None:
    """Each of them for people and for programs."""
    assert steward("memory", "reindex")[:2] == (0, "2 texts indexed anew\n")
    code, out, _ = steward("memory", "search", "dishwasher", "--json")
    assert [found["passage"]["passage_id"] for found in json.loads(out)] == ["mug"]
    code, out, _ = steward("memory", "facts", "product/MUG", "--predicate", "price", "--history")
    assert (code, "10.00 EUR" in out, "11.00 EUR" in out) == (0, True, True)
    code, out, _ = steward("memory", "facts", "product/MUG", "--world", "2026-02-01", "--json")
    assert (code, json.loads(out)) == (0, [])
    code, _, err = steward("memory", "facts", "product/MUG", "--world", "soon")
    assert (code, err.splitlines()[0]) == (2, "'soon' is not a time")
