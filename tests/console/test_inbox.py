"""The inbox over HTTP: what is shown, what counts, and what is refused. Nobody works on the runs here."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from html import unescape

import httpx
import pytest

from agents.auditor import Auditor
from console.app import create_app
from console.house import House
from console.rendering import coded
from domain.actions import PlacePurchaseOrder, SendReply
from domain.approvals import Approval, ApprovalDecided, ApprovalEnded, ApprovalRequested, ApprovalStatus, Decision
from domain.event import new_event
from domain.judging import judge
from domain.ports import EventLog
from tests.console.browser import ORIGIN, Browser
from tests.console.furnish import HOSTILE, approval
from tests.console.pressing import entered_in
from workflows.deciding import Decider
from workflows.gateway import Gateway

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


async def test_a_reply_that_nobody_has_written_is_edited_and_not_approved(browser: Browser, house: House) -> None:
    """In the list and on its own page; the page says in which zone its times are."""
    reply = SendReply(ticket_id="mail/new", message_id="m", to="a@b.example", sender="us@b.example", subject="Re: Hm", body=" ")
    other = approval(77, reply, "support/mail/new", topic="other", reason="nobody knows what it is about", now=house.clock())
    await house.memory.log.append([new_event(ApprovalRequested(approval=other), at=house.clock(), key=("unwritten",))])
    listed, own = await browser.page("/inbox"), await browser.page("/inbox/0077-question")
    row = listed[listed.index('data-row="0077-question"') :].partition("</li>")[0]
    assert row.index(">Edit …</a>") < row.index(">Reject</a>")
    assert ("/0077-question/approve" in own, ">Approve</button>" in row) == (False, False)
    assert '<details id="edit" data-do="e" open>' in own
    assert "Times: Europe/Berlin" in own


async def test_a_batch_says_what_became_of_each(browser: Browser) -> None:
    """One that is not there, and one whose digest is of something else, each for itself."""
    fields = {"verb": "reject", "reason": "no", "chosen": [REPLY, "nothing"], f"digest:{REPLY}": "0" * 64, "batch": "b"}
    answer = await browser.post("/inbox/batch", fields)
    assert "0 of 2 answers counted" in answer.text
    assert "there is no question nothing" in answer.text
    assert "the proposal changed since it was shown" in answer.text


async def test_a_batch_that_is_refused_as_a_whole_keeps_what_was_chosen(browser: Browser, house: House) -> None:
    """No reason, no password, nothing chosen: the inbox again, with the line beside the buttons."""
    await browser.forget_the_password(house)
    for wish, says in (
        ({"verb": "reject", "chosen": [REPLY]}, "a rejection needs a reason"),
        ({"verb": "approve", "chosen": [REPLY, REFUND], "password": "no"}, "this is not the password"),
        ({"verb": "approve"}, "nothing is chosen"),
    ):
        answer = await browser.post("/inbox/batch", {**wish, "batch": "b"})
        form = answer.text.partition('id="batch"')[2]
        assert (says in form, answer.text.count(" checked ")) == (True, len(wish.get("chosen", [])))


async def test_what_is_refused_without_a_form_of_its_own_stays_in_the_frame(browser: Browser) -> None:
    """With the menu and a way back; commands are shown as code."""
    answer = await browser.post("/inbox/nothing/approve", {})
    assert (answer.status_code, 'aria-label="Main"' in answer.text, ">Back</a>" in answer.text) == (404, True, True)
    assert coded("see `./steward <inbox>`") == "see <code>./steward &lt;inbox&gt;</code>"


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


LONG = "Hello,\n\nthis took half an hour to write.\n\nKim"


async def test_a_wrong_password_keeps_what_was_typed(browser: Browser, house: House) -> None:
    """In the form it was typed in, with what is wrong."""
    await browser.forget_the_password(house)
    page = await browser.page(f"/inbox/{REFUND}")
    fields = {"digest": field(page, "digest"), "amount.amount": "7.45", "note": "as agreed", "password": "no"}
    answer = await browser.post(f"/inbox/{REFUND}/edit", fields)
    assert (answer.status_code, "this is not the password" in answer.text) == (403, True)
    assert ('value="7.45"' in answer.text, 'value="as agreed"' in answer.text, 'value="no"' in answer.text) == (True, True, False)


async def test_a_refused_rejection_keeps_its_reason(browser: Browser) -> None:
    """Of a proposal that changed meanwhile, for example."""
    answer = await browser.post(f"/inbox/{REPLY}/reject", {"digest": "0" * 64, "reason": "she called us"})
    assert (answer.status_code, "the proposal changed since it was shown" in answer.text) == (409, True)
    assert ">she called us</textarea>" in answer.text


async def test_an_overtaken_answer_leads_to_the_question_as_it_is_now(browser: Browser, house: House) -> None:
    """With the letter that was typed for the old one."""
    old = await house.memory.state.get(Approval, REPLY)
    assert old is not None
    page = await browser.page(f"/inbox/{REPLY}")
    moved = old.proposal.model_copy(update={"proposed_at": house.clock()})
    change = {"approval_id": "anew", "proposal": moved, "replaces": old.proposal.digest, "moved": ("the order",)}
    anew = old.model_copy(update=change)
    gone = ApprovalEnded(approval_id=REPLY, status=ApprovalStatus.STALE, at=house.clock())
    await house.memory.log.append(
        [new_event(data, at=house.clock(), key=("moved", data.stream)) for data in (gone, ApprovalRequested(approval=anew))]
    )
    answer = await browser.post(f"/inbox/{REPLY}/edit", {"digest": field(page, "digest"), "body": LONG})
    assert (answer.status_code, 'href="/inbox/anew"' in answer.text) == (409, True)
    assert "this took half an hour to write." in answer.text


async def test_a_form_that_is_sent_after_the_session_is_over_is_not_lost(browser: Browser) -> None:
    """The log-in shows what was sent, and leads back to where it came from."""
    browser.client.cookies.clear()
    answer = await browser.client.post(
        f"/inbox/{REPLY}/edit",
        data={"csrf": "x", "body": LONG, "password": "secret"},
        headers={**ORIGIN, "referer": f"{ORIGIN['origin']}/inbox/{REPLY}"},
    )
    assert (answer.status_code, "this took half an hour to write." in answer.text, "secret" in answer.text) == (401, True, False)
    assert field(answer.text, "next") == f"/inbox/{REPLY}"


class Recording(Gateway):
    """Records what counts, as the run would."""

    def __init__(self, log: EventLog) -> None:
        self.log = log

    async def decide(self, approval: Approval, decision: Decision, *, now: datetime) -> str:
        judge(approval, decision, now)
        told = ApprovalDecided(approval_id=approval.approval_id, decision=decision, at=now)
        await self.log.append([new_event(told, at=now, key=(decision.decision_id,))])
        return "recorded"


@pytest.fixture
async def deciding(house: House) -> AsyncIterator[Browser]:
    """A browser whose answers count."""
    gateway = Recording(house.memory.log)
    decider = Decider(
        gateway=gateway,
        auditor=Auditor(state=house.memory.state, policies=house.memory.policies),
        state=house.memory.state,
        log=house.memory.log,
        clock=house.clock,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(replace(house, decider=decider))), base_url=house.public_url
    ) as client:
        browser = Browser(client)
        await browser.set_up()
        yield browser


def form(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes there."""
    part = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', part)}


async def test_a_second_tap_is_the_same_answer(deciding: Browser) -> None:
    """Of Approve in the list."""
    path = f"/inbox/{REPLY}/approve"
    fields = form(await deciding.page("/inbox"), path)
    assert [(await deciding.post(path, fields)).status_code for _ in range(2)] == [303, 303]


async def test_what_many_were_approved_with_can_be_taken_back(deciding: Browser) -> None:
    """On the page that says what became of each, and a second tap there is the same, too."""
    digest = form(await deciding.page("/inbox"), f"/inbox/{REPLY}/approve")["digest"]
    page = await deciding.post("/inbox/batch", {"verb": "approve", "chosen": [REPLY], f"digest:{REPLY}": digest, "batch": "b"})
    undo = form(page.text, f"/inbox/{REPLY}/undo")
    assert (page.text.count("Take it back"), undo["digest"], bool(undo["decision"])) == (1, digest, True)
    for held in (await deciding.page("/inbox"), await deciding.page(f"/inbox/{REPLY}")):
        assert form(held, f"/inbox/{REPLY}/undo")["decision"]


async def test_links_of_a_question_lead_there_whatever_the_ids_are(browser: Browser, house: House) -> None:
    """An article called A#1, ordered because of a fact about it."""
    asked = await house.memory.state.get(Approval, "0003-question")
    assert asked is not None
    action = asked.proposal.action
    assert isinstance(action, PlacePurchaseOrder)
    (line,) = action.purchase_order.lines
    order = action.purchase_order.model_copy(update={"lines": (line.model_copy(update={"sku": "A#1"}),)})
    why = asked.proposal.why.model_copy(update={"facts": {"stock/A#1#on-hand": "3"}})
    changed = {"action": action.model_copy(update={"purchase_order": order}), "why": why, "run_id": "replenish/a b?c"}
    other = asked.model_copy(update={"approval_id": "odd", "proposal": asked.proposal.model_copy(update=changed)})
    await house.memory.log.append([new_event(ApprovalRequested(approval=other), at=house.clock(), key=("odd",))])
    page = await browser.page("/inbox/odd")
    assert page.count('href="/business/stock/A%231"') == 2
    assert 'href="/runs/replenish/a%20b%3Fc"' in page
