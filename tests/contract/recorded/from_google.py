"""Reads Google's discovery document of Search Console.

It is in the PyPI package google-api-python-client, at ``googleapiclient/discovery_cache/documents/searchconsole.v1.json``.
"""

import json
from pathlib import Path
from typing import Any

from tests.contract.recorded.shapes import TEXT, Shape, only, ref

_USED = {
    "SearchAnalyticsQueryRequest",
    "SearchAnalyticsQueryResponse",
    "ApiDimensionFilterGroup",
    "ApiDimensionFilter",
    "ApiDataRow",
    "Metadata",
    "WmxSite",
}


def slice_of(source: Path) -> dict[str, Any]:
    """What is used of it, and how one signs in, which the discovery document leaves to the standards."""
    told = json.loads(source.read_text())
    methods = (told["resources"]["searchanalytics"]["methods"]["query"], told["resources"]["sites"]["methods"]["get"])
    return {
        "of": f"Google Search Console API v1, revision {told['revision']}",
        "source": "discovery document in the PyPI package google-api-python-client 2.202.0, Apache-2.0; "
        "errors: its guide to standard error responses; sign-in: RFC 6749, RFC 7523",
        "operations": {f"{one['httpMethod']} /{one['path']}": _operation(one) for one in methods} | {"POST /token": _SIGN_IN},
        "errors": {"4XX": ref("Error")},
        "$defs": {name: _shape(schema) for name, schema in told["schemas"].items() if name in _USED} | {"Error": _ERROR},
    }


def _operation(method: dict[str, Any]) -> dict[str, Shape]:
    body = {"body": _shape(method["request"])} if "request" in method else {}
    return {**body, "200": _shape(method["response"])}


def _shape(schema: dict[str, Any]) -> Shape:
    """Google's words are in capitals here; its reference writes the same ones in camel case."""
    if "$ref" in schema:
        return ref(schema["$ref"])
    if "enum" in schema:
        return {"enum": [spelled for word in schema["enum"] for spelled in (word, _camel(word))]}
    if schema["type"] == "array":
        return {"type": "array", "items": _shape(schema["items"])}
    if schema["type"] != "object":
        return {"type": schema["type"]}
    fields = schema["properties"]
    required = [name for name, one in fields.items() if one.get("description", "").strip().startswith("[Required]")]
    return only({name: _shape(one) for name, one in fields.items()}, required)


def _camel(word: str) -> str:
    first, *rest = word.lower().split("_")
    return first + "".join(part.title() for part in rest)


_REASON = {"type": "object", "properties": dict.fromkeys(("domain", "reason", "message"), TEXT), "required": ["reason"]}
_FAULT = {"code": {"type": "integer"}, "message": TEXT, "status": TEXT, "errors": {"type": "array", "items": _REASON}}
_ERROR = only({"error": only(_FAULT, ("code", "message"))}, ("error",))
_GRANTS = ["refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
_ASKED = dict.fromkeys(("client_id", "client_secret", "refresh_token", "assertion"), TEXT)
_TOKEN = {"access_token": TEXT, "token_type": {"enum": ["Bearer"]}, "expires_in": {"type": "integer"}, "scope": TEXT}
_SIGN_IN = {
    "body": only({"grant_type": {"enum": _GRANTS}, **_ASKED}, ("grant_type",)),
    "200": only(_TOKEN, ("access_token", "token_type")),
    "4XX": only({"error": TEXT, "error_description": TEXT}, ("error",)),
}
