"""The nightly look back: what went wrong, why, what would mend it, and what is tried next: ``learn/<date>``."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.learning import LearningActivities
    from activities.steps import Learned, LearnInput
    from domain.model import Value
    from workflows import options
    from workflows.search_attributes import STAGE


class LearnStart(Value):
    """``day`` names the report; the schedule leaves it out, and the day it runs on is taken."""

    day: str = ""


@workflow.defn
class LearningCycleWorkflow:
    """Each step can be repeated: what was found, asked or proposed before is not found, asked or proposed again.

    Trials are not waited for: each has a rollout of its own, which its first event starts.
    """

    @workflow.run
    async def run(self, start: LearnStart) -> str:
        day = start.day or workflow.now().date().isoformat()
        request = LearnInput(day=day, run_id=workflow.info().workflow_id, now=workflow.now())
        await self._step("measuring the shelf", request, LearningActivities.measure_shelf)
        await self._step("looking for what went wrong", request, LearningActivities.find_failures)
        proposed = await self._step("looking for what would mend it", request, LearningActivities.propose_changes)
        request = request.model_copy(update={"refused": proposed.refused})
        learned = await self._step("writing the report", request, LearningActivities.report_learning)
        workflow.set_current_details(learned.text)
        return learned.text

    async def _step(self, stage: str, request: LearnInput, step: object) -> Learned:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])
        learned: Learned = await workflow.execute_activity_method(step, request, summary=stage, **options.THINK)  # type: ignore[call-overload]
        return learned
