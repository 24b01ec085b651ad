"""Kill switch and bypasses, for commands that say how things are even where the memory does not answer."""

import asyncio
import logging
from datetime import datetime

import stack
from cli.times import Times, operators_times
from domain.runs import Controls
from domain.switches import open_bypasses
from settings import Settings

_WITHIN = 3.0  # seconds


def read_controls(settings: Settings, found: stack.StackStatus) -> tuple[Controls, Times] | None:
    """The operator's switches and the zone of their times; None where nothing runs, or it does not answer in time."""
    if found.phase != "running":
        return None
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # what it complains of is not for the operator
    try:
        return asyncio.run(asyncio.wait_for(_controls(settings), _WITHIN))
    except Exception:  # noqa: BLE001 - whatever is wrong with the memory, the parts are shown all the same
        return None


def banner(controls: Controls) -> str:
    """One line where the switch is on, else nothing."""
    return f"The kill switch is on: {reason(controls)}. `./steward kill --off` ends it." if controls.kill_switch else ""


def bypass_lines(controls: Controls, times: Times, *, at: datetime) -> list[str]:
    """One line for each bypass that is open."""
    return [
        f"{b.scope} is not asked until {times.clock(b.until)}: {b.reason}. `./steward bypass {b.scope} --close` ends it."
        for b in open_bypasses(controls, at)
    ]


def reason(controls: Controls) -> str:
    return controls.kill_reason or "no reason given"


async def _controls(settings: Settings) -> tuple[Controls, Times]:
    from cli.context import open_system  # noqa: PLC0415 - it imports the memory, which takes longer than the rest of `status`

    async with open_system(settings) as system:
        controls = await system.memory.state.get(Controls, "self") or Controls()
        return controls, await operators_times(system.memory.policies)
