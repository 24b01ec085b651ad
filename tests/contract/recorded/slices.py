"""Makes a recorded slice anew from what its vendor publishes:

    python -m tests.contract.recorded.slices shopify dist/data/admin_2026-10.json.gz

``from_google``, ``from_hubspot`` and ``from_stripe`` say where their source is found. Shopify's is in the npm package
@shopify/dev-mcp, in ``dist/data``; Vendure's is what a Vendure, such as that of ``tests/peers``, answers to an introspection
query. The slices of the others are written by hand from documentation that no machine reads; their heads name it.
"""

import gzip
import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.shopify_api import VERSION
from tests.contract.recorded import from_google, from_graphql, from_hubspot, from_stripe
from tests.contract.recorded.contracts import FOLDER

_WIDTH = 132
_QUERIES = Path(__file__).parents[3] / "connectors" / "queries"
_HEADS = {
    "shopify": (f"Shopify Admin API {VERSION}", "introspection in the npm package @shopify/dev-mcp 1.16.0, ISC"),
    "vendure": ("Vendure Admin API 3.7.3", "the schema that a server of @vendure/core 3.7.3, GPL-3.0-or-later, builds"),
}
_MAKERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "search-console": from_google.slice_of,
    "hubspot": from_hubspot.slice_of,
    "stripe": lambda _: from_stripe.slice_of(),
}


def main(system: str, source: Path) -> None:
    again = f"python -m tests.contract.recorded.slices {system} SOURCE"
    if system in _HEADS:
        comment = "".join(f"# {line}\n" for line in (*_HEADS[system], again))
        sdl = from_graphql.slice_of(_read(source), _QUERIES / system)
        (FOLDER / f"{system}.graphql").write_text(f"{comment}\n{sdl}\n")
    else:
        told = _MAKERS[system](source)
        head = {"of": told["of"], "source": told["source"], "again": again}
        (FOLDER / f"{system}.json").write_text(f"{_laid_out({**head, **told})}\n")


def _read(source: Path) -> dict[str, Any]:
    text = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    told: dict[str, Any] = json.loads(text)
    return told.get("data", told)  # type: ignore[no-any-return]


def _laid_out(value: Any, deep: int = 0) -> str:
    """JSON with a line for whatever fits on one, so that a difference is seen where it is."""
    flat = json.dumps(value, ensure_ascii=False)
    if deep + len(flat) <= _WIDTH or not isinstance(value, dict | list):
        return flat
    edge, inner = " " * deep, " " * (deep + 1)
    if isinstance(value, dict):
        parts = ",\n".join(f"{inner}{json.dumps(key)}: {_laid_out(one, deep + 1)}" for key, one in value.items())
        return f"{{\n{parts}\n{edge}}}"
    if all(isinstance(one, str) for one in value):
        return f"[\n{textwrap.fill(flat[1:-1], _WIDTH, initial_indent=inner, subsequent_indent=inner)}\n{edge}]"
    parts = ",\n".join(f"{inner}{_laid_out(one, deep + 1)}" for one in value)
    return f"[\n{parts}\n{edge}]"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
