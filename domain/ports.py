"""Ports: what the inside needs from the outside. At most five methods each; every one has a real adapter and a fake."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar, runtime_checkable

from domain.access import ApiToken, LoginAttempt, Ousted, Session
from domain.actions import Action, Bound, Capability, Receipt
from domain.attempts import Attempt, AttemptStatus
from domain.connections import Delivery, Page, Reading, Record, StreamProgress, Webhook
from domain.context import ContextPack, ContextRequest
from domain.decisions import Diff
from domain.effects import Breaker, Effect, EffectStatus, Reservation
from domain.errors import Permanent
from domain.event import Event, FactOp, NewEvent, SalesRow
from domain.flags import Evaluation, Flag
from domain.knowledge import Dispute, Fact, Head, InForce, OutboxItem, Recalled, Verification
from domain.links import DecisionLink
from domain.model import Moment, Value
from domain.notifying import Notification, ServiceAnswer
from domain.passage import Passage
from domain.passkeys import Challenge, Passkey
from domain.policies import Policy
from domain.retention import Anchor, Manifest, Segment
from domain.tasks import Answer, Question

E = TypeVar("E", bound=Value)
P = TypeVar("P", bound=Policy)
T = TypeVar("T", bound=Value)


class EventLog(Protocol):
    """The append-only, hash-chained log; the only source of truth."""

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        """Append all or none, with projections, facts and wake-ups in the same transaction.

        An event id already in the log with the same content is returned as it stands and changes nothing.
        ``expected`` maps streams to the version they must have. Raises VersionConflict, DuplicateConflict, InvalidInput.
        """
        ...

    async def read(self, *, after: int = 0, stream: str = "", correlation_id: str = "", limit: int = 1_000) -> list[Event]:
        """Events with seq > ``after`` in order, of one stream or correlation where given."""
        ...

    async def head(self) -> Head: ...

    async def verify(self, *, since: Head | None = None, anchor: Head | None = None) -> Verification:
        """Recompute every hash from the first event on, or from a head that was verified before.

        ``anchor`` is a head that was kept outside: it must still be part of the chain, which a log that was written anew
        as a whole cannot fake.
        """
        ...


class State(Protocol):
    """The canonical state by key: always the fold of the log."""

    async def get(self, entity: type[E], key: str) -> E | None: ...

    async def find(self, entity: type[E], **equals: str) -> list[E]:
        """Entities whose top-level fields equal the given texts, in key order."""
        ...

    async def since(self, entity: type[E], moment: Moment, **equals: str) -> list[E]:
        """Those of ``find`` that began then or later: a run that started, a question that was asked, a thing found or written."""
        ...

    async def version(self, entity: type[Value], key: str) -> int:
        """The version of the entity's stream; 0 where it has none."""
        ...

    async def sales(self, *, since: date, until: date, skus: Sequence[str] = ()) -> list[SalesRow]:
        """Sales rows with since <= day <= until, by SKU and day; all SKUs where none is named."""
        ...


class Facts(Protocol):
    """Bitemporal statements. They are written by events only (``FactStated`` and the ``facts`` of other events)."""

    async def current(self, subject: str, *, predicate: str = "", status: FactOp = FactOp.ASSERT) -> list[Fact]: ...

    async def as_of(self, subject: str, *, world: Moment, belief: Moment) -> list[Fact]:
        """What was believed at ``belief`` to hold in the world at ``world``."""
        ...

    async def history(self, subject: str) -> list[Fact]: ...

    async def disputed(self, *, since: Moment) -> list[Dispute]:
        """What two sources have said differently since then, within a week of each other, by subject and predicate."""
        ...


class Policies(Protocol):
    """The policies in force for everybody or, seen with ``of``, for one run."""

    def of(self, run_id: str) -> "Policies":
        """The policies as this run has them: one that takes part in a trial has the version of its arm while it goes on."""
        ...

    async def in_force(self, policy: type[P]) -> InForce[P]:
        """The version in force; the built-in defaults as version 0 where none was ever activated."""
        ...

    async def versions(self) -> dict[str, int]:
        """The version in force of every policy."""
        ...

    async def arms(self) -> dict[str, str]:
        """The variant of every policy flag whose trial this run takes part in."""
        ...


class Flags(Protocol):
    """Feature flags and the shares of running trials, as they are now."""

    async def evaluate(self, key: str, *, unit: str) -> Evaluation:
        """Raises NotFound for a flag that does not exist."""
        ...

    async def all(self) -> list[Flag]:
        """Every flag, those of running trials too, in key order."""
        ...


class Recall(Protocol):
    """Hybrid search over the texts of events (``EventData.passages``); never for what a key can answer."""

    async def search(self, query: str, *, entities: Sequence[str] = (), limit: int = 8, now: Moment) -> list[Recalled]: ...

    async def reindex(self) -> int:
        """Drop the vector index and rebuild it from Postgres; the number of passages."""
        ...


class Passages(Protocol):
    """The searchable texts by id, as the canary of recall needs them."""

    async def sample(self, limit: int) -> list[Passage]:
        """As many as ``limit``, chosen by a hash of their ids: the same ones again while there are no others."""
        ...

    async def get(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Those of them that exist, by id."""
        ...


class Archive(Protocol):
    """The months of the log, in the database or in files. Either has all events of a month, at any moment."""

    async def segments(self) -> list[Segment]:
        """Every month there is, the oldest first."""
        ...

    async def seal(self, partition: str) -> Manifest:
        """Seal a month that is over and write its file. Repeating it changes nothing. Raises LogError."""
        ...

    async def detach(self, manifest: Manifest, event: NewEvent) -> bool:
        """Read the file back; only where it proves to hold the month, take it out of the database and append ``event``, in
        one transaction. False where it is out already. Raises ArchiveDamaged; Retryable where the log is too busy."""
        ...

    async def attach(self, partition: str, event: NewEvent) -> bool:
        """Put an archived month back from its file and append ``event``, in one transaction. False where it is there.

        Raises ArchiveDamaged, NotFound.
        """
        ...


class Leftovers(Protocol):
    """What is kept only for work at hand: the bytes of sent mails, answers of models, context packs."""

    async def drop(self, *, before: Moment) -> int:
        """Drop what is older, but for the packs that an open run decided from; how many things that were.

        That something was sent, and under which reference, stays known.
        """
        ...


class Anchors(Protocol):
    """Heads of the log kept outside the database."""

    async def last(self, *, whole: bool = False) -> Anchor | None:
        """The newest one, or the newest after a verification of the whole log."""
        ...

    async def note(self, anchor: Anchor) -> None: ...


class DecisionLinks(Protocol):
    """Links to one decision each, by the SHA-256 of their token. They lie beside the log."""

    async def put(self, link: DecisionLink) -> None:
        """Keep it; links that expired long ago are forgotten."""
        ...

    async def get(self, token_hash: str) -> DecisionLink | None: ...

    async def use(self, token_hash: str, *, now: Moment) -> bool:
        """Use it up. True for one caller only, and for nobody where it expired."""
        ...

    async def restore(self, token_hash: str) -> None:
        """It may be used again."""
        ...


class ContextPacks(Protocol):
    async def compile(self, request: ContextRequest) -> ContextPack:
        """Compile, record and return the pack."""
        ...

    async def get(self, pack_hash: str) -> ContextPack | None: ...


class Ledger(Protocol):
    """The effect ledger. Every change of status is one transaction."""

    async def reserve(self, reservation: Reservation, *, connector: str) -> Effect:
        """Check kill switch, mode, policies, breaker and bounds and reserve, all in one transaction.

        Idempotent by key: an effect that exists is returned in the state it is in, except that a FAILED one is
        reserved anew. Raises Refused, naming what said no, and Stale where a policy of the reservation moved.
        """
        ...

    async def begin(self, key: str, *, now: Moment) -> Effect:
        """reserved -> executing, checking the kill switch once more. Raises Refused."""
        ...

    async def commit(self, key: str, receipt: Receipt, events: Sequence[NewEvent]) -> Effect:
        """-> committed, with the events, in one transaction. Repeating it changes nothing. Marks what it compensates."""
        ...

    async def settle(self, key: str, status: EffectStatus, *, error: str, now: Moment, system_fault: bool = True) -> Effect:
        """-> failed (releasing its bounds) or unknown. Only a ``system_fault`` counts for the breaker; a stale record does not."""
        ...

    async def effects(self, *, run_id: str = "", key: str = "", status: EffectStatus | None = None) -> list[Effect]:
        """Newest first."""
        ...


class Guards(Protocol):
    """What the gate and the operator look at before anything is reserved."""

    async def exceeded(self, action: Action, *, run_id: str, now: Moment) -> str:
        """The first bound the action does not fit into, as a sentence; empty where it fits."""
        ...

    async def used(self, *, now: Moment) -> dict[Bound, tuple[Any, Any]]:
        """(used, limit) of today's bounds; the limit is None where there is none."""
        ...

    async def breaker(self, connector: str, action_kind: str) -> Breaker: ...

    async def breakers(self) -> list[Breaker]: ...

    async def reset_breaker(self, connector: str, action_kind: str) -> None: ...


class Connector(Protocol):
    """One outside system. Every method may raise Retryable, Permanent, Unknown or Stale and nothing else."""

    name: str
    capability: Capability

    async def check(self) -> str:
        """One line on its health. Raises where it is not usable."""
        ...

    async def preview(self, action: Action) -> Diff:
        """What the action would change, from the system's own record now. Raises Permanent where it cannot be done."""
        ...

    async def execute(self, action: Action, *, key: str, expected_version: str, now: Moment) -> Receipt:
        """Do it once per ``key``. Raises Stale where the record is not at ``expected_version`` any more."""
        ...

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """What the system knows of an effect under ``key``; None is a definite no. Raises Retryable where it cannot tell."""
        ...


@runtime_checkable
class CountingShop(Protocol):
    """A connector of a shop that says itself how many of its articles can be sold."""

    async def units(self, sku: str) -> int:
        """What ``AdjustStock`` has to start from now. Raises NotCounted where it does not count ``sku``, Permanent, Retryable."""
        ...


async def units_in(connector: Connector, sku: str) -> int:
    """See ``CountingShop``. Raises Permanent where ``connector`` is none."""
    if not isinstance(connector, CountingShop):
        raise Permanent(f"{connector.name} does not say how many of {sku} it has")
    return await connector.units(sku)


@runtime_checkable
class SwitchedConnector(Connector, Protocol):
    """A connector that stands for another one, and not always for the same."""

    async def now(self, action: Action | None = None) -> Connector:
        """The one it stands for at this moment, for ``action`` where that names one; under the name it has in the ledger."""
        ...


class Model(Protocol):
    """An engine that answers typed questions. Raises Retryable, Permanent or Refused (over budget)."""

    async def answer(self, question: Question[T]) -> Answer[T]: ...


class IntentModels(Protocol):
    """Intent models that are not (yet) in use: fitted for one question and forgotten."""

    async def guess(self, texts: Sequence[str], *, taught: Sequence[tuple[str, str]]) -> list[str]:
        """The intent of each text, by a model that knows what Steward comes with and these (text, intent) pairs."""
        ...


class ModelJournal(Protocol):
    """Remembers answers by cache key and what they cost."""

    async def recall(self, cache_key: str) -> dict[str, Any] | None: ...

    async def record(self, cache_key: str, answer: dict[str, Any], *, cost: Any, engine: str, model: str, at: Moment) -> None: ...

    async def spent(self, day: date) -> Any:
        """US dollars (Decimal) spent on ``day`` (UTC)."""
        ...


class Embedder(Protocol):
    """Texts to unit vectors. ``name`` changes when the vectors would."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Any:
        """float32 array of shape (len(texts), dimensions), rows of length 1 (zero rows for empty texts)."""
        ...


class Source(Protocol):
    """The inbound half of a connection: what it tells us, read by us or sent to us.

    Reading changes nothing outside. Every method may raise Retryable or Permanent.
    """

    name: str
    streams: tuple[str, ...]

    async def read(self, stream: str, cursor: str, *, now: Moment) -> Page:
        """The next records after ``cursor``, which is one this source gave before, or empty: then from the start.

        Reading from the same cursor again gives the same records again, so that nothing is lost where it was not moved on.
        """
        ...

    def greets(self, request: Webhook) -> bool:
        """Whether the system only asks if anybody is here, as some do before they ever call: unsigned, and nothing comes of it."""
        ...

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        """The records of a request that the system signed.

        Raises NotSigned for any other and for one out of its time, InvalidInput for one that was signed and makes no sense,
        NotFound where the system never calls.
        """
        ...

    async def understand(self, delivery: Delivery, *, stream: str, state: "State") -> Reading:
        """The canonical events of a delivery, less what the state knows already: a repeat, or an older word, means nothing."""
        ...

    async def settle(self, delivery: Delivery, *, stream: str, trouble: str) -> None:
        """Put away what was understood just now, where that is ours to do. Its events are in the log, unless ``trouble`` says
        why they cannot be.
        """
        ...


class Bell(Protocol):
    """The side of a system that says when something is new, so that nobody has to ask all the time."""

    def rings(self) -> AsyncGenerator[None, None]:
        """Once as soon as it listens, then whenever something may be new. It ends where the system has no such thing.

        Raises Retryable and Permanent. Whoever closes or cancels it leaves nothing open.
        """
        ...


class Sources(Protocol):
    """The inbound halves of the connections there are."""

    async def source(self, connection: str) -> Source | None:
        """None where the connection is off, is gone, or tells us nothing. Raises Permanent where it cannot be opened."""
        ...

    async def bell(self, connection: str) -> Bell | None:
        """The same one while nothing about the connection changes; None as above, and where it has none."""
        ...


class Cursors(Protocol):
    """How far each stream of a connection was read; survives restarts."""

    async def streams(self, connection: str) -> list[StreamProgress]:
        """Those that were read or tried, by name."""
        ...

    async def advance(self, connection: str, stream: str, cursor: str, *, at: Moment) -> None:
        """It was read up to ``cursor``; earlier failures are over."""
        ...

    async def failed(self, connection: str, stream: str, error: str, *, at: Moment) -> int:
        """The number of failures since the last success, this one included."""
        ...


class Attempts(Protocol):
    """What connectors are about to send, and how far they came; shared by all workers."""

    async def prepare(self, attempt: Attempt) -> Attempt:
        """Write it down, ready. One that is there under its key is returned as it stands, and nothing changes."""
        ...

    async def begin(self, key: str, *, expected: int) -> bool:
        """ready -> sending, for exactly one caller; False for the others.

        Raises Stale where not ``expected`` attempts on its stream are sending or sent, Permanent where another one has
        taken its reference.
        """
        ...

    async def settle(self, key: str, status: AttemptStatus) -> None:
        """sending -> sent, or -> ready where the system took nothing. Repeating it changes nothing."""
        ...

    async def find(self, key: str) -> Attempt | None: ...

    async def begun(self, connection: str, stream: str) -> list[Attempt]:
        """Those on ``stream`` that are sending or sent, oldest first, without their payloads."""
        ...


class Inbox(Protocol):
    """Raw deliveries, stored before anything understands them."""

    async def receive(self, source: str, external_id: str, raw: bytes, *, at: Moment) -> bool:
        """Store it; False where this delivery is already there."""
        ...

    async def waiting(self, source: str, limit: int = 100) -> list[Delivery]:
        """Deliveries of ``source`` that nobody has understood yet, in the order in which they came."""
        ...

    async def understood(self, source: str, external_id: str, *, note: str = "", at: Moment) -> None:
        """It has been made into events; ``note`` says why into none, or what is missing."""
        ...

    async def blank(self, *, before: Moment, at: Moment, limit: int) -> int:
        """Forget the bytes of up to ``limit`` deliveries that were understood ``before`` then; how many those were.

        Their ids and digests stay, so that a repeat is still known as one.
        """
        ...


class Outbox(Protocol):
    """Wake-ups committed with their events; delivered at least once."""

    async def pending(self, limit: int = 100) -> list[OutboxItem]: ...

    async def delivered(self, item_ids: Sequence[int]) -> None: ...

    async def wait(self, seconds: float) -> None:
        """Return when something new is committed, or after ``seconds``."""
        ...


class Notifier(Protocol):
    """Tells the operator something where they are. Addresses are secrets: neither names nor answers have any part of one."""

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services there are; none where nothing is set up."""
        ...

    async def send(self, message: Notification, *, to: Collection[str]) -> tuple[ServiceAnswer, ...]:
        """Send it to the services named. What a service does or refuses is an answer, never an error."""
        ...


class Analytics(Protocol):
    """Page metrics from outside."""

    async def measure(self, slug: str) -> list[Any]:
        """ContentMetrics by day; empty where nothing is known."""
        ...


class Credentials(Protocol):
    """The operator's password, as a hash, and the count of wrong tries by client. ``events`` are appended with a change."""

    async def password(self) -> str | None:
        """The encoded hash; None before the first password."""
        ...

    async def set_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> bool:
        """False, changing nothing, where another one than ``replaces`` is set by now."""
        ...

    async def reset_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> Ousted | None:
        """As ``set_password``, and every session and passkey goes with it; None where it changed nothing."""
        ...

    async def attempt(self, client: str, *, now: Moment) -> LoginAttempt:
        """Count a try as refused, unless the client has to wait (see ``access.attempt``). Tries at once all count."""
        ...

    async def forgive(self, client: str) -> None:
        """A try has succeeded: nothing is counted any more."""
        ...


class Sessions(Protocol):
    """The open sessions, by the hash of their cookies."""

    async def open(self, session: Session, *, passkey: bytes | None = None, events: Sequence[NewEvent] = ()) -> bool:
        """Keep it, with the events; sessions that have expired by then go.

        ``passkey`` is the credential id by which it is opened. False, opening nothing, where that was removed.
        """
        ...

    async def get(self, session_id: str) -> Session | None: ...

    async def change(self, session_id: str, change: Callable[[Session], Session]) -> tuple[Session, Session] | None:
        """The session before and after ``change``, which is pure; changes at once follow each other. None where it is closed."""
        ...

    async def close(self, session_id: str) -> None: ...

    async def close_all(self, *, keep: str = "") -> int:
        """Close every session but ``keep``; how many."""
        ...


class Passkeys(Protocol):
    """The operator's passkeys. ``events`` are appended with a change."""

    async def operator(self) -> bytes:
        """Whom authenticators know the operator as: always the same, and no other installation's (WebAuthn 5.4.3, user handle)."""
        ...

    async def add(self, passkey: Passkey, *, session_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """False, adding nothing, where its name or credential id is taken, or the session was closed."""
        ...

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: Moment) -> bool:
        """Note the use. False, changing nothing, where it was removed, or its count is not what ``passkey`` has."""
        ...

    async def remove(self, name: str, *, keep: str, events: Sequence[NewEvent] = ()) -> bool:
        """With it every session but ``keep`` is closed. False, closing none, where there is none of this name."""
        ...

    async def all(self) -> list[Passkey]:
        """In the order in which they were added."""
        ...


class Challenges(Protocol):
    """What passkeys were asked to sign and did not answer yet."""

    async def add(self, challenge: Challenge, *, now: Moment) -> None:
        """Keep it; those that have expired by ``now`` go."""
        ...

    async def take(self, digest: str) -> Challenge | None:
        """It is gone afterwards: of several who take it at once one gets it."""
        ...


class ApiTokens(Protocol):
    """The tokens of programs, by their hashes."""

    async def add(self, token: ApiToken, *, events: Sequence[NewEvent] = ()) -> bool:
        """Keep it, with the events. False where a token of its name is not revoked."""
        ...

    async def get(self, token_hash: str) -> ApiToken | None: ...

    async def used(self, token_hash: str, *, at: Moment) -> None: ...

    async def revoke(self, name: str, *, at: Moment, events: Sequence[NewEvent] = ()) -> bool:
        """Revoke the token of this name, with the events. False where there is none that is not revoked."""
        ...

    async def all(self) -> list[ApiToken]:
        """Revoked ones too, in the order in which they were made."""
        ...
