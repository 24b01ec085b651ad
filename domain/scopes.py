"""Where a mode applies: a workflow, or one kind of action of it."""

from domain.actions import ACTION_TYPES
from domain.autonomy import PROPOSE
from domain.errors import InvalidInput

WORKFLOWS = ("support", "replenish", "content", PROPOSE)


def checked_scope(scope: str) -> str:
    """``support`` or ``support/send-reply``. Raises InvalidInput."""
    workflow, slash, kind = scope.partition("/")
    if workflow not in WORKFLOWS or (slash and kind not in ACTION_TYPES):
        hint = f"one of {', '.join(WORKFLOWS)}, or one with an action, such as support/send-reply"
        raise InvalidInput(f"{scope!r} names no workflow or action", hint=hint)
    return scope
