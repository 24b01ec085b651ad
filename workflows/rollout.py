"""A change of a policy on its way from canary to everybody, or back: ``rollout/<policy>/<version>``."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.rollout import RolloutActivities
    from activities.steps import Judged, JudgeInput
    from domain.model import Name, Value
    from workflows import options
    from workflows.search_attributes import STAGE


class RolloutInput(Value):
    experiment_id: Name


class ResultMatured(Value):
    event_id: Name


@workflow.defn
class RolloutWorkflow:
    """Judges after every result that matures. Between results it sleeps until the next one is due by itself.

    Everything it knows is in the log: a crash at any point, and a wake-up that comes twice, lead to the same verdict.
    """

    @workflow.init
    def __init__(self, start: RolloutInput) -> None:
        self.experiment_id = start.experiment_id
        self.woken = True

    @workflow.run
    async def run(self, start: RolloutInput) -> str:
        while True:
            self.woken = False
            judged = await self._judge()
            if not judged.running:
                return judged.text
            await self._sleep(judged)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)

    @workflow.signal
    def result_matured(self, result: ResultMatured) -> None:
        """A result of a run that takes part is in, or the operator stepped in."""
        self.woken = True

    async def _judge(self) -> Judged:
        request = JudgeInput(experiment_id=self.experiment_id, now=workflow.now())
        judged = await workflow.execute_activity_method(
            RolloutActivities.judge_rollout, request, summary="look at the evidence", **options.RECORD
        )
        workflow.set_current_details(judged.text)
        workflow.upsert_search_attributes([STAGE.value_set(str(judged.ending or judged.text.partition(":")[0]))])
        return judged

    async def _sleep(self, judged: Judged) -> None:
        patience = max(judged.look_again_at - workflow.now(), timedelta(0)) if judged.look_again_at else None
        try:
            await workflow.wait_condition(lambda: self.woken, timeout=patience, timeout_summary="until a result is overdue")
        except TimeoutError:
            return
