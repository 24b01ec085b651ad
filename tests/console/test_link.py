"""A link from a mail: looking decides nothing, it counts once, and money wants more than a link."""

import pytest

from activities.linking import Linking
from console.house import House
from domain.approvals import Approval, ApprovalStatus
from tests.console.browser import ORIGIN, Browser
from tests.console.pressing import entered_in

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


async def test_a_link_whose_run_is_gone_says_so(stranger: Browser, house: House) -> None:
    """No run waits here: nothing is decided, and the page says what to do."""
    path = await link_to(house, "0001-question")
    answer = await stranger.client.post(path, data={"verb": "reject", "reason": "no"}, headers=ORIGIN)
    assert (answer.status_code, "no run support/mail/question-1@example.org waits" in answer.text) == (410, True)


async def test_enter_where_one_says_why_not_approves_nothing(stranger: Browser, house: House) -> None:
    """The form of the reason has one button, to reject."""
    assert entered_in(await stranger.page(await link_to(house, "0001-question")), "reason") == ["reject"]


async def test_what_the_page_does_not_show_is_not_approved_by_it(stranger: Browser, house: House) -> None:
    """A page of the site stands there with its title alone: the console shows its text."""
    path = await link_to(house, "0004-question")
    page = await stranger.page(path)
    assert (">Approve<" in page, "does not show all of it" in page) == (False, True)
    answer = await stranger.client.post(path, data={"verb": "approve"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox/0004-question")


async def test_what_the_auditor_found_stands_on_the_page(stranger: Browser, house: House) -> None:
    """As it does in the console."""
    assert "reads like the last replies" in await stranger.page(await link_to(house, "0001-question"))


async def test_the_address_of_a_link_is_told_to_nobody(stranger: Browser, house: House) -> None:
    """Neither of one that works nor of one that does not; its form still says where it comes from."""
    for path in (await link_to(house, "0001-question"), "/link/nobody-made-this"):
        assert (await stranger.get(path)).headers["referrer-policy"] == "strict-origin"
    assert (await stranger.get("/login")).headers["referrer-policy"] == "same-origin"
