"""What import-linter cannot look into, since it is no package: the composition root and the settings."""

import ast

import pytest

from settings import CHECKOUT

ABOVE = {"cli", "console", "demo", "bench", "tests"}
ROOMS = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} | {"worker", "staff", "settings"}


def imported(name: str) -> set[str]:
    """The rooms that a module takes anything from, wherever in it that is."""
    nodes = list(ast.walk(ast.parse((CHECKOUT / name).read_text())))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {module.partition(".")[0] for module in whole | parts} & ROOMS


@pytest.mark.parametrize("name", ["worker.py", "staff.py"])
def test_the_composition_root_is_below_whoever_steers_it(name: str) -> None:
    """It binds the rooms under it, and knows no page, command or demonstration."""
    assert "activities" in imported("staff.py")
    assert not imported(name) & ABOVE


def test_building_the_staff_is_not_running_it() -> None:
    """Nor does it read the environment or know the servers."""
    assert not imported("staff.py") & {"worker", "settings", "stack"}


def test_the_settings_know_the_words_and_nothing_else() -> None:
    """Whoever reads them gets no room into the bargain."""
    assert imported("settings.py") == {"domain"}
