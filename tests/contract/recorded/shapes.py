"""JSON Schemas as the slices have them."""

from collections.abc import Collection, Mapping
from typing import Any

Shape = dict[str, Any]
TEXT: Shape = {"type": "string"}


def only(properties: Mapping[str, Shape], required: Collection[str] = ()) -> Shape:
    """An object with these properties and no others."""
    needed = {"required": sorted(required)} if required else {}
    return {"type": "object", "properties": dict(properties), **needed, "additionalProperties": False}


def ref(name: str) -> Shape:
    return {"$ref": f"#/$defs/{name}"}
