"""Folding events into state: the one way, for a live append and for a replay. No I/O."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from domain.catalogue import load_entity, split_stream
from domain.errors import InvalidInput
from domain.event import EventData, Wake
from domain.model import Value
from domain.problems import first_problem
from memory.chain import as_stored


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a stream stands: its version and the JSON of its entity (None before its first event)."""

    version: int = 0
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One event folded: the stream's new version and the entity's JSON before and after."""

    stream: str
    version: int
    pre: dict[str, Any] | None
    post: dict[str, Any]
    wake: Wake | None


class Folder:
    """Folds events one after the other, keeping each stream's state in between."""

    def __init__(self, states: dict[str, StreamState]) -> None:
        self.states = dict(states)
        self._entities: dict[str, Value | None] = {}

    def fold(self, data: EventData) -> Step:
        """Raises InvalidInput where the event cannot happen to the entity as it stands."""
        stream = data.stream
        state = self.states.get(stream, StreamState())
        before = self._entity(stream, state)
        after, post = _after(data, before)
        self.states[stream] = StreamState(state.version + 1, post)
        self._entities[stream] = after
        return Step(stream, state.version + 1, state.body, post, data.wakes(before, after))

    def _entity(self, stream: str, state: StreamState) -> Value | None:
        if stream not in self._entities:
            kind, _ = split_stream(stream)
            self._entities[stream] = None if state.body is None else load_entity(kind, state.body)
        return self._entities[stream]


def _after(data: EventData, before: Value | None) -> tuple[Value, dict[str, Any]]:
    """The entity after the event, read back from its own JSON: what a later replay will start from."""
    kind, _ = split_stream(data.stream)
    try:
        post = as_stored(data.fold(before).model_dump(mode="json"))
        return load_entity(kind, post), post
    except ValidationError as error:
        field, problem = first_problem(error)
        raise InvalidInput(
            f"{data.type} would leave {data.stream} invalid: {field}: {problem}", hint="mend the event's values"
        ) from error
