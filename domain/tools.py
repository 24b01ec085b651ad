"""Tools of other programs: on which terms the operator lets one be called, and what calls there were.

A tool describes itself, and whoever runs its server can change that description at any time. So nothing of it counts but
what the operator wrote down, for a description with exactly this digest.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from domain.event import EventData
from domain.model import Moment, Name, Value
from domain.risk import Reversibility, Risk

ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Source = Annotated[str, StringConstraints(pattern=r"^(arguments|result)\.[^.]{1,200}$|^=.{0,500}$")]
_REMEMBERED = 50  # calls a tool knows again


class InverseTool(Value):
    """The tool of the same server that takes a call back.

    ``arguments`` says where each of its own comes from: ``arguments.NAME`` of the call, ``result.NAME`` of its structured
    answer, or ``=TEXT``, the text itself.
    """

    tool: ToolName
    digest: Sha256
    arguments: dict[str, Source] = Field(default_factory=dict)

    def filled(self, arguments: Mapping[str, JsonValue], result: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
        """Its arguments for one call; None where that call said nothing of one of them."""
        places = {"arguments": arguments, "result": result}
        found: dict[str, JsonValue] = {}
        for name, source in self.arguments.items():
            if source.startswith("="):
                found[name] = source[1:]
                continue
            place, _, key = source.partition(".")
            if key not in places[place]:
                return None
            found[name] = places[place][key]
        return found


class ToolTerms(Value):
    """How a tool may be called. ``digest`` is that of its description and schemas when the operator looked at them.

    ``key_argument`` names the argument that makes repeating a call harmless; without one a lost answer is asked about.
    """

    digest: Sha256
    risk: Risk = Risk.R3
    reversibility: Reversibility = Reversibility.IRREVERSIBLE
    inverse: InverseTool | None = None
    key_argument: str = Field(default="", max_length=200)
    words: str = Field(default="", max_length=200)  # what it does, for people

    @model_validator(mode="after")
    def _only_an_inverse_takes_back(self) -> Self:
        if (self.inverse is None) != (self.reversibility is Reversibility.IRREVERSIBLE):
            raise ValueError("a tool is irreversible unless another tool takes its calls back")
        return self


class ToolAnswer(Value):
    """What a tool answered: written by strangers, kept as data. ``result`` is its structured part, where that is small."""

    text: str = ""
    result: dict[str, JsonValue] = Field(default_factory=dict)
    cut: bool = False  # there was more than is kept

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> "ToolAnswer":
        """The answer in a receipt; empty where the receipt is the operator's own word."""
        return cls.model_validate({name: detail[name] for name in cls.model_fields if name in detail})


class ToolUse(Value):
    """The calls of one tool."""

    connection: Name
    tool: ToolName
    called: int = 0
    recent: tuple[str, ...] = ()  # the references of its last calls
    last_at: Moment | None = None


class ToolCalled(EventData):
    type = "tool.called"
    entity = ToolUse
    connection: Name
    tool: ToolName
    reference: str
    arguments: dict[str, JsonValue]
    answer: ToolAnswer
    at: Moment

    @property
    def stream(self) -> str:
        return f"tool/{self.connection}/{self.tool}"

    def fold(self, state: ToolUse | None) -> ToolUse:
        use = state or ToolUse(connection=self.connection, tool=self.tool)
        recent = (*use.recent, self.reference)[-_REMEMBERED:]
        return use.model_copy(update={"called": use.called + 1, "recent": recent, "last_at": self.at})
