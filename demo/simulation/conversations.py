"""The customers' side of every ticket: what they wanted, what they got, and what they write next."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.simulation import mails
from demo.simulation.chance import chance
from demo.simulation.letters import Letter
from demo.simulation.truth import Judgement, Truth, judge
from domain.actions import SendReply
from domain.model import Moment, Value

_MOST_LETTERS = 5  # of a customer; then they give up


class NextLetter(Value):
    """What a customer will write next in a conversation."""

    ticket_id: str
    number: int
    at: Moment
    body: str


@dataclass
class Conversation:
    """One ticket as the world sees it. ``helped`` counts what the operator did for it, ``wrong`` what was not right."""

    letter: Letter
    truth: Truth
    taken_for: str = ""
    letters: int = 1
    helped: int = 0
    wrong: int = 0
    served: bool = False
    answered_at: datetime | None = None
    own_words: set[str] = field(default_factory=set)

    @property
    def right(self) -> bool:
        """The customer got what they wanted, and nothing wrong on the way. Spam is right where nobody answered it."""
        return self.wrong == 0 and (self.served or self.truth.intent == "spam")


class Conversations:
    """All tickets of one arm."""

    def __init__(self, *, seed: int, thanks: float) -> None:
        self._seed = seed
        self._thanks = thanks
        self.by_ticket: dict[str, Conversation] = {}

    def open(self, letter: Letter) -> None:
        self.by_ticket[letter.ticket_id] = Conversation(letter=letter, truth=letter.truth)

    def replied(self, action: SendReply, *, at: datetime, not_before: datetime) -> NextLetter | None:
        """A reply reached the customer. What they write next, if anything."""
        talk = self.by_ticket[action.ticket_id]
        talk.answered_at = talk.answered_at or at
        if action.body in talk.own_words:
            talk.served = True
            return self._grateful(talk, at, not_before)
        found = judge(action, talk.truth, intent=talk.taken_for)
        if not found.right:
            talk.wrong += 1
            return self._writes(talk, self._again(talk), at, not_before, hours=(20, 44))
        if found.asks:
            return self._answers(talk, found, at, not_before)
        talk.served = True
        return self._grateful(talk, at, not_before)

    def closed(self, ticket_id: str, *, at: datetime, not_before: datetime) -> NextLetter | None:
        """The ticket was closed. Whoever waits for an answer says so."""
        talk = self.by_ticket[ticket_id]
        if talk.served or talk.answered_at or talk.truth.intent == "spam":
            return None
        talk.wrong += 1
        return self._writes(talk, self._again(talk), at, not_before, hours=(20, 44))

    def taken_over(self, ticket_id: str, *, at: datetime) -> None:
        """The operator answered by other means."""
        talk = self.by_ticket[ticket_id]
        talk.helped += 1
        talk.served = talk.truth.intent != "spam"
        talk.answered_at = talk.answered_at or at

    def _again(self, talk: Conversation) -> str:
        return mails.again(talk.truth, seed=self._seed, key=f"{talk.letter.key}/{talk.letters}")

    def _answers(self, talk: Conversation, found: Judgement, at: datetime, not_before: datetime) -> NextLetter | None:
        assert found.asks is not None
        body = mails.answer(found.asks, talk.truth, seed=self._seed, key=f"{talk.letter.key}/{talk.letters}")
        talk.truth = talk.truth.model_copy(update={"given": talk.truth.given | {found.asks}})
        return self._writes(talk, body, at, not_before, hours=(2, 12))

    def _grateful(self, talk: Conversation, at: datetime, not_before: datetime) -> NextLetter | None:
        key = f"{talk.letter.key}/{talk.letters}"
        if chance(self._seed, "grateful", key).random() >= self._thanks or talk.letters > 1:
            return None
        return self._writes(talk, mails.thanks(seed=self._seed, key=key), at, not_before, hours=(2, 20))

    def _writes(
        self, talk: Conversation, body: str, at: datetime, not_before: datetime, *, hours: tuple[int, int]
    ) -> NextLetter | None:
        if talk.letters >= _MOST_LETTERS:
            return None
        talk.letters += 1
        wait = timedelta(hours=chance(self._seed, "wait", talk.letter.key, talk.letters).uniform(*hours))
        moment = max(at + wait, not_before)
        return NextLetter(ticket_id=talk.letter.ticket_id, number=talk.letters, at=moment, body=body)
