"""Nightly upkeep of memory: ``memory/<date>``."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.upkeep import (
        Archived,
        Blanked,
        RecallChecked,
        Summarised,
        UpkeepActivities,
        UpkeepInput,
        UpkeepNote,
        Verified,
    )
    from domain.model import Name, Value
    from domain.retention import Upkeep
    from workflows import options

_MONTHS_A_NIGHT = 24


class UpkeepStart(Value):
    """``day`` as ISO date; empty means the day on which the run starts (UTC)."""

    day: Name | None = None


@workflow.defn
class MemoryUpkeepWorkflow:
    """Prove the log, sum up what is closed, archive what is old, check what can be recalled, forget the bytes of what was
    understood long ago, and write down what was done.

    A log that does not verify is left alone: nothing is summed up from it and nothing of it is moved.
    """

    @workflow.run
    async def run(self, start: UpkeepStart) -> str:
        now = workflow.now()
        upkeep = Upkeep(day=start.day or now.date().isoformat(), at=now)
        upkeep = await self._verify(upkeep)
        if not upkeep.problem:
            upkeep = await self._summarise(upkeep)
            upkeep = await self._archive(upkeep)
            upkeep = await self._check_recall(upkeep)
            if workflow.patched("blank-deliveries"):
                upkeep = await self._blank(upkeep)
        await workflow.execute_activity_method(
            UpkeepActivities.record_upkeep,
            UpkeepNote(run_id=workflow.info().workflow_id, upkeep=upkeep),
            summary="record the upkeep",
            **options.RECORD,
        )
        return upkeep.line

    async def _verify(self, upkeep: Upkeep) -> Upkeep:
        done: Verified = await workflow.execute_activity_method(
            UpkeepActivities.verify_log, _request(), summary="verify the log", **options.KEEP
        )
        return _shown(upkeep, verified=done.events, whole=done.whole, problem=done.problem)

    async def _summarise(self, upkeep: Upkeep) -> Upkeep:
        done: Summarised = await workflow.execute_activity_method(
            UpkeepActivities.summarise, _request(), summary="sum up what is closed", **options.SUM_UP
        )
        return _shown(upkeep, summaries=done.written, refused=done.refused)

    async def _archive(self, upkeep: Upkeep) -> Upkeep:
        """One month a step, until none is due or one will not go."""
        for _ in range(_MONTHS_A_NIGHT):
            done: Archived = await workflow.execute_activity_method(
                UpkeepActivities.archive_month, _request(), summary="archive a month", **options.KEEP
            )
            if not done.partition:
                return _shown(upkeep, problem=done.problem)
            upkeep = _shown(upkeep, archived=(*upkeep.archived, done.partition))
        return upkeep

    async def _check_recall(self, upkeep: Upkeep) -> Upkeep:
        done: RecallChecked = await workflow.execute_activity_method(
            UpkeepActivities.check_recall, _request(), summary="check recall", **options.KEEP
        )
        return _shown(upkeep, recall_found=done.found, recall_asked=done.asked, reindexed=done.reindexed)

    async def _blank(self, upkeep: Upkeep) -> Upkeep:
        done: Blanked = await workflow.execute_activity_method(
            UpkeepActivities.blank_deliveries, _request(), summary="forget what was understood long ago", **options.KEEP
        )
        return _shown(upkeep, blanked=done.deliveries)


def _request() -> UpkeepInput:
    return UpkeepInput(run_id=workflow.info().workflow_id, now=workflow.now())


def _shown(upkeep: Upkeep, **change: object) -> Upkeep:
    """With what a step did, and for all to see."""
    after = upkeep.model_copy(update=change)
    workflow.set_current_details(after.line)
    return after
