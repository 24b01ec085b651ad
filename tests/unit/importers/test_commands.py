"""``steward import`` where it needs no running system: reports, refusals, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.import_commands import import_app

GOOD = "StockCode,description,price\nA1,Mug,9.90\n"
BAD = GOOD + "A2,Cup,free\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "catalog.csv"


def steward_import(*words: str) -> Result:
    return CliRunner().invoke(import_app, list(words))


def dry(file: Path, text: str, *words: str) -> tuple[int, dict[str, Any]]:
    file.write_text(text)
    result = steward_import("catalog", str(file), "--dry-run", "--json", "--map", "sku=StockCode,title=description", *words)
    return result.exit_code, json.loads(result.stdout)


def test_a_dry_run_reads_and_changes_nothing(file: Path) -> None:
    """It needs no running system and says how many events are ready."""
    code, said = dry(file, GOOD)
    assert (code, said["rows"], said["events"], said["imported"]) == (0, 1, 2, None)


def test_rejected_lines_keep_everything_out(file: Path) -> None:
    """Exit code 2, and each line with its column, value and reason."""
    code, said = dry(file, BAD)
    assert code == 2
    assert said["rejected"] == [{"line": 3, "column": "price", "value": "free", "why": "is not a number"}]


def test_partial_accepts_the_good_lines(file: Path) -> None:
    """With --partial the good line is ready and the bad one is still told."""
    code, said = dry(file, BAD, "--partial")
    assert (code, len(said["rejected"])) == (0, 1)


def test_people_see_a_table(file: Path) -> None:
    """Line, column, value, reason, and what to do."""
    file.write_text(BAD)
    result = steward_import("catalog", str(file), "--dry-run", "--map", "sku=StockCode,title=description")
    assert "Rejected: 1 of 2 lines" in result.stdout
    assert "Mend these lines" in result.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["catalog", "nowhere.csv"], "cannot read"),
        (["tickets", "nowhere.mbox", "--dry-run"], "cannot read"),
        (["catalog", "{file}", "--map", "sku"], "maps nothing"),
        (["catalog", "{file}", "--map", "sku=Nope"], "no column Nope"),
        (["catalog", "{file}"], "no column sku"),
        (["catalog", "{file}", "--cost-ratio", "half"], "no share"),
        (["sales", "{file}", "--decimal", "x"], "no decimal mark"),
        (["sales", "{file}", "--currency", "euro"], "no currency"),
        (["tickets", "{file}", "--since", "soon", "--dry-run"], "is not"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_code_2(file: Path, words: list[str], why: str) -> None:
    """What was wrong, and what to say instead."""
    file.write_text(GOOD)
    result = steward_import(*(w.replace("{file}", str(file)) for w in words), "--json")
    assert result.exit_code == 2
    said = json.loads(result.stdout)
    assert why in said["error"]
    assert said["hint"]
