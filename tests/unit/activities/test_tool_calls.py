"""A tool of a real MCP server, through every step of a governed action: proposed, asked about, called once, taken back."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import connectors
import memory
from activities.actions import ActionActivities
from activities.licensing import Licensing
from activities.steps import ActionResult, CarryOutInput, EffectInput, Proposed, ProposeInput, ResultKind
from agents.auditor import Auditor
from agents.executor import Executor
from connectors.kinds import Opening
from connectors.mcp_tools import KIND
from connectors.offered_tools import terms_for
from domain.actions import CallTool, Capability
from domain.connections import Connection, ConnectionDescribed, ConnectionMode
from domain.decisions import GateOutcome, Mode, Planned, Why
from domain.errors import Permanent
from domain.event import EventData, new_event
from domain.policies import PolicyActivated, PolicyVersion, ToolsPolicy
from domain.risk import Risk
from domain.runs import ModeSet, RunStarted
from domain.tools import ToolTerms, ToolUse
from models.embedding import HashingEmbedder
from tests.contract.tool_servers import TOKEN, Till, till

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
OPEN = CallTool(connection="till", tool="open_ticket", arguments={"title": "one"})


class Office:
    """A till is connected as the operator would connect it, and everything that may goes without a question."""

    def __init__(self, home: Path, settings: dict[str, str], token: str) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        self.home = home
        self.settings = KIND.checked(settings)
        self.token = SecretStr(token)
        self.said = 0

    async def open(self, mode: ConnectionMode = ConnectionMode.LIVE) -> None:
        connection = Connection(name="till", kind="mcp", mode=mode, settings=self.settings, serves=(Capability.TOOLS,))
        started = RunStarted(run_id="run", workflow="propose", at=NOW)
        await self.tell(ConnectionDescribed(connection=connection, by="operator"), started)
        await self.tell(ModeSet(scope="propose", mode=Mode.AUTO, by="operator"))

    async def map(self, tool: str = "open_ticket", **wish: Any) -> ToolTerms:
        opened = KIND.open(
            Opening(
                name="till",
                settings=self.settings,
                secrets={"token": self.token},
                folder=self.home,
                attempts=self.kept.attempts,
            )
        )
        assert opened.offered is not None
        terms = terms_for(await opened.offered(), tool, **wish)
        await self.put({f"till/{tool}": terms})
        return terms

    async def put(self, tools: dict[str, ToolTerms]) -> None:
        document = ToolsPolicy(tools=tools).model_dump(mode="json")
        self.said += 1
        version = PolicyVersion(version=self.said, document=document, proposed_by="operator", approved_by="operator", at=NOW)
        await self.tell(PolicyActivated(name="tools", version=version))

    async def tell(self, *events: EventData) -> None:
        self.said += 1
        await self.kept.log.append([new_event(e, at=NOW, key=(str(self.said), str(n))) for n, e in enumerate(events)])

    @property
    def steps(self) -> ActionActivities:
        kept = self.kept

        async def connected() -> list[Connection]:
            return await kept.state.find(Connection)

        secrets = {"STEWARD_SECRET_TILL_TOKEN": self.token}
        board = connectors.open_switchboard(self.home, connections=connected, secrets=secrets, attempts=kept.attempts)
        local = connectors.open_local(self.home)[Capability.TOOLS]
        return ActionActivities(
            executor=Executor(connectors={Capability.TOOLS: board.connector(Capability.TOOLS, otherwise=local)}),
            auditor=Auditor(state=kept.state, policies=kept.policies),
            ledger=kept.ledger,
            guards=kept.guards,
            log=kept.log,
            state=kept.state,
            policies=kept.policies,
            licensing=Licensing(flags=kept.flags, log=kept.log, policies=kept.policies, state=kept.state),
        )

    async def propose(self, action: CallTool = OPEN) -> Proposed:
        planned = Planned(step="one", action=action, why=Why(reason="they asked"))
        return await self.steps.propose(ProposeInput(run_id="run", workflow="propose", planned=planned, now=NOW))

    async def carry_out(self, proposed: Proposed) -> ActionResult:
        return await self.steps.carry_out(CarryOutInput(proposal=proposed.proposal, now=NOW))


@pytest.fixture
async def served() -> AsyncIterator[Till]:
    async with till() as running:
        yield running


@pytest.fixture
async def office(served: Till, tmp_path: Path) -> Office:
    made = Office(tmp_path, {"url": served.url}, TOKEN)
    await made.open()
    return made


async def test_a_mapped_tool_is_asked_about_and_called_once(served: Till, office: Office) -> None:
    """As R3, unless the operator said something else; the call is in the log with its answer, as data."""
    await office.map()
    proposed = await office.propose()
    assert (proposed.outcome, proposed.proposal.gate.reasons) == (GateOutcome.ASK, ("risk R3 is always asked",))
    results = [await office.carry_out(proposed) for _ in range(2)]
    assert {r.kind for r in results} == {ResultKind.COMMITTED}
    assert len(served.calls) == 1
    use = await office.kept.state.get(ToolUse, "till/open_ticket")
    assert use is not None
    assert use.called == 1


async def test_a_proposer_cannot_name_its_own_risk(served: Till, office: Office) -> None:
    """Terms that come with a proposal are replaced by those in force; without any the tool is not called."""
    terms = await office.map()
    own = OPEN.on(ToolTerms(digest=terms.digest, risk=Risk.R0))
    assert (await office.propose(own)).proposal.action == OPEN.on(terms)
    await office.put({})
    with pytest.raises(Permanent, match="is not mapped"):
        await office.propose(own)
    assert not served.calls


async def test_the_auditor_refuses_other_terms_than_those_in_force(office: Office) -> None:
    """However an action came by them."""
    terms = await office.map()
    auditor = Auditor(state=office.kept.state, policies=office.kept.policies)
    diff = (await office.propose()).proposal.diff

    async def codes(action: CallTool) -> list[str]:
        verdict = await auditor.before(action=action, diff=diff, why=Why(reason="x"), now=NOW)
        return [f"{f.severity}/{f.code}" for f in verdict.findings]

    assert await codes(OPEN.on(terms)) == []
    assert await codes(OPEN.on(terms.model_copy(update={"risk": Risk.R0}))) == ["block/tool-on-other-terms"]
    assert await codes(OPEN.on(None)) == ["block/tool-on-other-terms"]
    await office.put({})
    assert await codes(OPEN.on(terms)) == ["block/tool-not-mapped"]


async def test_what_was_shown_is_stale_when_the_mapping_moves(served: Till, office: Office) -> None:
    await office.map()
    proposed = await office.propose()
    await office.map(risk=Risk.R1)
    assert (await office.carry_out(proposed)).kind is ResultKind.STALE
    assert not served.calls


async def test_a_run_is_taken_back_by_the_tool_that_the_operator_named(served: Till, office: Office) -> None:
    """With what the first call answered."""
    back: dict[str, Any] = {"undo": "close_ticket", "undo_arguments": {"id": "result.id"}, "reversibility": "compensable"}
    await office.map(risk=Risk.R1, **back)
    result = await office.carry_out(await office.propose())
    undone = await office.steps.undo(EffectInput(key=result.key, now=NOW))
    assert (undone.kind, served.calls[-1]) == (ResultKind.COMMITTED, ("close_ticket", "T-one"))


async def test_a_lost_answer_is_asked_about_and_never_repeated(served: Till, office: Office) -> None:
    """The effect is unknown, and stays so until the operator says what became of it."""
    await office.map(risk=Risk.R1)
    proposed, served.lose = await office.propose(), 1
    results = [await office.carry_out(proposed) for _ in range(2)]
    assert [r.kind for r in results] == [ResultKind.UNKNOWN] * 2
    assert len(served.calls) == 1


async def test_in_dry_run_nothing_is_called(served: Till, office: Office) -> None:
    await office.open(ConnectionMode.DRY_RUN)
    await office.map()
    assert (await office.carry_out(await office.propose())).kind is ResultKind.SUGGESTED
    assert not served.calls


async def test_a_program_on_this_machine_is_called_the_same_way(tmp_path: Path) -> None:
    """Over its standard input and output."""
    calls = tmp_path / "calls"
    office = Office(tmp_path, {"command": f"{sys.executable} -m tests.contract.tool_program {calls}"}, "")
    await office.open()
    await office.map(risk=Risk.R1)
    proposed = await office.propose()
    assert proposed.outcome is GateOutcome.ALLOW
    assert (await office.carry_out(proposed)).kind is ResultKind.COMMITTED
    assert calls.read_text() == "open_ticket one \n"
