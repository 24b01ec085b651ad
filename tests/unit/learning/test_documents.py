"""What versions of a policy change, whether two changes are the same, and both together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Stale
from domain.policies import PolicyRecord, StockPolicy
from learning.documents import changed, in_force, leaves, same_change
from learning.merging import merged

VALUES = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner), max_leaves=8
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES)


def test_a_change_is_named_by_its_path() -> None:
    """Down to the single value."""
    before, after = {"a": {"b": 1, "c": [1, 2]}}, {"a": {"b": 2, "c": [1, 3]}, "d": "new"}
    assert changed(before, after) == {"a.b": (1, 2), "a.c[1]": (2, 3), "d": (None, "new")}


def test_filling_what_was_empty_is_only_what_was_put_in() -> None:
    """The empty object itself is no change."""
    assert list(changed({"grants": {}}, {"grants": {"x": {"limit": 0.1}}})) == ["grants.x.limit"]


def test_the_default_is_in_force_until_there_is_a_version() -> None:
    """Whole, as its type has it."""
    assert in_force(PolicyRecord(name="stock")) == StockPolicy().model_dump(mode="json")


def test_numbers_that_nearly_agree_are_the_same_change() -> None:
    """Measured by how far they move; texts have to be equal."""
    assert same_change({"level": (0.95, 0.98)}, {"level": (0.95, 0.975)})
    assert not same_change({"level": (0.95, 0.98)}, {"level": (0.95, 0.92)})
    assert not same_change({"text": ("a", "b")}, {"text": ("a", "c")})
    assert not same_change({"text": ("a", "b")}, {"other": ("a", "b")})


def test_two_grants_proposed_side_by_side_end_up_together() -> None:
    """The second is merged with the first."""
    base: dict[str, Any] = {"grants": {}}
    first, second = {"grants": {"x": 1}}, {"grants": {"y": 2}}
    assert merged(base, first, second) == {"grants": {"x": 1, "y": 2}}


def test_a_removal_is_merged_too_and_a_contradiction_is_stale() -> None:
    """What one took away and the other left alone stays away; two values for one place are refused."""
    assert merged({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}) == {"b": 3}
    with pytest.raises(Stale, match="both change b"):
        merged({"b": 2}, {"b": 3}, {"b": 4})


@given(DOCUMENTS, DOCUMENTS)
def test_merged_with_its_own_base_a_change_is_the_document(base: dict[str, object], document: dict[str, object]) -> None:
    """And merged with itself it changes nothing."""
    assert merged(base, base, document) == document
    assert merged(base, document, document) == document
    assert (changed(base, document) == {}) == (leaves(base) == leaves(document))
