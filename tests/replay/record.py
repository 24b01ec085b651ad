"""Records the histories anew, from undisturbed runs on a stack of its own.

    python -m tests.replay.record            all of them
    python -m tests.replay.record poll       those of the scenarios named

Do it when a workflow is changed on purpose and no run of the old kind is under way any more; otherwise the change
belongs behind ``workflow.patched``, and the old histories have to go on replaying.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

import stack
from memory.migrations import migrate
from settings import Settings
from tests.chaos.arena import furnish, played
from tests.chaos.processes import Orders
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.world import World, new_namespace, opened

HISTORIES = Path(__file__).with_name("histories")


async def record(up: stack.Endpoints, folder: Path, names: Sequence[str]) -> None:
    """Play every scenario, or those named, in a world of its own and keep the history of each of its runs."""
    for scenario in (s for s in SCENARIOS if not names or s.name in names):
        home = folder / scenario.name
        home.mkdir()
        orders = Orders(
            database_url=await _database(up, scenario),
            chroma_url=up.chroma_url,
            temporal_address=up.temporal_address,
            namespace=await new_namespace(up.temporal_address),
            home=home,
        )
        async with opened(orders) as world:
            await furnish(world, scenario)
            await played(scenario, world)
            await _keep(world, scenario)


async def _keep(world: World, scenario: Scenario) -> None:
    for run_id in scenario.runs:
        history = (await world.client.get_workflow_handle(run_id).fetch_history()).to_json_dict()
        name = f"{scenario.name}-{run_id.partition('/')[0]}.json"
        (HISTORIES / name).write_text(json.dumps(_impersonal(history), separators=(",", ":")) + "\n")
        print(f"{run_id}: {len(history['events'])} events")


def _impersonal(value: Any) -> Any:
    """Without the names of the machine and the processes that took part."""
    match value:
        case dict():
            return {name: "worker" if name == "identity" else _impersonal(part) for name, part in value.items()}
        case list():
            return [_impersonal(part) for part in value]
    return value


async def _database(up: stack.Endpoints, scenario: Scenario) -> str:
    with psycopg.connect(up.database_url, autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(scenario.name)))
    url = make_conninfo(up.database_url, dbname=scenario.name)
    await migrate(url)
    return url


def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load({"STEWARD_HOME": f"{folder}/home"})
        try:
            asyncio.run(record(stack.start(settings, worker=False), Path(folder), sys.argv[1:]))
        finally:
            stack.stop(settings)


if __name__ == "__main__":
    main()
