"""Fingerprints of workflows: the ordered calls that issue commands, read from the source.

A running workflow replays its history against today's code. When the order of its commands changes, old runs break
unless the change is guarded by ``workflow.patched``; the committed fingerprints make such a change visible.

    python -m tests.replay.fingerprints    writes them anew
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import worker

COMMANDS = {
    "execute_activity_method",
    "start_child_workflow",
    "wait_condition",
    "sleep",
    "gather",
    "upsert_search_attributes",
    "continue_as_new",
    "get_external_workflow_handle",
    "patched",
    "uuid4",
}
ROOT = Path(__file__).resolve().parents[2]
COMMITTED = Path(__file__).with_name("fingerprints.json")


def fingerprints() -> dict[str, list[str]]:
    """``{"module.Class.function": ["command first-argument", ...]}`` for every function that issues commands."""
    found: dict[str, list[str]] = {}
    for name in sources():
        for place, function in _functions(_tree(name), name):
            nodes = [n for n in ast.walk(function) if isinstance(n, ast.Call) and _name(n) in COMMANDS]
            calls = [_described(n) for n in sorted(nodes, key=lambda n: (n.lineno, n.col_offset))]
            if calls:
                found[place] = calls
    return found


def sources() -> list[str]:
    """Every module of ``workflows/`` that the code of a workflow comes from: its own, and what that imports, and so on."""
    found = dict.fromkeys(run.__module__.removeprefix("workflows.") for run in worker.WORKFLOWS)
    for name in (waiting := list(found)):
        new = [imported for imported in _imports(_tree(name)) if imported not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return sorted(found)


def _tree(name: str) -> ast.Module:
    return ast.parse((ROOT / "workflows" / f"{name}.py").read_text())


def _imports(tree: ast.Module) -> list[str]:
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    whole = [alias.name for n in found if n.module == "workflows" for alias in n.names]
    return [*whole, *(str(n.module).removeprefix("workflows.") for n in found if str(n.module).startswith("workflows."))]


def _functions(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """With the classes they are in, since two classes of a module may each have a ``run``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.AsyncFunctionDef | ast.FunctionDef):
            yield f"{place}.{child.name}", child
            yield from _functions(child, f"{place}.{child.name}")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{place}.{child.name}")


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _described(call: ast.Call) -> str:
    first = (
        ast.unparse(call.args[0])
        if call.args and _name(call) in {"execute_activity_method", "start_child_workflow", "patched"}
        else ""
    )
    return f"{_name(call)} {first}".strip()


if __name__ == "__main__":
    COMMITTED.write_text(json.dumps(fingerprints(), indent=2) + "\n")
