"""Fingerprints of workflows: the ordered calls that issue commands, read from the source.

A running workflow replays its history against today's code. When the order of its commands changes, old runs break
unless the change is guarded by ``workflow.patched``; the committed fingerprints make such a change visible.

    python -m tests.replay.fingerprints    writes them anew
"""

import ast
import json
from pathlib import Path

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
SOURCES = (
    "governed_action",
    "questions",
    "governed_workflow",
    "support_triage",
    "stock_replenishment",
    "seo_content",
    "rollback",
    "digest",
    "memory_upkeep",
    "rollout",
    "learning_cycle",
    "attention",
    "polling",
)


def fingerprints() -> dict[str, list[str]]:
    """``{"module.function": ["command first-argument", ...]}`` for every function that issues commands."""
    found: dict[str, list[str]] = {}
    for name in SOURCES:
        tree = ast.parse((ROOT / "workflows" / f"{name}.py").read_text())
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.FunctionDef)):
            nodes = [n for n in ast.walk(function) if isinstance(n, ast.Call) and _name(n) in COMMANDS]
            calls = [_described(n) for n in sorted(nodes, key=lambda n: (n.lineno, n.col_offset))]
            if calls:
                found[f"{name}.{function.name}"] = calls
    return found


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
