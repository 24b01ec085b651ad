"""The prompts: Markdown files beside this module, one a task."""

from functools import cache
from pathlib import Path
from typing import Any

from domain.tasks import TaskSpec

_PROMPTS = Path(__file__).parent / "prompts"


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def prompt_of(task: TaskSpec[Any]) -> str:
    """The prompt's text for ``task``."""
    return _text(task.prompt)
