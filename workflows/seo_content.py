"""Content: ``content-plan/<date>`` chooses what is worth a page, ``content/<slug>`` takes one from brief to measurement."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.content import ContentActivities
    from activities.steps import ContentTopic, Measured, MeasureInput, Topics, TopicsInput, WriteInput, Written
    from domain.actions import PublishContent
    from domain.model import Value
    from domain.wording import counted
    from workflows import options
    from workflows.governed_workflow import GovernedWorkflow
    from workflows.search_attributes import KIND, STAGE


class ContentPlanInput(Value):
    """Nothing is needed: topics come from the catalogue and the tickets."""


class ContentInput(Value):
    topic: ContentTopic


@workflow.defn
class PlanContentWorkflow:
    """Starts one run a topic; a topic that is already being worked on is left alone."""

    @workflow.run
    async def run(self, start: ContentPlanInput) -> list[str]:
        chosen: Topics = await workflow.execute_activity_method(
            ContentActivities.choose_topics, TopicsInput(now=workflow.now()), summary="choose topics", **options.THINK
        )
        started = [await self._start(topic) for topic in chosen.topics]
        return [run_id for run_id in started if run_id]

    async def _start(self, topic: ContentTopic) -> str:
        run_id = f"content/{topic.slug}"
        try:
            await workflow.start_child_workflow(
                SeoContentWorkflow.run,
                ContentInput(topic=topic),
                id=run_id,
                task_timeout=options.TASK,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=topic.reason,
                search_attributes=TypedSearchAttributes([SearchAttributePair(KIND, "content")]),
            )
        except WorkflowAlreadyStartedError:
            return ""
        return run_id


@workflow.defn
class SeoContentWorkflow(GovernedWorkflow):
    """Brief, draft, audits, approval, publication; measured later, then refreshed, taken down or left alone.

    A page that was refreshed is measured again, until nothing more is to be done about it.
    """

    kind = "content"

    @workflow.init
    def __init__(self, start: ContentInput) -> None:
        super().__init__()
        self.topic = start.topic

    @workflow.run
    async def run(self, start: ContentInput) -> str:
        return await self.governed(self._publish_and_measure)

    async def _publish_and_measure(self) -> str:
        written = await self._write()
        if written.planned is None:
            return f"not published: {'; '.join(written.findings)}"
        result = await self.out.act(written.planned)
        if not result.committed:
            return f"{result.kind}: {result.summary}"
        while True:
            self._stage("waiting to measure")
            await workflow.sleep(timedelta(days=written.measure_after_days), summary="until it is measured")
            ended = await self._look()
            if ended:
                return ended

    async def _write(self) -> Written:
        self._stage("writing")
        request = WriteInput(run_id=_run_id(), topic=self.topic, now=workflow.now())
        return await workflow.execute_activity_method(
            ContentActivities.write_page, request, summary="write and audit", **options.THINK
        )

    async def _look(self) -> str:
        """Measure, and do what that calls for. Returns how it ended, or nothing where the page was refreshed."""
        measured = await self._measure()
        days = counted(len(measured.metrics), "day")
        if measured.planned is None:
            return f"published, measured over {days}"
        result = await self.out.act(measured.planned)
        refreshed = result.committed and isinstance(measured.planned.action, PublishContent)
        if refreshed and workflow.patched("measure-what-was-refreshed"):
            return ""
        return f"published, measured over {days}, then {result.kind}: {result.summary}"

    async def _measure(self) -> Measured:
        self._stage("measuring")
        request = MeasureInput(run_id=_run_id(), slug=self.topic.slug, now=workflow.now())
        return await workflow.execute_activity_method(ContentActivities.measure_page, request, summary="measure", **options.THINK)

    def _stage(self, stage: str) -> None:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])


def _run_id() -> str:
    return workflow.info().workflow_id
