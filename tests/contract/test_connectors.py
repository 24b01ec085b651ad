"""Every connector keeps the same contract: one effect a key, receipts that can be found, stale records refused."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors import in_memory, open_local
from connectors.fakes import InMemoryConnector
from domain.actions import Action, CancelOrder, Capability, ChangeAddress, PublishContent, UnpublishContent
from domain.errors import Permanent, Stale, Unknown
from domain.ports import Connector
from tests.contract.outside_cases import HOME, LATER, NOW, Case, make, order, page

ROOT = Path(__file__).parents[2]
REAL = [Capability.HELPDESK, Capability.SUPPLIERS, Capability.SHOP, Capability.SITE]

EXECUTE = """
import asyncio, sys
from pathlib import Path
from connectors import open_local
from domain.actions import ACTION, Capability
from tests.contract.outside_cases import NOW

connector = open_local(Path(sys.argv[2]))[Capability(sys.argv[1])]
action = ACTION.validate_json(sys.argv[4])
print(asyncio.run(connector.execute(action, key="k", expected_version=sys.argv[3], now=NOW)).reference)
"""


@pytest.fixture(params=[(c, real) for c in REAL for real in (True, False)], ids=lambda p: f"{p[0]}-{'real' if p[1] else 'fake'}")
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    capability, real = request.param
    return await make(capability, tmp_path if real else None)


async def version(case: Case, action: Action) -> str:
    return (await case.connector.preview(action)).record_version


async def preview_and_execute(connector: Connector, action: Action) -> None:
    diff = await connector.preview(action)
    await connector.execute(action, key="k", expected_version=diff.record_version, now=NOW)


class TestEveryConnector:
    async def test_same_key_twice(self, case: Case) -> None:
        """The same key twice is one effect and one receipt, although the record has moved in between."""
        seen = await version(case, case.action)
        first = await case.connector.execute(case.action, key="k", expected_version=seen, now=NOW)
        again = await case.connector.execute(case.action, key="k", expected_version=seen, now=LATER)
        assert first == again
        assert first.at == NOW
        assert await case.count() == 1

    async def test_receipt_can_be_found(self, case: Case) -> None:
        """There is no receipt before the effect, and afterwards the very one that was given."""
        assert await case.connector.find_receipt(case.action, key="k") is None
        seen = await version(case, case.action)
        given = await case.connector.execute(case.action, key="k", expected_version=seen, now=NOW)
        assert await case.connector.find_receipt(case.action, key="k") == given
        assert await case.connector.find_receipt(case.other, key="other") is None

    async def test_stale_version(self, case: Case) -> None:
        """An action shown against another version of the record does nothing."""
        with pytest.raises(Stale):
            await case.connector.execute(case.action, key="k", expected_version="long ago", now=NOW)
        assert await case.count() == 0
        assert await case.connector.find_receipt(case.action, key="k") is None

    async def test_impossible_action(self, case: Case) -> None:
        """What cannot be done is refused for good and leaves nothing."""
        with pytest.raises(Permanent):
            await preview_and_execute(case.connector, case.impossible)
        assert await case.count() == 0

    async def test_foreign_action(self, case: Case) -> None:
        """A connector refuses what is not its trade."""
        with pytest.raises(Permanent):
            await case.connector.preview(case.foreign)
        with pytest.raises(Permanent):
            await case.connector.execute(case.foreign, key="k", expected_version="0", now=NOW)

    async def test_key_of_another_action(self, case: Case) -> None:
        """A key that was used for one action is not taken for another."""
        seen = await version(case, case.action)
        await case.connector.execute(case.action, key="k", expected_version=seen, now=NOW)
        with pytest.raises(Permanent):
            await case.connector.execute(case.other, key="k", expected_version=await version(case, case.other), now=NOW)
        with pytest.raises(Permanent):
            await case.connector.find_receipt(case.other, key="k")

    async def test_same_key_at_once(self, case: Case) -> None:
        """Twenty calls at once with one key are one effect."""
        seen = await version(case, case.action)
        calls = (case.connector.execute(case.action, key="k", expected_version=seen, now=NOW) for _ in range(20))
        assert len({receipt.reference for receipt in await asyncio.gather(*calls)}) == 1
        assert await case.count() == 1

    async def test_check_is_one_line(self, case: Case) -> None:
        """A healthy connector says so in one line."""
        assert len((await case.connector.check()).splitlines()) == 1


class TestReversibleActions:
    @pytest.fixture(params=["real", "fake"])
    def connectors(self, request: pytest.FixtureRequest, tmp_path: Path) -> dict[Capability, Any]:
        return dict(open_local(tmp_path) if request.param == "real" else in_memory())

    async def undone(self, connector: Any, action: Action) -> tuple[Any, Any, Any]:
        """The outside state before the action, after it, and after its inverse."""
        before = await connector.snapshot()
        diff = await connector.preview(action)
        await connector.execute(action, key="do", expected_version=diff.record_version, now=LATER)
        after = await connector.snapshot()
        inverse = action.inverse(diff.before)
        assert inverse is not None
        seen = (await connector.preview(inverse)).record_version
        await connector.execute(inverse, key="undo", expected_version=seen, now=LATER)
        return before, after, await connector.snapshot()

    @pytest.mark.parametrize(
        "action",
        [
            CancelOrder(order_id="1001", reason="wish"),
            ChangeAddress(order_id="1001", address=HOME.model_copy(update={"line1": "2 Elm"})),
        ],
        ids=lambda a: a.kind,
    )
    async def test_order(self, connectors: dict[Capability, Any], action: Action) -> None:
        """The inverse of an order's change restores every order exactly."""
        await connectors[Capability.SHOP].put_orders([order("1001"), order("1002")])
        before, after, restored = await self.undone(connectors[Capability.SHOP], action)
        assert before == restored != after

    @pytest.mark.parametrize("action", [page("New mugs", revision=2), page("Cups", slug="cups"), UnpublishContent(slug="mugs")])
    async def test_page(self, connectors: dict[Capability, Any], action: PublishContent | UnpublishContent) -> None:
        """The inverse of a publication or a removal restores every byte of the site."""
        site = connectors[Capability.SITE]
        await site.execute(page(), key="first", expected_version="absent", now=NOW)
        before, after, restored = await self.undone(site, action)
        assert before == restored != after


class TestCrashes:
    @pytest.mark.parametrize("capability", REAL)
    async def test_two_processes(self, capability: Capability, tmp_path: Path) -> None:
        """Three processes with the same key at once give the same receipt and one effect."""
        case = await make(capability, tmp_path)
        arguments = [capability.value, str(tmp_path), await version(case, case.action), case.action.model_dump_json()]
        command = [sys.executable, "-c", EXECUTE, *arguments]
        with ThreadPoolExecutor() as pool:
            answers = {*pool.map(lambda _: subprocess.check_output(command, cwd=ROOT, timeout=60), range(3))}
        assert len(answers) == 1
        assert await case.count() == 1

    @pytest.mark.parametrize("capability", REAL)
    def test_killed_everywhere(self, capability: Capability, tmp_path: Path) -> None:
        """Killed before any line of its code, a connector leaves nothing or all, and a repeat ends with one effect."""
        command = [sys.executable, "-m", "tests.contract.kill_everywhere", capability.value, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=110)
        counts = json.loads(done.stdout)
        print(capability.value, counts)
        assert counts["kills"] > 20
        assert (counts["torn"], counts["lost"], counts["doubled"]) == (0, 0, 0)

    async def test_unknown_fate(self) -> None:
        """An effect whose confirmation got lost is found by its key and not repeated."""
        case = await make(Capability.SHOP, None)
        assert isinstance(case.connector, InMemoryConnector)
        case.connector.fail_next(Unknown("the line went dead"), after=True)
        with pytest.raises(Unknown):
            await case.connector.execute(case.action, key="k", expected_version="1", now=NOW)
        assert await case.connector.find_receipt(case.action, key="k") is not None
        assert await case.count() == 1
