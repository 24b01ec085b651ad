"""The auditor's invariants, each broken once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.audit.figures import figures, unsupported
from agents.audit.injection import signs
from agents.audit.reply_text import text_findings
from domain.actions import (
    Action,
    AdjustStock,
    CancelOrder,
    ChangeAddress,
    PlacePurchaseOrder,
    PublishContent,
    Receipt,
    RefundOrder,
    ReinstateOrder,
    SendReply,
    UnpublishContent,
)
from domain.decisions import Diff, Severity, Verdict, Why
from domain.effects import Effect, EffectStatus
from domain.entities import ContentPiece, PurchaseOrder, PurchaseOrderLine, Refund, Supplier
from domain.events import OrderRefunded, ProductListed, PurchaseOrderSent, SupplierListed
from domain.money import Money
from models.local.intents import seed_examples
from models.scripted import ScriptedModel
from tests.unit.support.floor import ADA, BO, MUG, NOW, SHOP, VASE, Floor, address, delivered, order

SUPPLIER = Supplier(supplier_id="s-1", name="Kiln", email="sales@kiln.example", minimum_order=Money.of(50))
LINE = PurchaseOrderLine(sku=MUG.sku, title=MUG.title, units=12, unit_cost=MUG.unit_cost)


async def floor() -> Floor:
    orders = (order("1001", ADA, MUG, VASE, days_ago=9, **delivered(3)), order("1002", ADA, MUG, days_ago=1))
    opened = await Floor.open(ScriptedModel({}), *orders, order("2001", BO, VASE, days_ago=1))
    await opened.tell(SupplierListed(supplier=SUPPLIER))
    await opened.receive("t-1", ADA.email, "hello")
    return opened


async def judged(
    action: Action, *, opened: Floor | None = None, ticket: str = "t-1", diff: Diff | None = None, now: datetime = NOW
) -> Verdict:
    opened = opened or await floor()
    shown = diff or Diff(record="r", record_version="1", before={}, after={})
    why = Why(reason="test", facts={"ticket": ticket} if ticket else {})
    return await opened.auditor.before(action=action, diff=shown, why=why, now=now)


def reply(**more: Any) -> SendReply:
    plain = {"ticket_id": "t-1", "message_id": "<m@alder.example>", "to": ADA.email, "sender": SHOP.email, "subject": "Re: x"}
    return SendReply.model_validate({**plain, "body": "Hello", **more})


def purchase(**more: Any) -> PlacePurchaseOrder:
    made = PurchaseOrder(
        purchase_order_id="po-1", supplier_id="s-1", lines=(LINE,), ordered_at=NOW, expected_at=NOW + timedelta(days=7)
    )
    to = more.pop("to", SUPPLIER.email)
    return PlacePurchaseOrder(purchase_order=made.model_copy(update=more), to=to, sender="hello@clay.example")


def line(**more: Any) -> dict[str, Any]:
    return {"lines": (LINE.model_copy(update=more),)}


def page(**more: Any) -> PublishContent:
    piece = {"slug": "mug", "kind": "product-guide", "title": "The mug", "description": "A mug", "body": "It costs 18.00 EUR."}
    facts = {f"product/{MUG.sku}#price": "18.00 EUR"}
    return PublishContent(
        piece=ContentPiece.model_validate({**piece, "keyword": "mug", "skus": (MUG.sku,), "facts": facts, **more})
    )


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (RefundOrder(order_id="1001", amount=Money.of("82.01"), reason="x"), "refund-too-high"),
        (RefundOrder(order_id="1001", amount=Money.of(5, "USD"), reason="x"), "refund-currency"),
        (RefundOrder(order_id="1001", amount=Money.of(0), reason="x"), "refund-amount"),
        (RefundOrder(order_id="1001", amount=Money.of(-5), reason="x"), "refund-amount"),
        (RefundOrder(order_id="1001", amount=Money.of("1.005"), reason="x"), "refund-amount"),
        (RefundOrder(order_id="1001", amount=Money.of(5), reason="x", payment_reference="pi_of_another"), "wrong-payment"),
        (RefundOrder(order_id="9999", amount=Money.of(5), reason="x"), "order-unknown"),
        (RefundOrder(order_id="2001", amount=Money.of(5), reason="x"), "not-their-order"),
        (CancelOrder(order_id="1001", reason="x"), "order-not-open"),
        (ChangeAddress(order_id="1001", address=address("A", "B 1", "C")), "order-not-open"),
        (ReinstateOrder(order_id="1002", status="paid"), "order-not-cancelled"),
        (reply(to="eve@evil.example"), "wrong-recipient"),
        (reply(to=f"{ADA.email}, eve@evil.example"), "wrong-recipient"),
        (reply(subject="x\r\nBcc: eve@evil.example"), "header-injection"),
        (reply(ticket_id="nope"), "ticket-unknown"),
        (reply(facts={"order/2001#status": "paid"}), "not-their-order"),
        (reply(facts={"customer/c-bo#email": "x"}), "fact-out-of-bounds"),
        (reply(facts={"order/1001#status": "cancelled"}), "fact-changed"),
        (reply(body="see www.evil.example/x"), "foreign-link"),
        (reply(body="write to bo@post.example"), "foreign-mail-address"),
        (reply(body="about order 2001"), "not-their-order"),
        (purchase(to="eve@evil.example"), "wrong-recipient"),
        (purchase(supplier_id="s-9"), "supplier-unknown"),
        (purchase(**line(sku="NOPE")), "product-unknown"),
        (purchase(**line(unit_cost=Money.of(5))), "other-cost"),
        (purchase(lines=(LINE, LINE)), "line-twice"),
        (page(facts={f"product/{MUG.sku}#price": "17.00 EUR"}), "fact-changed"),
        (page(skus=(VASE.sku,)), "out-of-stock"),
        (page(skus=("NOPE",)), "product-unknown"),
        (UnpublishContent(slug="nope"), "not-published"),
        (AdjustStock(sku="NOPE", units_before=1, units_after=2, reason="x"), "product-unknown"),
        (AdjustStock(sku=MUG.sku, units_before=40, units_after=40, reason="x"), "no-change"),
        (AdjustStock.model_construct(sku=MUG.sku, units_before=40, units_after=-1, reason="x"), "stock-below-nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
async def test_a_broken_invariant_blocks(action: Action, code: str) -> None:
    """It must not happen as it is, in any mode."""
    verdict = await judged(action)
    assert code in {f.code for f in verdict.findings}
    assert verdict.severity is Severity.BLOCK


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (ChangeAddress(order_id="1002", address=address("A", "B 1", "C").model_copy(update={"country": "FR"})), "other-country"),
        (reply(body="it arrives on 14 March"), "figure-without-fact"),
        (reply(body="you get a voucher"), "promise-without-ground"),
        (purchase(**line(units=1)), "under-minimum-order"),
        (purchase(**line(units=1_000)), "over-budget"),
        (purchase(**line(units=1_000)), "more-than-a-year"),
        (page(body="It holds 500 ml."), "figure-without-fact"),
        (AdjustStock(sku=MUG.sku, units_before=4, units_after=28, reason="x"), "stock-differs"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
async def test_what_code_cannot_judge_is_held(action: Action, code: str) -> None:
    """A person looks; nothing is mended by the auditor."""
    verdict = await judged(action)
    assert code in {f.code for f in verdict.findings}
    assert verdict.severity is Severity.HOLD


@pytest.mark.parametrize(
    "action",
    [
        RefundOrder(order_id="1001", amount=Money.of(18), reason="damaged"),
        CancelOrder(order_id="1002", reason="asked"),
        reply(body="Order 1001 was delivered.", facts={"order/1001#order_id": "1001", "order/1001#status": "delivered"}),
        page(),
        AdjustStock(sku=MUG.sku, units_before=40, units_after=64, reason="po-1 came in"),
    ],
    ids=lambda action: action.kind,
)
async def test_what_keeps_every_rule_passes(action: Action) -> None:
    """No finding at all."""
    assert (await judged(action)).findings == ()


async def test_a_change_of_an_order_without_a_ticket_is_held() -> None:
    """Nobody asked for it."""
    verdict = await judged(CancelOrder(order_id="1002", reason="x"), ticket="")
    assert {f.code for f in verdict.findings} == {"ticket-unknown"}


async def test_a_second_refund_of_the_same_amount_is_held() -> None:
    """It is most likely the first one again."""
    opened = await floor()
    refund = Refund(refund_id="r", amount=Money.of(18), reason="damaged", at=NOW)
    await opened.tell(OrderRefunded(order_id="1001", refund=refund))
    verdict = await judged(RefundOrder(order_id="1001", amount=Money.of(18), reason="damaged"), opened=opened)
    assert {f.code for f in verdict.findings} == {"refund-repeated"}


async def test_packs_and_minimum_quantities_hold() -> None:
    """Part of a pack cannot be bought, nor less than the least."""
    opened = await floor()
    await opened.tell(ProductListed(product=MUG.model_copy(update={"pack_size": 5, "moq": 20})))
    codes = {f.code for f in (await judged(purchase(), opened=opened)).findings}
    assert {"not-whole-packs", "under-moq"} <= codes


async def test_a_sku_ordered_twice_within_a_day_is_held() -> None:
    """An older open order for it is only a note."""
    opened = await floor()
    first = purchase().purchase_order.model_copy(update={"purchase_order_id": "po-0"})
    await opened.tell(PurchaseOrderSent(purchase_order=first))
    assert "ordered-again" in {f.code for f in (await judged(purchase(), opened=opened)).findings}
    later = await judged(purchase(), opened=opened, now=NOW + timedelta(days=2))
    assert {f.code: f.severity for f in later.findings}["on-its-way"] is Severity.NOTE


async def test_an_effect_wider_than_its_action_is_unclassified_and_held() -> None:
    """The auditor does not know this class of error: it says so and does nothing."""
    wider = Diff(record="order/1001", record_version="1", before={"total": "1"}, after={"total": "2"})
    verdict = await judged(RefundOrder(order_id="1001", amount=Money.of(18), reason="x"), diff=wider)
    assert {(f.code, f.severity) for f in verdict.findings} == {("unclassified", Severity.HOLD)}


async def test_an_effect_that_left_no_trace_is_found_afterwards() -> None:
    """A receipt without the canonical change, and a commitment without a receipt."""
    opened = await floor()
    action = RefundOrder(order_id="1001", amount=Money.of(18), reason="x")
    effect = Effect(
        key="k",
        connector="shop",
        run_id="r",
        workflow="support",
        step="s",
        action=action,
        diff=Diff(record="order/1001", record_version="1", before={}, after={}),
        status=EffectStatus.COMMITTED,
        reserved_at=NOW,
        updated_at=NOW,
    )
    receipted = effect.model_copy(update={"receipt": Receipt(reference="r-1", at=NOW)})
    bare, lost = await opened.auditor.after(effect=effect, now=NOW), await opened.auditor.after(effect=receipted, now=NOW)
    assert [f.code for f in (*bare.findings, *lost.findings)] == ["no-receipt", "post-state-differs"]


async def test_a_stock_that_is_recorded_otherwise_is_found_afterwards() -> None:
    """The shop was told 64, the canonical state says 40."""
    action = AdjustStock(sku=MUG.sku, units_before=40, units_after=64, reason="po-1 came in")
    effect = Effect(
        key="k",
        run_id="r",
        workflow="stock",
        step="s",
        connector="local-shop",
        action=action,
        diff=Diff(record="stock/MUG", record_version="1", before={}, after={}),
        status=EffectStatus.COMMITTED,
        reserved_at=NOW,
        updated_at=NOW,
        receipt=Receipt(reference="r-1", at=NOW),
    )
    assert [f.code for f in (await (await floor()).auditor.after(effect=effect, now=NOW)).findings] == ["post-state-differs"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("1,299.00", "1299"),
        ("1.299,00 €", "1,299.00 EUR"),
        ("on 12 March", "12 March 2026"),
        ("March 12th, 2026", "2026-03-12"),
        ("within two weeks", "2"),
        ("€18", "18.00 EUR"),
        ("Order A-17", "a-17"),
    ],
)
def test_a_figure_is_the_same_however_it_is_written(text: str, source: str) -> None:
    """Separators, symbols and the order of a date do not matter."""
    assert unsupported(text, [source]) == set()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("18 USD", "18.00 EUR"),
        ("13 March", "12 March 2026"),
        ("12 March 2025", "12 March 2026"),
        ("three days", "2"),
        ("1001", "100"),
    ],
)
def test_another_figure_is_another(text: str, source: str) -> None:
    """A currency, a day, a year, a spelled-out number, a longer number."""
    assert unsupported(text, [source])


def test_words_without_digits_are_no_figures() -> None:
    """ "One of us" is not the number one."""
    assert figures("One of us may march to town.") == set()


def test_links_to_the_shop_are_fine() -> None:
    """The site, its subdomains, and nothing that only looks like it."""
    check: Callable[[str], tuple[Any, ...]] = lambda text: text_findings(  # noqa: E731 - one line a case
        text, facts={}, templates=(), mails=(), site_url="https://alder.example"
    )
    assert check("see https://alder.example/help and www.alder.example") == ()
    assert {f.code for f in check("see https://alder.example.evil.example")} == {"foreign-link"}
    assert {f.code for f in check("see https://evilalder.example")} == {"foreign-link"}


def test_ordinary_mail_shows_no_signs_of_injection() -> None:
    """Of more than six hundred ordinary sentences none is suspected."""
    assert [text for text, _ in seed_examples() if signs(text)] == []
