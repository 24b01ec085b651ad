"""``steward log | state | memory``: looking at what is remembered, and proving it."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli import rebuild_command, upkeep_commands
from cli.context import open_system
from cli.output import EXIT_FAILED, AsJson, complain, print_json, print_table, run, say
from cli.progress import progress
from cli.times import Times, operators_times
from domain.catalogue import ENTITY_TYPES, split_stream
from domain.deliveries import not_on_sale
from domain.entities import Stock
from domain.errors import InvalidInput, NotFound
from domain.event import Event, new_event
from domain.knowledge import Fact, Head, Recalled, Verification
from domain.model import Value
from domain.notes import note_taken
from domain.wording import counted
from memory.timeline import Timeline

log_app = typer.Typer(no_args_is_help=True, help="The event log: everything that ever happened, in order.")
state_app = typer.Typer(no_args_is_help=True, help="The state of the business, as the log makes it.")
memory_app = typer.Typer(no_args_is_help=True, help="Facts and texts that can be recalled.")

_FOLLOW_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(log_app, name="log")
    rebuild_command.register(state_app)
    app.add_typer(state_app, name="state")
    upkeep_commands.register(memory_app)
    app.add_typer(memory_app, name="memory")


Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many to show.")]
When = Annotated[str | None, typer.Option(help="A time, for example 2026-03-01 or 2026-03-01T08:00+01:00; UTC by default.")]


@log_app.command("verify")
def verify(
    *,
    anchor: Annotated[str, typer.Option(help="SEQ:HASH noted elsewhere, in place of the last one noted here.")] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute every hash of the log, which must contain the head noted last. Exit 1 when anything was changed or removed."""

    async def work() -> Verification:
        with progress("verifying", quiet=as_json) as watch:
            async with open_system() as system:
                noted = await system.memory.anchors.last()
                known = _head(anchor) or (noted.head if noted else None)
                return await system.memory.log.verify(anchor=known, progress=watch)

    result = run(work, as_json=as_json)
    if as_json:
        print_json({**result.model_dump(mode="json"), "ok": result.ok})
    elif result.ok:
        say(f"{counted(result.events, 'event')} verified; nothing was changed, removed or cut off", style="green")
        say(f"note this to prove it later: --anchor {result.head.seq}:{result.head.hash}")
    else:
        hint = "stop new effects with `./steward kill`, keep the database as it is, and compare it with a backup"
        complain(f"the log does not verify: {result.problem}", hint=hint, kind="ChainBroken", as_json=False)
    if not result.ok:
        raise typer.Exit(EXIT_FAILED)


@log_app.command("tail")
def tail(
    *,
    limit: Limit = 20,
    stream: Annotated[str, typer.Option(help="Only this stream, for example order/1001.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last events, and those that follow."""

    async def work() -> None:
        if stream:
            split_stream(stream)
        async with open_system() as system:
            events = list(reversed(await system.memory.log.last(stream=stream, limit=limit)))
            if as_json and not follow:
                print_json(events)
                return
            after = events[-1].seq if events else (await system.memory.log.head()).seq
            times = await operators_times(system.memory.policies)
            _print_events(events, times, as_json=as_json)
            if follow:
                await _follow(system.memory.log, times, after=after, stream=stream, as_json=as_json)

    run(work, as_json=as_json)


async def _follow(log: Timeline, times: Times, *, after: int, stream: str, as_json: bool) -> None:
    while True:
        events = await log.read(after=after, stream=stream)
        _print_events(events, times, as_json=as_json)
        after = events[-1].seq if events else after
        await asyncio.sleep(_FOLLOW_SECONDS)


def _print_events(events: Sequence[Event], times: Times, *, as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.model_dump(mode="json")), flush=True)  # one line an event, for programs that follow
        else:
            say(f"{event.seq:>7}  {times.stamp(event.at)}  {event.type:<28} {event.stream}  ({event.actor})")


@state_app.command("show")
def show(
    stream: Annotated[str, typer.Argument(metavar="KIND/ID", help="For example product/MUG-01.")], as_json: AsJson = False
) -> None:
    """Show one entity as it stands."""

    async def work() -> tuple[Value, int]:
        kind, key = split_stream(stream)
        async with open_system() as system:
            entity = await system.memory.state.get(ENTITY_TYPES[kind], key)
            if entity is None:
                raise NotFound(f"there is no {stream}", hint=f"`./steward state list {kind}` shows what there is")
            return entity, await system.memory.state.version(ENTITY_TYPES[kind], key)

    entity, version = run(work, as_json=as_json)
    if as_json:
        print_json({"stream": stream, "version": version, "body": entity})
    else:
        say(f"{stream}, version {version}", style="bold")
        if isinstance(entity, Stock) and (waits := not_on_sale(entity)):
            say(waits)
        print_json(entity)


@state_app.command("list")
def list_state(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(ENTITY_TYPES))}.")],
    *,
    where: Annotated[list[str] | None, typer.Option(help="FIELD=VALUE; repeat as needed.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the entities of one kind."""

    async def work() -> tuple[list[Any], Times]:
        if kind not in ENTITY_TYPES:
            raise InvalidInput(f"there is no kind {kind!r}", hint=f"there are {', '.join(sorted(ENTITY_TYPES))}")
        async with open_system() as system:
            found = await system.memory.state.find(ENTITY_TYPES[kind], **_conditions(where or []))
            return found, await operators_times(system.memory.policies)

    found, times = run(work, as_json=as_json)
    if as_json:
        print_json(found)
        return
    columns = _columns(kind)
    print_table(f"{len(found):,} × {kind}", columns, [[_cell(getattr(e, c), times) for c in columns] for e in found], empty="none")


@memory_app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    *,
    about: Annotated[list[str] | None, typer.Option(help="An entity the text should be about, as KIND/ID.")] = None,
    limit: Limit = 8,
    as_json: AsJson = False,
) -> None:
    """Search the remembered texts by words, by meaning and by entity."""

    async def work() -> list[Recalled]:
        async with open_system() as system:
            return await system.memory.recall.search(query, entities=about or (), limit=limit, now=datetime.now(UTC))

    found = run(work, as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [(f"{r.score:.4f}", r.passage.passage_id, _ranks(r), " ".join(r.passage.text.split())[:160]) for r in found]
    print_table("Found", ("score", "passage", "rank by", "text"), rows)


@memory_app.command("facts")
def facts(
    subject: Annotated[str, typer.Argument(help="For example product/MUG-01.")],
    *,
    predicate: Annotated[str, typer.Option(help="Only this predicate.")] = "",
    world: When = None,
    belief: When = None,
    history: Annotated[bool, typer.Option("--history", help="Everything ever believed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the facts about a subject: now, as of a time in the world, as believed at a time, or all of them."""

    async def work() -> tuple[list[Fact], Times]:
        now = datetime.now(UTC)
        async with open_system() as system:
            if history:
                found = await system.memory.facts.history(subject)
            elif world or belief:
                found = await system.memory.facts.as_of(subject, world=_moment(world) or now, belief=_moment(belief) or now)
            else:
                found = await system.memory.facts.current(subject)
            times = await operators_times(system.memory.policies)
        return [fact for fact in found if predicate in ("", fact.predicate)], times

    found, times = run(work, as_json=as_json)
    if as_json:
        print_json(found)
        return
    rows = [
        (f.predicate, f.object, f.status, _span(f.valid_from, f.valid_to, times), _span(f.believed_from, f.believed_to, times))
        for f in found
    ]
    print_table(f"Facts about {subject}", ("predicate", "value", "status", "holds", "believed"), rows, empty="none")


@memory_app.command("note")
def note(
    text: Annotated[str, typer.Argument(help="What is worth remembering.")],
    *,
    about: Annotated[list[str] | None, typer.Option(help="What it is about, e.g. product/MUG-01; repeat as needed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell Steward something that no record says; later decisions find it."""

    async def work() -> str:
        now = datetime.now(UTC)
        taken = note_taken(text, about=about or (), at=now)
        async with open_system() as system:
            await system.memory.log.append([new_event(taken, at=now, key=(str(uuid4()),), actor="operator")])
        return taken.note.passage_id

    passage_id = run(work, as_json=as_json)
    if as_json:
        print_json({"note": passage_id})
    else:
        say("noted")


@memory_app.command("reindex")
def reindex(*, as_json: AsJson = False) -> None:
    """Drop the vector index and rebuild it from the database."""

    async def work() -> int:
        async with open_system() as system:
            return await system.memory.recall.reindex()

    number = run(work, as_json=as_json)
    if as_json:
        print_json({"passages": number})
    else:
        say(f"{number:,} texts indexed anew")


def _head(anchor: str) -> Head | None:
    if not anchor:
        return None
    seq, _, hash_ = anchor.partition(":")
    if not seq.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", hash_):
        raise InvalidInput(f"{anchor!r} is not an anchor", hint="it is SEQ:HASH as `./steward log verify` prints it")
    return Head(seq=int(seq), hash=hash_)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a time", hint="for example 2026-03-01 or 2026-03-01T08:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _conditions(where: Sequence[str]) -> dict[str, str]:
    pairs = [condition.partition("=") for condition in where]
    if wrong := [name for name, sign, _ in pairs if not sign or not name]:
        raise InvalidInput(f"{wrong[0]!r} is not a condition", hint="write FIELD=VALUE, for example status=open")
    return {name: value for name, _, value in pairs}


def _columns(kind: str) -> list[str]:
    """The first fields that fit into a cell."""
    fields = ENTITY_TYPES[kind].model_fields
    return [name for name, field in fields.items() if not str(field.annotation).startswith(("tuple", "dict"))][:6]


def _cell(value: object, times: Times) -> str:
    if value is None:
        return ""
    text = times.stamp(value) if isinstance(value, datetime) else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _ranks(recalled: Recalled) -> str:
    return ", ".join(f"{signal} {rank}" for signal, rank in sorted(recalled.ranks.items()))


def _span(start: datetime, end: datetime | None, times: Times) -> str:
    return f"{times.stamp(start)} – {times.stamp(end)}" if end else f"since {times.stamp(start)}"
