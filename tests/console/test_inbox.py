"""The inbox over HTTP: what is shown, what counts, and what is refused. Nobody works on the runs here."""

import re
from html import unescape

import pytest

from console.house import House
from domain.approvals import Approval
from tests.console.browser import Browser
from tests.console.furnish import HOSTILE
from tests.console.pressing import entered_in

pytestmark = pytest.mark.usefixtures("furnished")
REFUND, REPLY, HOSTILE_REPLY = "0000-question", "0001-question", "0002-question"


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


async def test_what_waits_is_listed_by_its_worth(browser: Browser) -> None:
    """Money first, each with why it is asked and what silence means."""
    page = await browser.page("/inbox")
    assert page.index("320.00 EUR") < page.index("64.00 EUR") < page.index("Care of stoneware")
    assert "64.00 EUR is over the limit of 40.00 EUR" in page
    assert "then reject" in page


async def test_a_question_shows_proposal_diff_facts_and_links(browser: Browser) -> None:
    """What the operator needs to decide stands on one page."""
    page = await browser.page(f"/inbox/{REFUND}")
    assert "<del>0.00</del><ins>64.00</ins> EUR" in page
    assert 'href="/business/orders/10001"' in page
    assert "/namespaces/default/workflows/support%2Fmail%2Fquestion-0%40example.org" in page
    assert "My mug arrived broken" in page


async def test_hostile_text_is_text(browser: Browser) -> None:
    """In the list, in the question and in its raw form."""
    for path in ("/inbox", f"/inbox/{HOSTILE_REPLY}"):
        page = await browser.page(path)
        assert "&lt;script&gt;alert(1)" in page
        assert HOSTILE not in page


async def test_an_edit_that_does_not_fit_comes_back_as_it_was_typed(browser: Browser) -> None:
    """The message stands at its field, and nothing was decided."""
    page = await browser.page(f"/inbox/{REFUND}")
    answer = await browser.post(
        f"/inbox/{REFUND}/edit", {"digest": field(page, "digest"), "amount.amount": "much", "reason": "less"}
    )
    assert answer.status_code == 422
    assert 'value="much"' in answer.text
    assert "aria-invalid" in answer.text


async def test_a_rejection_needs_a_reason(browser: Browser, house: House) -> None:
    """It is refused as the one door refuses it, and the refusal is kept."""
    page = await browser.page(f"/inbox/{REPLY}")
    answer = await browser.post(f"/inbox/{REPLY}/reject", {"digest": field(page, "digest")})
    assert (answer.status_code, "a rejection needs a reason" in answer.text) == (409, True)
    approval = await house.memory.state.get(Approval, REPLY)
    assert approval is not None
    assert "a rejection needs a reason" in approval.refused[-1]


async def test_what_was_not_shown_cannot_be_decided(browser: Browser) -> None:
    """A digest of something else is refused; so is a verb that many cannot be answered with, and a choice of none."""
    assert (await browser.post(f"/inbox/{REPLY}/approve", {"digest": "0" * 64})).status_code == 409
    assert (await browser.post("/inbox/batch", {"verb": "edit", "chosen": REPLY})).status_code == 422
    assert (await browser.post("/inbox/batch", {"verb": "approve"})).status_code == 422
    assert (await browser.post("/inbox/nothing/approve", {"digest": "0"})).status_code == 404


async def test_money_wants_the_password_once_more(browser: Browser, house: House) -> None:
    """When the last time is long ago; a wrong one changes nothing."""
    await browser.forget_the_password(house)
    page = await browser.page(f"/inbox/{REFUND}")
    assert 'name="password"' in page
    answer = await browser.post(f"/inbox/{REFUND}/approve", {"digest": field(page, "digest")})
    assert (answer.status_code, "your password once more" in answer.text) == (403, True)
    wrong = await browser.post(f"/inbox/{REFUND}/approve", {"digest": field(page, "digest"), "password": "no"})
    assert wrong.status_code == 403


async def test_a_batch_says_what_became_of_each(browser: Browser) -> None:
    """One that is not there, and one whose digest is of something else, each for itself."""
    fields = {"verb": "reject", "reason": "no", "chosen": [REPLY, "nothing"], f"digest:{REPLY}": "0" * 64, "batch": "b"}
    answer = await browser.post("/inbox/batch", fields)
    assert "0 of 2 done" in answer.text
    assert "there is no question nothing" in answer.text
    assert "the proposal changed since it was shown" in answer.text


async def test_enter_in_a_field_of_many_decides_nothing(browser: Browser, house: House) -> None:
    """Neither in the reason to reject them nor in the password: a button has to be pressed."""
    await browser.forget_the_password(house)
    page = await browser.page("/inbox")
    assert (entered_in(page, "reason"), entered_in(page, "password")) == (["nothing"], ["nothing"])


async def test_the_note_of_an_edit_is_not_the_reason_of_the_action(browser: Browser, house: House) -> None:
    """Each has its own field; and an edit to less than nothing is refused as the one door refuses it."""
    page = await browser.page(f"/inbox/{REFUND}")
    assert (page.count('name="note"'), page.count('<input type="text" name="reason"')) == (1, 1)
    fields = {"digest": field(page, "digest"), "amount.amount": "-5", "reason": "arrived broken", "note": "half"}
    answer = await browser.post(f"/inbox/{REFUND}/edit", fields)
    assert (answer.status_code, "an amount of money is more than nothing" in answer.text) == (409, True)
