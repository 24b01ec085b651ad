"""``steward learn``: look back now, or read what the last look back found."""

from typing import Annotated

import typer

from cli.context import System, now, with_system
from cli.output import AsJson, print_json, say
from cli.steering import Steering, with_steering
from domain.errors import NotFound
from domain.learning import LearningReport


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(learn)


def learn(
    *,
    last: Annotated[bool, typer.Option("--last", help="Only read the latest report.")] = False,
    day: Annotated[str, typer.Option(help="Read the report of this day, such as 2026-03-02.")] = "",
    as_json: AsJson = False,
) -> None:
    """What went wrong and why, what is proposed and tried, what was kept or taken back. Runs every night by itself."""

    async def read(system: System) -> LearningReport:
        reports = sorted(await system.memory.state.find(LearningReport), key=lambda r: r.at)
        found = next((r for r in reversed(reports) if day in ("", r.day)), None)
        if found is None:
            raise NotFound(f"there is no report of {day}" if day else "nothing was looked back at yet", hint="`./steward learn`")
        return found

    async def look(system: Steering) -> LearningReport:
        await system.gateway.learn(now=now())
        return await read(system)

    report = with_system(read, as_json=as_json) if last or day else with_steering(look, as_json=as_json)
    if as_json:
        print_json(report)
    else:
        say(report.text)
