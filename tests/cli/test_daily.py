"""A day with the running shop, through the command."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg

import stack
from cli.context import open_system, record
from domain.actions import CancelOrder
from domain.effects import EffectStatus
from domain.policies import POLICY_TYPES
from domain.runs import Alert, AlertLevel, AlertRaised
from tests.cli.steward import Steward
from tests.contract.test_memory_ports import wish
from tests.unit.domain.happenings import NOW


def question(shop: Steward, kind: str, about: str) -> Any:
    """The question about ``kind`` whose summary names ``about``."""
    waiting = shop("inbox", "--all", "--json").json["approvals"]
    (found,) = (a for a in waiting if a["proposal"]["action"]["kind"] == kind and about in str(a["proposal"]["action"]))
    return found


def state(shop: Steward, stream: str) -> Any:
    return shop("state", "show", stream, "--json").json["body"]


def test_the_inbox_shows_what_a_stranger_wrote_and_obeys_none_of_it(shop: Steward) -> None:
    """His words are urgent, so he is among the first; markup and control sequences are nothing but text, in every view."""
    hostile = question(shop, "send-reply", "x@evil.example")
    assert (hostile["urgency"], hostile["interrupt"]) == ("now", True)
    inbox, shown = shop("inbox", "--all"), shop("show", hostile["approval_id"][:8])
    assert inbox.out.index("Needs you now") < inbox.out.index("x@evil.example") < inbox.out.index("When you have time")
    run = shop("show", hostile["proposal"]["run_id"])
    for said in (inbox, shown, run, shop("state", "list", "ticket"), shop("show", hostile["approval_id"], "--json")):
        assert said.code == 0
        assert "[bold red]" in said.out
        assert not set(said.out) & set("\x1b\x07\x9b\u202e")


def test_three_things_at_most_need_you_now(shop: Steward) -> None:
    """Those with the most at stake; the others follow in the order of their rank, each shown once."""
    page, shown = shop("inbox", "--json").json["approvals"], shop("inbox").out
    assert [a["rank"] for a in page] == sorted(a["rank"] for a in page)
    assert sum(a["interrupt"] for a in page) == 3 < len(page)
    assert page[0]["value_at_risk"] >= page[-1]["value_at_risk"] > 0
    assert all(shown.count(f"\n{a['approval_id'][:8]} ") == 1 for a in page)


def test_each_question_says_how_long_is_left_and_what_then(shop: Steward) -> None:
    """And where it can be watched."""
    asked = question(shop, "refund-order", "1001")
    assert 0 < asked["seconds_left"] <= 72 * 3600
    shown = shop("show", asked["approval_id"][:8]).out
    assert re.search(r"2 d 23 h left, until .*; then reject", shown)
    assert "The customer wrote (ann@example.org" in shown
    assert re.search(r"Step by step: http://127\.0\.0\.1:\d+/namespaces/default/workflows/support%2Fmail%2F\w+", shown)


def test_an_approved_refund_happens_and_the_answer_is_asked_next(shop: Steward) -> None:
    """The imported order is in the order book, so the refund is real; deciding twice is refused."""
    asked = question(shop, "refund-order", "1001")
    said = shop("approve", asked["approval_id"][:10])
    assert said.code == 0, said
    assert "refunded 14.90 EUR on order 1001" in said.out
    assert [r["amount"]["amount"] for r in state(shop, "order/1001")["refunds"]] == ["14.90"]
    assert shop("approve", asked["approval_id"]).code == 2
    reply = question(shop, "send-reply", "ann@example.org")
    assert "14.90 EUR" in reply["proposal"]["action"]["body"]
    edited = shop("edit", reply["approval_id"], "--set", "body=Dear Ann, 14.90 EUR are on their way to you.", "--json")
    assert edited.code == 0, edited
    mails = "".join(p.read_text() for p in (shop.home / "outside" / "mail").rglob("*") if p.is_file())
    assert "Dear Ann, 14.90 EUR are on their way to you." in mails


def test_a_rejection_needs_a_reason_and_hands_the_ticket_over(shop: Steward) -> None:
    """Without one nothing is decided."""
    asked = question(shop, "send-reply", "bob@example.org")
    assert shop("reject", asked["approval_id"]).code == 2
    said = shop("reject", asked["approval_id"], "--reason", "I called him", "--json")
    assert (said.code, said.json["status"]) == (0, "done")
    assert state(shop, asked["proposal"]["run_id"].replace("support/", "ticket/"))["status"] == "with-operator"


def test_a_snoozed_question_is_out_of_sight_and_not_out_of_mind(shop: Steward) -> None:
    """`--all` still shows it."""
    asked = question(shop, "send-reply", "x@evil.example")["approval_id"]
    assert shop("snooze", asked, "--for", "1h").code == 0
    now = shop("inbox", "--json").json
    assert asked not in [a["approval_id"] for a in now["approvals"]]
    assert now["snoozed"] == 1
    assert "1 snoozed, the first until" in shop("inbox").out
    undone = shop("undo", asked)
    assert (undone.code, "nothing to take back" in undone.err) == (2, True)


def test_what_a_run_did_is_taken_back_exactly(shop: Steward) -> None:
    """The preview changes nothing; without --yes nobody is asked in a script; then the order is paid again."""
    asked = question(shop, "cancel-order", "1003")
    run = asked["proposal"]["run_id"]
    assert "cancelled" not in state(shop, "order/1003")["status"]
    assert shop("approve", asked["approval_id"]).code == 0
    assert state(shop, "order/1003")["status"] == "cancelled"
    preview = shop("rollback", run, "--preview", "--json").json
    assert [u["undo"] for u in preview["undo"]] == ["reinstate order 1003 as paid"]
    assert shop("rollback", run, "--json").code == 2
    said = shop("rollback", run, "--yes", "--json")
    assert (said.code, said.json["status"], said.json["stays"]) == (0, "done", [])
    assert said.json["undone"] == ["cancel order 1003 (asked by the customer)"]
    assert state(shop, "order/1003")["status"] == "paid"
    assert "(taken back)" in shop("show", run).out


def test_a_cancelled_run_withdraws_its_question(shop: Steward) -> None:
    """And cannot be cancelled twice."""
    asked = question(shop, "cancel-order", "1004")
    run = asked["proposal"]["run_id"]
    assert shop("cancel", run).code == 0
    approval = f"approval/{asked['approval_id']}"
    _until(lambda: state(shop, approval)["status"] == "withdrawn" and state(shop, f"run/{run}")["status"] == "cancelled")
    assert shop("cancel", run).code == 2


def test_every_imported_file_is_kept_as_it_came(shop: Steward, files: Path) -> None:
    """To the byte, under what was imported and its hash; mails one by one."""
    endpoints = stack.endpoints(shop.settings)
    assert endpoints is not None
    with psycopg.connect(endpoints.database_url) as database:
        kept = {(source, key): bytes(raw) for source, key, raw in database.execute("SELECT source, external_id, raw FROM inbox")}
    for kind in ("catalog", "sales", "orders", "customers"):
        raw = (files / f"{kind}.csv").read_bytes()
        assert kept[f"import/{kind}", hashlib.sha256(raw).hexdigest()] == raw
    assert any(source == "import/tickets" and b"ann@example.org" in raw for (source, _), raw in kept.items())


def test_ordered_goods_arrive_once(shop: Steward) -> None:
    """From the run that is watched until it asks, through the approval, to the shelf."""
    run = shop("run", "replenish", "--json")
    assert (run.code, run.json["status"], len(run.json["asks"])) == (0, "waits", 1), run
    assert shop("run", "replenish", "--json").json["joined"]
    order = shop("show", run.json["asks"][0], "--json").json["approval"]["proposal"]["action"]["purchase_order"]
    units = order["lines"][0]["units"] + 1
    slip = shop("edit", run.json["asks"][0], "--set", f"purchase_order.lines.0.units={units}")
    assert (slip.code, "no multiple of the pack of" in slip.err) == (2, True), slip
    assert shop("approve", run.json["asks"][0]).code == 0
    (order,) = shop("state", "list", "purchase-order", "--json").json
    before = {line["sku"]: state(shop, f"stock/{line['sku']}")["on_hand"] for line in order["lines"]}
    said = shop("received", order["purchase_order_id"][:8], "--json")
    assert (said.code, said.json["proposed"]) == (0, None), said
    for sku, units in said.json["received"].items():
        assert state(shop, f"stock/{sku}")["on_hand"] == before[sku] + units
        assert state(shop, f"stock/{sku}")["on_order"] == 0
    assert shop("received", order["purchase_order_id"]).code == 2
    assert "no: the order is received already" in " ".join(shop("show", run.json["run"]).out.split())
    assert "+00:00" not in shop("state", "list", "purchase-order").out


def test_a_digest_is_printed_and_a_run_need_not_be_watched(shop: Steward) -> None:
    """`--no-wait` only starts."""
    assert "##" in shop("run", "digest").out
    said = shop("run", "content", "--no-wait", "--json").json
    assert said["run"].startswith("content-plan/")
    assert "status" not in said


def test_a_policy_changes_by_versions(shop: Steward) -> None:
    """A dry run changes nothing, the difference is shown, and every version can come back."""
    change = ("policies", "set", "support", "--set", "refund_limit=40", "--why", "they are honest", "--json")
    assert shop(*change, "--dry-run").json["version"] is None
    said = shop(*change).json
    assert said["changes"] == [{"field": "refund_limit", "before": "25 EUR", "after": "40 EUR"}]
    assert shop(*change).json["version"] is None
    assert shop("policies", "show", "support", "refund_limit", "--json").json["document"]["amount"] == "40"
    assert shop("policies", "activate", "support", "0", "--json").json["version"] == said["version"] + 1
    history = shop("policies", "history", "support")
    assert "they are honest" in history.out
    assert f"version {said['version'] + 1} in force" in history.out


def test_every_policy_is_listed(shop: Steward) -> None:
    listed = shop("policies", "list")
    assert [name for name in POLICY_TYPES if not re.search(rf"^{name}\b", listed.out, re.MULTILINE)] == []


def test_the_same_file_again_does_nothing_and_says_so(shop: Steward, files: Path) -> None:
    """Before it is done, too."""
    file = str(files / "catalog.csv")
    tried = shop("import", "catalog", file, "--dry-run", "--json").json
    assert (tried["events"], tried["imported"], tried["imported_before"][:2]) == (0, None, "20")
    assert re.search(r"imported before, on 20.*nothing was done", shop("import", "catalog", file).out)
    told = shop("import", "catalog", file, "--cost-ratio", "0.4", "--dry-run").out
    assert "imported before" not in told
    assert "known already, nothing changed" in told


def test_switches_are_recorded(shop: Steward) -> None:
    """The kill switch says why, wherever one looks first; modes narrow."""
    assert shop("kill", "--reason", "something is odd").code == 0
    assert "The kill switch is on: something is odd" in shop("mode").out
    assert "The kill switch is on: something is odd" in shop("status").out
    assert shop("status", "--json").json["kill_switch"] is True
    found = shop("doctor", "--json")
    assert [f["detail"] for f in found.json if not f["ok"]] == ["on: something is odd"]
    assert found.code == 1
    again = shop("kill")
    assert "was on already since 20" in again.out
    assert "something is odd" in again.out
    assert shop("kill", "--off", "--json").json == {"kill_switch": False}
    assert shop("status", "--json").json["kill_switch"] is False
    assert shop("doctor").code == 0
    assert shop("mode", "content/publish-content", "off", "--json").json["modes"] == {"content/publish-content": "off"}
    assert re.search(r"content/publish-content\W+off", shop("mode", "content").out)


def test_a_bypass_has_a_scope_an_end_and_a_reason(shop: Steward) -> None:
    """It is seen where one looks, and ends by hand too; what is not allowed says what is."""
    assert shop("bypass").out == "Nothing is bypassed.\n"
    wrong = (("support", "--for", "25h", "--reason", "x"), ("support", "--for", "2h"), ("sales", "--for", "2h", "--reason", "x"))
    assert [shop("bypass", *words).code for words in wrong] == [2, 2, 2]
    opened = shop("bypass", "replenish/cancel-purchase-order", "--for", "2h", "--reason", "a rush", "--json").json["bypasses"]
    assert [(b["scope"], b["by"], b["reason"]) for b in opened] == [("replenish/cancel-purchase-order", "operator", "a rush")]
    for place in ("mode", "status", "bypass"):
        assert "replenish/cancel-purchase-order is not asked until" in shop(place).out
    assert shop("bypass", "replenish/cancel-purchase-order", "--close", "--json").json == {"bypasses": []}
    assert shop("status", "--json").json["bypasses"] == []


def test_a_breaker_says_when_it_tries_again_and_can_be_reset(shop: Steward) -> None:
    """The reset is on record; what is not open needs none, and a wrong name is told which there are."""

    async def fail_five_times() -> None:
        async with open_system(shop.settings) as system:
            for number in range(5):
                wanted = wish(CancelOrder(order_id="1003", reason="x"), step=f"odd-{number}", run_id=f"odd/{number}")
                await system.memory.ledger.reserve(wanted, connector="odd-shop")
                await system.memory.ledger.begin(wanted.key, now=NOW)
                await system.memory.ledger.settle(wanted.key, EffectStatus.FAILED, error="503", now=NOW)

    asyncio.run(fail_five_times())
    (told,) = (b for b in shop("breaker", "--json").json if b["connector"] == "odd-shop")
    assert (told["state"], told["failures"], told["next_trial_at"]) == ("open", 5, (NOW + timedelta(seconds=300)).isoformat())
    assert re.search(r"odd-shop\W+cancel-order\W+open\W+5\W+with the next effect", shop("breaker").out)
    assert "odd-shop cancel-order" in shop("breaker", "reset", "odd", "cancel-order").err
    assert shop("breaker", "reset", "odd-shop", "cancel-order", "--json").json["state"] == "closed"
    assert shop("breaker", "reset", "odd-shop", "cancel-order").code == 2
    assert "controls.breaker-reset" in shop("log", "tail", "--json").out


def test_an_alert_stays_until_it_is_closed(shop: Steward) -> None:
    """It can be named by a part of its key."""

    async def raise_alert() -> None:
        async with open_system(shop.settings) as system:
            at = datetime.now(UTC)
            alert = Alert(key="test/odd-1", level=AlertLevel.WARNING, text="[b]odd[/b]", what_to_do="look", at=at)
            await record(system, AlertRaised(alert=alert), at=at)

    asyncio.run(raise_alert())
    assert "[b]odd[/b]" in shop("inbox").out
    assert shop("alerts", "--close", "odd-1").code == 0
    assert shop("alerts", "--json").json == {"alerts": []}


def test_a_ticket_can_be_relabelled(shop: Steward) -> None:
    """The label is in the state; saying it again is no second event."""
    ticket = question(shop, "send-reply", "x@evil.example")["proposal"]["run_id"].removeprefix("support/")
    assert shop("relabel", ticket[:12], "spam", "--json").json["after"] == "spam"
    before = shop("log", "verify", "--json").json["events"]
    assert shop("relabel", ticket, "spam").code == 0
    assert shop("log", "verify", "--json").json["events"] == before


def test_schedules_rest_and_go_on(shop: Steward) -> None:
    """Their state is answered at once."""
    assert shop("schedule", "pause", "digest-daily", "--json").json["paused"]
    assert not shop("schedule", "resume", "digest-daily", "--json").json["paused"]
    listed = shop("schedule", "list", "--json").json
    assert sorted(s["id"] for s in listed) == ["content-daily", "digest-daily", "learn-daily", "memory-daily", "replenish-daily"]


def test_it_is_the_same_as_a_process_of_its_own(shop: Steward) -> None:
    """Answers, exit codes and streams."""
    assert shop.process("status").code == 0
    listed = shop.process("state", "list", "order", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert listed.out == shop("state", "list", "order", "--json").out
    refused = shop.process("approve", "nothing")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("there is no question 'nothing'")


def test_a_reader_who_goes_away_is_no_error(shop: Steward) -> None:
    """`steward log tail | head -1` says nothing about pipes."""
    running = shop.started("log", "tail", "-n", "10000", "--json")
    assert running.stdout
    assert running.stderr
    assert running.stdout.readline() == "[\n"
    running.stdout.close()
    assert (running.wait(30), running.stderr.read()) == (0, "")
    running.stderr.close()


def test_the_state_is_what_the_log_says_after_all_this(shop: Steward) -> None:
    """Every row agrees."""
    assert shop("log", "verify").code == 0
    assert shop("state", "rebuild", "--check", "--json").json["ok"]


def _until(fact: Any) -> None:
    deadline = monotonic() + 20
    while not fact():
        assert monotonic() < deadline
        sleep(0.1)
