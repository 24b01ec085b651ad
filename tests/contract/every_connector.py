"""The contract of connectors, to be run over every adapter, every fake and every real system behind one."""

import asyncio

import pytest

from domain.actions import Action
from domain.errors import Permanent, Stale
from domain.ports import Connector
from tests.contract.outside_cases import LATER, NOW, Case


async def version(case: Case, action: Action) -> str:
    return (await case.connector.preview(action)).record_version


async def preview_and_execute(connector: Connector, action: Action) -> None:
    diff = await connector.preview(action)
    await connector.execute(action, key="k", expected_version=diff.record_version, now=NOW)


class EveryConnector:
    """Whoever subclasses it gives the fixture ``case``."""

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
