"""What the learning cycle looks at: the canonical state of a moment, in the shape the pure learning code reads."""

from datetime import timedelta

from domain.approvals import Approval
from domain.autonomy import ClassRecord
from domain.entities import ContentPiece, Product, PurchaseOrder, Supplier, Ticket
from domain.experiments import Experiment
from domain.failures import Failure
from domain.labels import Label
from domain.learning import LearningReport
from domain.model import Moment
from domain.policies import PolicyRecord, SupportPolicy
from domain.ports import Policies, State
from domain.runs import Alert, Run
from learning.observed import Observed
from learning.picture import Picture

_MEMORY = timedelta(days=90)  # what is older says little about today


async def look_back(state: State, policies: Policies, *, now: Moment) -> Picture:
    """Everything up to ``now``. New is what came after the last report."""
    reports = [r for r in await state.find(LearningReport) if r.at < now]
    since = max((r.at for r in reports), default=None)
    oldest = now - _MEMORY
    observed = Observed(
        since=since,
        runs=[r for r in await state.since(Run, oldest) if r.started_at <= now],
        approvals=[a for a in await state.since(Approval, oldest) if a.requested_at <= now],
        tickets=await state.find(Ticket),
        labels=[label for label in await state.find(Label) if label.at <= now],
        products=await state.find(Product),
        suppliers=await state.find(Supplier),
        purchase_orders=await state.find(PurchaseOrder),
        support=(await policies.in_force(SupportPolicy)).document,
    )
    return Picture(
        now=now,
        observed=observed,
        failures=tuple(f for f in await state.find(Failure) if f.at <= now),
        experiments=tuple(await state.find(Experiment)),
        classes=tuple(await state.find(ClassRecord)),
        pieces=tuple(await state.find(ContentPiece)),
        records={record.name: record for record in await state.find(PolicyRecord)},
        alerts=frozenset(alert.key for alert in await state.find(Alert)),
    )
