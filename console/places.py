"""Where in the console a thing is shown. Paths have ids in them and nothing else of what they lead to."""

from urllib.parse import quote

from domain.runs import Alert

_OF_STREAM = {
    "approval": "/inbox/",
    "ticket": "/business/tickets/",
    "order": "/business/orders/",
    "product": "/business/stock/",
    "stock": "/business/stock/",
    "purchase-order": "/business/purchase-orders/",
    "content": "/business/content/",
    "run": "/runs/",
    "experiment": "/learning/experiments/",
    "policy": "/learning/policies/",
}
_OF_ALERT = {"late": "purchase-order"}


def place_of(stream: str) -> str:
    """The page of an entity by its stream (``order/10001``); empty where there is none."""
    kind, _, key = stream.partition("/")
    return f"{_OF_STREAM[kind]}{quote(key)}" if key and kind in _OF_STREAM else ""


def place_of_fact(name: str) -> str:
    """The page of the entity that a fact (``order/10001#total``) is of; empty where there is none."""
    return place_of(name.rpartition("#")[0] or name)


def place_of_alert(alert: Alert) -> str:
    """Where one can do something about it; empty where there is no such page."""
    kind, _, about = alert.key.partition("/")
    if kind == "ratify":
        return place_of(f"policy/{about.partition('@')[0]}")
    if kind == "question":  # question/<stream>#<predicate>
        return place_of_fact(about)
    if kind == "experiment":  # experiment/<id>/<stage>
        return place_of(alert.key.rpartition("/")[0])
    if kind in ("connector", "connection", "file"):
        return "/connectors"
    return place_of(f"{_OF_ALERT.get(kind, kind)}/{about}") or (place_of(f"run/{alert.run_id}") if alert.run_id else "")
