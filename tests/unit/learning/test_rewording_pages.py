"""Prompt edits for pages: the same path as for letters, with the page's own audits in it."""

from typing import TypeVar

import pytest

from domain.actions import PublishContent
from domain.approvals import Approval, ApprovalStatus
from domain.entities import ContentPiece
from domain.events import ProductListed
from domain.experiments import Experiment
from domain.model import Value
from domain.tasks import CONTENT, Answer, Question
from models.local.content import draft
from tests.unit.content.shop_shelf import product, stock, written_page
from tests.unit.learning.happened import DAY, NOW, approval
from tests.unit.learning.wording_desk import WordingDesk, Writer

T = TypeVar("T", bound=Value)
MATERIAL_FIRST = "Name the material at the beginning of the description."
OWN = "Stoneware from Germany, dishwasher safe, 9 x 9.5 cm: all you need to know about the Moss mug."


class PageWriter(Writer):
    """Writes pages as the local engine does; describes them in the operator's way where the addition is in the prompt."""

    def __init__(self, described: str = OWN) -> None:
        super().__init__(MATERIAL_FIRST, follows=MATERIAL_FIRST)
        self._described = described

    async def answer(self, question: Question[T]) -> Answer[T]:
        if question.task.name != CONTENT.name:
            return await super().answer(question)
        self.asked.append(question)
        page = draft(question).value  # type: ignore[arg-type]
        own = page.model_copy(update={"description": self._described}) if self._follows in question.prompt else page
        return Answer(value=question.task.answer.model_validate(own.model_dump()), confidence=0.9, engine="w", model="w")


def reviewed(number: int, page: ContentPiece, *, engine: str = "anthropic") -> Approval:
    """A page that a model wrote, and whose description the operator changed."""
    shown = page.model_copy(update={"slug": f"moss-mug-{number}"})
    edited = PublishContent(piece=shown.model_copy(update={"description": OWN}))
    action = PublishContent(piece=shown)
    reviewed_at = {"number": number, "edited": edited, "at": NOW, "reason": "no page", "engine": engine}
    return approval(action, ApprovalStatus.EDITED, **reviewed_at)  # type: ignore[arg-type]


async def desk_of(writer: Writer, *, engine: str = "anthropic") -> WordingDesk:
    page = await written_page(product(), stock())
    desk = await WordingDesk.open(writer, [])
    await desk.trial.tell(ProductListed(product=product()), at=NOW - DAY)
    await desk.decided([reviewed(n, page, engine=engine) for n in range(18)], at=NOW)
    return desk


async def test_descriptions_that_keep_being_changed_lead_to_an_addition_for_pages() -> None:
    """Tried on content runs only, by what pages are measured by."""
    desk = await desk_of(PageWriter())
    await desk.night()
    trial = await desk.kept.state.get(Experiment, "prompts@1")
    (version,) = (await desk.prompts()).versions
    assert trial is not None
    assert (trial.scope, [o.metric for o in trial.objectives]) == (("content",), ["corrected", "seconds-on-page"])
    assert (version.document["content"], version.document["reply"]) == (MATERIAL_FIRST, "")


@pytest.mark.parametrize(
    "described", ["Made of gold in Atlantis, 77 cm high: all you need to know about the Moss mug.", "Moss mug."]
)
async def test_a_page_that_fails_its_audits_is_no_better_page(described: str) -> None:
    """Though it follows the addition: what is not true, or no description, would not be shown."""
    desk = await desk_of(PageWriter(described))
    proposed = await desk.night()
    assert (await desk.prompts()).versions == ()
    assert any("0 of the replayed cases got better" in reason for reason in proposed.refused)


@pytest.mark.parametrize("engine", ["local", "rules"])
async def test_pages_that_no_model_wrote_teach_a_model_nothing(engine: str) -> None:
    """Nobody was told to write them so."""
    writer = PageWriter()
    await (await desk_of(writer, engine=engine)).night()
    assert writer.asked == []
