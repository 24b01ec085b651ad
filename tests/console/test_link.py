"""A link from a mail: looking decides nothing, it counts once, and money wants more than a link."""

import pytest

from activities.linking import Linking
from console.house import House
from domain.approvals import Approval, ApprovalStatus
from tests.console.browser import ORIGIN, Browser

pytestmark = pytest.mark.usefixtures("furnished")


async def link_to(house: House, approval_id: str) -> str:
    approval = await house.memory.state.get(Approval, approval_id)
    assert approval is not None
    token = await Linking(links=house.memory.links, state=house.memory.state).issue(approval, now=house.clock())
    assert token is not None
    return f"/link/{token}"


async def test_looking_at_a_link_decides_nothing(stranger: Browser, house: House) -> None:
    """However often, and whoever looks."""
    path = await link_to(house, "0001-question")
    for _ in range(3):
        assert "Your order is on its way" in await stranger.page(path)
    approval = await house.memory.state.get(Approval, "0001-question")
    assert approval is not None
    assert approval.status is ApprovalStatus.PENDING


async def test_money_is_not_approved_by_a_link(stranger: Browser, house: House) -> None:
    """It leads into the console, which asks for the password."""
    answer = await stranger.client.post(await link_to(house, "0000-question"), data={"verb": "approve"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox/0000-question")


async def test_a_rejection_by_link_needs_a_reason_and_an_origin(stranger: Browser, house: House) -> None:
    """And a link that nobody made leads nowhere."""
    path = await link_to(house, "0001-question")
    assert (await stranger.client.post(path, data={"verb": "reject"}, headers=ORIGIN)).status_code == 422
    assert (await stranger.client.post(path, data={"verb": "approve"})).status_code == 403
    assert (await stranger.get("/link/nobody-made-this")).status_code == 410


async def test_a_link_that_reached_nobody_can_be_used_again(stranger: Browser, house: House) -> None:
    """No run waits here, so the decision cannot be taken: the link is not used up by that."""
    path = await link_to(house, "0001-question")
    answer = await stranger.client.post(path, data={"verb": "reject", "reason": "no"}, headers=ORIGIN)
    assert answer.status_code in (410, 503)
