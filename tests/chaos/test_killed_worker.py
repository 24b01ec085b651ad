"""The worker is killed with SIGKILL at every boundary of every step of each workflow, and within each effect."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.chaos.arena import Arena, Report
from tests.chaos.ending import Ending
from tests.chaos.scenarios import SCENARIOS, Scenario

WORLDS = 6
"""Each scenario is played in so many worlds, whose workers die at every sixth passage: as many as the longest step has."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
async def test_a_run_survives_a_kill_anywhere(arena: Arena, scenario: Scenario, capfd: pytest.CaptureFixture[str]) -> None:
    """Wherever the worker dies, the world ends as the undisturbed one: no effect is lost, none is doubled."""
    expected, passages = await arena.undisturbed(scenario)
    deaths = [passages[n::WORLDS] for n in range(min(WORLDS, len(passages)))]
    reports = await asyncio.gather(*(arena.killed_at(scenario, these) for these in deaths))
    with capfd.disabled():
        print(f"\n{_counts(scenario, expected, reports)}", file=sys.stderr, flush=True)
    assert passages
    assert not expected.broken
    assert all(r.kills == len(r.passages) for r in reports)
    assert not {" ".join(map(str, r.passages)): r.ending for r in reports if r.ending != expected}


def _counts(scenario: Scenario, expected: Ending, reports: Sequence[Report]) -> str:
    effects = sum((r.ending.outside for r in reports), Counter[str]())
    lost = sum((r.ending.lost(expected) for r in reports), Counter[str]())
    doubled = sum((r.ending.doubled(expected) for r in reports), Counter[str]())
    return (
        f"chaos: {scenario.name}: {sum(len(r.passages) for r in reports)} points, {sum(r.kills for r in reports)} kills, "
        f"{effects.total()} effects, {lost.total()} lost, {doubled.total()} doubled"
    )
