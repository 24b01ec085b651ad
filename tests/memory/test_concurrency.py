"""Bounds, breakers and the switch, with many workers at once on one database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import memory
from domain.actions import Bound, RefundOrder
from domain.effects import Effect, EffectStatus, Reservation
from domain.errors import Outdated, Refused, Stale
from domain.event import EventData, new_event
from domain.money import Money
from domain.policies import PolicyActivated, PolicyVersion
from domain.runs import KillSwitchSet
from models.embedding import HashingEmbedder
from tests.contract.test_memory_ports import purchase, receipt, reordered_at, wish
from tests.unit.domain.happenings import NOW, sale


@pytest.fixture
async def workers(database_url: str, chroma_url: str) -> AsyncIterator[list[memory.Memory]]:
    """Three processes' memories on one database."""
    async with AsyncExitStack() as stack:
        opened = [
            memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) for _ in range(3)
        ]
        yield [await stack.enter_async_context(one) for one in opened]


async def limit(kept: memory.Memory, version: int, **document: object) -> None:
    record = PolicyVersion(version=version, document=document, proposed_by="a", approved_by="b", at=NOW)
    await kept.log.append([new_event(PolicyActivated(name="bounds", version=record), at=NOW, key=(str(version),))])


def refund(prefix: str, number: int, cents: int) -> Reservation:
    action = RefundOrder(order_id=f"{prefix}-{number}", amount=Money(amount=Decimal(cents) / 100), reason="late")
    return wish(action, step=f"{prefix}-{number}", run_id=f"{prefix}-{number % 3}")


async def attempt(kept: memory.Memory, wanted: Reservation) -> Effect | None:
    try:
        return await kept.ledger.reserve(wanted, connector="shop")
    except Refused:
        return None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.lists(st.integers(1, 5_000), min_size=5, max_size=30), day=st.integers(1_000, 20_000), run=st.integers(500, 9_000))
async def test_no_bound_is_ever_exceeded(workers: list[memory.Memory], cents: list[int], day: int, run: int) -> None:
    """Not for the day and not for a run, and everything that was let through is counted once."""
    version = (await workers[0].log.head()).seq + 1
    used = (await workers[0].guards.used(now=NOW))[Bound.REFUND_MONEY][0]
    per_day, per_run = used + Decimal(day) / 100, Decimal(run) / 100
    await limit(workers[0], version, per_day={"refund-money": str(per_day)}, per_run={"refund-money": str(per_run)})
    wanted = [refund(str(version), number, amount) for number, amount in enumerate(cents)]
    found = await asyncio.gather(*(attempt(workers[n % 3], w) for n, w in enumerate([*wanted, *wanted[:5]])))
    granted = {e.key: e for e in found if e is not None}.values()
    runs: Counter[str] = Counter()
    for effect in granted:
        runs[effect.run_id] += Decimal(effect.action.charges()[Bound.REFUND_MONEY])  # type: ignore[assignment]
    total = sum((e.action.charges()[Bound.REFUND_MONEY] for e in granted), Decimal(0))
    assert all(spent <= per_run for spent in runs.values())
    assert (await workers[0].guards.used(now=NOW))[Bound.REFUND_MONEY] == (used + total, per_day)
    assert used + total <= per_day


async def test_one_of_many_workers_begins_an_effect(workers: list[memory.Memory]) -> None:
    """The others are told that its fate is not theirs to repeat."""
    await workers[0].ledger.reserve(refund("x", 1, 100), connector="shop")
    found = await asyncio.gather(*(workers[n % 3].ledger.begin("x-1", now=NOW) for n in range(9)), return_exceptions=True)
    assert [type(f).__name__ for f in sorted(found, key=lambda f: type(f).__name__)] == ["Effect", *["Unknown"] * 8]


async def reserve_until_stopped(kept: memory.Memory, worker: int) -> int:
    """How many effects one worker reserved, all decided under the policies of the beginning."""
    for number in range(10_000):
        wanted = refund(f"w{worker}", number, 1).model_copy(update={"policy_versions": {"gate": 0}})
        try:
            await kept.ledger.reserve(wanted, connector="shop")
        except (Refused, Stale):
            return number
    return 10_000


@pytest.mark.parametrize("change", ["the kill switch", "a policy"])
async def test_after_the_switch_or_a_policy_is_committed_nothing_is_reserved(workers: list[memory.Memory], change: str) -> None:
    """Reservations that race with it come before it or are refused."""
    await limit(workers[0], 1, per_day={}, per_run={})
    version = PolicyVersion(version=1, document={}, proposed_by="a", approved_by="b", at=NOW)
    changes: dict[str, EventData] = {
        "the kill switch": KillSwitchSet(by="operator", on=True),
        "a policy": PolicyActivated(name="gate", version=version),
    }
    racing = [asyncio.create_task(reserve_until_stopped(kept, n)) for n, kept in enumerate(workers)]
    while len(await workers[0].ledger.effects()) < 10:  # noqa: ASYNC110 - what it waits for happens in the database
        await asyncio.sleep(0)
    await workers[0].log.append([new_event(changes[change], at=NOW, key=("on",))])
    before = len(await workers[0].ledger.effects())
    assert sum(await asyncio.gather(*racing)) == before == len(await workers[1].ledger.effects())


async def test_of_runs_that_planned_from_the_same_stock_one_orders(workers: list[memory.Memory]) -> None:
    """Twelve at once, each with the same article among others of its own: one order, which counts once."""
    seen = (await workers[0].log.append([sale(1)]))[-1].seq
    wanted = [wish(purchase(f"po-{n}", "MUG", f"OWN-{n}", seen=seen), step=f"o-{n}", run_id=f"run-{n}") for n in range(12)]
    reserving = (workers[n % 3].ledger.reserve(wish_, connector="suppliers") for n, wish_ in enumerate(wanted))
    found = await asyncio.gather(*reserving, return_exceptions=True)
    assert Counter(type(f) for f in found) == {Effect: 1, Outdated: 11}
    assert (await workers[0].guards.used(now=NOW))[Bound.PURCHASE_MONEY][0] == 12


async def test_commits_settlements_reservations_and_appends_never_wait_for_each_other(workers: list[memory.Memory]) -> None:
    """No deadlock, nothing lost, one chain."""
    await limit(workers[0], 1, per_day={}, per_run={}, breaker_failures=1_000)

    async def work(kept: memory.Memory, number: int) -> None:
        key = (await kept.ledger.reserve(refund("w", number, 100), connector="shop")).key
        await kept.ledger.begin(key, now=NOW)
        if number % 3:
            await kept.ledger.commit(key, receipt(), [sale(number)])
        else:
            await kept.ledger.settle(key, EffectStatus.FAILED, error="503", now=NOW)
        if number % 4 == 0:
            off = KillSwitchSet(by="operator", on=False, reason=str(number))
            await kept.log.append([new_event(off, at=NOW, key=(str(number),))])

    await asyncio.gather(*(work(workers[n % 3], n) for n in range(60)))
    assert Counter(e.status for e in await workers[0].ledger.effects()) == {EffectStatus.COMMITTED: 40, EffectStatus.FAILED: 20}
    assert (await workers[0].log.verify()).events == 1 + 40 + 15
    assert (await workers[0].guards.used(now=NOW))[Bound.REFUND_MONEY][0] == 40


async def test_a_new_month_begins_beside_a_long_reader(workers: list[memory.Memory], database_url: str) -> None:
    """A back-up or a verification has the log open; the append that makes the next months does not wait for it, nor do readers."""
    async with await psycopg.AsyncConnection.connect(database_url) as reader, asyncio.timeout(10):
        await reader.execute("UPDATE chain SET recorded_at = '2041-01-31 23:59:59+00'")
        await reader.commit()
        await reader.execute("LOCK event IN ACCESS SHARE MODE")
        await asyncio.gather(workers[0].log.append([sale(1)]), workers[1].log.read())
    assert [e.recorded_at.year for e in await workers[1].log.read()] == [2041]
    assert (await workers[2].log.verify()).problem == ""


@pytest.mark.parametrize("change", ["UPDATE event_2041_03 SET data = '{}'", "DELETE FROM event_2041_03", "TRUNCATE event_2041_03"])
async def test_a_month_made_by_an_append_refuses_changes(workers: list[memory.Memory], database_url: str, change: str) -> None:
    """As every other one does."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        for moment in ("2041-01-31 23:59:59+00", "2041-03-01 00:00:00+00"):
            await other.execute("UPDATE chain SET recorded_at = %s", (moment,))
            await workers[0].log.append([sale(int(moment[5:7]))])
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            await other.execute(change.encode())


async def test_a_delivered_wake_up_leaves_nothing_behind(workers: list[memory.Memory], database_url: str) -> None:
    """The box does not grow; and the same event again, which the log knows, wakes nobody."""
    crossing = [*reordered_at(3), sale(1, units=2)]
    await workers[0].log.append(crossing)
    await workers[0].outbox.delivered([item.item_id for item in await workers[0].outbox.pending()])
    await workers[1].log.append(crossing)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await (await connection.execute("SELECT count(*) FROM outbox")).fetchone() == (0,)
