"""Every connector keeps the same contract: one effect a key, receipts that can be found, stale records refused."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors import in_memory, open_local
from connectors.fakes import InMemoryConnector
from domain.actions import Action, AdjustStock, CancelOrder, Capability, ChangeAddress, PublishContent, UnpublishContent
from domain.errors import Permanent, Unknown
from domain.ports import units_in
from tests import forks
from tests.contract import git_cases, hubspot_double, mail_cases, shop_cases, stripe_cases, tool_servers, wordpress_cases
from tests.contract.every_connector import EveryConnector, preview_and_execute, version
from tests.contract.kill_everywhere import counted
from tests.contract.mail_servers import mail_servers
from tests.contract.outside_cases import HOME, LATER, NOW, Case, execute, make, order, page, restock, stock_case

REAL = [Capability.HELPDESK, Capability.SUPPLIERS, Capability.SHOP, Capability.PAYMENTS, Capability.SITE]


def _local(capability: Capability, *, real: bool) -> Callable[[Path], AbstractAsyncContextManager[Case]]:
    @asynccontextmanager
    async def opened(home: Path) -> AsyncIterator[Case]:
        yield await make(capability, home if real else None)

    return opened


@asynccontextmanager
async def _stock(home: Path | None) -> AsyncIterator[Case]:
    yield await stock_case(home)


CASES: dict[str, Callable[[Path], AbstractAsyncContextManager[Case]]] = {
    **{f"{c}-real": _local(c, real=True) for c in REAL},
    **{f"{c}-fake": _local(c, real=False) for c in (*REAL, Capability.TOOLS, Capability.CRM)},
    "stock-real": _stock,
    "stock-fake": lambda _: _stock(None),
    **shop_cases.CONNECTORS,
    **{f"{c}-mailbox": mail_cases.sending(c, mail_servers) for c in (Capability.HELPDESK, Capability.SUPPLIERS)},
    "site-in-git": git_cases.in_git,
    "site-wordpress": wordpress_cases.on_double,
    "tools-mcp": tool_servers.calling,
    "crm-hubspot": hubspot_double.writing,
    "payments-stripe": stripe_cases.refunding,
}
"""Every adapter and every fake, by name: a context manager that gives the case to try it with."""


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async with CASES[request.param](tmp_path) as opened:
        yield opened


class TestEveryConnector(EveryConnector):
    """Each case keeps the contract."""


class TestEveryCountingShop:
    @pytest.mark.parametrize("name", [name for name in CASES if "stock" in name])
    async def test_what_it_says_is_what_an_action_starts_from(self, name: str, tmp_path: Path) -> None:
        """Before and after; an article that it does not have is no number."""
        async with CASES[name](tmp_path) as case:
            action = case.action
            assert isinstance(action, AdjustStock)
            assert await units_in(case.connector, action.sku) == action.units_before
            await preview_and_execute(case.connector, action)
            assert await units_in(case.connector, action.sku) == action.units_after
            with pytest.raises(Permanent):
                await units_in(case.connector, "nothing-of-the-kind")

    async def test_what_is_no_shop_says_so(self) -> None:
        """Nothing is made up."""
        with pytest.raises(Permanent, match="does not say how many"):
            await units_in(in_memory()[Capability.HELPDESK], "MUG")


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

    async def test_stock(self, connectors: dict[Capability, Any]) -> None:
        """The inverse of a change of stock restores the number of units."""
        await connectors[Capability.SHOP].put_stock({"MUG": 3, "CUP": 1})
        before, after, restored = await self.undone(connectors[Capability.SHOP], restock())
        assert (before["stock"], after["stock"]["MUG"]) == ({"CUP": 1, "MUG": 3}, 27)
        assert before == restored

    @pytest.mark.parametrize("action", [page("New mugs", revision=2), page("Cups", slug="cups"), UnpublishContent(slug="mugs")])
    async def test_page(self, connectors: dict[Capability, Any], action: PublishContent | UnpublishContent) -> None:
        """The inverse of a publication or a removal restores every byte of the site."""
        site = connectors[Capability.SITE]
        await site.execute(page(), key="first", expected_version="absent", now=NOW)
        before, after, restored = await self.undone(site, action)
        assert before == restored != after


class TestPictures:
    """Every site shows what it was given, and takes it back."""

    @pytest.fixture(params=[name for name in CASES if name.startswith("site-")])
    async def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
        async with CASES[request.param](tmp_path) as opened:
            yield opened

    async def test_the_picture_is_part_of_what_is_shown_before_and_after(self, case: Case) -> None:
        """Of a page without one and with another, as the operator sees them side by side."""
        assert isinstance(case.action, PublishContent)
        diff = await case.connector.preview(case.action)
        await case.connector.execute(case.action, key="k", expected_version=diff.record_version, now=NOW)
        plain = (await case.connector.preview(page("Cups", revision=2))).before["piece"]
        assert case.action.piece.picture is not None
        assert diff.after["piece"]["picture"] == plain["picture"] == case.action.piece.picture.model_dump(mode="json")

    async def test_undoing_brings_it_back(self, case: Case) -> None:
        """After a revision without a picture, and after the page was taken down."""
        actions: list[PublishContent | UnpublishContent] = [page("Cups", revision=2), UnpublishContent(slug="mugs")]
        await case.connector.execute(case.action, key="k", expected_version=await version(case, case.action), now=NOW)
        for number, action in enumerate(actions):
            seen = await case.connector.preview(action)
            await case.connector.execute(action, key=f"do{number}", expected_version=seen.record_version, now=NOW)
            undo = action.inverse(seen.before)
            assert undo is not None
            await case.connector.execute(undo, key=f"undo{number}", expected_version=await version(case, undo), now=NOW)
            assert (await case.connector.preview(action)).before["piece"]["picture"] == seen.before["piece"]["picture"]


class TestCrashes:
    @pytest.mark.parametrize("capability", REAL)
    async def test_two_processes(self, capability: Capability, tmp_path: Path) -> None:
        """Three processes with the same key at once give the same receipt and one effect."""
        case = await make(capability, tmp_path)
        arguments = (capability, tmp_path, await version(case, case.action), case.action)
        answers = [tmp_path / f"answer-{number}" for number in range(3)]
        processes = [forks.start(execute, *arguments, answer, imports=execute.__module__) for answer in answers]
        for process in processes:
            forks.end(process, seconds=60)
        assert len({answer.read_text() for answer in answers}) == 1
        assert await case.count() == 1

    @pytest.mark.parametrize("name", REAL)
    def test_killed_everywhere(self, name: str, tmp_path: Path) -> None:
        """Killed before any line of its code, a connector leaves nothing or all, and a repeat ends with one effect."""
        counts = counted(name, tmp_path, seconds=110)
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
