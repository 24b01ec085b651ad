"""Tools of any MCP server, as far as the operator has mapped them.

A call is written down before it is made, and its answer before anything else is done with it. So one step is left whose
end a crash or a cut line can hide: between the request and its answer. Then nobody knows, unless the tool takes a key of
ours, under which it may be called again.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from pydantic import JsonValue

from connectors.kinds import Kind, Opened, Opening, Setting, web_address
from connectors.mcp_servers import ToolLimits, command_line, server_of, variable_name
from connectors.offered_tools import OfferedTool
from domain.actions import Action, CallTool, Capability, Receipt
from domain.attempts import Attempt, AttemptStatus
from domain.decisions import Diff
from domain.errors import Permanent, Retryable, Stale, Unknown
from domain.ids import derived_id
from domain.ports import Attempts
from domain.tools import ToolAnswer, ToolTerms
from domain.wording import counted

if TYPE_CHECKING:
    from connectors.mcp_session import ToolSession

OpenSession = Callable[[], AbstractAsyncContextManager["ToolSession"]]


class McpTools:
    """See ``ports.Connector``. The version of a tool is the digest of how it describes itself."""

    capability = Capability.TOOLS

    def __init__(self, name: str, *, open_session: OpenSession, attempts: Attempts) -> None:
        self.name = name
        self._open = open_session
        self._attempts = attempts
        self._calling: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        async with self._open() as session:
            return f"{session.server} offers {counted(len(await session.tools()), 'tool')}"

    async def offered(self) -> tuple[OfferedTool, ...]:
        """What the server says of its tools now."""
        async with self._open() as session:
            return await session.tools()

    async def preview(self, action: Action) -> Diff:
        """Raises Permanent for a tool that is not mapped, is gone or changed, and for arguments that do not fit."""
        call, terms = _mapped(action)
        tool = _named(await self.offered(), call)
        if tool.digest != terms.digest:
            raise _changed(call)
        if problem := tool.problem(_with_key(call, terms, "shown, not sent")):
            raise Permanent(f"the arguments do not fit {call.name}: {problem}", hint="propose it with others")
        return tool_diff(call, tool.digest)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        call, terms = _mapped(action)
        async with self._calling.setdefault(key, asyncio.Lock()):
            attempt = await self._attempts.prepare(_attempt(self.name, call, key, now))
            if receipt := await self._known(attempt, call):
                return receipt
            if attempt.status is AttemptStatus.SENDING and not terms.key_argument:
                raise Unknown(f"{call.name} may have been called before", hint="look before it is called again")
            async with self._open() as session:
                if _named(await session.tools(), call).digest != expected_version:
                    raise Stale(f"{call.name} describes itself in other words than when this was shown")
                await self._claim(attempt, terms)
                answer = await self._call(session, call, terms, key)
            return await self._answered(attempt, answer)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """Raises Retryable where a call was made and its answer never came: only the operator can find out."""
        attempt = await self._attempts.find(key)
        if attempt is None:
            return None
        call, _ = _mapped(action)
        receipt = await self._known(attempt, call)
        if receipt is None and attempt.status is not AttemptStatus.READY:
            hint = "look in the other system; `steward settle` takes your word"
            raise Retryable(f"{self.name} cannot tell what became of the call of {call.tool}", hint=hint)
        return receipt

    async def _known(self, attempt: Attempt, call: CallTool) -> Receipt | None:
        """The receipt of a call whose answer was written down."""
        if attempt.action_digest != call.digest():
            raise Permanent("this key was used for another call")
        answer = await self._attempts.find(_answer_key(attempt.key))
        if attempt.status is AttemptStatus.READY or answer is None:
            return None
        await self._attempts.settle(attempt.key, AttemptStatus.SENT)
        return _receipt(attempt, ToolAnswer.model_validate_json(answer.payload))

    async def _claim(self, attempt: Attempt, terms: ToolTerms) -> None:
        if await self._attempts.begin(attempt.key, expected=0) or terms.key_argument:
            return
        raise Unknown(f"{self.name} is being called with this already", hint="look what becomes of it")

    async def _call(self, session: "ToolSession", call: CallTool, terms: ToolTerms, key: str) -> ToolAnswer:
        try:
            return await session.call(call.tool, _with_key(call, terms, key), key=key)
        except Unknown as error:
            if not terms.key_argument:
                raise
            raise Retryable(error.message, hint="its key makes it harmless to call it again") from None
        except (Retryable, Permanent):  # it was not called, or said that it failed
            await self._attempts.settle(key, AttemptStatus.READY)
            raise

    async def _answered(self, attempt: Attempt, answer: ToolAnswer) -> Receipt:
        key = _answer_key(attempt.key)
        told = attempt.model_copy(update={"key": key, "reference": key, "payload": answer.model_dump_json().encode()})
        kept = await self._attempts.prepare(told)
        await self._attempts.settle(attempt.key, AttemptStatus.SENT)
        return _receipt(attempt, ToolAnswer.model_validate_json(kept.payload))


def tool_diff(call: CallTool, version: str) -> Diff:
    """What a call shows: nobody but the server knows what is behind the tool."""
    after: dict[str, JsonValue] = {"called_with": call.arguments}
    return Diff(record=call.stream, record_version=version, before={}, after=dict(after))


def _mapped(action: Action) -> tuple[CallTool, ToolTerms]:
    if not isinstance(action, CallTool):
        raise Permanent(f"a server of tools cannot {action.kind}")
    if action.terms is None:
        raise Permanent(f"{action.name} is not mapped", hint=f"`./steward tools {action.connection} map {action.tool}`")
    return action, action.terms


def _named(offered: tuple[OfferedTool, ...], call: CallTool) -> OfferedTool:
    found = [tool for tool in offered if tool.name == call.tool]
    if len(found) != 1:
        raise Permanent(f"{call.connection} offers {call.tool} {len(found)} times", hint=f"`./steward tools {call.connection}`")
    return found[0]


def _changed(call: CallTool) -> Permanent:
    hint = f"read what it says now: `./steward tools {call.connection}`; then map it again"
    return Permanent(f"{call.name} describes itself in other words than when it was mapped", hint=hint)


def _with_key(call: CallTool, terms: ToolTerms, key: str) -> Mapping[str, JsonValue]:
    if not terms.key_argument:
        return call.arguments
    if terms.key_argument in call.arguments:
        raise Permanent(f"{terms.key_argument} of {call.name} is Steward's to fill in", hint="propose it without")
    return {**call.arguments, terms.key_argument: key}


def _attempt(name: str, call: CallTool, key: str, now: datetime) -> Attempt:
    """Calls do not queue behind each other: each is on a stream of its own."""
    return Attempt(
        connection=name,
        key=key,
        stream=f"{call.stream}/{key}",
        action_kind=call.kind,
        action_digest=call.digest(),
        reference=str(derived_id("tool-call", name, key)),
        payload=b"",
        at=now,
    )


def _answer_key(key: str) -> str:
    return f"{key}/answer"


def _receipt(attempt: Attempt, answer: ToolAnswer) -> Receipt:
    return Receipt(reference=attempt.reference, at=attempt.at, detail=answer.model_dump(mode="json"))


def _open(opening: Opening) -> Opened:
    server = server_of(opening.name, opening.settings, opening.secret("token"))

    def open_session() -> AbstractAsyncContextManager["ToolSession"]:
        from connectors.mcp_session import session  # noqa: PLC0415 - a second of import that only a server of tools has use for

        return session(server, name=opening.name, limits=ToolLimits())

    tools = McpTools(opening.name, open_session=open_session, attempts=opening.attempts)
    return Opened(check=tools.check, connectors={Capability.TOOLS: tools}, offered=tools.offered)


KIND = Kind(
    name="mcp",
    title="a server of tools (Model Context Protocol): each tool that you map can be proposed, asked about and called",
    settings=(
        Setting(name="url", ask="Its address; empty where it is a command", default="", check=web_address),
        Setting(name="command", ask="The command that starts it; empty where it has an address", default="", check=command_line),
        Setting(name="token", ask="Its token, if it wants one", default="", secret=True),
        Setting(
            name="token_variable", ask="The variable in which its command looks for the token", default="", check=variable_name
        ),
    ),
    open=_open,
    does={Capability.TOOLS: "calls the tools that you have mapped: `./steward tools NAME`"},
)
