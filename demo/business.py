"""The single things that happen on the demo's day."""

from datetime import UTC, datetime

from connectors.analytics_csv import AnalyticsCsv
from connectors.importers.mail import mail_files, read_mail
from demo.operator import SimulatedOperator
from demo.running import Running
from demo.tickets import mbox
from domain.actions import PlacePurchaseOrder, PublishContent
from domain.approvals import Approval, ApprovalStatus
from domain.effects import EffectStatus
from domain.entities import Product, Shop, Stock
from domain.errors import SetupError
from domain.event import new_event
from domain.events import ContentMeasured, SaleRecorded
from domain.runs import Run


async def deliver_mails(running: Running, batch: str, shop: Shop, started_at: datetime) -> int:
    """Put a mailbox on disk and import it as any other. Returns how many messages were new."""
    path = running.settings.home / "demo" / f"{batch}.mbox"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mbox(batch, shop=shop.email, now=started_at))
    report = read_mail(mail_files(path), own=[shop.email], at=datetime.now(UTC))
    if report.rejected:
        raise SetupError(f"{path} could not be read: {report.rejected[0].why}", hint="this is a fault of the demo")
    await running.memory.log.append(report.accepted)
    return len(report.accepted)


async def decide(running: Running, operator: SimulatedOperator) -> int:
    """Let the operator answer what it does not keep open. Returns how many decisions that were."""
    pending = await running.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    approvals = {a.approval_id: a for a in pending}
    decisions = operator.decide(pending)
    for decision in decisions:
        await running.gateway.decide(approvals[decision.approval_id], decision, now=datetime.now(UTC))
    return len(decisions)


async def sell_across_reorder_point(running: Running) -> str:
    """Sell the few units that take one SKU to its reorder point. Returns a line that says what."""
    stock = await _nearest_to_its_reorder_point(running)
    product = await running.memory.state.get(Product, stock.sku)
    if product is None or stock.reorder_point is None:
        raise SetupError(f"{stock.sku} cannot be sold", hint="this is a fault of the demo")
    units, now = stock.position - stock.reorder_point, datetime.now(UTC)
    sales = [
        SaleRecorded(sku=stock.sku, units=1, day=now.date(), revenue=product.price.amount, order_id=f"demo-sale-{n}")
        for n in range(units)
    ]
    await running.memory.log.append([new_event(s, at=now, key=(s.order_id, s.sku), source="shop", actor="shop") for s in sales])
    return f"{units} x {product.title} sold: {stock.sku} is at its reorder point of {stock.reorder_point}"


async def roll_back_a_page(running: Running, *, by: str) -> str:
    """Undo one publication of the day. Returns a line that says what happened."""
    committed = await running.memory.ledger.effects(status=EffectStatus.COMMITTED)
    page = min((e for e in committed if isinstance(e.action, PublishContent)), key=lambda e: e.run_id, default=None)
    if page is None:
        return "no page was published, so none is rolled back"
    result = await running.gateway.rollback(page.run_id, by=by)
    return f"rolled back {page.run_id}: {len(result.compensated)} undone, {len(result.impossible)} impossible"


async def import_metrics(running: Running) -> int:
    """Read the analytics export into the log. Returns how many page days."""
    report = await AnalyticsCsv(running.settings.home / "outside" / "analytics.csv").report()
    now = datetime.now(UTC)
    events = [
        new_event(ContentMeasured(slug=slug, metrics=m), at=now, key=("demo", slug, str(m.day)), source="analytics")
        for slug, days in report.pages.items()
        for m in days
    ]
    await running.memory.log.append(events)
    return len(events)


async def run_ids(running: Running) -> set[str]:
    """Every run there is a record of."""
    return {run.run_id for run in await running.memory.state.find(Run)}


async def _nearest_to_its_reorder_point(running: Running) -> Stock:
    """The SKU with the fewest units to sell, of a supplier whose orders do not wait for a decision."""
    pending = await running.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    actions = [a.proposal.action for a in pending]
    waiting = {a.purchase_order.supplier_id for a in actions if isinstance(a, PlacePurchaseOrder)}
    above = [
        s
        for s in await running.memory.state.find(Stock)
        if s.reorder_point and s.position > s.reorder_point and s.supplier_id not in waiting
    ]
    if not above:
        raise SetupError("no SKU is above its reorder point", hint="this is a fault of the demo")
    return min(above, key=lambda s: (s.position - (s.reorder_point or 0), s.sku))
