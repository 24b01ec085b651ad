"""What vendors document of their APIs, in slices, and the check that requests and doubles keep to it.

A slice is ``<system>.graphql``, see ``tests/contract/graphql_double.py``, or ``<system>.json``: operations by method and path, each
with JSON Schemas of its query, its body and its answers by status; ``4XX`` and ``5XX`` stand for whole classes, and ``errors`` for
what no operation says otherwise. Queries and forms are checked as they are sent: every value is a string.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from tests.contract.scripted_http import Call, Reply

FOLDER = Path(__file__).parent
_FORMATS = FormatChecker(())


@_FORMATS.checks("date", ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@_FORMATS.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


class Broken(AssertionError):
    """A request or an answer is not as the vendor documents it."""


class Contract:
    """One system's slice."""

    def __init__(self, system: str, told: Mapping[str, Any]) -> None:
        self._system = system
        defs = told["$defs"]
        self._named = {name: _Shape({"$ref": f"#/$defs/{name}", "$defs": defs}) for name in defs}
        self._operations = [_Operation(name, {**told["errors"], **one}, defs) for name, one in told["operations"].items()]

    def holds(self, name: str, value: Mapping[str, Any]) -> None:
        """What comes in a call of theirs, by the name of its definition. Raises Broken."""
        self._named[name].check(f"{self._system}, {name}", value)

    def checked(self, call: Call, reply: Reply) -> Reply:
        """The reply, where it and the request are as documented. Raises Broken."""
        operation = next((one for one in self._operations if one.is_for(call)), None)
        if operation is None:
            raise Broken(f"{self._system}: nothing is recorded of {call.method} {call.path}")
        try:
            operation.check(call, reply)
        except Broken as broken:
            raise Broken(f"{self._system}, {operation.name}: {broken}") from None
        return reply


class _Operation:
    def __init__(self, name: str, parts: Mapping[str, Any], defs: Mapping[str, Any]) -> None:
        self.name = name
        self._method, _, path = name.partition(" ")
        self._path = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        self._parts = {part: _Shape({**schema, "$defs": defs}) for part, schema in parts.items()}
        self._good: set[tuple[int, bytes]] = set()  # doubles say the same again and again

    def is_for(self, call: Call) -> bool:
        return call.method == self._method and self._path.fullmatch(call.path) is not None

    def check(self, call: Call, reply: Reply) -> None:
        self._check("query", call.query)
        self._check("body", call.body)
        told = (reply.status, reply.body)
        if reply.cut or told in self._good:
            return
        status = str(reply.status)
        shape = self._parts.get(status) or self._parts.get(f"{status[0]}XX")
        if shape is None:
            raise Broken(f"no answer {status} is documented")
        shape.check(status, json.loads(reply.body) if reply.body else None)
        self._good.add(told)

    def _check(self, part: str, value: Any) -> None:
        if part in self._parts:
            self._parts[part].check(part, value)
        elif value:
            raise Broken(f"no {part} is documented")


class _Shape:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self._schema, format_checker=_FORMATS)

    def check(self, part: str, value: Any) -> None:
        fault = best_match(self._validator.iter_errors(value))
        if fault is not None:
            raise Broken(f"{part} at {fault.json_path}: {fault.message[:200]}")


@cache
def contract(system: str) -> Contract:
    return Contract(system, json.loads((FOLDER / f"{system}.json").read_text()))
