"""A small edit of a model's instructions, proposed by a model and proved on texts that it has not seen."""

from typing import TypeVar

from activities.wording_again import WordingAgain
from agents.prompting import bundled, prompt_of
from domain.entities import Shop
from domain.errors import EffectError
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment, Value
from domain.policies import PolicyRecord, PromptPolicy
from domain.ports import Model, State
from domain.tasks import IMPROVE, PromptEdit, Question
from learning.candidates.prompts import TASKS, Cases, cases_of, prompt_candidate
from learning.drafts import Draft
from learning.picture import Picture
from learning.replay import Paired, Rewording, wordings
from learning.static_checks import customers_names, customers_words, refusals
from learning.worded import Worded

T = TypeVar("T", bound=Value)
_LOCAL = "local"  # the engine that words nothing: without a key, over the budget, in an outage
_SHOWN = 4_000  # characters of a text
_GIVEN_UP = 5  # additions that were tried and dropped, to be told of


class Reworder:
    """Asks the model, at most once and twice for each text of the replay; the day's budget is the model's own affair."""

    def __init__(self, *, model: Model, state: State) -> None:
        self._model = model
        self._state = state

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The edit as a candidate with its replay, one at a time; nothing without a model, or where too little went wrong.

        One that the static checks refuse is not replayed: they say why when it is proposed.
        """
        record = picture.record("prompts")
        if record.trial or record.proposed or record.pinned:
            return ()
        cases = next((found for task in TASKS if (found := cases_of(picture, task)).due), None)
        shop = await self._state.get(Shop, "self") if cases else None
        return await self._drafted(cases, shop, picture) if cases and shop else ()

    async def _drafted(self, cases: Cases, shop: Shop, picture: Picture) -> tuple[Draft, ...]:
        incumbent = picture.in_force(PromptPolicy)
        edit = await self._asked(_edit_wanted(cases, incumbent, picture.record("prompts"), picture.now))
        candidate = prompt_candidate(edit, incumbent, cases) if edit else None
        if candidate is None:
            return ()
        if _refused(candidate, picture):
            return (Draft(candidate, Paired(wins=0, losses=0)),)
        return (Draft(candidate, await self._replayed(candidate, incumbent, cases, WordingAgain(picture, shop))),)

    async def _replayed(self, candidate: Candidate, incumbent: InForce[PromptPolicy], cases: Cases, again: WordingAgain) -> Paired:
        """Every held-back text, worded with both prompts and held against what the operator sent."""
        number = again.picture.record("prompts").next_version
        after = InForce("prompts", number, PromptPolicy.model_validate(candidate.document))
        found = [await self._reworded(worded, incumbent, after, again) for worded in cases.held_back]
        return wordings([each for each in found if each], golden=again.picture.golden("prompts"))

    async def _reworded(
        self, worded: Worded, before: InForce[PromptPolicy], after: InForce[PromptPolicy], again: WordingAgain
    ) -> Rewording | None:
        """None where not both were worded by a model."""
        texts: list[str] = []
        for prompts in (before, after):
            question = again.question(worded, prompts)
            answer = await self._asked(question) if question else None
            if answer is None:
                return None
            texts.append(again.taken(worded, answer))
        old, new = texts
        return Rewording(run_id=worded.run_id, incumbent=old, candidate=new, sent=worded.sent, facts=tuple(worded.facts.values()))

    async def _asked(self, question: Question[T]) -> T | None:
        """The answer of an engine that words; None without one."""
        try:
            answer = await self._model.answer(question)
        except EffectError:
            return None
        return None if answer.engine == _LOCAL else answer.value


def _edit_wanted(cases: Cases, incumbent: InForce[PromptPolicy], record: PolicyRecord, now: Moment) -> Question[PromptEdit]:
    """The customers' own mails are no part of it: the edit is about our wording."""
    given_up = [str(v.document.get(cases.task, "")) for v in record.versions if v.version in record.dropped]
    texts = {
        f"case-{number} {name}": worded.abstracted(text)[:_SHOWN]
        for number, worded in enumerate(cases.seen, start=1)
        for name, text in (("drafted", worded.shown), ("sent", worded.sent), ("reason", worded.said))
    }
    return Question(
        task=IMPROVE,
        trusted={
            "task": cases.task,
            "instructions": bundled(cases.task),
            "addition": incumbent.document.addition(cases.task),
            "given_up": given_up[-_GIVEN_UP:],
        },
        untrusted=texts,
        prompt=prompt_of(IMPROVE),
        asked_at=now,
    )


def _refused(candidate: Candidate, picture: Picture) -> bool:
    tickets = picture.observed.tickets
    texts, names = customers_words(tickets), customers_names(tickets)
    record = picture.record(candidate.policy)
    return bool(refusals(candidate, record, texts=texts, names=names, failures=picture.failures, now=picture.now))
