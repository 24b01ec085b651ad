"""A program proposes a tool of a real MCP server: the operator is asked, and says what becomes of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

import connectors
from connectors.mcp_tools import McpTools
from connectors.offered_tools import terms_for
from domain.actions import CallTool, Capability
from domain.decisions import Mode
from domain.policies import PolicyActivated, PolicyVersion, ToolsPolicy
from domain.ports import Connector
from domain.risk import Risk
from domain.tools import ToolUse
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.tool_servers import Till, till
from tests.workflow.conftest import World
from workflows.proposed import ProposedInput

CALL = CallTool(connection="till", tool="open_ticket", arguments={"title": "one"})


@pytest.fixture
def max_cached_workflows() -> int:
    return 500


@pytest.fixture
async def served() -> AsyncIterator[Till]:
    async with till() as running:
        yield running


@pytest.fixture
def tools(served: Till) -> McpTools:
    return served.opened(InMemoryAttempts())


@pytest.fixture
def adapters(tools: McpTools) -> dict[Capability, Connector]:
    return {**connectors.in_memory(), Capability.TOOLS: tools}


async def mapped(world: World, tools: McpTools) -> None:
    terms = terms_for(await tools.offered(), "open_ticket", risk=Risk.R1, words="open a ticket")
    document = ToolsPolicy(tools={CALL.name: terms}).model_dump(mode="json")
    now = datetime.now(UTC)
    version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=now)
    await world.record(PolicyActivated(name="tools", version=version))


async def propose(world: World) -> str:
    with world.env.with_time_skipping_disabled():
        proposed = ProposedInput(action=CALL, by="phone-desk", reason="they rang")
        return await world.gateway.propose(uuid4().hex, proposed)


async def result(world: World, run_id: str) -> str:
    return str(await world.client.get_workflow_handle(run_id, result_type=str).result())


async def test_a_proposed_tool_is_asked_approved_and_called_once(world: World, served: Till, tools: McpTools) -> None:
    """Whatever mode there is; the question shows what it is called with, and at what risk."""
    await mapped(world, tools)
    await world.mode("propose", Mode.AUTO)
    run_id = await propose(world)
    approval = await world.pending(run_id)
    assert (approval.proposal.action.risk, approval.on_expiry) == (Risk.R1, "reject")
    assert approval.proposal.diff.after == {"called_with": {"title": "one"}}
    assert not served.calls
    await world.decide(approval)
    assert await result(world, run_id) == 'committed: open a ticket: till/open_ticket {"title":"one"}'
    assert served.calls == [("open_ticket", "one", "")]
    use = await world.kept.state.get(ToolUse, CALL.name)
    assert use is not None
    assert use.called == 1


async def test_a_tool_that_nobody_mapped_ends_the_run_with_what_to_do(world: World, served: Till) -> None:
    run_id = await propose(world)
    assert "till/open_ticket is not mapped" in await result(world, run_id)
    assert not served.calls
