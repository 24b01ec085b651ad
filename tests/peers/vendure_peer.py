"""A Vendure of the tests' own: the real one from its package, on loopback, with a database of its own and a few orders."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict

SOURCE = Path(__file__).parent / "vendure"
NAMED_BY = ("package.json", "package-lock.json")
USER, PASSWORD = "steward", "sesame-open-wide"


def installed_at() -> Path:
    """Outside of this tree, since it is large and not ours."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "steward-peers" / "vendure"


def is_installed() -> bool:
    """As the files here name it."""
    same = all(_same(SOURCE / name, installed_at() / name) for name in NAMED_BY)
    return same and (installed_at() / "node_modules" / "@vendure" / "core").is_dir()


class VendurePeer:
    """``admin`` and ``shop`` ask its two APIs. Each order and each article is a new one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = count(1)
        self._staff = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self._log_in()

        channel = self.admin("{ activeChannel { id } }")["activeChannel"]["id"]
        euro = {"id": channel, "defaultCurrencyCode": "EUR", "availableCurrencyCodes": ["EUR"]}
        self.admin("mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename } }", i=euro)

    def _log_in(self) -> None:
        self.admin("mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }", u=USER, p=PASSWORD)

    def close(self) -> None:
        self._staff.close()

    def admin(self, document: str, **variables: Any) -> Any:
        return _asked(self._staff, "/admin-api", document, variables)

    def article(self, *, sku: str = "", stock: int = 100, price: int = 1450, name: str = "Mug") -> str:
        """The SKU of a new article; its price is net, with 20 % of tax to come."""
        key = sku or f"MUG-{next(self._numbers)}"
        words = [{"languageCode": "en", "name": name, "slug": key.lower(), "description": "<p>Red.</p>"}]
        made = self.admin("mutation($i: CreateProductInput!) { createProduct(input: $i) { id } }", i={"translations": words})
        variant = {"productId": made["createProduct"]["id"], "sku": key, "price": price, "stockOnHand": stock}
        variant |= {"trackInventory": "TRUE", "translations": [{"languageCode": "en", "name": name}]}
        self.admin("mutation($i: [CreateProductVariantInput!]!) { createProductVariants(input: $i) { id } }", i=[variant])
        return key

    def clear_articles(self) -> None:
        """All articles go, so that the next test begins without."""
        found = self.admin("{ products(options: {take: 100}) { items { id } } }")["products"]["items"]
        self.admin("mutation($i: [ID!]!) { deleteProducts(ids: $i) { result } }", i=[one["id"] for one in found])

    def order(self, sku: str, *, units: int = 2, method: str = "paying-back", email: str = "ada@example.org") -> str:
        """A customer buys: the code of an order that is paid. What was paid ``by-hand`` is paid back by hand."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=60) as buyer:

            def shop(document: str, **variables: Any) -> Any:
                return _asked(buyer, "/shop-api", document, variables)

            shop(_ADD, id=self.variant(sku)["id"], units=units)
            shop(_CUSTOMER, i={"firstName": "Ada", "lastName": "Byron", "emailAddress": email})
            shop(_ADDRESS, i=ADDRESS)
            shop(_SHIPPING, id=[shop("{ eligibleShippingMethods { id } }")["eligibleShippingMethods"][0]["id"]])
            shop('mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }')
            paid = shop(_PAY, i={"method": method, "metadata": {}})["addPaymentToOrder"]
        assert paid["state"] == "PaymentSettled", paid
        return str(paid["code"])

    def variant(self, sku: str) -> Any:
        options = {"filter": {"sku": {"eq": sku}}}
        return self.admin(_VARIANT, o=options)["productVariants"]["items"][0]

    def told(self, code: str) -> Any:
        return self.admin(_ORDER, o={"filter": {"code": {"eq": code}}})["orders"]["items"][0]

    def send(self, code: str, *states: str) -> None:
        """Everything goes out in one parcel, which goes through ``states``."""
        order = self.told(code)
        lines = [{"orderLineId": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
        handler = {"code": "manual-fulfillment", "arguments": [{"name": n, "value": v} for n, v in _PARCEL.items()]}
        self.admin(_FULFIL, i={"lines": lines, "handler": handler})
        self.send_on(code, *states)

    def send_on(self, code: str, *states: str) -> None:
        """The parcel of an order goes on."""
        parcel = self.told(code)["fulfillments"][0]["id"]
        for state in states:
            moved = self.admin(_MOVE, id=parcel, state=state)["transitionFulfillmentToState"]
            assert moved["__typename"] == "Fulfillment", moved

    def log_out(self, token: str) -> None:
        """The session of ``token`` is over; Vendure ends all of the same person with it."""
        with httpx.Client(base_url=self.url, trust_env=False, headers={"authorization": f"Bearer {token}"}) as other:
            _asked(other, "/admin-api", "mutation { logout { success } }", {})
        self._log_in()

    def api_key(self) -> str:
        roles = self.admin("{ roles { items { id code } } }")["roles"]["items"]
        role = next(one["id"] for one in roles if one["code"] == "__super_admin_role__")
        words = [{"languageCode": "en", "name": f"key {next(self._numbers)}"}]
        document = "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey } }"
        return str(self.admin(document, i={"roleIds": [role], "translations": words})["createApiKey"]["apiKey"])

    def set_stock(self, sku: str, stock_on_hand: int) -> None:
        variant = self.variant(sku)
        level = {"stockLocationId": variant["stockLevels"][0]["stockLocationId"], "stockOnHand": stock_on_hand}
        document = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
        self.admin(document, i=[{"id": variant["id"], "stockLevels": [level]}])


@contextmanager
def vendure(admin_url: str, *, tokens: str = "bearer,cookie,api-key") -> Iterator[VendurePeer]:
    """A fresh one, in a database of the server behind ``admin_url``. ``tokens`` are the ways in which it tells sessions."""
    if not is_installed() or shutil.which("node") is None:
        raise AssertionError("Vendure is not installed: `make test-peers` does it")
    name, port = f"v_{uuid4().hex[:12]}", _free_port()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    environ = {
        "PATH": os.environ["PATH"],
        "NODE_PATH": str(installed_at() / "node_modules"),
        "PEER_PORT": str(port),
        "PEER_PASSWORD": PASSWORD,
        "PEER_TOKENS": tokens,
        "PEER_DATABASE": _url(admin_url, name),
        "PEER_POPULATE": "yes",
        "VENDURE_DISABLE_TELEMETRY": "true",  # it calls nobody outside
    }
    server = subprocess.Popen(
        ["node", str(SOURCE / "server.js")], env=environ, cwd=installed_at(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        _wait(server)
        with closing(VendurePeer(f"http://127.0.0.1:{port}")) as peer:
            yield peer
    finally:
        server.communicate(timeout=20)  # its input is at its end, so it ends
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _wait(server: "subprocess.Popen[bytes]") -> None:
    """Once it says that it is ready; what else it says goes on to our own standard error."""
    assert server.stdout is not None
    for line in server.stdout:
        if line == b"ready\n":
            return
        sys.stderr.write(line.decode(errors="replace"))
    raise AssertionError(f"Vendure did not start: it ended with {server.wait()}")


def _url(admin_url: str, database: str) -> str:
    at = conninfo_to_dict(admin_url)
    who = f"{quote(str(at['user']))}:{quote(str(at['password']))}" if at.get("password") else quote(str(at["user"]))
    return f"postgresql://{who}@{at['host']}:{at['port']}/{database}"


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


def _asked(client: httpx.Client, path: str, document: str, variables: dict[str, Any]) -> Any:
    answer = client.post(path, json={"query": document, "variables": variables}).json()
    assert "errors" not in answer, json.dumps(answer["errors"])[:2_000]
    return answer["data"]


ADDRESS = {"fullName": "Ada Byron", "streetLine1": "1 Mill Lane", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"}
_PARCEL = {"method": "DHL", "trackingCode": "77"}
_ADD = """mutation($id: ID!, $units: Int!) {
  addItemToOrder(productVariantId: $id, quantity: $units) { __typename ... on ErrorResult { message } }
}"""
_CUSTOMER = "mutation($i: CreateCustomerInput!) { setCustomerForOrder(input: $i) { __typename } }"
_ADDRESS = "mutation($i: CreateAddressInput!) { setOrderShippingAddress(input: $i) { __typename } }"
_SHIPPING = "mutation($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) { __typename } }"
_PAY = """mutation($i: PaymentInput!) {
  addPaymentToOrder(input: $i) { __typename ... on Order { code state } ... on ErrorResult { message } }
}"""
_VARIANT = """query($o: ProductVariantListOptions) {
  productVariants(options: $o) { items { id sku stockLevels { stockLocationId stockOnHand stockAllocated } } }
}"""
_ORDER = """query($o: OrderListOptions) {
  orders(options: $o) {
    items {
      id code state updatedAt shippingAddress { fullName streetLine1 city postalCode countryCode }
      lines { id quantity } fulfillments { id } payments { id refunds { id state total reason } }
    }
  }
}"""
_FULFIL = """mutation($i: FulfillOrderInput!) {
  addFulfillmentToOrder(input: $i) { __typename ... on Fulfillment { id } ... on ErrorResult { message } }
}"""
_MOVE = """mutation($id: ID!, $state: String!) {
  transitionFulfillmentToState(id: $id, state: $state) { __typename ... on ErrorResult { message } }
}"""
