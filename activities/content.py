"""Steps of a page: choose, write, measure."""

from temporalio import activity

from activities.steps import ContentTopic, Measured, MeasureInput, Topics, TopicsInput, WriteInput, Written
from agents.content_planner import ContentPlanner
from agents.skills.content import Topic
from domain.entities import ContentMetrics
from domain.event import NewEvent, new_event
from domain.events import ContentMeasured
from domain.policies import ContentPolicy
from domain.ports import Analytics, EventLog, Policies
from domain.runs import Outcome, OutcomeRecorded


class ContentActivities:
    def __init__(self, *, planner: ContentPlanner, analytics: Analytics, log: EventLog, policies: Policies) -> None:
        self._planner = planner
        self._analytics = analytics
        self._log = log
        self._policies = policies

    @activity.defn
    async def choose_topics(self, request: TopicsInput) -> Topics:
        """The best topics, at most as many as the policy allows in one run."""
        policy = (await self._policies.in_force(ContentPolicy)).document
        topics = await self._planner.topics(now=request.now)
        return Topics(
            topics=tuple(
                ContentTopic(slug=t.slug, payload=t.model_dump_json(), reason=t.reason) for t in topics[: policy.pages_per_run]
            )
        )

    @activity.defn
    async def write_page(self, request: WriteInput) -> Written:
        """Brief, draft and both audits; a draft that fails them is not proposed."""
        policy = (await self._policies.in_force(ContentPolicy)).document
        written = await self._planner.write(Topic.model_validate_json(request.topic.payload), now=request.now)
        findings = tuple(f.text for f in written.findings)
        return Written(planned=written.planned, findings=findings, measure_after_days=policy.measure_after_days)

    @activity.defn
    async def measure_page(self, request: MeasureInput) -> Measured:
        """Read the analytics, record them, and plan a refresh or a take-down where they call for it."""
        metrics: list[ContentMetrics] = await self._analytics.measure(request.slug)
        await self._log.append([*(_measured(request, m) for m in metrics), *_outcomes(request, metrics)])
        planned = await self._planner.refresh_or_unpublish(request.slug, metrics, now=request.now)
        return Measured(metrics=tuple(metrics), planned=planned)


def _measured(request: MeasureInput, metrics: ContentMetrics) -> NewEvent:
    key = (request.slug, metrics.day.isoformat(), str(metrics.impressions), str(metrics.clicks), str(metrics.seconds_on_page))
    return new_event(ContentMeasured(slug=request.slug, metrics=metrics), at=request.now, key=key, correlation_id=request.run_id)


def _outcomes(request: MeasureInput, metrics: list[ContentMetrics]) -> list[NewEvent]:
    """Click-through rate over all days; nothing is invented where there were no impressions."""
    impressions = sum(m.impressions for m in metrics)
    if not impressions:
        return []
    outcome = Outcome(metric="ctr", value=sum(m.clicks for m in metrics) / impressions, at=request.now)
    key = (request.run_id, "ctr", request.now.isoformat())
    data = OutcomeRecorded(run_id=request.run_id, outcome=outcome)
    return [new_event(data, at=request.now, key=key, correlation_id=request.run_id)]
