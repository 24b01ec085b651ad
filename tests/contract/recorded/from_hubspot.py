"""Reads HubSpot's own Python client as text: its models as JSON Schemas, its calls as operations.

It is generated from HubSpot's OpenAPI descriptions: the PyPI package hubspot-api-client, its folder ``hubspot/crm``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contract.recorded.shapes import TEXT, Shape, only, ref

_SIMPLE: dict[str, Shape] = {
    "str": TEXT,
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {},
    "dict[str, str]": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},  # null where it is not set
}


def slice_of(source: Path) -> dict[str, Any]:
    """What is used of it. Where HubSpot's guides show more than the models say, both are in it."""
    client = _Client(source)
    operations = dict(client.operation(*call) for call in _USED)
    client.defs["PublicObjectSearchRequest"]["properties"]["sorts"]["items"] = {"anyOf": [TEXT, _SORT]}
    client.defs["MultiAssociatedObjectWithLabel"]["properties"]["toObjectId"] = {"type": ["string", "integer"]}
    return {
        "of": "HubSpot CRM API v3, and v4 of its associations",
        "source": "models in the PyPI package hubspot-api-client 12.0.0, Apache-2.0; that sorts may be objects, ids of "
        "associations numbers and properties null: HubSpot's guides to search, associations and contacts",
        "operations": operations,
        "errors": {"4XX": ref("Error")},
        "$defs": client.defs | {"Error": client.model("Error", "contacts")},
    }


_USED = (
    ("contacts", "search_api", "do_search"),
    ("contacts", "basic_api", "get_by_id"),
    ("objects/notes", "basic_api", "get_page"),
    ("objects/notes", "basic_api", "create"),
    ("objects/notes", "basic_api", "get_by_id"),
    ("objects/notes", "basic_api", "archive"),
    ("objects/notes", "batch_api", "read"),
    ("associations/v4", "basic_api", "get_page"),
)
_DIRECTION = {"enum": ["ASCENDING", "DESCENDING"]}
_SORT = only({"propertyName": TEXT, "direction": _DIRECTION}, ("propertyName", "direction"))


class _Client:
    """``root`` is the folder ``hubspot/crm``. ``defs`` are the models that were needed so far."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.defs: dict[str, Any] = {}

    def operation(self, package: str, api: str, method: str) -> tuple[str, dict[str, Shape]]:
        """As its name and what is documented of it; ``package`` is such as ``contacts``, ``api`` such as ``search_api``."""
        text = (self._root / package / "api" / f"{api}.py").read_text()
        code = text[text.index(f"def {method}_with_http_info(") :]
        path, verb = re.findall(r'call_api\(\s*"([^"]+)",\s*"([A-Z]+)"', code)[0]
        code = code[: code.index("call_api(")]
        query = re.findall(r'query_params\.append\(\("(\w+)"', code)
        told = {"query": only(dict.fromkeys(query, TEXT))} if query else {}
        if body := re.search(r'body_params = local_var_params\["(\w+)"\]', code):
            kind = re.findall(rf":type {body[1]}: (\w+)", text)[0]
            told["body"] = self._schema(kind, package)
        for status, kind in re.findall(r'(\d{3}): "(\w+)"', code):
            told[status] = self._schema(kind, package)
        return f"{verb} {path}", told if verb != "DELETE" else {**told, "204": {"type": "null"}}

    def _schema(self, kind: str, package: str) -> Shape:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind.startswith("list["):
            return {"type": "array", "items": self._schema(kind[5:-1], package)}
        if kind.startswith("dict["):
            return {"type": "object"}
        if kind not in self.defs:
            self.defs[kind] = {}  # it may need itself
            self.defs[kind] = self.model(kind, package)
        return ref(kind)

    def model(self, kind: str, package: str) -> Shape:
        text = (self._root / package / "models" / f"{_snake(kind)}.py").read_text()
        types, names = (ast.literal_eval(re.findall(rf"{part} = (\{{.*?\}})", text, re.DOTALL)[0]) for part in _PARTS)
        properties = {names[key]: self._schema(kind, package) for key, kind in types.items()}
        for key, values in _enums(text):
            properties[names[key]] = {"enum": values}
        required = {names[key] for key in re.findall(r"client_side_validation and (\w+) is None", text)}
        return only(properties, required)


_PARTS = ("openapi_types", "attribute_map")


def _enums(text: str) -> Iterator[tuple[str, list[str]]]:
    for setter in re.split(r"@(?=\w+\.setter)", text)[1:]:
        if values := re.search(r"allowed_values = (\[.*?\])", setter, re.DOTALL):
            yield setter.partition(".")[0], ast.literal_eval(values[1])


def _snake(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
