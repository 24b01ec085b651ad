"""When the intent model is refitted, and how a refit takes the place of an earlier one that is still being tried."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import memory
from activities.back_testing import BackTester
from activities.explaining import Explainer
from activities.learning import LearningActivities
from activities.looking_back import look_back
from activities.refitting import Refitter
from activities.rewording import Reworder
from activities.shelf import ShelfWatch
from activities.steps import LearnInput
from agents.stock_planner import StockPlanner
from domain.experiments import Ending, Evidence, Experiment, Stage
from domain.labels import Label, LabelGiven, LabelSource
from domain.learning import LearningReport
from domain.policies import PolicyRecord
from learning.steering import GAVE_WAY
from models.embedding import HashingEmbedder
from models.local import LocalModel
from tests.unit.learning.trial import NOW, Trial

DAY = timedelta(days=1)


class Parrot:
    """Takes a mail for what it was told about another with the same first word; else for a late order."""

    def __init__(self) -> None:
        self.fits = 0

    async def guess(self, texts: Sequence[str], *, taught: Sequence[tuple[str, str]]) -> list[str]:
        self.fits += 1
        known = {text.split()[0]: intent for text, intent in taught}
        return [known.get(text.split()[0], "late") for text in texts]


class Office:
    """A memory, an intent model that parrots, and nights in which it is refitted."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        self.trial = Trial(self.kept)
        self.parrot = Parrot()
        state, policies = self.kept.state, self.kept.policies
        self.steps = LearningActivities(
            log=self.kept.log,
            state=state,
            policies=policies,
            facts=self.kept.facts,
            flags=self.kept.flags,
            explainer=Explainer(model=LocalModel(HashingEmbedder())),
            refitter=Refitter(models=self.parrot),
            reworder=Reworder(model=LocalModel(HashingEmbedder()), state=state),
            tester=BackTester(planner=StockPlanner(state=state, policies=policies)),
            shelf=ShelfWatch(measurer=self.trial.measurer, state=state),
        )

    async def labelled(self, count: int, *, word: str, at: datetime, intent: str = "where-is-my-order") -> None:
        """People said of so many mails that begin with ``word`` what they are about."""
        told = {"intent": intent, "source": LabelSource.CORRECTED, "by": "operator", "at": at}
        labels = (Label.model_validate({"ticket_id": f"{word}-{n}", "text": f"{word} {n}", **told}) for n in range(count))
        await self.trial.tell(*(LabelGiven(label=label) for label in labels), at=at)

    async def night(self, at: datetime) -> tuple[PolicyRecord, LearningReport]:
        request = LearnInput(day=at.date().isoformat(), run_id=f"learn/{at.date()}", now=at)
        proposed = await self.steps.propose_changes(request)
        await self.steps.report_learning(request.model_copy(update={"refused": proposed.refused}))
        record = await self.kept.state.get(PolicyRecord, "triage")
        (report,) = [r for r in await self.kept.state.find(LearningReport) if r.day == request.day]
        return record or PolicyRecord(name="triage"), report


async def test_a_stronger_refit_takes_the_place_of_one_that_is_being_tried() -> None:
    """The earlier trial is stopped and its version dropped in the same step that begins the new one."""
    office = Office()
    await office.labelled(7, word="pony", at=NOW)
    await office.labelled(5, word="post", at=NOW, intent="late")
    first, _ = await office.night(NOW + DAY)
    await office.labelled(15, word="cart", at=NOW + 1.5 * DAY)
    second, _ = await office.night(NOW + 2 * DAY)
    ended = await office.kept.state.get(Experiment, "triage@1")
    assert (first.trial, second.trial, second.dropped) == ("triage@1", "triage@2", {1: GAVE_WAY})
    assert ended is not None
    assert (ended.ending, ended.hard) == (Ending.STOPPED, False)


async def test_a_trial_that_has_found_out_more_goes_on_and_so_does_a_holdout() -> None:
    """A trial that only waits for cases is not begun anew."""
    office = Office()
    await office.labelled(7, word="pony", at=NOW)
    await office.labelled(5, word="post", at=NOW, intent="late")
    await office.night(NOW + DAY)
    await office.labelled(15, word="cart", at=NOW + 1.5 * DAY)
    trial = await office.kept.state.get(Experiment, "triage@1")
    assert trial is not None
    picture = await look_back(office.kept.state, office.kept.policies, now=NOW + 2 * DAY)
    changes: tuple[dict[str, object], ...] = ({}, {"evidence": Evidence(win=1e9, matured=9)}, {"stage": Stage.HOLDOUT})
    pictures = [replace(picture, experiments=(trial.model_copy(update=change),)) for change in changes]
    drafts = [await Refitter(models=office.parrot).draft(each) for each in pictures]
    assert [[d.instead_of for d in found] for found in drafts] == [["triage@1"], [], []]


async def test_a_refit_is_tried_when_the_new_labels_have_grown_by_a_quarter() -> None:
    """Ten, then thirteen: eleven and twelve are no reason to fit again."""
    office, fitted, before = Office(), [], 0
    for day, count in enumerate((9, 1, 1, 1, 1)):
        await office.labelled(count, word=f"post{day}", at=NOW + day * DAY, intent="late")
        await office.night(NOW + (day + 0.5) * DAY)
        fitted.append(office.parrot.fits > before)
        before = office.parrot.fits
    assert fitted == [False, True, False, False, True]
