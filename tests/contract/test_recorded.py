"""The recorded contracts themselves: they are well-formed, they find what is wrong, and no connector acts on a word they lack."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, build_schema, introspection_from_schema, parse, validate, validate_schema
from jsonschema import Draft202012Validator

from connectors import search_console, shopify_api, shopify_records, stripe_events, woo_records
from tests.contract.graphql_double import answered, directive, schema_of
from tests.contract.recorded import from_graphql, from_stripe
from tests.contract.recorded.contracts import FOLDER, Broken, contract
from tests.contract.scripted_http import Call, Reply, as_json, serving

QUERIES = Path(__file__).parents[2] / "connectors" / "queries"
GRAPHS, RESTS = sorted(FOLDER.glob("*.graphql")), sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", RESTS, ids=lambda path: path.stem)
def test_a_slice_is_well_formed_and_says_where_it_is_from(path: Path) -> None:
    told = json.loads(path.read_text())
    assert all(told[word] for word in ("of", "source", "again", "operations"))
    shapes = [shape for one in (*told["operations"].values(), told["errors"]) for shape in one.values()]
    Draft202012Validator.check_schema({"allOf": shapes, "$defs": told["$defs"]})
    assert {name for shape in (*shapes, *told["$defs"].values()) for name in _needed(shape)} == told["$defs"].keys()


def _needed(shape: Any) -> set[str]:
    """The definitions that it points to."""
    if isinstance(shape, list):
        return {name for one in shape for name in _needed(one)}
    if not isinstance(shape, dict):
        return set()
    own = {str(shape["$ref"]).removeprefix("#/$defs/")} if isinstance(shape.get("$ref"), str) else set()
    return own | {name for one in shape.values() for name in _needed(one)}


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_every_document_of_a_connector_fits_its_slice(path: Path) -> None:
    """Those that no test sends, too."""
    text, schema = path.read_text(), schema_of(path.stem)
    assert [line.startswith("# ") for line in text.splitlines()[:4]] == [True, True, True, False]
    assert validate_schema(build_schema(text)) == []
    whole = "\n".join(one.read_text() for one in (QUERIES / path.stem).glob("*.graphql"))
    assert validate(schema, parse(whole)) == []


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_a_slice_of_a_schema_has_nothing_that_no_document_reaches(path: Path) -> None:
    """Cut once more it is the same. Where a document asks for less by now, the slice is made anew."""
    _, _, sdl = path.read_text().partition("\n\n")
    whole = dict(introspection_from_schema(build_schema(sdl)))
    assert from_graphql.slice_of(whole, QUERIES / path.stem) == sdl.rstrip()


def test_shopifys_and_stripes_are_of_the_versions_that_are_used() -> None:
    """Stripe's is what the installed SDK says; where it says more by now, the slice is made anew."""
    assert f"Admin API {shopify_api.VERSION}\n" in (FOLDER / "shopify.graphql").read_text()
    recorded = json.loads((FOLDER / "stripe.json").read_text())
    assert {**recorded, **json.loads(json.dumps(from_stripe.slice_of()))} == recorded


def _words(system: str, name: str) -> set[str]:
    found = schema_of(system).type_map[name]
    assert isinstance(found, GraphQLEnumType)
    return set(found.values)


def _listed(system: str, kind: str, field: str) -> set[str]:
    found = json.loads((FOLDER / f"{system}.json").read_text())["$defs"][kind]["properties"][field]
    assert found.keys() == {"enum"}
    return set(found["enum"])


def test_what_a_connector_acts_on_is_a_word_of_the_vendor() -> None:
    """A word that is misspelled would simply never come."""
    codes = {*shopify_api._STALE, "IDEMPOTENCY_CONCURRENT_REQUEST"}
    assert codes <= _words("shopify", "InventorySetQuantitiesUserErrorCode")
    assert _words("shopify", "OrderDisplayFinancialStatus") >= shopify_records._SOLD
    assert {"FULFILLED", "UNFULFILLED", "OPEN", "ON_HOLD", "SCHEDULED"} <= _words("shopify", "OrderDisplayFulfillmentStatus")
    assert {"SALE", "CAPTURE"} <= _words("shopify", "OrderTransactionKind")
    assert {*stripe_events.TYPES} <= _listed("stripe", "Event", "type")
    assert {*stripe_events._WON, "lost"} <= _listed("stripe", "Dispute", "status")
    assert {*woo_records._STATUS, *woo_records.NAMES.values()} <= _listed("woocommerce", "Order", "status")
    assert {*search_console._NOBODY} <= _listed("search-console", "WmxSite", "permissionLevel")


SEARCH: dict[str, Any] = {"startDate": "2026-03-01", "endDate": "2026-03-02", "dimensions": ["page"]}
ROWS = {"rows": [{"keys": ["a"], "clicks": 1.0}]}
QUERY = "/webmasters/v3/sites/x/searchAnalytics/query"


@pytest.mark.parametrize(
    ("call", "reply", "why"),
    [
        (Call("POST", QUERY, {}, {}, {**SEARCH, "dimension": "page"}), as_json(ROWS), "body at .*'dimension' was unexpected"),
        (Call("POST", QUERY, {}, {}, {"startDate": "2026-03-01"}), as_json(ROWS), "'endDate' is a required property"),
        (Call("POST", QUERY, {}, {}, {**SEARCH, "dimensions": ["pages"]}), as_json(ROWS), r"dimensions\[0\].*is not one of"),
        (Call("POST", QUERY, {"alt": "json"}, {}, SEARCH), as_json(ROWS), "no query is documented"),
        (Call("POST", QUERY, {}, {}, SEARCH), as_json({"rows": [{"keys": ["a"], "clicks": "1"}]}), "200 at .*clicks"),
        (Call("POST", QUERY, {}, {}, SEARCH), as_json({}, status=404), "404 at .*'error' is a required"),
        (Call("POST", QUERY, {}, {}, SEARCH), as_json({}, status=201), "no answer 201 is documented"),
        (Call("DELETE", QUERY, {}, {}, None), as_json({}), "nothing is recorded of DELETE"),
        (Call("GET", "/webmasters/v3/sites/x/sitemaps", {}, {}, None), as_json({}), "nothing is recorded of GET"),
    ],
)
def test_what_is_not_as_documented_is_found(call: Call, reply: Reply, why: str) -> None:
    """In a request, in an answer, and where nothing is recorded at all."""
    recorded = contract("search-console")
    good = as_json(ROWS)
    assert recorded.checked(Call("POST", QUERY, {}, {}, SEARCH), good) is good
    with pytest.raises(Broken, match=why):
        recorded.checked(call, reply)


def test_a_moment_that_is_none_is_found() -> None:
    with pytest.raises(Broken, match="date-time"):
        contract("hubspot").holds("SimplePublicObject", {"id": "1", "properties": {}, "createdAt": "soon", "updatedAt": "soon"})


ADDRESS = {"id": "gid://shopify/Order/1", "shippingAddress": {"countryCode": "DE"}}
READDRESS = "mutation A($input: OrderInput!) { orderUpdate(input: $input) { order { id name } userErrors { field message } } }"
REFUND = 'mutation R($i: RefundInput!) { refundCreate(input: $i) @idempotent(key: "k") { refund { id } userErrors { message } } }'
SHOP = {"shop": {"name": "Mill", "currencyCode": "EUR"}}
ORDER = {"orderUpdate": lambda _info, _given: {"order": {"id": "1"}, "userErrors": []}}
KEYED = {"refundCreate": lambda info, _given: directive(info, "idempotent")}


@pytest.mark.parametrize(
    ("query", "variables", "root", "why"),
    [
        ("{ shop { owner } }", {}, SHOP, "Cannot query field"),
        ("{ shop { currencyCode } }", {}, {"shop": {"currencyCode": "EURO"}}, "cannot represent value: 'EURO'"),
        ("{ shop { name } }", {}, {"shop": {"currencyCode": "EUR"}}, "has no name"),
        ("{ shop { name } }", {}, {"shop": {"name": None}}, "Cannot return null"),
        ("{ shop { name } }", {}, {"shop": {"name": "Mill", "nom": "Moulin"}}, "there is no .*nom"),
        (READDRESS, {"input": {**ADDRESS, "zip": "1"}}, ORDER, "unknown field 'zip'"),
        (
            READDRESS,
            {"input": {"id": "1", "shippingAddress": {"countryCode": "Germany"}}},
            ORDER,
            "does not exist in",
        ),
        (READDRESS, {"input": ADDRESS}, ORDER, "Order has no name"),
        (REFUND, {"i": {"orderId": "1", "processedAt": "soon"}}, {}, "is no DateTime"),
        (REFUND, {"i": {}}, {}, "required field 'orderId'"),
        (REFUND.replace('@idempotent(key: "k")', ""), {"i": {"orderId": "1"}}, KEYED, "goes without @idempotent"),
    ],
)
def test_what_does_not_fit_the_schema_is_found(query: str, variables: dict[str, Any], root: dict[str, Any], why: str) -> None:
    """In a document, in its variables and in what a double has."""
    assert answered("shopify", {"query": "{ shop { name } }", "variables": {}}, SHOP) == {"shop": {"name": "Mill"}}
    with pytest.raises(AssertionError, match=why):
        answered("shopify", {"query": query, "variables": variables}, root)


@pytest.mark.parametrize("fault", [Broken("no"), KeyError("no")])
async def test_what_goes_wrong_in_a_double_is_told_at_the_end(fault: Exception) -> None:
    """Whoever asked only saw the line break, which might be just what its test expects."""

    def answer(call: Call) -> Reply:
        raise fault

    async def ask() -> None:
        async with serving(answer=answer) as server, httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(server.url)

    with pytest.raises(type(fault)):
        await ask()
