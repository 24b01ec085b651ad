"""The registry of everything that can happen and everything it folds into."""

from collections.abc import Iterable
from typing import Any

from domain import (
    access,
    approvals,
    attention,
    autonomy,
    bypasses,
    connections,
    crm,
    entities,
    events,
    experiments,
    failures,
    flags,
    labels,
    learning,
    passkeys,
    policies,
    retention,
    runs,
    tools,
)
from domain.errors import InvalidInput
from domain.event import Event, EventData
from domain.model import Value
from domain.passage import Passage


def _concrete(module: Any) -> Iterable[type[EventData]]:
    for thing in vars(module).values():
        if isinstance(thing, type) and issubclass(thing, EventData) and "type" in vars(thing):
            yield thing


_MODULES = (
    events,
    approvals,
    policies,
    runs,
    bypasses,
    flags,
    experiments,
    failures,
    labels,
    autonomy,
    learning,
    retention,
    attention,
    access,
    passkeys,
    bypasses,
    connections,
    tools,
    crm,
)

EVENT_TYPES: dict[str, type[EventData]] = {t.type: t for m in _MODULES for t in _concrete(m)}

ENTITY_TYPES: dict[str, type[Value]] = {
    "shop": entities.Shop,
    "product": entities.Product,
    "supplier": entities.Supplier,
    "customer": entities.Customer,
    "stock": entities.Stock,
    "order": entities.Order,
    "ticket": entities.Ticket,
    "purchase-order": entities.PurchaseOrder,
    "content": entities.ContentPiece,
    "fact": events.FactSubject,
    "note": Passage,
    "policy": policies.PolicyRecord,
    "approval": approvals.Approval,
    "run": runs.Run,
    "alert": runs.Alert,
    "lesson": runs.Lesson,
    "digest": runs.Digest,
    "controls": runs.Controls,
    "archive": retention.ArchivedMonth,
    "summary": retention.Summary,
    "canary": retention.RecallCanary,
    "upkeep": retention.Upkeep,
    "flag": flags.Flag,
    "experiment": experiments.Experiment,
    "exposure": experiments.Exposure,
    "failure": failures.Failure,
    "label": labels.Label,
    "autonomy": autonomy.ClassRecord,
    "learning": learning.LearningReport,
    "attention": attention.AttentionDay,
    "access": access.AccessRecord,
    "connection": connections.Connection,
    "file": connections.TakenFile,
    "tool": tools.ToolUse,
    "customer-notes": crm.CustomerNotes,
}

KIND_OF: dict[type[Value], str] = {entity: kind for kind, entity in ENTITY_TYPES.items()}


def split_stream(stream: str) -> tuple[str, str]:
    """("order", "1001") of "order/1001"."""
    kind, _, key = stream.partition("/")
    if kind not in ENTITY_TYPES or not key:
        raise InvalidInput(f"{stream!r} is not a stream", hint=f"it starts with one of {', '.join(sorted(ENTITY_TYPES))}")
    return kind, key


def load_event(event_type: str, data: dict[str, Any]) -> EventData:
    """The typed data of a stored event. Raises InvalidInput for a type this code does not know."""
    known = EVENT_TYPES.get(event_type)
    if known is None:
        raise InvalidInput(f"unknown event type {event_type!r}", hint="the log was written by a newer version")
    return known.model_validate(data)


def load_entity(kind: str, body: dict[str, Any]) -> Any:
    """The typed entity of a stored projection row."""
    return ENTITY_TYPES[kind].model_validate(body)


def fold(state: Any, event: Event | EventData) -> Any:
    """The entity after ``event``. Pure: replaying a stream from None gives its state."""
    data = load_event(event.type, event.data) if isinstance(event, Event) else event
    return data.fold(state)
