"""``steward policies list | show | set | history | activate``: the rules, each version of them kept."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.assignments import assigned, differences, is_money
from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.ratify_commands import add_to
from cli.times import Times, operators_times
from domain.errors import InvalidInput, NotFound
from domain.policies import POLICY_TYPES, PolicyActivated, PolicyRecord, PolicyVersion
from domain.problems import first_problem

policy_app = typer.Typer(no_args_is_help=True, help="The rules: limits, windows, hours, languages. Every change is a version.")

_NAMES = f"One of {', '.join(POLICY_TYPES)}."
Which = Annotated[str, typer.Argument(metavar="NAME", help=_NAMES, autocompletion=completing(POLICY_TYPES))]
Why = Annotated[str, typer.Option(help="A word for the record.")]
Change = tuple[str, dict[str, Any], dict[str, Any], PolicyVersion | None]
"""Name, document before and after, and the version that came into force; None where nothing changes."""


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    add_to(policy_app)
    app.add_typer(policy_app, name="policies")


@policy_app.command("list")
def policy_list(*, as_json: AsJson = False) -> None:
    """The policies and their versions in force; version 0 is what Steward comes with."""

    async def work(system: System) -> tuple[dict[str, PolicyRecord], Times]:
        records = {found.name: found for found in await system.memory.state.find(PolicyRecord)}
        return records, await operators_times(system.memory.policies)

    records, times = with_system(work, as_json=as_json)
    found = [{"name": name, "version": r.active if (r := records.get(name)) else 0} for name in POLICY_TYPES]
    if as_json:
        print_json(found)
        return
    rows = [_row(name, records.get(name), times) for name in POLICY_TYPES]
    print_table("Policies", ("name", "version", "since", "why"), rows)
    say("\n./steward policies show NAME    policies set NAME --set field=value")


@policy_app.command("show")
def policy_show(
    name: Which,
    field: Annotated[str, typer.Argument(help="Only this part of it, such as playbooks.damaged.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """The document in force, or one part of it."""

    async def work(system: System) -> tuple[int, dict[str, Any]]:
        found = await record_of(system, name)
        return found.active if found else 0, _part(_document(name, found), field)

    version, document = with_system(work, as_json=as_json)
    if as_json:
        print_json({"name": name, "version": version, "document": document})
    else:
        print_table(f"{name}, version {version}", ("field", "value"), _rows(_opened(document), field))


@policy_app.command("set")
def policy_set(
    name: Which,
    *,
    field: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help="refund_limit=40, languages=en,de; repeat.")],
    why: Why = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change fields: a new version, in force at once."""
    _change(name, lambda _, document: assigned(document, field, grow=True), why=why, dry_run=dry_run, as_json=as_json)


@policy_app.command("history")
def policy_history(name: Which, *, as_json: AsJson = False) -> None:
    """Every version, and what each changed."""

    async def work(system: System) -> tuple[int, list[tuple[PolicyVersion, list[tuple[str, Any, Any]]]], Times]:
        found, times = await record_of(system, name), await operators_times(system.memory.policies)
        if found is None:
            return 0, [], times
        versions = sorted(found.versions, key=lambda v: v.version)
        before = [_defaults(name), *(v.document for v in versions)]
        return found.active, [(v, differences(was, v.document)) for was, v in zip(before, versions, strict=False)], times

    active, versions, times = with_system(work, as_json=as_json)
    if as_json:
        print_json({"name": name, "active": active, "versions": [v for v, _ in versions]})
        return
    rows = [
        (
            f"{v.version}{' *' if v.version == active else ''}",
            times.clock(v.at),
            v.approved_by,
            v.why,
            "\n".join(map(_line, changes)),
        )
        for v, changes in versions
    ]
    print_table(f"{name}, version {active} in force", ("version", "at", "by", "why", "changed"), rows, empty="never changed")


@policy_app.command("activate")
def policy_activate(
    name: Which,
    version: Annotated[int, typer.Argument(help="A version of `policies history`; 0 is what Steward comes with.")],
    *,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Bring an earlier version into force again; as a new version, so that the history stays true."""

    def earlier(found: PolicyRecord | None, _document: dict[str, Any]) -> dict[str, Any]:
        known = {0: _defaults(name), **{v.version: v.document for v in (found.versions if found else ())}}
        if version not in known:
            raise NotFound(f"{name} has no version {version}", hint=f"`./steward policies history {name}` shows them")
        return known[version]

    _change(name, earlier, why=why or f"version {version} again", dry_run=False, as_json=as_json)


def _row(name: str, found: PolicyRecord | None, times: Times) -> tuple[str, int, str, str]:
    version = found.in_force if found else None
    return (name, version.version, times.clock(version.at), version.why) if version else (name, 0, "", "")


def _change(
    name: str,
    make: Callable[[PolicyRecord | None, dict[str, Any]], dict[str, Any]],
    *,
    why: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    async def work(system: System) -> Change:
        found = await record_of(system, name)
        before = _document(name, found)
        after = _valid(name, make(found, before))
        if name == "approval" and OPERATOR not in after["deciders"]:
            raise InvalidInput(f"without {OPERATOR} among the deciders nobody could decide here", hint="name others beside it")
        if before == after or dry_run:
            return name, before, after, None
        return name, before, after, await activate(system, name, found, after, why)

    _print_change(with_system(work, as_json=as_json), dry_run=dry_run, as_json=as_json)


async def activate(system: System, name: str, found: PolicyRecord | None, document: dict[str, Any], why: str) -> PolicyVersion:
    """Bring ``document`` into force as the operator's own version, unless another one came in between."""
    at = now()
    number = found.next_version if found else 1
    version = PolicyVersion(version=number, document=document, proposed_by=OPERATOR, approved_by=OPERATOR, at=at, why=why)
    stream = await system.memory.state.version(PolicyRecord, name)
    await record(system, PolicyActivated(name=name, version=version), at=at, expected={f"policy/{name}": stream})
    return version


async def record_of(system: System, name: str) -> PolicyRecord | None:
    """All versions of a policy; None where it was never changed. Raises NotFound."""
    if name not in POLICY_TYPES:
        raise NotFound(f"there is no policy {name!r}", hint=f"there are {', '.join(POLICY_TYPES)}")
    return await system.memory.state.get(PolicyRecord, name)


def _document(name: str, found: PolicyRecord | None) -> dict[str, Any]:
    """In force, with the defaults of fields that are newer than it."""
    version = found.in_force if found else None
    return _valid(name, version.document) if version else _defaults(name)


def _defaults(name: str) -> dict[str, Any]:
    return POLICY_TYPES[name]().model_dump(mode="json")


def _valid(name: str, document: dict[str, Any]) -> dict[str, Any]:
    try:
        return POLICY_TYPES[name].model_validate(document).model_dump(mode="json")
    except ValidationError as error:
        where, problem = first_problem(error)
        raise InvalidInput(f"{name}.{where}: {problem}", hint=f"`./steward policies show {name}` shows its fields") from error


def _part(document: dict[str, Any], field: str) -> Any:
    part: Any = document
    for name in field.split(".") if field else ():
        if not isinstance(part, dict) or name not in part:
            there = f"there is {', '.join(part)}" if isinstance(part, dict) else "leave the last part out"
            raise InvalidInput(f"there is no field {field}", hint=there)
        part = part[name]
    return part


def _rows(part: Any, path: str) -> list[tuple[str, Any]]:
    """(path, value); what lies deeper than two levels is only named, so that a page stays a page."""
    if not isinstance(part, dict):
        return [(path, part)]
    depth = 0 if path else 1
    return [row for name, value in part.items() for row in _row_of(f"{path}.{name}" if path else name, value, depth)]


def _row_of(path: str, value: Any, depth: int) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [(path, value)]
    if depth == 0 or any(isinstance(inner, dict) for inner in value.values()):
        return [(path, f"{', '.join(value)} (see: policies show NAME {path})")]
    return [(f"{path}.{name}", inner) for name, inner in value.items()]


def _print_change(change: Change, *, dry_run: bool, as_json: bool) -> None:
    name, before, after, version = change
    changes = differences(_opened(before), _opened(after))
    if as_json:
        told = [{"field": path, "before": was, "after": is_} for path, was, is_ in changes]
        print_json({"name": name, "version": version.version if version else None, "changes": told})
        return
    print_table(name, ("field", "before", "after"), changes, empty="nothing changes")
    if version:
        say(f"version {version.version} of {name} is in force")
    elif changes and dry_run:
        say("dry run: nothing was changed")


def _line(change: tuple[str, Any, Any]) -> str:
    path, was, is_ = change
    return f"{path}: {was} -> {is_}"


def _opened(value: Any) -> Any:
    """Money as one text, so that it is one leaf."""
    if is_money(value):
        return f"{value['amount']} {value['currency']}"
    return {k: _opened(v) for k, v in value.items()} if isinstance(value, dict) else value
