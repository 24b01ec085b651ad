"""A day with the running shop, through the command."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from cli.context import open_system, record
from domain.runs import Alert, AlertLevel, AlertRaised
from tests.cli.steward import process, steward


def question(kind: str, about: str) -> Any:
    """The question about ``kind`` whose summary names ``about``."""
    waiting = steward("inbox", "--all", "--json").json["approvals"]
    (found,) = (a for a in waiting if a["proposal"]["action"]["kind"] == kind and about in str(a["proposal"]["action"]))
    return found


def state(stream: str) -> Any:
    return steward("state", "show", stream, "--json").json["body"]


def test_the_inbox_shows_what_a_stranger_wrote_and_obeys_none_of_it(shop: Path) -> None:
    """His words are urgent, so he is first; markup and control sequences are nothing but text, in every view."""
    hostile = question("send-reply", "x@evil.example")
    assert hostile["urgency"] == "now"
    inbox, shown = steward("inbox", "--all"), steward("show", hostile["approval_id"][:8])
    assert inbox.out.index("Now") < inbox.out.index("x@evil.example") < inbox.out.index("When you have time")
    run = steward("show", hostile["proposal"]["run_id"])
    for said in (inbox, shown, run, steward("state", "list", "ticket"), steward("show", hostile["approval_id"], "--json")):
        assert said.code == 0
        assert "[bold red]" in said.out
        assert not set(said.out) & set("\x1b\x07\x9b\u202e")


def test_each_question_says_how_long_is_left_and_what_then(shop: Path) -> None:
    """And where it can be watched."""
    asked = question("refund-order", "1001")
    assert 0 < asked["seconds_left"] <= 72 * 3600
    shown = steward("show", asked["approval_id"][:8]).out
    assert re.search(r"2 d 23 h left, until .*; then reject", shown)
    assert "The customer wrote (ann@example.org" in shown
    assert re.search(r"Step by step: http://127\.0\.0\.1:\d+/namespaces/default/workflows/support%2Fmail%2F\w+", shown)


def test_an_approved_refund_happens_and_the_answer_is_asked_next(shop: Path) -> None:
    """The imported order is in the order book, so the refund is real; deciding twice is refused."""
    asked = question("refund-order", "1001")
    said = steward("approve", asked["approval_id"][:10])
    assert said.code == 0, said
    assert "refunded 14.90 EUR on order 1001" in said.out
    assert [r["amount"]["amount"] for r in state("order/1001")["refunds"]] == ["14.90"]
    assert steward("approve", asked["approval_id"]).code == 2
    reply = question("send-reply", "ann@example.org")
    assert "14.90 EUR" in reply["proposal"]["action"]["body"]
    edited = steward("edit", reply["approval_id"], "--set", "body=Dear Ann, 14.90 EUR are on their way to you.", "--json")
    assert edited.code == 0, edited
    mails = "".join(p.read_text() for p in (shop / "outside" / "mail").rglob("*") if p.is_file())
    assert "Dear Ann, 14.90 EUR are on their way to you." in mails


def test_a_rejection_needs_a_reason_and_hands_the_ticket_over(shop: Path) -> None:
    """Without one nothing is decided."""
    asked = question("send-reply", "bob@example.org")
    assert steward("reject", asked["approval_id"]).code == 2
    said = steward("reject", asked["approval_id"], "--reason", "I called him", "--json")
    assert (said.code, said.json["status"]) == (0, "done")
    assert state(asked["proposal"]["run_id"].replace("support/", "ticket/"))["status"] == "with-operator"


def test_a_snoozed_question_is_out_of_sight_and_not_out_of_mind(shop: Path) -> None:
    """`--all` still shows it."""
    asked = question("send-reply", "x@evil.example")["approval_id"]
    assert steward("snooze", asked, "--for", "1h").code == 0
    now = steward("inbox", "--json").json
    assert asked not in [a["approval_id"] for a in now["approvals"]]
    assert now["snoozed"] == 1
    assert "1 snoozed, the first until" in steward("inbox").out


def test_what_a_run_did_is_taken_back_exactly(shop: Path) -> None:
    """The preview changes nothing; without --yes nobody is asked in a script; then the order is paid again."""
    asked = question("cancel-order", "1003")
    run = asked["proposal"]["run_id"]
    assert "cancelled" not in state("order/1003")["status"]
    assert steward("approve", asked["approval_id"]).code == 0
    assert state("order/1003")["status"] == "cancelled"
    preview = steward("rollback", run, "--preview", "--json").json
    assert [u["undo"] for u in preview["undo"]] == ["reinstate order 1003 as paid"]
    assert steward("rollback", run, "--json").code == 2
    said = steward("rollback", run, "--yes", "--json")
    assert (said.code, said.json["status"], said.json["stays"]) == (0, "done", [])
    assert said.json["undone"] == ["cancel order 1003 (asked by the customer)"]
    assert state("order/1003")["status"] == "paid"
    assert "(taken back)" in steward("show", run).out


def test_a_cancelled_run_withdraws_its_question(shop: Path) -> None:
    """And cannot be cancelled twice."""
    asked = question("cancel-order", "1004")
    run = asked["proposal"]["run_id"]
    assert steward("cancel", run).code == 0
    approval = f"approval/{asked['approval_id']}"
    _until(lambda: state(approval)["status"] == "withdrawn" and state(f"run/{run}")["status"] == "cancelled")
    assert steward("cancel", run).code == 2


def test_ordered_goods_arrive_once(shop: Path) -> None:
    """From the run that is watched until it asks, through the approval, to the shelf."""
    run = steward("run", "replenish", "--json")
    assert (run.code, run.json["status"], len(run.json["asks"])) == (0, "waits", 1), run
    assert steward("run", "replenish", "--json").json["joined"]
    assert steward("approve", run.json["asks"][0]).code == 0
    (order,) = steward("state", "list", "purchase-order", "--json").json
    before = {line["sku"]: state(f"stock/{line['sku']}")["on_hand"] for line in order["lines"]}
    said = steward("received", order["purchase_order_id"][:8], "--json")
    assert said.code == 0, said
    for sku, units in said.json["received"].items():
        assert state(f"stock/{sku}")["on_hand"] == before[sku] + units
        assert state(f"stock/{sku}")["on_order"] == 0
    assert steward("received", order["purchase_order_id"]).code == 2


def test_a_digest_is_printed_and_a_run_need_not_be_watched(shop: Path) -> None:
    """`--no-wait` only starts."""
    assert "##" in steward("run", "digest").out
    said = steward("run", "content", "--no-wait", "--json").json
    assert said["run"].startswith("content-plan/")
    assert "status" not in said


def test_a_policy_changes_by_versions(shop: Path) -> None:
    """A dry run changes nothing, the difference is shown, and every version can come back."""
    change = ("policy", "set", "support", "--set", "refund_limit=40", "--why", "they are honest", "--json")
    assert steward(*change, "--dry-run").json["version"] is None
    said = steward(*change).json
    assert (said["version"], said["changes"]) == (1, [{"field": "refund_limit", "before": "25 EUR", "after": "40 EUR"}])
    assert steward(*change).json["version"] is None
    assert steward("policy", "show", "support", "refund_limit", "--json").json["document"]["amount"] == "40"
    assert steward("policy", "activate", "support", "0", "--json").json["version"] == 2
    history = steward("policy", "history", "support")
    assert "they are honest" in history.out
    assert "version 2 in force" in history.out


def test_switches_are_recorded(shop: Path) -> None:
    """The kill switch says why; modes narrow."""
    assert steward("kill", "--reason", "something is odd").code == 0
    assert "The kill switch is on: something is odd" in steward("mode").out
    assert steward("kill", "--off", "--json").json == {"kill_switch": False}
    assert steward("mode", "content/publish-content", "off", "--json").json["modes"] == {"content/publish-content": "off"}
    assert re.search(r"content/publish-content\W+off", steward("mode", "content").out)


def test_an_alert_stays_until_it_is_closed(shop: Path) -> None:
    """It can be named by a part of its key."""

    async def raise_alert() -> None:
        async with open_system() as system:
            at = datetime.now(UTC)
            alert = Alert(key="test/odd-1", level=AlertLevel.WARNING, text="[b]odd[/b]", what_to_do="look", at=at)
            await record(system, AlertRaised(alert=alert), at=at)

    asyncio.run(raise_alert())
    assert "[b]odd[/b]" in steward("inbox").out
    assert steward("alerts", "--close", "odd-1").code == 0
    assert steward("alerts", "--json").json == {"alerts": []}


def test_a_ticket_can_be_relabelled(shop: Path) -> None:
    """The label is in the state; saying it again is no second event."""
    ticket = question("send-reply", "x@evil.example")["proposal"]["run_id"].removeprefix("support/")
    assert steward("relabel", ticket[:12], "spam", "--json").json["after"] == "spam"
    before = steward("log", "verify", "--json").json["events"]
    assert steward("relabel", ticket, "spam").code == 0
    assert steward("log", "verify", "--json").json["events"] == before


def test_schedules_rest_and_go_on(shop: Path) -> None:
    """Their state is answered at once."""
    assert steward("schedule", "pause", "digest-daily", "--json").json["paused"]
    assert not steward("schedule", "resume", "digest-daily", "--json").json["paused"]
    listed = steward("schedule", "list", "--json").json
    assert sorted(s["id"] for s in listed) == ["content-daily", "digest-daily", "replenish-daily"]


def test_it_is_the_same_as_a_process_of_its_own(shop: Path) -> None:
    """Exit codes, streams, and a reader who goes away."""
    assert process("status").code == 0
    listed = process("inbox", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert listed.json["approvals"]
    refused = process("approve", "nothing")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("there is no question 'nothing'")


def test_the_state_is_what_the_log_says_after_all_this(shop: Path) -> None:
    """Every row agrees."""
    assert steward("log", "verify").code == 0
    assert steward("state", "rebuild", "--check", "--json").json["ok"]


def _until(fact: Any) -> None:
    deadline = monotonic() + 20
    while not fact():
        assert monotonic() < deadline
        sleep(0.1)
