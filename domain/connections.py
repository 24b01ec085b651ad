"""Connections: the outside systems the operator has connected, how far each was read, and what came in from it.

A connection's settings never hold a secret: those are in the environment or in a file that only the owner can read.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from domain.actions import Capability
from domain.event import EventData, NewEvent, Topic, Wake, existing
from domain.model import Moment, Name, Value

CONNECTING = "(connecting)"
"""In place of a stream's name, for the troubles of a connection that cannot even be opened."""


class ConnectionMode(StrEnum):
    """What a connection may do. Reading is the same in live and dry-run: it changes nothing outside."""

    LIVE = "live"
    DRY_RUN = "dry-run"  # shows and records what would be sent, and sends nothing
    REPLAY = "replay"  # answers from what was recorded before; the system is never called
    OFF = "off"


MEANS = {
    ConnectionMode.LIVE: "reads, and does what you approve",
    ConnectionMode.DRY_RUN: "reads; shows what it would do and does nothing",
    ConnectionMode.REPLAY: "answers from what dry-run recorded",
    ConnectionMode.OFF: "nothing goes through it",
}


class Connection(Value):
    """One outside system. ``serves`` are the kinds of actions that go through it; no two connections serve the same, those
    of ``SHARED`` apart.
    """

    name: Name
    kind: Name
    mode: ConnectionMode = ConnectionMode.DRY_RUN
    settings: dict[str, str] = Field(default_factory=dict)
    serves: tuple[Capability, ...] = ()
    poll_seconds: int = Field(default=60, ge=1, le=86_400)

    @property
    def stream(self) -> str:
        return f"connection/{self.name}"


class ConnectionDescribed(EventData):
    """The operator connected a system, or changed how it is connected."""

    type = "connection.described"
    entity = Connection
    connection: Connection
    by: Name

    @property
    def stream(self) -> str:
        return self.connection.stream

    def fold(self, state: Connection | None) -> Connection:
        return self.connection

    def wakes(self, before: Connection | None, after: Connection) -> Wake:
        return Wake(topic=Topic.CONNECTION, key=after.name)


class ConnectionModeSet(EventData):
    type = "connection.mode-set"
    entity = Connection
    name: Name
    mode: ConnectionMode
    by: Name

    @property
    def stream(self) -> str:
        return f"connection/{self.name}"

    def fold(self, state: Connection | None) -> Connection:
        connection: Connection = existing(state, self.stream)
        return connection.model_copy(update={"mode": self.mode})

    def wakes(self, before: Connection | None, after: Connection) -> Wake:
        return Wake(topic=Topic.CONNECTION, key=after.name)


class Record(Value):
    """One thing a system told us, as it told it. The same ``external_id`` is the same thing, said in the same words.

    Where a thing changes (an order that is paid later), its version belongs into the id: ``1001@2026-03-01T09:30:00Z``.
    """

    stream: str
    external_id: str = Field(min_length=1, max_length=500)
    raw: bytes


class Page(Value):
    """What reading brought. ``cursor`` is where the next reading begins; ``more`` says that it is worth while at once."""

    records: tuple[Record, ...] = ()
    cursor: str
    more: bool = False


class Delivery(Value):
    """A record as it lies in the inbox, with the time it came in."""

    source: str
    external_id: str
    raw: bytes
    at: Moment


class Webhook(Value):
    """A request that a system sent us. Header names are lower case; ``at`` is when it arrived."""

    headers: Mapping[str, str]
    body: bytes
    at: Moment


class Reading(Value):
    """What a delivery means. ``note`` says why it means nothing, or less than it might."""

    events: tuple[NewEvent, ...] = ()
    note: str = ""


class StreamProgress(Value):
    """How far a stream was read and how that went. ``failures`` counts those since the last success."""

    connection: Name
    stream: str
    cursor: str = ""
    read_at: Moment | None = None
    failures: int = 0
    error: str = ""
    failed_at: Moment | None = None


class FileOutcome(StrEnum):
    IMPORTED = "imported"
    REJECTED = "rejected"


class TakenFile(Value):
    """A file that was dropped into a folder or imported, by a digest of its content and of how it is read. ``delivery`` is what
    it came under, ``rows`` what was read in it, ``events`` what that changed; ``why`` says what is wrong with it.
    """

    digest: Name
    delivery: str
    name: Name
    kind: str = ""
    outcome: FileOutcome
    rows: int = 0
    events: int = 0
    why: str = ""
    at: Moment


class FileTaken(EventData):
    """A file was imported, or rejected whole. The same content may come again: what was rejected may be imported later."""

    type = "file.taken"
    entity = TakenFile
    file: TakenFile

    @property
    def stream(self) -> str:
        return f"file/{self.file.digest}"

    def fold(self, state: TakenFile | None) -> TakenFile:
        return self.file


def source_of(connection: str, stream: str) -> str:
    """The inbox's name for what comes from a stream of a connection."""
    return f"{connection}/{stream}"


SHARED = frozenset({Capability.TOOLS})
"""What several connections may serve at once, since each action names the one it goes through."""


def serving(
    connections: tuple[Connection, ...] | list[Connection], capability: Capability, *, through: str = ""
) -> Connection | None:
    """The connection that actions of ``capability`` go through, in whatever mode it is; only ``through``, where that is named."""
    return next((c for c in connections if capability in c.serves and through in ("", c.name)), None)
