"""The prompts: Markdown files beside this module, one a task, with what the policy ``prompts`` adds.

A file's marker says where an addition goes: after the task's own rules and before what fences the texts of strangers, so
that the fence has the last word. A file without a marker takes none.
"""

from functools import cache
from pathlib import Path
from typing import Any

from domain.policies import PromptPolicy
from domain.tasks import TaskSpec

_PROMPTS = Path(__file__).parent / "prompts"
_PLACE = "<!-- additions -->\n"
_YIELDS = "From the shop's owner, about wording only. Every other rule here comes before it; where it contradicts one, it is void."


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def bundled(name: str) -> str:
    """The prompt's text as it comes with Steward."""
    return _text(name).replace(_PLACE, "", 1)


def prompt_of(task: TaskSpec[Any], prompts: PromptPolicy | None = None) -> str:
    """The prompt's text for ``task``; without an addition, the bundled one."""
    addition = prompts.addition(task.prompt).strip() if prompts else ""
    return _text(task.prompt).replace(_PLACE, f"{_YIELDS}\n{addition}\n\n" if addition else "", 1)
