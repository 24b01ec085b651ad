from datetime import timedelta

from demo.simulation.conversations import Conversation, Conversations
from demo.simulation.owner import Owner
from demo.simulation.truth import Asked, Truth
from domain.actions import RefundOrder, SendReply
from domain.approvals import Verb
from domain.judging import judge
from domain.money import Money
from tests.unit.demo.simulated import NOW, SEED, approval, letter, reply, truth


def talk(about: Truth, *, taken_for: str, thanks: float = 0.0) -> tuple[Conversations, Conversation]:
    talks = Conversations(seed=SEED, thanks=thanks)
    first = letter(about)
    talks.open(first)
    found = talks.by_ticket[first.ticket_id]
    found.taken_for = taken_for
    return talks, found


def owner(talks: Conversations, *, noticed: float = 1.0) -> Owner:
    return Owner(name="operator", signature="Mira", talks=talks, seed=SEED, noticed=noticed)


def test_a_customer_who_got_what_they_wanted_is_served() -> None:
    """Whoever is not grateful in writing is silent."""
    talks, found = talk(truth("late"), taken_for="late")
    assert talks.replied(reply(), at=NOW, not_before=NOW) is None
    assert found.right


def test_a_customer_who_got_no_answer_writes_again() -> None:
    """A day or two later, and plainly; it counts as a wrong answer."""
    talks, found = talk(truth("damaged"), taken_for="late")
    again = talks.replied(reply(), at=NOW, not_before=NOW)
    assert again is not None
    assert timedelta(hours=20) <= again.at - NOW <= timedelta(hours=44)
    assert "20123" in again.body
    assert (found.wrong, found.right) == (1, False)


def test_nobody_writes_for_ever() -> None:
    """After five letters the customer gives up."""
    talks, found = talk(truth("damaged"), taken_for="late")
    written = [talks.replied(reply(), at=NOW, not_before=NOW) for _ in range(9)]
    assert sum(next_one is not None for next_one in written) == 4
    assert found.letters == 5


def test_a_customer_tells_the_number_that_we_ask_for() -> None:
    """And from then on we know it."""
    talks, found = talk(truth("late", given=frozenset()), taken_for="late")
    told = talks.replied(reply("Could you tell us the order number?"), at=NOW, not_before=NOW)
    assert told is not None
    assert "20123" in told.body
    assert Asked.ORDER in found.truth.given
    assert found.wrong == 0


def test_an_answer_is_never_older_than_the_present() -> None:
    """What a customer does next happens after what everybody knows by now."""
    talks, _ = talk(truth("damaged"), taken_for="late")
    later = NOW + timedelta(days=9)
    again = talks.replied(reply(), at=NOW, not_before=later)
    assert again is not None
    assert again.at == later


def test_the_owner_approves_what_is_right() -> None:
    """It counts as help all the same."""
    talks, found = talk(truth("late"), taken_for="late")
    answered = owner(talks).answer(approval(reply(), ticket=found.letter.ticket_id))
    assert answered.decision.verb is Verb.APPROVE
    assert found.helped == 1


def test_the_owner_rewrites_a_wrong_answer_and_says_what_the_mail_was_about() -> None:
    """The reason is the label that triage learns from; the decision counts by the rule that every door uses."""
    talks, found = talk(truth("damaged"), taken_for="late")
    asked = approval(reply(), ticket=found.letter.ticket_id)
    decision = owner(talks).answer(asked).decision
    assert decision.verb is Verb.EDIT
    assert "intent: damaged" in decision.reason
    judge(asked, decision, NOW)
    assert isinstance(decision.action, SendReply)
    assert talks.replied(decision.action, at=NOW, not_before=NOW) is None
    assert found.right


def test_the_owner_rejects_money_that_is_not_due() -> None:
    """And names the intent, too."""
    talks, found = talk(truth("late"), taken_for="damaged")
    paid = RefundOrder(order_id="20123", amount=Money.of(20), reason="damaged")
    decision = owner(talks).answer(approval(paid, ticket=found.letter.ticket_id)).decision
    assert decision.verb is Verb.REJECT
    assert "intent: late" in decision.reason


def test_an_owner_who_notices_nothing_approves_everything() -> None:
    """So that a careless operator can be simulated."""
    talks, found = talk(truth("damaged"), taken_for="late")
    answered = owner(talks, noticed=0.0).answer(approval(reply(), ticket=found.letter.ticket_id))
    assert answered.decision.verb is Verb.APPROVE


def test_spam_gets_no_answer_from_the_owner() -> None:
    """A prepared or an empty reply to it is rejected."""
    talks, found = talk(truth("spam"), taken_for="out-of-scope")
    for body in ("", "It is on its way."):
        decision = owner(talks).answer(approval(reply(body), ticket=found.letter.ticket_id)).decision
        assert (decision.verb, decision.reason) == (Verb.REJECT, "intent: spam")
