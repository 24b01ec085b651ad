"""What is kept only for work at hand, in memory."""

from domain.approvals import Approval
from domain.model import Moment
from domain.runs import Run
from memory.fakes.log import InMemoryState
from memory.fakes.shelves import InMemoryAttempts
from memory.fakes.store import Store


class InMemoryLeftovers:
    def __init__(self, store: Store, *, attempts: InMemoryAttempts) -> None:
        self._store = store
        self._attempts = attempts

    async def drop(self, *, before: Moment) -> int:
        answers = [key for key, (_, at) in self._store.answers.items() if at < before]
        needed = await self._needed()
        packs = [key for key, (_, at) in self._store.packs.items() if at < before and key not in needed]
        for answer in answers:
            del self._store.answers[answer]
        for pack in packs:
            del self._store.packs[pack]
        return self._attempts.drop_payloads(before=before) + len(answers) + len(packs)

    async def _needed(self) -> set[str]:
        state = InMemoryState(self._store)
        going = {run.run_id for run in await state.find(Run) if run.finished_at is None}
        return {a.proposal.why.context_pack for a in await state.find(Approval) if a.proposal.run_id in going}
