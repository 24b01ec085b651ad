"""What is kept only for work at hand: the fakes and Postgres go through the same tests."""

from datetime import timedelta
from decimal import Decimal

import memory
from domain.approvals import ApprovalRequested, ApprovalStatus
from domain.attempts import AttemptStatus
from domain.context import ContextRequest
from domain.runs import RunFinished, RunStarted
from tests.contract.test_memory_ports import attempt, event, kept, refund, urls
from tests.unit.domain.happenings import NOW
from tests.unit.learning.happened import approval

__all__ = ["kept", "urls"]  # the fixtures


async def test_what_is_old_goes_and_what_was_sent_stays_known(kept: memory.Memory) -> None:
    """The bytes of a sent mail, a model's answer, a pack; not a mail that nobody may have got, and nothing newer."""
    later = NOW + timedelta(days=2)
    for key in ("sent", "lost", "ready"):
        await kept.attempts.prepare(attempt(key, stream=f"ticket/{key}"))
    for key in ("sent", "lost"):
        await kept.attempts.begin(key, expected=0)
    await kept.attempts.settle("sent", AttemptStatus.SENT)
    for key, at in (("old", NOW), ("new", later)):
        await kept.journal.record(key, {"label": key}, cost=Decimal(1), engine="local", model="m", at=at)
    old, new = [await kept.packs.compile(ContextRequest(policies=(p,), as_of=NOW)) for p in ("gate", "bounds")]
    await kept.packs.compile(ContextRequest(policies=("bounds",), as_of=later))
    assert await kept.leftovers.drop(before=NOW + timedelta(days=1)) == 3
    assert await kept.leftovers.drop(before=NOW + timedelta(days=1)) == 0
    found = [await kept.attempts.find(key) for key in ("sent", "lost", "ready")]
    assert [(a.payload, a.status) for a in found if a] == [(b"", "sent"), (b"raw \x00", "sending"), (b"raw \x00", "ready")]
    assert [await kept.journal.recall(key) for key in ("old", "new")] == [None, {"label": "new"}]
    assert [await kept.packs.get(pack.hash) for pack in (old, new)] == [None, new]
    assert await kept.journal.spent(NOW.date()) == 1


async def test_a_pack_that_an_open_run_decided_from_stays_until_the_run_ends(kept: memory.Memory) -> None:
    """However old it is."""
    pack = await kept.packs.compile(ContextRequest(policies=("gate",), as_of=NOW))
    asked = approval(refund("1001"), ApprovalStatus.PENDING, context_pack=pack.hash)
    run = RunStarted(run_id=asked.proposal.run_id, workflow="support", at=NOW)
    await kept.log.append([event(run), event(ApprovalRequested(approval=asked))])
    assert (await kept.leftovers.drop(before=NOW + timedelta(days=1)), await kept.packs.get(pack.hash)) == (0, pack)
    await kept.log.append([event(RunFinished(run_id=asked.proposal.run_id, result="done", at=NOW))])
    assert (await kept.leftovers.drop(before=NOW + timedelta(days=1)), await kept.packs.get(pack.hash)) == (1, None)
