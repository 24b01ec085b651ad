"""The command before anything runs: help, wrong words, nothing there."""

import inspect

import pytest

from cli.table_of_contents import CONTENTS, command
from models.embedding import WordLlamaEmbedder
from models.late_embedding import LateEmbedder
from tests.cli.steward import Steward

NAMES = [entry.name for entry in CONTENTS]
HEAVY = ("temporalio", "sklearn", "scipy", "chromadb", "wordllama", "anthropic", "worker")

WRONG = (
    ["inbx"],
    ["inbox", "--jsn"],
    ["show"],
    ["approve"],
    ["snooze", "x", "--for", "soon"],
    ["settle", "x"],
    ["run"],
    ["run", "away"],
    ["mode", "support", "maybe"],
    ["rollback"],
    ["cancel"],
    ["policies", "nope"],
    ["policies", "set", "support"],
    ["policies", "activate", "support", "first"],
    ["breaker", "rest"],
    ["breaker", "reset", "shop"],
    ["schedule", "pause"],
    ["import", "nonsense", "x.csv"],
    ["import", "sales"],
    ["received"],
    ["relabel", "x"],
    ["log", "tail", "-n", "0"],
    ["state", "rebuild"],
    ["memory", "search"],
    ["logs", "nonsense"],
    ["demo", "--seed", "x"],
    ["console", "--stdin"],
    ["token", "issue", "phone"],
    ["token", "issue", "phone", "--scope", "fly"],
    ["token", "issue", "phone", "--scope", "read", "--days", "0"],
)
NEEDS_A_SHOP = (
    ["inbox"],
    ["show", "x"],
    ["approve", "x"],
    ["edit", "x", "--set", "a=1"],
    ["reject", "x", "--reason", "no"],
    ["snooze", "x"],
    ["alerts", "--close", "x"],
    ["settle", "x", "--happened"],
    ["run", "digest"],
    ["mode", "support", "auto"],
    ["kill"],
    ["rollback", "x", "--yes"],
    ["cancel", "x"],
    ["policies", "set", "support", "--set", "refund_limit=1"],
    ["breaker"],
    ["breaker", "reset", "shop", "refund-order"],
    ["schedule", "list"],
    ["shop"],
    ["received", "x"],
    ["relabel", "x", "late"],
    ["log", "verify"],
    ["state", "show", "order/1"],
    ["memory", "search", "x"],
    ["console"],
    ["token", "issue", "x", "--scope", "read"],
    ["token", "list"],
    ["token", "revoke", "x"],
)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_its_help(nobody: Steward, name: str) -> None:
    """The table of contents says what the command's own help begins with."""
    (entry,) = (e for e in CONTENTS if e.name == name)
    own = inspect.cleandoc(command(name).help)
    said = nobody(name, "--help")
    assert said.code == 0
    assert f"Usage: steward {name}" in said.out
    assert own.startswith(entry.summary.rstrip(".")[:20])


def test_the_first_page_lists_every_command(nobody: Steward) -> None:
    """Bare `steward` shows it too, and says with its exit code that nothing was done."""
    said = nobody("--help")
    assert said.code == 0
    assert [name for name in NAMES if name not in said.out] == []
    assert nobody().code == 2


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_request_is_one_line_and_what_to_say_instead(nobody: Steward, words: list[str]) -> None:
    """Exit code 2, no traceback; for programs the same as JSON."""
    said, for_programs = nobody(*words), nobody(*words, "--json")
    assert (said.code, for_programs.code) == (2, 2)
    assert len(said.err.strip().splitlines()) == 2
    assert set(for_programs.json) == {"error", "hint", "kind"}
    assert for_programs.json["hint"]


@pytest.mark.parametrize("words", NEEDS_A_SHOP, ids=" ".join)
def test_without_a_running_steward_each_command_says_how_to_start_it(nobody: Steward, words: list[str]) -> None:
    """Exit code 1: the request is right, the world is not."""
    said, for_programs = nobody(*words), nobody(*words, "--json")
    assert (said.code, for_programs.code) == (1, 1)
    assert for_programs.json == {"error": "Steward is not running", "hint": "start it with `./steward up`", "kind": "SetupError"}
    assert said.err.splitlines() == ["Steward is not running", "  start it with `./steward up`"]


def test_a_misspelt_setting_is_one_line(nobody: Steward) -> None:
    """The variable is named, and no command runs on a guess."""
    said = nobody.process("inbox", "--json", environ={"DATABASE_URL": "mysql://x"})
    assert said.code == 1
    assert said.json["error"].startswith("DATABASE_URL is not valid")


def test_everyday_commands_import_nothing_heavy(nobody: Steward) -> None:
    """What decides how fast they start: together they import less than one approval does."""
    everyday = ["status", "inbox", "show", "alerts", "mode", "kill", "policies", "shop", "relabel", "log", "import", "demo"]
    code = f"import sys; from cli.table_of_contents import command; [command(n) for n in {everyday}]; print(*sys.modules)"
    loaded = nobody.process(code, python=("-c",)).out.split()
    assert [e.home for e in CONTENTS if e.name in everyday and f"cli.{e.home}" not in loaded] == []
    assert [module for module in HEAVY if module in loaded] == []


def test_completion_is_for_the_name_people_type(nobody: Steward) -> None:
    """`./steward` and `steward` complete alike, with the names of commands and of what they take."""
    as_told = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # the shell is the one that is named, not the one above us
    shown = nobody.process("--show-completion", "bash", environ=as_told).out
    assert "complete -o default -F _steward_completion steward" in shown
    typed = {"COMP_WORDS": "steward policies show s", "COMP_CWORD": "3", "_STEWARD_COMPLETE": "complete_bash"}
    assert nobody.process(environ=typed).out.split() == ["support", "stock"]


def test_the_late_embedder_is_the_bundled_one() -> None:
    """Same vectors, so the same index."""
    late, real = LateEmbedder(), WordLlamaEmbedder()
    assert (late.name, late.dimensions) == (real.name, real.dimensions)
    assert late.embed(["a mug"]).tolist() == real.embed(["a mug"]).tolist()
