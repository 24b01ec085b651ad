"""``steward experiments list | show | stop | ratify``: what is tried, on what evidence, and how it ended."""

from typing import Annotated, Any

import typer

from cli.assignments import differences
from cli.context import System, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.ratify_commands import ratifier
from cli.times import Times, operators_times
from domain.errors import NotFound
from domain.experiments import Experiment
from domain.policies import POLICY_TYPES, PolicyRecord
from domain.wording import counted

experiments_app = typer.Typer(invoke_without_command=True, help="What is tried on a part of the cases, and on what evidence.")

Which = Annotated[str, typer.Argument(metavar="NAME", help="For example support@3: version 3 of the policy support.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(experiments_app, name="experiments")


@experiments_app.callback()
def experiments(context: typer.Context) -> None:
    """What is tried on a part of the cases, and on what evidence."""
    if context.invoked_subcommand is None:
        experiments_list()


@experiments_app.command("list")
def experiments_list(*, as_json: AsJson = False) -> None:
    """Every experiment, the running ones first."""

    async def work(system: System) -> list[Experiment]:
        return await system.memory.state.find(Experiment)

    found = sorted(with_system(work, as_json=as_json), key=lambda e: (not e.running, -e.started_at.timestamp()))
    if as_json:
        print_json(found)
        return
    rows = [(e.experiment_id, _stands(e), f"{e.share:.0%}", _counts(e), _evidence(e), e.reason or e.why) for e in found]
    print_table("Experiments", ("name", "stands", "share", "seen", "evidence", "why"), rows, empty="nothing was tried yet")


@experiments_app.command("show")
def experiments_show(name: Which, *, as_json: AsJson = False) -> None:
    """One experiment: what it changes, its evidence so far, and its verdict."""

    async def work(system: System) -> tuple[Experiment, list[tuple[str, Any, Any]], Times]:
        experiment, record_ = await _found(system, name)
        changes = differences(_document(record_, experiment.control), _document(record_, experiment.candidate))
        return experiment, changes, await operators_times(system.memory.policies)

    experiment, changes, times = with_system(work, as_json=as_json)
    if as_json:
        print_json({"experiment": experiment, "changes": [{"field": p, "before": a, "after": b} for p, a, b in changes]})
        return
    print_table(name, ("field", "before", "after"), changes)
    facts = [("stands", _stands(experiment)), ("because", experiment.why), ("seen", _counts(experiment))]
    facts += [("evidence of gain", f"{experiment.evidence.win:.2f}")]
    facts += [(f"evidence of harm, {metric}", f"{value:.2f}") for metric, value in experiment.evidence.harm.items()]
    facts += [(f"mean result, {arm}", f"{rate:.1%}") for arm, rate in experiment.evidence.rates.items()]
    facts += [("started", times.clock(experiment.started_at)), ("ends by itself", times.clock(experiment.expires_at))]
    print_table("", ("", ""), [*facts, ("verdict", experiment.reason or "none yet")])


@experiments_app.command("stop")
def experiments_stop(
    name: Which,
    *,
    hard: Annotated[bool, typer.Option("--hard", help="Runs in flight leave the candidate at once, too.")] = False,
    why: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take it back: the version from before is in force from the next decision on."""

    async def work(system: System) -> Experiment:
        return await ratifier(system).stop(name, hard=hard, why=why)

    _print(with_system(work, as_json=as_json), as_json=as_json)


@experiments_app.command("ratify")
def experiments_ratify(name: Which, *, as_json: AsJson = False) -> None:
    """Let a winner that waits for your word go on to everybody."""

    async def work(system: System) -> Experiment:
        return await ratifier(system).let_win(name)

    _print(with_system(work, as_json=as_json), as_json=as_json)


async def _found(system: System, name: str) -> tuple[Experiment, PolicyRecord]:
    experiment = await system.memory.state.get(Experiment, name)
    record_ = await system.memory.state.get(PolicyRecord, experiment.policy) if experiment else None
    if experiment is None or record_ is None:
        raise NotFound(f"there is no experiment {name!r}", hint="`./steward experiments list` shows them")
    return experiment, record_


def _document(record_: PolicyRecord, number: int) -> dict[str, Any]:
    version = record_.version(number)
    return version.document if version else POLICY_TYPES[record_.name]().model_dump(mode="json")


def _stands(experiment: Experiment) -> str:
    if experiment.awaits_operator:
        return "won, waits for you"
    return str(experiment.ending or experiment.stage)


def _counts(experiment: Experiment) -> str:
    seen = experiment.evidence
    return f"{seen.exposed_candidate} of {counted(seen.exposed, 'run')}, {counted(seen.matured, 'result')}"


def _evidence(experiment: Experiment) -> str:
    harm = max(experiment.evidence.harm.values(), default=1.0)
    return f"gain {experiment.evidence.win:.2f}, harm {harm:.2f}"


def _print(experiment: Experiment, *, as_json: bool) -> None:
    if as_json:
        print_json(experiment)
    else:
        say(f"{experiment.experiment_id}: {_stands(experiment)}. {experiment.reason}")
