"""The second opinion: naive Bayes over counted pieces, against doing it by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.local.word_counts import WordCounts

PIECES = csr_matrix(np.array([[1.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=np.float32))
SAID = np.array([[1.0, 0], [1, 0], [0, 1]], dtype=np.float32)


def asked(*pieces: float) -> csr_matrix:
    return csr_matrix(np.array([pieces], dtype=np.float32))


def test_a_piece_speaks_for_the_class_it_was_counted_in() -> None:
    """By hand: two of three pieces of the first class are the first, and a text weighs as much as four pieces."""
    found = WordCounts.fit(PIECES, SAID).probabilities(asked(1, 0, 0, 0))[0]
    odds = (3 / 5) / (2 / 5) * ((2.001 / 3.003) / (0.001 / 1.003))
    assert found.sum() == pytest.approx(1)
    assert found[0] / found[1] == pytest.approx(odds**4, rel=1e-3)


def test_a_piece_that_never_occurred_says_nothing() -> None:
    """What is left is how common each class is."""
    counts = WordCounts.fit(PIECES, SAID)
    assert counts.probabilities(asked(0, 0, 0, 1))[0] == pytest.approx(counts.probabilities(asked(0, 0, 0, 0))[0])


def test_a_supposed_class_counts_as_much_as_it_is_given() -> None:
    """A text of two minds is counted in both classes, in halves."""
    torn = WordCounts.fit(PIECES[:2], np.array([[0.5, 0.5], [0.5, 0.5]], dtype=np.float32))
    assert torn.probabilities(asked(1, 1, 0, 0))[0] == pytest.approx([0.5, 0.5])
