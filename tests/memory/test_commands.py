"""``steward log | state | memory`` as somebody types them: what they say, and their exit codes."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import memory
from domain.event import new_event
from domain.events import OrderPlaced, ProductListed
from settings import CHECKOUT
from tests.contract.test_memory_ports import passage
from tests.unit.domain.happenings import NOW, order, product, sale

Steward = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def steward(servers: Any, database_url: str, tmp_path: Path) -> Steward:
    """Run a command against this test's database: exit code, standard output, standard error."""
    at = conninfo_to_dict(database_url)
    url = f"postgresql://{at['user']}:{quote(str(at['password']))}@{at['host']}:{at['port']}/{at['dbname']}"
    named = {"DATABASE_URL": url, "TEMPORAL_ADDRESS": servers.temporal_address, "CHROMA_URL": servers.chroma_url}
    environ = {**os.environ, **named, "STEWARD_HOME": str(tmp_path), "COLUMNS": "200", "NO_COLOR": "1"}

    async def run(*words: str) -> tuple[int, str, str]:
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "cli", *words)
        process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, env=environ, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    return run


async def fill(kept: memory.Memory) -> None:
    listed = [new_event(ProductListed(product=product(price=p)), at=NOW, key=(p,)) for p in ("10", "11")]
    await kept.log.append([*listed, new_event(OrderPlaced(order=order()), at=NOW, key=("1001",)), sale(1)])


async def test_the_log_is_verified_and_says_how_to_prove_it_later(kept: memory.Memory, steward: Steward) -> None:
    """The anchor it prints is the one it takes."""
    await fill(kept)
    code, out, _ = await steward("log", "verify")
    assert (code, out.splitlines()[0]) == (0, "4 events verified; nothing was changed, removed or cut off")
    anchor = out.split("--anchor ")[1].strip()
    code, out, _ = await steward("log", "verify", "--anchor", anchor, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, _, err = await steward("log", "verify", "--anchor", "yesterday")
    assert (code, err.splitlines()[0]) == (2, "'yesterday' is not an anchor")


async def test_a_log_that_was_changed_fails_with_the_event_named(kept: memory.Memory, steward: Steward, database_url: str) -> None:
    """Exit code 1, for people and for programs; the rebuild finds nothing wrong with the state, or says so."""
    await fill(kept)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute("ALTER TABLE event DISABLE TRIGGER USER")
        await admin.execute("UPDATE event SET post = jsonb_set(post, '{on_hand}', '5') WHERE seq = 4")
    code, _, err = await steward("log", "verify")
    assert (code, err.splitlines()[0]) == (
        1,
        "the log does not verify: event 4 (stock.sold on stock/MUG) was changed after it was recorded",
    )
    code, out, _ = await steward("state", "rebuild", "--check", "--json")
    assert (code, json.loads(out)["differences"]) == (1, ["event 4 (stock.sold) folds into something else than it recorded"])


async def test_the_last_events_are_shown_in_order(kept: memory.Memory, steward: Steward) -> None:
    """Of all streams or of one."""
    await fill(kept)
    code, out, _ = await steward("log", "tail", "-n", "2")
    assert (code, [line.split()[-2] for line in out.splitlines()]) == (0, ["order/1001", "stock/MUG"])
    code, out, _ = await steward("log", "tail", "--stream", "product/MUG", "--json")
    assert [event["seq"] for event in json.loads(out)] == [1, 2]


async def test_state_is_shown_listed_and_proved(kept: memory.Memory, steward: Steward) -> None:
    """What is not there, or cannot be, is exit code 2 with what to do."""
    await fill(kept)
    code, out, _ = await steward("state", "show", "stock/MUG", "--json")
    assert (code, json.loads(out)["version"], json.loads(out)["body"]["on_hand"]) == (0, 1, -1)
    code, out, _ = await steward("state", "list", "order", "--where", "status=paid")
    assert (code, "1001" in out) == (0, True)
    code, out, _ = await steward("state", "rebuild", "--check")
    assert (code, out.splitlines()[-1]) == (0, "every row agrees")
    for words in (("show", "order/7"), ("show", "nonsense"), ("list", "planet"), ("list", "order", "--where", "x"), ("rebuild",)):
        code, out, err = await steward("state", *words)
        assert (code, out, len(err.splitlines())) == (2, "", 2)


async def test_memory_is_searched_facts_are_shown_and_the_index_is_rebuilt(kept: memory.Memory, steward: Steward) -> None:
    """Each of them for people and for programs."""
    await fill(kept)
    await kept.recall.remember([passage("mug", "the mug survives the dishwasher")])
    assert (await steward("memory", "reindex"))[:2] == (0, "1 texts indexed anew\n")
    code, out, _ = await steward("memory", "search", "dishwasher", "--json")
    assert [found["passage"]["passage_id"] for found in json.loads(out)] == ["mug"]
    code, out, _ = await steward("memory", "facts", "product/MUG", "--predicate", "price", "--history")
    assert (code, "10.00 EUR" in out, "11.00 EUR" in out) == (0, True, True)
    code, out, _ = await steward("memory", "facts", "product/MUG", "--world", "2026-02-01", "--json")
    assert (code, json.loads(out)) == (0, [])
    code, _, err = await steward("memory", "facts", "product/MUG", "--world", "soon")
    assert (code, err.splitlines()[0]) == (2, "'soon' is not a time")
