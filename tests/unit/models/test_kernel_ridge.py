"""The mathematics of the intent model, against doing it the long way."""

from dataclasses import replace

import numpy as np
import pytest

from models.embedding import HashingEmbedder
from models.local import kernel_ridge
from models.local.features import Features, Rows
from models.local.kernel_ridge import KernelRidge
from models.local.word_counts import WordCounts

TEXTS = [f"{what} {which}" for what in ("where is my parcel", "send me an invoice", "the mug is broken") for which in "abcdefgh"]
CLASSES = np.repeat([0, 1, 2], 8)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return Features(HashingEmbedder()).rows(TEXTS)


def long_way(rows: Rows, classes: np.ndarray, asked: Rows, meaning: float) -> np.ndarray:
    """Scores of kernel ridge regression, by inverting the whole matrix in double precision."""
    x, y = (
        np.hstack([np.sqrt(meaning) * r.meaning, np.sqrt(1 - meaning) * r.writing.toarray()]).astype(float) for r in (rows, asked)
    )
    kernel = np.exp(-np.square(x[:, None] - x[None]).sum(axis=2))
    across = np.exp(-np.square(y[:, None] - x[None]).sum(axis=2))
    return np.asarray(across @ np.linalg.inv(kernel + 0.05 * np.eye(len(x))) @ np.eye(3)[classes])


def narrow(rows: Rows) -> Rows:
    """The same likenesses with the empty columns left out, so that the long way fits into memory."""
    return Rows(rows.meaning, rows.writing[:, np.unique(rows.writing.indices)])


def test_left_out_scores_are_those_of_fits_without_the_example(rows: Rows) -> None:
    """In closed form and by fitting 24 times: the same numbers."""
    small = narrow(rows)
    products = kernel_ridge._products(small, small)
    trial = kernel_ridge._Trial.of(products, CLASSES, np.eye(3, dtype=np.float32), 0.5)
    others = [np.delete(np.arange(24), k) for k in range(24)]
    scores = np.vstack([long_way(small[o], CLASSES[o], small[[k]], 0.5) for k, o in enumerate(others)])
    logs = scores * trial.sharpness - np.log(np.exp(scores * trial.sharpness).sum(axis=1, keepdims=True))
    assert -logs[np.arange(24), CLASSES].mean() == pytest.approx(trial.surprise, abs=1e-3)


def test_classes_are_those_of_the_long_way(rows: Rows) -> None:
    """On texts it was not fitted on."""
    small = narrow(rows)
    known, asked = np.arange(24) % 8 < 5, np.arange(24) % 8 >= 5
    fitted = KernelRidge.fit(small[known], CLASSES[known], small[:0])
    expected = long_way(small[known], CLASSES[known], small[asked], fitted.meaning)
    assert fitted.judge(small[asked]).classes.tolist() == expected.argmax(axis=1).tolist() == CLASSES[asked].tolist()


def test_what_nobody_labelled_helps_to_tell_texts_apart() -> None:
    """A word that was never taught takes the class of the company it keeps."""
    features = Features(HashingEmbedder())
    taught = features.rows(["parcel late", "parcel late please", "invoice wrong", "invoice wrong please"])
    seen = features.rows([f"parcel late courier {w}" for w in ("today", "again", "now", "sir", "madam", "team", "friends")])
    asked = features.rows(["courier courier"])
    classes = np.array([0, 0, 1, 1])
    with_seen, without = (KernelRidge.fit(taught, classes, some).judge(asked) for some in (seen, seen[:0]))
    assert with_seen.classes[0] == 0
    assert with_seen.margins[0] > 2 * without.margins[0]


def test_margins_are_small_far_from_all_examples_and_between_them(rows: Rows) -> None:
    """From 0 to 1, and a text like many examples has a larger one than a text of two minds or one like none."""
    fitted = KernelRidge.fit(rows, CLASSES, rows[:0])
    asked = Features(HashingEmbedder()).rows(["where is my parcel z", "where is my invoice", "quantum chromodynamics"])
    clear, torn, strange = fitted.judge(asked).margins
    assert 0 <= strange < torn < clear <= 1


def test_likenesses_of_texts_with_each_other_are_the_same_below_the_diagonal(rows: Rows) -> None:
    """They are made in parts; what is above is left out."""
    many = rows + rows[[0] * kernel_ridge._AT_ONCE]
    own, whole = kernel_ridge._own_products(many), kernel_ridge._products(many, many)
    for part, expected in zip(own, whole, strict=True):
        assert np.tril(part) == pytest.approx(np.tril(expected), abs=1e-6)


def test_a_class_that_both_opinions_name_has_a_larger_margin(rows: Rows) -> None:
    """With a count of words that was fitted on other classes, every margin is smaller."""
    fitted = KernelRidge.fit(rows, CLASSES, rows[:0])
    doubting = replace(fitted, counted=WordCounts.fit(rows.writing, np.eye(3, dtype=np.float32)[(CLASSES + 1) % 3]))
    assert (doubting.judge(rows).margins < fitted.judge(rows).margins).all()
