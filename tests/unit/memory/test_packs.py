"""Fitting a context pack into its budget."""

from hypothesis import given
from hypothesis import strategies as st

from domain.context import Item, Section
from memory.packs import fit

ITEMS = st.lists(st.builds(Item, ref=st.sampled_from(["a", "b", "c"]), body=st.just({}), tokens=st.integers(0, 50)), max_size=5)
CANDIDATES = st.dictionaries(st.sampled_from(Section), ITEMS)


@given(CANDIDATES, st.integers(0, 200))
def test_a_pack_keeps_its_budget_and_names_what_it_dropped(candidates: dict[Section, list[Item]], budget: int) -> None:
    """Nothing is cut, nothing vanishes silently."""
    sections, dropped = fit(candidates, budget)
    assert list(sections) == list(Section)
    assert sum(item.tokens for items in sections.values() for item in items) <= budget
    assert sum(map(len, sections.values())) + len(dropped) == sum(map(len, candidates.values()))


@given(CANDIDATES, ITEMS, st.integers(0, 200))
def test_a_later_section_never_displaces_an_earlier_one(
    candidates: dict[Section, list[Item]], lessons: list[Item], budget: int
) -> None:
    """Whatever comes last, what comes first stays."""
    before, _ = fit({**candidates, Section.LESSONS: []}, budget)
    after, _ = fit({**candidates, Section.LESSONS: lessons}, budget)
    assert {s: after[s] for s in Section if s is not Section.LESSONS} == {s: before[s] for s in Section if s is not Section.LESSONS}
