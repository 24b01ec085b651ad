"""GraphQL for the double of a system: as the recorded slice of the real schema has it, so that neither the connector nor the
double can drift from it.

Documents and variables have to fit the slice, and so do records: a field that is missing, that the type does not have, or that
is null, of another type or an unknown word where it may not be, is an error of the double. ``tests/contract/recorded`` has the
slices.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_directive_values,
    get_named_type,
    parse,
    validate,
)

from tests.contract.recorded.contracts import FOLDER

Root = Mapping[str, Any]
"""What a double knows, by the fields of the schema's roots: records, or functions of the question and the field's arguments."""


def answered(system: str, body: Mapping[str, Any], root: Root) -> dict[str, Any]:
    """What the document of ``body`` selects of ``root``. Raises AssertionError for whatever does not fit the schema."""
    schema = schema_of(system)
    document = _fitting(system, body["query"])
    result = execute_sync(schema, document, root, variable_values=body["variables"], field_resolver=_field)
    if result.errors:
        first = result.errors[0]
        raise AssertionError(f"{system}: {first.message} at {first.path or 'the question'}") from first.original_error
    assert result.data is not None
    return result.data


@cache
def schema_of(system: str) -> GraphQLSchema:
    """Its slice, with scalars that look at what they are given."""
    schema = build_schema((FOLDER / f"{system}.graphql").read_text(), assume_valid=True)
    for name, (kind, fits) in _SCALARS[system].items():
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_output_value = scalar.coerce_input_value = _checked(name, kind, fits)
    return schema


def directive(info: GraphQLResolveInfo[Any], name: str) -> dict[str, Any]:
    """The arguments of a directive that the question has to bear."""
    found = info.schema.get_directive(name)
    assert found is not None
    given = get_directive_values(found, info.field_nodes[0], info.variable_values)
    assert given is not None, f"{info.field_name} goes without @{name}"
    return given


@cache
def _fitting(system: str, query: str) -> DocumentNode:
    document = parse(query)
    faults = validate(schema_of(system), document)
    assert not faults, f"{system}: {'; '.join(fault.message for fault in faults)}"
    return document


def _field(record: Mapping[str, Any], info: GraphQLResolveInfo[Any], **given: Any) -> Any:
    name, of = info.field_name, info.parent_type
    assert name in record, f"the double's {of.name} has no {name}"
    if record is not info.root_value:  # which holds the fields of both roots
        invented = record.keys() - _known(of)
        assert not invented, f"there is no {sorted(invented)} in {of.name}"
    value = record[name]
    if isinstance(value, list) and "first" in given:
        connection = get_named_type(info.return_type).name.endswith("Connection")
        return _part(value, given["first"], given.get("after")) if connection else value[: given["first"]]
    return value(info, given) if callable(value) else value


def _part(whole: list[Any], first: int, after: str | None) -> dict[str, Any]:
    start = int(after or 0)
    end = start + first
    return {"nodes": whole[start:end], "pageInfo": {"hasNextPage": len(whole) > end, "endCursor": str(end)}}


@cache
def _known(of: GraphQLObjectType) -> frozenset[str]:
    return frozenset({*of.fields, "__typename"})


def _checked(name: str, kind: type, fits: Callable[[Any], object]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind or not fits(value):
            raise GraphQLError(f"{value!r} is no {name}")
        return value

    return check


def _moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_DECIMAL = re.compile(r"-?\d+(\.\d+)?").fullmatch
_SCALARS: dict[str, dict[str, tuple[type, Callable[[Any], object]]]] = {
    "shopify": {
        "DateTime": (str, _moment),
        "Decimal": (str, _DECIMAL),
        "Money": (str, _DECIMAL),
        "UnsignedInt64": (str, str.isdecimal),
        "URL": (str, re.compile(r"https?://\S+").fullmatch),
    },
    "vendure": {"DateTime": (str, _moment), "Money": (int, lambda _: True)},
}
"""What the values of a system's own scalars look like."""
