"""The canonical state on Postgres."""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.catalogue import KIND_OF
from domain.errors import InvalidInput
from domain.event import SalesRow
from domain.model import Moment, Value
from domain.problems import first_problem
from memory.database import Database, Transaction, json_of

E = TypeVar("E", bound=Value)

_SALES = TypeAdapter(list[SalesRow])


class PostgresState:
    """See ``ports.State``. Over a transaction it is the state that the transaction sees."""

    def __init__(self, database: Database | Transaction) -> None:
        self._database = database

    async def get(self, entity: type[E], key: str) -> E | None:
        row = await self._database.row("get_state", kind=KIND_OF[entity], id=key)
        return None if row is None else entity.model_validate(row["body"])

    async def find(self, entity: type[E], **equals: str) -> list[E]:
        rows = await self._database.rows("find_states", kind=KIND_OF[entity], fields=json_of(as_fields(entity, equals)))
        return [entity.model_validate(row["body"]) for row in rows]

    async def since(self, entity: type[E], moment: Moment, **equals: str) -> list[E]:
        wanted = {"kind": KIND_OF[entity], "fields": json_of(as_fields(entity, equals)), "since": moment}
        return [entity.model_validate(row["body"]) for row in await self._database.rows("states_since", **wanted)]

    async def version(self, entity: type[Value], key: str) -> int:
        row = await self._database.row("get_state", kind=KIND_OF[entity], id=key)
        return 0 if row is None else int(row["version"])

    async def sales(self, *, since: date, until: date, skus: Sequence[str] = ()) -> list[SalesRow]:
        rows = await self._database.rows("read_sales", since=since, until=until, skus=list(skus))
        return _SALES.validate_python(rows)


def as_fields(entity: type[Value], equals: dict[str, str]) -> dict[str, Any]:
    """The texts as the JSON values the fields hold: "3" of an integer field is 3. Raises InvalidInput."""
    return {name: _field_value(entity, name, text) for name, text in equals.items()}


def _field_value(entity: type[Value], name: str, text: str) -> Any:
    if name not in entity.model_fields:
        raise InvalidInput(f"a {KIND_OF[entity]} has no field {name!r}", hint=f"it has {', '.join(entity.model_fields)}")
    annotation = entity.model_fields[name].annotation
    field: TypeAdapter[Any] = TypeAdapter(Any if annotation is None else annotation)
    try:
        return field.dump_python(field.validate_strings(text), mode="json")
    except ValidationError as error:
        raise InvalidInput(f"{text!r} is no value of {name} of a {KIND_OF[entity]}", hint=first_problem(error)[1]) from error
