"""What passed between Steward and a system while its connection was in dry-run: a file of JSON lines, private to its owner.

Replay answers from it. A question that was asked twice has the later answer.
"""

import json
import os
from pathlib import Path
from typing import Any

from domain.ids import canonical_json, digest


class Exchanges:
    """The file at ``path``. Lines that do not parse, as a crash may leave one, are passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, call: str, question: Any, answer: Any) -> None:
        line = canonical_json({"call": call, "question": digest(question), "answer": answer}) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def answer(self, call: str, question: Any) -> Any:
        """The last one recorded; None where there is none."""
        asked, found = digest(question), None
        for line in self._lines():
            if line.get("call") == call and line.get("question") == asked:
                found = line.get("answer")
        return found

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        lines = []
        for raw in self._path.read_bytes().splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.append(line)
        return lines
