"""What the operator does once a day beside the questions: proposals to ratify, winners, gaps in the data, alerts."""

from collections.abc import Mapping, Sequence

from demo.simulation.floor import OPERATOR
from domain.entities import PurchaseOrder, Supplier
from domain.errors import DecisionRefused, Stale
from domain.event import EventData, new_event
from domain.events import SupplierListed
from domain.experiments import Experiment
from domain.ids import digest
from domain.model import Moment
from domain.policies import PolicyDropped, PolicyRecord
from domain.runs import Alert, AlertClosed
from learning.candidates.data import lead_time_fixes
from learning.steering import approved, ratified
from memory import Memory

RATIFYING_MINUTES = 2.0


class Evening:
    """Goes through everything once and counts the decisions it took."""

    def __init__(self, kept: Memory) -> None:
        self._kept = kept

    async def go_through(self, now: Moment) -> int:
        """Decide on what waits, then close every alert. Returns how many decisions that were."""
        decided = await self._proposals(now) + await self._winners(now) + await self._lead_times(now)
        seen = [a for a in await self._kept.state.find(Alert) if a.open]
        await self._tell(now, [AlertClosed(key=a.key, by=OPERATOR) for a in seen])
        return decided

    async def _proposals(self, now: Moment) -> int:
        """Changes that only the operator may let happen: this one lets them, where nothing moved meanwhile."""
        decided = 0
        for record in await self._kept.state.find(PolicyRecord):
            tried = {record.trial.partition("@")[2]} if record.trial else set()
            waiting = [v for v in record.proposed if str(v.version) not in tried and v.proposed_by != OPERATOR]
            for version in waiting:
                decided += 1
                await self._let_happen(record.name, version.version, now)
        return decided

    async def _let_happen(self, name: str, number: int, now: Moment) -> None:
        record = await self._kept.state.get(PolicyRecord, name)
        assert record is not None
        try:
            events = approved(record, number, by=OPERATOR, now=now)
        except (Stale, DecisionRefused) as moved:
            events = (PolicyDropped(name=name, number=number, why=str(moved), by=OPERATOR),)
        await self._tell(now, events, expected={f"policy/{name}": await self._kept.state.version(PolicyRecord, name)})

    async def _winners(self, now: Moment) -> int:
        """Trials that won and are too risky to go on without a word."""
        waiting = [e for e in await self._kept.state.find(Experiment) if e.running and e.awaits_operator]
        for experiment in waiting:
            record = await self._kept.state.get(PolicyRecord, experiment.policy)
            assert record is not None
            await self._tell(now, ratified(experiment, record, by=OPERATOR, now=now))
        return len(waiting)

    async def _lead_times(self, now: Moment) -> int:
        """Where Steward asks whether to plan with the lead time it sees, the operator agrees."""
        asked = {a.key for a in await self._kept.state.find(Alert) if a.open}
        state = self._kept.state
        fixes = lead_time_fixes(await state.find(Supplier), await state.find(PurchaseOrder))
        agreed = [fix for fix in fixes if fix.question.key in asked]
        await self._tell(now, [SupplierListed(supplier=fix.supplier) for fix in agreed])
        return len(agreed)

    async def _tell(self, now: Moment, happened: Sequence[EventData], expected: Mapping[str, int] | None = None) -> None:
        events = [
            new_event(data, at=now, key=("evening", now.isoformat(), data.stream, digest(data)[:16]), actor=OPERATOR)
            for data in happened
        ]
        await self._kept.log.append(events, expected=expected)
