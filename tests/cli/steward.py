"""The command as a person types it: what it prints and its exit code."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import output
from cli.__main__ import main
from settings import CHECKOUT, Settings


@dataclass(frozen=True)
class Said:
    """``code`` is the exit code; ``out`` and ``err`` are the two streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Steward:
    """The command with a home of its own. Called, it runs in this process, which spares seconds of imports."""

    home: Path

    @property
    def settings(self) -> Settings:
        return Settings.load({"STEWARD_HOME": str(self.home)})

    def __call__(self, *words: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with self._environment(), redirect_stdout(out), redirect_stderr(err):
            code = main(words)
        return Said(code, out.getvalue(), err.getvalue())

    def fed(self, text: str, *words: str) -> Said:
        """With ``text`` on its standard input."""
        before, sys.stdin = sys.stdin, io.StringIO(text)
        try:
            return self(*words)
        finally:
            sys.stdin = before

    def process(
        self,
        *words: str,
        python: tuple[str, ...] = ("-m", "cli"),
        environ: Mapping[str, str] | None = None,
        given: str | None = None,
    ) -> Said:
        """As a process of its own, as ``./steward`` does it; ``given`` is its input."""
        running = self.started(
            *words, python=python, environ=environ, stdin=subprocess.DEVNULL if given is None else subprocess.PIPE
        )
        out, err = running.communicate(given, timeout=60)
        return Said(running.returncode, out, err)

    def started(
        self,
        *words: str,
        python: tuple[str, ...] = ("-m", "cli"),
        environ: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        terminal: int | None = None,
    ) -> "subprocess.Popen[str]":
        """``terminal`` is one that the command has to itself, in place of its three streams."""
        return subprocess.Popen(
            [sys.executable, "-P", *python, *words],
            env={**os.environ, **self._environ(), "PYTHONPATH": str(CHECKOUT), **(environ or {})},
            stdin=stdin if terminal is None else terminal,
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.PIPE if terminal is None else terminal,
            start_new_session=terminal is not None,
            text=True,
        )

    def _environ(self) -> dict[str, str]:
        return {**self.settings.environ(), "COLUMNS": "200"}

    @contextmanager
    def _environment(self) -> Iterator[None]:
        before = dict(os.environ)
        os.environ.update(self._environ())
        output.console.width = 200  # a console made before this test has the width of its own time
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
