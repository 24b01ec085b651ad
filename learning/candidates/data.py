"""Missing and contradicting facts: nothing to try out, only somebody to ask. Each question has a key, so that it is asked once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agents.skills.stock_arrays import lead_time
from domain.entities import Product, PurchaseOrder, Supplier
from domain.failures import Failure, RootCause
from domain.knowledge import Dispute
from domain.model import Name, Text, Value

LEAST_CASES = 2  # customers who met the gap, before the operator is asked about it
_LEAST_DELIVERIES = 3
_LEAST_DAYS_APART = 1.0
_DATA = (RootCause.DATA_MISSING, RootCause.DATA_STALE, RootCause.DATA_WRONG)


class Question(Value):
    """``key`` is that of the alert it becomes: a question whose key is known was asked before. ``ref`` is the fact."""

    key: Name
    text: Text
    what_to_do: Text
    ref: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LeadTimeFix:
    """``supplier`` as its deliveries show it; to be listed anew once the operator agrees."""

    supplier: Supplier
    deliveries: int
    question: Question


def questions(
    failures: Iterable[Failure], *, products: Sequence[Product] = (), disputes: Iterable[Dispute] = ()
) -> tuple[Question, ...]:
    """What the operator should be asked about: gaps that customers met, and sources that contradict each other."""
    titles = {product.sku: product.title for product in products}
    gaps = [_gap(ref, found, titles) for ref, found in _by_ref(failures).items() if len({f.run_id for f in found}) >= LEAST_CASES]
    asked = (*gaps, *(_contradiction(dispute, titles) for dispute in disputes), *_below_cost(products))
    return tuple(sorted(asked, key=lambda q: (-len(q.examples), q.key)))


def lead_time_fixes(suppliers: Sequence[Supplier], orders: Sequence[PurchaseOrder]) -> tuple[LeadTimeFix, ...]:
    """Suppliers whose deliveries take surely longer or shorter than they state."""
    found = (_lead_time_fix(supplier, orders) for supplier in sorted(suppliers, key=lambda s: s.supplier_id))
    return tuple(fix for fix in found if fix is not None)


def _by_ref(failures: Iterable[Failure]) -> dict[str, list[Failure]]:
    found: dict[str, list[Failure]] = {}
    for failure in sorted(failures, key=lambda f: (f.at, f.failure_id)):
        if failure.cause in _DATA and "#" in failure.ref:
            found.setdefault(failure.ref, []).append(failure)
    return found


def _gap(ref: str, found: Sequence[Failure], titles: dict[str, str]) -> Question:
    runs = tuple(dict.fromkeys(f.run_id for f in reversed(found)))
    subject, _, predicate = ref.partition("#")
    kind, _, key = subject.partition("/")
    named = f"{titles[key]} ({key})" if key in titles else key or subject
    return Question(
        key=f"question/{ref}"[:200],
        text=_asked(kind, named, predicate.replace("_", " "), found[-1].cause, len(runs)),
        what_to_do=_WHAT_TO_DO.get(kind, _WHAT_TO_DO["product"]).format(field=predicate, key=key),
        ref=ref,
        examples=runs[:10],
    )


def _asked(kind: str, named: str, field: str, cause: RootCause, cases: int) -> str:
    times = "once" if cases == 1 else f"{cases} times"
    match kind, cause:
        case "catalogue", _:
            return f"customers asked about something that is not clearly in your catalogue, {times}: what did they mean?"
        case "order", RootCause.DATA_MISSING:
            return f"orders come without {field}, which was needed {times}: can it be in what you import?"
        case "sales", _:
            return f"the sales history ends too early to plan by ({times}): is there a newer export?"
        case "stock", _:
            return f"how many of {named} are there? It was never counted, and that held up an order {times}"
        case _, RootCause.DATA_MISSING if field in ("attributes", ""):
            return f"customers asked something about {named} that your catalogue does not say, {times}: what should it say?"
        case _, RootCause.DATA_MISSING:
            return f"what is the {field} of {named}? It was needed {times} and is not known"
        case _:
            return f"is the {field} of {named} right? It turned out to be wrong or out of date {times}"


_WHAT_TO_DO = {
    "product": "correct the column {field} of {key} in your catalogue and run `./steward import catalog FILE`",
    "supplier": "correct {field} of the supplier {key} in your catalogue and run `./steward import catalog FILE`",
    "stock": "count it and put the number into your catalogue, then `./steward import catalog FILE`",
    "order": "add the column {field} to the orders that you export and run `./steward import orders FILE`",
    "catalogue": "look at the tickets with `./steward show RUN`; add what is missing to your catalogue and import it again",
    "sales": "export the latest sales and run `./steward import sales FILE`",
}


def _contradiction(dispute: Dispute, titles: dict[str, str]) -> Question:
    kind, _, key = dispute.subject.partition("/")
    named = f"{titles[key]} ({key})" if kind == "product" and key in titles else dispute.subject
    asked_for = dispute.predicate.replace("-", " ").replace("_", " ")
    said = f"{_teller(dispute.source)} says {dispute.believed!r}, {_teller(dispute.other_source)} {dispute.other!r}"
    return Question(
        key=f"question/{dispute.ref}"[:200],
        text=f"two sources disagree about the {asked_for} of {named}: {said}. Which is right?",
        what_to_do=f"put it right where it is wrong; `./steward memory facts {dispute.subject} --history` shows both",
        ref=dispute.ref,
    )


def _teller(source: str) -> str:
    kind, _, name = source.partition("/")
    if kind == "connection":
        return f"the connection {name}"
    return "a file you imported" if source == "import" else source


def _below_cost(products: Sequence[Product]) -> list[Question]:
    cheap = [p for p in products if p.active and p.price.currency == p.unit_cost.currency and p.price < p.unit_cost]
    return [
        Question(
            key=f"question/product/{p.sku}#price"[:200],
            text=f"{p.title} ({p.sku}) sells at {p.price} and costs you {p.unit_cost}: is one of them wrong?",
            what_to_do=_WHAT_TO_DO["product"].format(field="price or unit_cost", key=p.sku),
            ref=f"product/{p.sku}#price",
        )
        for p in cheap
    ]


def _lead_time_fix(supplier: Supplier, orders: Sequence[PurchaseOrder]) -> LeadTimeFix | None:
    """By the mean of the deliveries and its standard error: two of them, and at least a day, apart from what is stated."""
    came = [o for o in orders if o.supplier_id == supplier.supplier_id and o.received_at is not None]
    days = [(o.received_at - o.ordered_at) / timedelta(days=1) for o in came if o.received_at]
    if len(days) < _LEAST_DELIVERIES:
        return None
    seen = lead_time(supplier, came)
    apart = abs(sum(days) / len(days) - supplier.lead_time_days)
    if apart < max(_LEAST_DAYS_APART, 2 * seen.sd / len(days) ** 0.5):
        return None
    learned = {"lead_time_days": round(max(seen.days, 0.5), 1), "lead_time_sd_days": round(seen.sd, 1)}
    question = Question(
        key=f"question/supplier/{supplier.supplier_id}#lead_time_days"[:200],
        text=(
            f"{supplier.name} states {supplier.lead_time_days:g} days, but the last {len(days)} deliveries took "
            f"{sum(days) / len(days):.1f} on average: shall Steward plan with {learned['lead_time_days']:g}?"
        ),
        what_to_do=_WHAT_TO_DO["supplier"].format(field="lead_time_days", key=supplier.supplier_id),
        ref=f"supplier/{supplier.supplier_id}#lead_time_days",
    )
    return LeadTimeFix(supplier=supplier.model_copy(update=learned), deliveries=len(days), question=question)
