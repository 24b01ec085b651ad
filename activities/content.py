"""Steps of a page: choose, write, measure."""

from temporalio import activity

from activities.exposing import Exposer
from activities.measuring import Measurer
from activities.steps import ContentTopic, Measured, MeasureInput, Topics, TopicsInput, WriteInput, Written
from agents.content_planner import ContentPlanner
from agents.skills.content import Topic
from domain.entities import ContentMetrics
from domain.event import NewEvent, new_event
from domain.events import ContentMeasured
from domain.policies import ContentPolicy
from domain.ports import Analytics, EventLog, Policies
from domain.tasks import CONTENT


class ContentActivities:
    def __init__(
        self,
        *,
        planner: ContentPlanner,
        analytics: Analytics,
        log: EventLog,
        policies: Policies,
        exposer: Exposer,
        measurer: Measurer,
    ) -> None:
        self._planner = planner
        self._exposer = exposer
        self._measurer = measurer
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
        topic = Topic.model_validate_json(request.topic.payload)
        await self._exposer.expose("content", run_id=request.run_id, topic=topic.kind, now=request.now)
        await self._exposer.expose("prompts", run_id=request.run_id, topic=CONTENT.prompt, now=request.now)
        policy = (await self._policies.of(request.run_id).in_force(ContentPolicy)).document
        written = await self._planner.write(topic, now=request.now, run_id=request.run_id)
        findings = tuple(f.text for f in written.findings)
        return Written(planned=written.planned, findings=findings, measure_after_days=policy.measure_after_days)

    @activity.defn
    async def measure_page(self, request: MeasureInput) -> Measured:
        """Read the analytics, record them, and plan a refresh or a take-down where they call for it."""
        metrics: list[ContentMetrics] = await self._analytics.measure(request.slug)
        await self._log.append([_measured(request, m) for m in metrics])
        await self._rates(request, metrics)
        planned = await self._planner.refresh_or_unpublish(request.slug, metrics, now=request.now, run_id=request.run_id)
        return Measured(metrics=tuple(metrics), planned=planned)

    async def _rates(self, request: MeasureInput, metrics: list[ContentMetrics]) -> None:
        """Click-through rate and time on page over all days; nothing is invented where there were no impressions."""
        impressions, clicks = sum(m.impressions for m in metrics), sum(m.clicks for m in metrics)
        rates = {"ctr": clicks / impressions} if impressions else {}
        rates |= {"seconds-on-page": sum(m.clicks * m.seconds_on_page for m in metrics) / clicks} if clicks else {}
        for metric, value in rates.items():
            await self._measurer.measured(
                run_id=request.run_id, metric=metric, value=value, now=request.now, occurrence=f"{metric}/{request.now.isoformat()}"
            )


def _measured(request: MeasureInput, metrics: ContentMetrics) -> NewEvent:
    key = (request.slug, metrics.day.isoformat(), str(metrics.impressions), str(metrics.clicks), str(metrics.seconds_on_page))
    return new_event(ContentMeasured(slug=request.slug, metrics=metrics), at=request.now, key=key, correlation_id=request.run_id)
