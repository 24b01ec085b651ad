"""The whole demo, on its own stack: about half a minute of work on two cores."""

import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

import stack
from demo import home
from demo.day import run_day
from demo.narrator import Narrator
from demo.report import SILENT, UNDONE, WAITING, DemoReport
from demo.rest import until
from demo.running import Running, opened
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.effects import EffectStatus
from settings import Settings

pytestmark = pytest.mark.timeout(300)


async def test_the_demo_loses_nothing_and_leaves_three_runs_that_go_on_later(tmp_path: Path) -> None:
    """A day with a killed worker, over an earlier demo; after ``up`` the open runs wait and go on when approved."""
    settings = Settings(home=tmp_path / "home")
    home.clear(settings.home)
    (settings.home / "data").mkdir()
    (settings.home / "data" / "left-over").touch()
    report = await run_day(settings, seed=7, narrator=Narrator(Console(file=io.StringIO())))
    assert (settings.home / home.PREVIOUS / "data" / "left-over").exists()
    _check_report(report)
    assert stack.endpoints(settings) is None
    await _check_that_open_runs_go_on(settings, report)


def _check_report(report: DemoReport) -> None:
    assert report.integrity.ok
    assert report.integrity.effects_checked > 25
    assert report.kill.pid != report.kill.new_pid
    assert report.kill.mails == 2
    assert Counter(a.workflow for a in report.approvals if a.answer == "open") == {"support": 1, "replenish": 1, "content": 1}
    assert {a.answer for a in report.approvals} == {"open", "approved", "edited", "rejected"}
    assert {row.outcome for row in report.content} >= {UNDONE, WAITING}
    assert {row.trigger for row in report.purchases} == {"the plan of the day", "a sale that crossed a reorder point"}
    assert all(row.outcome == SILENT for row in report.tickets if row.intent == "spam")
    assert not any("secure-payments" in e.summary for e in report.effects)
    assert not any("5,000" in e.summary for e in report.effects)


async def _check_that_open_runs_go_on(settings: Settings, report: DemoReport) -> None:
    endpoints = stack.start(settings)
    try:
        async with opened(settings, endpoints) as running:
            pending = await running.memory.state.find(Approval, status=ApprovalStatus.PENDING)
            assert {a.approval_id for a in pending} == set(report.open_approvals)
            refund = next(a for a in pending if a.proposal.workflow == "support")
            await _approve(running, refund)
            await until(lambda: _is_done(running, refund), what="the approved refund is done")
    finally:
        stack.stop(settings)


async def _approve(running: Running, approval: Approval) -> None:
    decision = Decision(
        decision_id="newcomer",
        approval_id=approval.approval_id,
        verb=Verb.APPROVE,
        digest=approval.proposal.digest,
        by="operator",
    )
    await running.gateway.decide(approval, decision, now=datetime.now(UTC))


async def _is_done(running: Running, approval: Approval) -> bool:
    effects = await running.memory.ledger.effects(run_id=approval.proposal.run_id, status=EffectStatus.COMMITTED)
    return approval.proposal.action in [e.action for e in effects]
