"""A small edit of the instructions for replies, proposed by a model and proved on letters that it has not seen."""

from typing import TypeVar

from agents.prompting import bundled, prompt_of
from agents.skills.polish import Polish
from domain.entities import Shop
from domain.errors import EffectError
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment, Value
from domain.policies import PolicyRecord, PromptPolicy
from domain.ports import Model, State
from domain.tasks import IMPROVE, REPLY, Answer, PromptEdit, Question
from learning.candidates.prompts import Cases, Letter, cases_of, prompt_candidate
from learning.drafts import Draft
from learning.picture import Picture
from learning.replay import Paired, Worded, wordings
from learning.static_checks import customers_names, customers_words, refusals

T = TypeVar("T", bound=Value)
_LOCAL = "local"  # the engine that words nothing: without a key, over the budget, in an outage
_SHOWN = 1_500  # characters of a letter
_GIVEN_UP = 5  # additions that were tried and dropped, to be told of


class Reworder:
    """Asks the model, at most once and twice for each letter of the replay; the day's budget is the model's own affair."""

    def __init__(self, *, model: Model, state: State) -> None:
        self._model = model
        self._state = state

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The edit as a candidate with its replay, one at a time; nothing without a model, or where too little went wrong.

        One that the static checks refuse is not replayed: they say why when it is proposed.
        """
        record, incumbent = picture.record("prompts"), picture.in_force(PromptPolicy)
        cases = Cases() if record.trial or record.proposed or record.pinned else cases_of(picture)
        shop = await self._state.get(Shop, "self") if cases.due else None
        if shop is None:
            return ()
        edit = await self._asked(_edit_wanted(cases, incumbent, record, picture.now))
        candidate = prompt_candidate(edit, incumbent, cases) if edit else None
        if candidate is None:
            return ()
        if _refused(candidate, picture):
            return (Draft(candidate, Paired(wins=0, losses=0)),)
        return (Draft(candidate, await self._replayed(candidate, incumbent, cases, picture, shop)),)

    async def _replayed(
        self, candidate: Candidate, incumbent: InForce[PromptPolicy], cases: Cases, picture: Picture, shop: Shop
    ) -> Paired:
        """Every held-back letter, worded with both prompts and held against what the operator sent."""
        after = InForce("prompts", incumbent.version, PromptPolicy.model_validate(candidate.document))
        found = [await self._reworded(letter, incumbent, after, shop, picture.now) for letter in cases.held_back]
        return wordings([worded for worded in found if worded], golden=picture.golden("prompts"))

    async def _reworded(
        self, letter: Letter, before: InForce[PromptPolicy], after: InForce[PromptPolicy], shop: Shop, now: Moment
    ) -> Worded | None:
        """None where not both were worded by a model. Lessons are left out: they quote the very letters that are compared."""
        polish = Polish(draft=letter.draft, facts=letter.action.facts, message=letter.message, shop=shop)
        old, new = [await self._asked(polish.question(prompts, now=now)) for prompts in (before, after)]
        if old is None or new is None:
            return None
        return Worded(
            run_id=letter.run_id,
            incumbent=letter.bare(polish.taken(old)),
            candidate=letter.bare(polish.taken(new)),
            sent=letter.sent,
            facts=tuple(letter.action.facts.values()),
        )

    async def _asked(self, question: Question[T]) -> T | None:
        """The answer of an engine that words; None without one."""
        try:
            answer: Answer[T] = await self._model.answer(question)
        except EffectError:
            return None
        return None if answer.engine == _LOCAL else answer.value


def _edit_wanted(cases: Cases, incumbent: InForce[PromptPolicy], record: PolicyRecord, now: Moment) -> Question[PromptEdit]:
    """The customers' own mails are no part of it: the edit is about our wording."""
    given_up = [v.document.get(REPLY.prompt, "") for v in record.versions if v.version in record.dropped]
    texts = {
        f"case-{number} {name}": letter.abstracted(text)[:_SHOWN]
        for number, letter in enumerate(cases.seen, start=1)
        for name, text in (("drafted", letter.shown), ("sent", letter.sent), ("reason", letter.said))
    }
    return Question(
        task=IMPROVE,
        trusted={
            "task": REPLY.prompt,
            "instructions": bundled(REPLY.prompt),
            "addition": incumbent.document.reply,
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
