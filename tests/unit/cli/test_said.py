"""What commands say that needs no running system."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import notify_command
from cli.output import console, print_table
from settings import Settings


def test_an_id_in_a_title_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the table under it is: it is there to be copied."""
    monkeypatch.setattr(console, "width", 80)
    title, out = f"po-{'potter-' * 8}2026 is on the shelf", io.StringIO()
    with redirect_stdout(out):
        print_table(title, ("sku",), [("A",)])
    assert title in out.getvalue().splitlines()


def test_a_test_line_that_nobody_gets_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**Settings(home=tmp_path).environ(), "STEWARD_NOTIFY_URLS": ""}.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    notify_command.register(app)
    tried, asked = CliRunner().invoke(app, ["--test"]), CliRunner().invoke(app, [])
    assert (tried.exit_code, "No test line was sent: set STEWARD_NOTIFY_URLS" in tried.stdout) == (1, True)
    assert (asked.exit_code, "Nothing is sent anywhere" in asked.stdout) == (0, True)
