"""The kill switch says why it is on, and since when, as long as it is."""

from datetime import timedelta

import memory
from domain.event import new_event
from domain.runs import Controls, KillSwitchSet
from domain.switches import kill_switch_set, on_since
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW


def reason_after(*reasons: str) -> str:
    controls = Controls()
    for reason in reasons:
        controls = kill_switch_set(controls, on=True, reason=reason, by="operator").fold(controls)
    return controls.kill_reason


def test_the_first_reason_stays_until_another_is_given() -> None:
    assert reason_after("strange refunds", "") == "strange refunds"
    assert reason_after("strange refunds", "", "much worse") == "much worse"


def test_a_reason_ends_with_its_switch() -> None:
    on = Controls(kill_switch=True, kill_reason="strange refunds")
    off = kill_switch_set(on, on=False, reason="", by="operator").fold(on)
    assert kill_switch_set(off, on=True, reason="", by="operator").fold(off).kill_reason == ""


async def test_it_is_on_since_it_was_last_turned_on() -> None:
    """Not since it was said again."""
    kept = memory.in_memory(embedder=HashingEmbedder())
    said = [KillSwitchSet(on=on, by="operator") for on in (True, False, True, True)]
    events = [new_event(data, at=NOW + timedelta(hours=n), key=(str(n),)) for n, data in enumerate(said)]
    await kept.log.append(events)
    assert on_since(await kept.log.last(stream="controls/self")) == NOW + timedelta(hours=2)
