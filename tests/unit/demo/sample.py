"""A report with a bit of everything, hostile texts included."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from demo.report import (
    ALONE,
    APPROVED,
    OPERATOR,
    SILENT,
    UNDONE,
    WAITING,
    ApprovalRow,
    ContentRow,
    DemoReport,
    EffectRow,
    Integrity,
    Kill,
    PurchaseRow,
    Step,
    StockRow,
    TicketRow,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>'
_INTENTS = ("where-is-my-order", "product-question", "damaged", "spam", "out-of-scope", "invoice")
_OUTCOMES = (ALONE, ALONE, APPROVED, SILENT, OPERATOR, WAITING)


def sample() -> DemoReport:
    return DemoReport(
        shop="Fennel & Flint",
        day="2026-11-22",
        currency="EUR",
        seed=7,
        started_at=START,
        finished_at=START + timedelta(seconds=26),
        engines={"local": 24},
        tickets=tuple(_ticket(n) for n in range(18)),
        purchases=tuple(_purchase(s, o) for s, o in (("brandt", WAITING), ("linho", ALONE), ("cirelle", APPROVED))),
        content=(ContentRow(slug="oak", title="Oak", words=210, outcome=UNDONE, why="asked four times"),),
        approvals=(
            ApprovalRow(
                approval_id="a", workflow="support", summary=HOSTILE, reasons=("over the limit",), answer="open", by="", note=""
            ),
        ),
        effects=tuple(_effect(n) for n in range(20)),
        stock=tuple(_stock(n) for n in range(9)),
        measured=14,
        kill=Kill(pid=10, new_pid=11, at=START + timedelta(seconds=12), back_at=START + timedelta(seconds=15.5), mails=2, begun=1),
        integrity=Integrity(
            events=900, head="ab" * 32, chain="", rows_compared=700, differences=(), effects_checked=20, missing=(), doubled=()
        ),
        steps=(Step(at=START, text="the shop opens"),),
        open_approvals=("a",),
        ui_url="http://127.0.0.1:8233",
    )


def _ticket(n: int) -> TicketRow:
    kind = n % len(_INTENTS)
    return TicketRow(
        ticket_id=f"mail-{n}",
        sender=f"customer{n}@mail.example",
        subject=HOSTILE if n == 0 else f"Question {n}",
        intent=_INTENTS[kind],
        language="en",
        engine="local",
        outcome=_OUTCOMES[kind],
        seconds=None if _OUTCOMES[kind] in (SILENT, WAITING) else 0.8 + n * 0.7,
        actions=(f"reply to customer{n}@mail.example",),
    )


def _purchase(supplier: str, outcome: str) -> PurchaseRow:
    why = ("MUG: sells 2/day, 9 left",)
    total = Decimal("1250.40") if outcome == WAITING else Decimal("413.00")
    return PurchaseRow(
        supplier=supplier, lines=1, units=24, total=total, currency="EUR", outcome=outcome, trigger="the morning plan", why=why
    )


def _effect(n: int) -> EffectRow:
    kind = ("send-reply", "refund-order", "publish-content", "place-purchase-order")[n % 4]
    return EffectRow(at=START + timedelta(seconds=5 + n), kind=kind, summary=f"{kind} {n}", status="committed", compensates=n == 18)


def _stock(n: int) -> StockRow:
    return StockRow(
        sku=f"STO-MUG-{n}",
        title=f"Mug {n}",
        supplier="brandt",
        units=12 + n,
        ordered=24 if n < 6 else 0,
        daily=1.5,
        before=8.0 + n,
        after=24.0 + 4 * n,
    )
