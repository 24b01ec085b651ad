"""Beliefs: one value at a time, in two times, and the past of what was believed never changes."""

from datetime import datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.event import FactChange, FactOp
from domain.events import FactStated
from memory.beliefs import Belief, Beliefs
from tests.unit.domain.happenings import NOW, STATEMENTS

DAY = timedelta(days=1)


class Minds:
    """Statements taken in one after the other, a second apart, each stored before the next one."""

    def __init__(self) -> None:
        self.rows: dict[int, Belief] = {}
        self.now = NOW

    def hear(self, change: FactChange) -> None:
        self.now += timedelta(seconds=1)
        beliefs = Beliefs.of(row for row in self.rows.values() if row.believed_to is None)
        beliefs.apply(change, source=uuid4(), now=self.now)
        for row, moment in beliefs.closed.items():
            self.rows[row] = self.rows[row].until(moment)
        for belief in beliefs.added:
            row = len(self.rows)
            self.rows[row] = belief.stored_as(row)

    def say(self, object_: str, start: datetime, end: datetime | None = None, op: FactOp = FactOp.ASSERT) -> None:
        self.hear(FactChange(subject="s", predicate="p", object=object_, valid_from=start, valid_to=end, op=op))

    def at(self, world: datetime, belief: datetime | None = None, status: str = "asserted") -> set[tuple[str, str]]:
        moment = belief or self.now
        return {
            (b.predicate, b.object)
            for b in self.rows.values()
            if b.status == status
            and b.overlaps(world, world + timedelta(microseconds=1))
            and b.believed_from <= moment
            and (b.believed_to is None or moment < b.believed_to)
        }

    def timeline(self) -> list[set[tuple[str, str]]]:
        return [self.at(NOW + n * DAY) for n in range(-1, 125)]


@given(st.lists(STATEMENTS, max_size=12))
def test_a_functional_predicate_never_has_two_values_at_once(story: list[FactStated]) -> None:
    """At no world time, at no belief time."""
    minds = Minds()
    for data in story:
        minds.hear(data.fact)
    rows = [b for b in minds.rows.values() if b.functional and b.status == "asserted"]
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            same = one.predicate == other.predicate
            believed = one.believed_from < (other.believed_to or minds.now + DAY) and other.believed_from < (
                one.believed_to or minds.now + DAY
            )
            assert not (same and believed and one.overlaps(other.valid_from, other.valid_to))


@given(st.lists(STATEMENTS, min_size=2, max_size=10))
def test_what_was_believed_then_is_not_changed_by_what_is_learned_later(story: list[FactStated]) -> None:
    """Asking as of an earlier belief time gives the earlier answer."""
    minds = Minds()
    for data in story[:-1]:
        minds.hear(data.fact)
    then, answer = minds.now, minds.timeline()
    minds.hear(story[-1].fact)
    assert [minds.at(NOW + n * DAY, then) for n in range(-1, 125)] == answer


@given(st.permutations([("red", 1), ("blue", 5), ("green", 9), ("black", 14)]))
def test_the_order_in_which_different_values_arrive_does_not_matter(arrivals: list[tuple[str, int]]) -> None:
    """A change that is known late takes its place between its neighbours."""
    minds, sorted_minds = Minds(), Minds()
    for object_, day in arrivals:
        minds.say(object_, NOW + day * DAY)
    for object_, day in sorted(arrivals, key=lambda a: a[1]):
        sorted_minds.say(object_, NOW + day * DAY)
    assert minds.timeline() == sorted_minds.timeline()


def test_an_exception_for_some_days_splits_what_holds_around_it() -> None:
    """Before and after it the old value holds."""
    minds = Minds()
    minds.say("10", NOW)
    minds.say("8", NOW + 3 * DAY, NOW + 5 * DAY)
    values = [minds.at(NOW + n * DAY) for n in (2, 3, 4, 5)]
    assert values == [{("p", "10")}, {("p", "8")}, {("p", "8")}, {("p", "10")}]


def test_saying_the_same_again_changes_nothing() -> None:
    """A repeated import leaves no trace."""
    minds = Minds()
    minds.say("10", NOW)
    minds.say("10", NOW + DAY)
    assert len(minds.rows) == 1


def test_a_retracted_statement_is_not_believed_but_stays_on_record() -> None:
    """Who asks as of before the retraction still sees it."""
    minds = Minds()
    minds.say("10", NOW)
    believed = minds.now
    minds.say("10", NOW, op=FactOp.RETRACT)
    assert minds.at(NOW) == set()
    assert minds.at(NOW, status="retracted") == minds.at(NOW, believed) == {("p", "10")}


def test_a_proposal_is_no_fact_until_it_is_asserted() -> None:
    """Asserting it takes the proposal's place."""
    minds = Minds()
    minds.say("10", NOW, op=FactOp.PROPOSE)
    assert minds.at(NOW) == set()
    minds.say("10", NOW)
    assert (minds.at(NOW), minds.at(NOW, status="proposed")) == ({("p", "10")}, set())
