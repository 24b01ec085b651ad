"""Reads the types of Stripe's own SDK: its objects as JSON Schemas of answers, its parameters as those of forms.

The SDK is generated from Stripe's OpenAPI description. It says ``Optional`` both of what may be null and of what may be missing.
"""

import sys
import types
import typing
from collections.abc import Iterator
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from stripe import VERSION, Charge, Dispute, ErrorObject, Event, PaymentIntent, Refund, StripeObject
from stripe._api_version import _ApiVersion
from stripe._request_options import RequestOptions
from stripe.params import (
    ChargeRetrieveParams,
    EventListParams,
    PaymentIntentRetrieveParams,
    RefundCreateParams,
    RefundListParams,
)
from typing_extensions import is_typeddict

from tests.contract.recorded.shapes import TEXT, Shape, only, ref

_SIMPLE: dict[Any, Shape] = {
    str: TEXT,
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}
_SENT: dict[Any, Shape] = {
    str: TEXT,
    int: {"type": "string", "pattern": "^-?[0-9]+$"},
    bool: {"enum": ["true", "false"]},
}


def slice_of() -> dict[str, Any]:
    """What is used of it, in the version that is installed."""
    defs = {one.__name__: _answered(one) for one in _USED}
    defs["Event"]["properties"]["data"] = _EVENT_DATA
    return {
        "of": f"Stripe API {_ApiVersion.CURRENT}",
        "source": f"types in the PyPI package stripe {VERSION}, MIT",
        "operations": {
            "GET /v1/payment_intents/{intent}": {"query": _form(PaymentIntentRetrieveParams), "200": ref("PaymentIntent")},
            "GET /v1/charges/{charge}": {"query": _form(ChargeRetrieveParams), "200": ref("Charge")},
            "GET /v1/refunds": {"query": _form(RefundListParams), "200": _list_of("Refund")},
            "POST /v1/refunds": {"body": _form(RefundCreateParams), "200": ref("Refund")},
            "GET /v1/events": {"query": _form(EventListParams), "200": _list_of("Event")},
        },
        "errors": {"4XX": only({"error": _answered(ErrorObject)}, ("error",))},
        "$defs": defs,
    }


def _answered(kind: type[StripeObject]) -> Shape:
    """An object. What it holds of other kinds than those that are used is any object."""
    fields = {name: of for name, of in kind.__annotations__.items() if _is_field(of)}
    required = [name for name, of in fields.items() if type(None) not in get_args(of)]
    return only({name: _answer(of) for name, of in fields.items()}, required)


def _form(kind: Any) -> Shape:
    """A form or a query, flat as it is sent: ``metadata[order]``, ``types[0]``, ``created[gte]``."""
    own = {name: of for name, of in kind.__annotations__.items() if name not in RequestOptions.__annotations__}
    hints = typing.get_type_hints(types.SimpleNamespace(__annotations__=own), vars(sys.modules[kind.__module__]))
    fields = [pair for name, of in hints.items() for pair in _sent(name, of)]
    plain = {name: schema for name, schema in fields if not name.startswith("^")}
    patterns = {name: schema for name, schema in fields if name.startswith("^")}
    return {**only(plain), "patternProperties": patterns}


def _answer(of: Any) -> Shape:
    if of in _SIMPLE:
        return _SIMPLE[of]
    if of is type(None):
        return {"type": "null"}
    if isinstance(of, ForwardRef):
        return ref(of.__forward_arg__) if of.__forward_arg__ in _NAMES else {"type": "object"}
    if get_origin(of) is Literal:
        return {"enum": list(get_args(of))}
    if get_origin(of) is list:
        return {"type": "array", "items": _answer(get_args(of)[0])}
    if _is_union(of):
        return _one_of([_answer(one) for one in _listed(get_args(of))])
    if str in get_args(of):
        return {"type": "object", "additionalProperties": TEXT}
    return {"type": "object"}


def _sent(name: str, of: Any) -> Iterator[tuple[str, Shape]]:
    if _is_union(of):
        for one in _listed(get_args(of)):
            yield from _sent(name, one)
    elif get_origin(of) is Literal:
        if values := [value for value in get_args(of) if value]:
            yield name, {"enum": values}
    elif get_origin(of) is list:
        yield rf"^{name}\[[0-9]+\]$", _SENT[get_args(of)[0]]
    elif of in _SENT:
        yield name, _SENT[of]
    elif is_typeddict(of):
        for key, inner in typing.get_type_hints(of).items():
            yield from _sent(f"{name}[{key}]", inner)
    else:
        yield rf"^{name}\[[^\]]+\]$", TEXT


def _is_field(of: Any) -> bool:
    origin: Any = get_origin(of)
    return origin is not typing.ClassVar


def _is_union(of: Any) -> bool:
    return get_origin(of) in (Union, types.UnionType)


def _listed(options: tuple[Any, ...]) -> list[Any]:
    """Words that are listed say more than that there may be others."""
    words = any(get_origin(one) is Literal for one in options)
    return [one for one in options if not (words and one is str)]


def _one_of(shapes: list[Shape]) -> Shape:
    if all(set(shape) == {"type"} for shape in shapes):
        return {"type": list(dict.fromkeys(shape["type"] for shape in shapes))}
    return {"anyOf": shapes} if len(shapes) > 1 else shapes[0]


_USED = (Refund, Charge, PaymentIntent, Event, Dispute)
_NAMES = {one.__name__ for one in _USED}


def _told_by(word: str, name: str) -> Shape:
    return {"if": {"properties": {"object": {"const": word}}, "required": ["object"]}, "then": ref(name)}


_ABOUT = {"type": "object", "allOf": [_told_by("refund", "Refund"), _told_by("dispute", "Dispute")]}
_EVENT_DATA = only({"object": _ABOUT, "previous_attributes": {"type": "object"}}, ("object",))


def _list_of(name: str) -> Shape:
    many: dict[str, Shape] = {"data": {"type": "array", "items": ref(name)}, "has_more": {"type": "boolean"}}
    properties = {"object": {"const": "list"}, **many, "url": TEXT}
    return only(properties, properties)
