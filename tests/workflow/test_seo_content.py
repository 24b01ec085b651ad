"""A page, from the gap in the catalogue to its measurement."""

from datetime import UTC, datetime, timedelta

from temporalio.client import WorkflowHandle

from connectors.fakes import InMemorySite
from domain.actions import Capability
from domain.approvals import Approval, Verb
from domain.decisions import Mode
from domain.entities import ContentMetrics, ContentPiece, ContentStatus, Product, Shop
from domain.event import EventData
from domain.events import ProductListed, ShopDescribed, StockCounted
from domain.money import Money
from domain.runs import Digest, Run
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.digest import DigestWorkflow
from workflows.seo_content import PlanContentWorkflow, SeoContentWorkflow

NOW = datetime.now(UTC)
ATTRIBUTES = {"material": "stoneware", "capacity": "350 ml", "height": "9 cm", "care": "dishwasher safe", "origin": "Portugal"}


def catalogue(*, on_hand: int) -> list[EventData]:
    mug = Product(
        sku="MUG-BLUE",
        title="Blue stoneware mug",
        description="A sturdy mug with a deep blue glaze, thrown by hand.",
        category="Mugs",
        price=Money.of(18),
        unit_cost=Money.of(7),
        supplier_id="north",
        attributes=ATTRIBUTES,
    )
    shop = Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")
    return [
        ShopDescribed(shop=shop),
        ProductListed(product=mug),
        StockCounted(sku="MUG-BLUE", on_hand=on_hand, supplier_id="north"),
    ]


async def plan(world: World) -> list[str]:
    """The ids of the runs that the planning started."""
    await world.mode("content", Mode.AUTO)
    with world.env.with_time_skipping_disabled():
        run_id = await world.gateway.start_content(now=NOW)
        return await world.client.get_workflow_handle_for(PlanContentWorkflow.run, run_id).result()


async def published(world: World) -> tuple[WorkflowHandle[SeoContentWorkflow, str], InMemorySite]:
    """A page that the operator approved and that is online."""
    (run_id,) = await plan(world)
    await world.decide(await world.pending(run_id))
    site = world.connectors[Capability.SITE]
    assert isinstance(site, InMemorySite)

    async def online() -> bool | None:
        return bool(site.pages and await world.kept.state.find(ContentPiece)) or None

    await until(online)
    return world.client.get_workflow_handle_for(SeoContentWorkflow.run, run_id), site


async def test_a_page_is_written_from_facts_asked_published_and_measured(world: World) -> None:
    """Every figure is a fact; two weeks later it is measured and the run ends."""
    await world.record(*catalogue(on_hand=20))
    run, site = await published(world)
    page = next(iter(site.pages.values()))
    assert "350 ml" in page.body
    assert page.facts
    await world.env.fast_forward(run, timedelta(days=15))
    assert (await run.result()).startswith("published, measured")
    kept = await world.kept.state.get(Run, run.id)
    assert kept is not None
    assert kept.status == "done"


async def test_a_page_that_nobody_clicks_is_refreshed_measured_again_and_taken_down(world: World) -> None:
    """Each revision has its own two weeks; after the last one the operator is asked to take it down."""
    await world.record(*catalogue(on_hand=20))
    run, site = await published(world)
    (piece,) = await world.kept.state.find(ContentPiece)
    days = [NOW.date() + timedelta(days=n) for n in range(90)]
    world.figures[piece.slug] = tuple(ContentMetrics(day=day, impressions=200, clicks=0) for day in days)
    for revision in (2, 3):
        await world.env.fast_forward(run, timedelta(days=15))
        await world.decide(await world.pending(run.id))
        await revised(world, revision)
    await world.env.fast_forward(run, timedelta(days=15))
    await world.decide(await world.pending(run.id))
    assert "take down" in await run.result()
    assert site.pages == {}


async def revised(world: World, revision: int) -> None:
    """Once the page is online in this revision."""

    async def online() -> bool | None:
        (piece,) = await world.kept.state.find(ContentPiece)
        return piece.revision == revision or None

    await until(online)


async def test_what_is_out_of_stock_gets_no_page(world: World) -> None:
    """There is nothing to plan."""
    await world.record(*catalogue(on_hand=0))
    assert await plan(world) == []


async def test_planning_again_leaves_a_topic_under_way_alone(world: World) -> None:
    """The page that waits for approval is not started twice."""
    await world.record(*catalogue(on_hand=20))
    (run_id,) = await plan(world)
    await world.pending(run_id)
    assert await plan(world) == []
    assert len(await world.kept.state.find(Approval)) == 1


async def test_a_rejected_page_is_not_published(world: World) -> None:
    """Nothing reaches the site."""
    await world.record(*catalogue(on_hand=20))
    (run_id,) = await plan(world)
    await world.decide(await world.pending(run_id), Verb.REJECT, reason="not our tone")
    run = world.client.get_workflow_handle_for(SeoContentWorkflow.run, run_id)
    assert (await run.result()).startswith("rejected")
    assert world.connectors[Capability.SITE].pages == {}  # type: ignore[attr-defined]


async def test_rolling_back_a_publication_takes_the_page_down(world: World) -> None:
    """A run that still waits to measure is stopped first; the site is as it was."""
    await world.record(*catalogue(on_hand=20))
    run, site = await published(world)
    with world.env.with_time_skipping_disabled():
        undone = await world.gateway.rollback(run.id, by="operator")
    assert len(undone.compensated) == 1
    assert site.pages == {}
    piece = (await world.kept.state.find(ContentPiece))[0]
    assert piece.status is ContentStatus.UNPUBLISHED
    kept = await world.kept.state.get(Run, run.id)
    assert kept is not None
    assert kept.reverted


async def test_the_digest_says_what_needs_you(world: World) -> None:
    """One page, kept, and shown in the Web UI."""
    await world.record(*catalogue(on_hand=20))
    (run_id,) = await plan(world)
    await world.pending(run_id)
    digest_id = await world.gateway.start_digest(now=NOW)
    text = await world.client.get_workflow_handle_for(DigestWorkflow.run, digest_id).result()
    assert "Needs you (1)" in text
    assert "publish" in text
    kept = await world.kept.state.get(Digest, NOW.date().isoformat())
    assert kept is not None
    assert kept.text == text
