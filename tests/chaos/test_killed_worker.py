"""The worker is killed with SIGKILL at every boundary of every step of each workflow, and within each effect."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.chaos.arena import Arena, Report
from tests.chaos.ending import Ending
from tests.chaos.passages import Passage, spread
from tests.chaos.scenarios import ARRIVE, SCENARIOS, Scenario

WORLDS = 3
"""Each scenario is played in so many worlds, whose workers die at every third passage: a world more is one more run to pay for,
a world less one in which more deaths have to wait for each other."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """A scenario played to its end: undisturbed, and with a kill at each of the ``passages`` that were seen then.

    Of a step that several articles take, each passage is one article's, in turn.
    """

    expected: Ending
    passages: Sequence[Passage]
    reports: Sequence[Report]


Plays = Mapping[str, asyncio.Task[Played]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plays(arena: Arena, request: pytest.FixtureRequest) -> AsyncIterator[Plays]:
    """All chosen scenarios side by side: a kill is hardly any work, but it is seconds until the server notices."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.parent is request.node]
    chosen = {test.callspec.params["scenario"] for test in tests}
    tasks = {s.name: asyncio.create_task(play(arena, s)) for s in SCENARIOS if s.name in chosen}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.timeout(600)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scenario", [s.name for s in SCENARIOS])
async def test_a_run_survives_a_kill_anywhere(plays: Plays, scenario: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Wherever the worker dies, the world ends as the undisturbed one: no effect is lost, none is doubled."""
    played = await plays[scenario]
    with capfd.disabled():
        print(f"\n{_counts(scenario, played)}", file=sys.stderr, flush=True)
    assert played.passages
    assert {p.article for p in played.passages if p.article} in (set(), set(ARRIVE))
    assert not played.expected.broken
    assert all(r.kills == len(r.passages) for r in played.reports)
    assert not {" ".join(map(str, r.passages)): r.ending for r in played.reports if r.ending != played.expected}


async def play(arena: Arena, scenario: Scenario) -> Played:
    expected, seen = await arena.undisturbed(scenario)
    passages = spread(seen, worlds=WORLDS)
    deaths = [passages[n::WORLDS] for n in range(min(WORLDS, len(passages)))]
    reports = await asyncio.gather(*(arena.killed_at(scenario, these) for these in deaths))
    return Played(expected=expected, passages=passages, reports=reports)


def _counts(scenario: str, played: Played) -> str:
    reports, expected = played.reports, played.expected
    effects = sum((r.ending.outside for r in reports), Counter[str]())
    lost = sum((r.ending.lost(expected) for r in reports), Counter[str]())
    doubled = sum((r.ending.doubled(expected) for r in reports), Counter[str]())
    articles = Counter(passage.article for passage in played.passages if passage.article)
    shares = ", ".join(f"{kills} of {article}" for article, kills in sorted(articles.items()))
    return (
        f"chaos: {scenario}: {sum(len(r.passages) for r in reports)} points{f' ({shares})' if shares else ''}, "
        f"{sum(r.kills for r in reports)} kills, {effects.total()} effects, {lost.total()} lost, {doubled.total()} doubled"
    )
