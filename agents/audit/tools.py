"""The audit of a call of a tool: it goes out on the terms that are in force, and on no others."""

from collections.abc import AsyncIterator

from agents.audit.findings import block
from domain.actions import CallTool
from domain.decisions import Finding
from domain.policies import ToolsPolicy
from domain.ports import Policies


class ToolAudit:
    """Whatever an action says of its own risk counts for nothing here."""

    def __init__(self, *, policies: Policies) -> None:
        self._policies = policies

    async def call(self, action: CallTool) -> AsyncIterator[Finding]:
        terms = (await self._policies.in_force(ToolsPolicy)).document.tools.get(action.name)
        if terms is None:
            yield block("tool-not-mapped", f"{action.name} is not a tool that may be called")
        elif action.terms != terms:
            yield block("tool-on-other-terms", f"{action.name} would be called on other terms than those in force")
