"""What a Temporal namespace needs before the worker can use it.

The embedded server registers the search attributes from its command line; on every other server this step does.
"""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from stack.errors import StackError
from stack.search_attributes import SEARCH_ATTRIBUTES

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}


async def ensure_search_attributes(client: Client) -> tuple[str, ...]:
    """Register the search attributes that the client's namespace lacks; returns their names.

    Safe to repeat and to run at once with another. Raises StackError when one exists with another type, or when the
    server does not let this client register any (Temporal Cloud).
    """
    found = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    wanted = {name: _TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items()}
    clashes = [name for name, kind in wanted.items() if found.custom_attributes.get(name, kind) != kind]
    if clashes:
        raise StackError(
            f"the search attribute {clashes[0]} exists in namespace {client.namespace} with another type",
            hint=f"it must be {SEARCH_ATTRIBUTES[clashes[0]]}: use another namespace, or remove it there",
        )
    missing = {name: kind for name, kind in wanted.items() if name not in found.custom_attributes}
    if missing:
        await _register(client, missing)
    return tuple(missing)


async def _register(client: Client, missing: "dict[str, IndexedValueType.ValueType]") -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return
        commands = " ".join(f"--name {name} --type {SEARCH_ATTRIBUTES[name]}" for name in missing)
        raise StackError(
            f"the Temporal server did not register search attributes: {error.message}",
            hint=f"register them by hand: temporal operator search-attribute create {commands}",
        ) from error
