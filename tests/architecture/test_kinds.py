"""Whoever speaks of actions by their kind knows all of them."""

import pytest

from agents import auditor, learner
from domain.actions import ACTION_TYPES
from learning import notices


@pytest.mark.parametrize("words", [learner._CALLED, notices._ASKED, auditor._CHANGES], ids=["lessons", "notices", "audit"])
def test_every_kind_of_action_has_its_words(words: dict[str, object]) -> None:
    """A kind that one of them forgot would end a run with a KeyError."""
    assert words.keys() == ACTION_TYPES.keys()
