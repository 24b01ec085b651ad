"""Makes a recorded slice anew from what its vendor publishes:

    python -m tests.contract.recorded.slices shopify dist/data/admin_2026-10.json.gz

Shopify's is in the npm package
@shopify/dev-mcp, in ``dist/data``; Vendure's is what a Vendure, such as that of ``tests/peers``, answers to an introspection
query.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from connectors.shopify_api import VERSION
from tests.contract.recorded import from_graphql
from tests.contract.recorded.contracts import FOLDER

_QUERIES = Path(__file__).parents[3] / "connectors" / "queries"
_HEADS = {
    "shopify": (f"Shopify Admin API {VERSION}", "introspection in the npm package @shopify/dev-mcp 1.16.0, ISC"),
    "vendure": ("Vendure Admin API 3.7.3", "the schema that a server of @vendure/core 3.7.3, GPL-3.0-or-later, builds"),
}


def main(system: str, source: Path) -> None:
    again = f"python -m tests.contract.recorded.slices {system} SOURCE"
    comment = "".join(f"# {line}\n" for line in (*_HEADS[system], again))
    sdl = from_graphql.slice_of(_read(source), _QUERIES / system)
    (FOLDER / f"{system}.graphql").write_text(f"{comment}\n{sdl}\n")


def _read(source: Path) -> dict[str, Any]:
    text = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    told: dict[str, Any] = json.loads(text)
    return told.get("data", told)  # type: ignore[no-any-return]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
