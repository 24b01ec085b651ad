"""Bypasses: for a few hours the mode ask asks nothing in a scope. Opened and closed by the operator, and always recorded."""

from datetime import timedelta
from typing import Any, Self

from pydantic import Field, model_validator

from domain.decisions import Bypass
from domain.model import Moment, Name
from domain.runs import ControlEvent, Controls, RunEvent

LONGEST = timedelta(hours=24)


class BypassOpened(ControlEvent):
    """From ``at`` to ``until``. One of the same scope replaces the earlier one; those that are over are forgotten."""

    type = "controls.bypass-opened"
    scope: Name
    until: Moment
    reason: str = Field(min_length=1, max_length=2_000)
    at: Moment

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if not timedelta(0) < self.until - self.at <= LONGEST:
            raise ValueError(f"a bypass ends within {LONGEST // timedelta(hours=1)} hours")
        return self

    def change(self, controls: Controls) -> dict[str, Any]:
        others = [b for b in controls.bypasses if b.scope != self.scope and b.until > self.at]
        opened = Bypass(scope=self.scope, until=self.until, reason=self.reason, by=self.by, opened_at=self.at)
        return {"bypasses": (*others, opened)}


class BypassClosed(ControlEvent):
    """Before its time."""

    type = "controls.bypass-closed"
    scope: Name

    def change(self, controls: Controls) -> dict[str, Any]:
        return {"bypasses": tuple(b for b in controls.bypasses if b.scope != self.scope)}


class ActedUnderBypass(RunEvent):
    """An action went ahead without the question that its mode asks, because the operator had bypassed that."""

    type = "run.acted-under-bypass"
    action_kind: Name
    bypass: Bypass
    reasons: tuple[str, ...]
