"""The local intent engine, on mails it was not fitted on."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from models.embedding import WordLlamaEmbedder
from models.local.guess import Guess
from models.local.intents import IntentClassifier, seed_examples

HELD_OUT = [line.split("\t") for line in (Path(__file__).parent / "held_out.txt").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def classifier() -> IntentClassifier:
    return IntentClassifier.fit(WordLlamaEmbedder())


@pytest.fixture(scope="module")
def guesses(classifier: IntentClassifier) -> list[Guess]:
    return classifier.guess([text for _, text in HELD_OUT])


@pytest.fixture(scope="module")
def right(guesses: list[Guess]) -> np.ndarray:
    return np.array([g.intent == intent for g, (intent, _) in zip(guesses, HELD_OUT, strict=True)])


def test_no_held_out_mail_is_in_the_box() -> None:
    """The measure would be worth nothing otherwise."""
    box = {text.lower() for text, _ in seed_examples()}
    assert not [text for _, text in HELD_OUT if text.lower() in box]


def test_every_intent_has_forty_sentences_or_more() -> None:
    """The box is big enough to be split for calibration."""
    counts: dict[str, int] = {}
    for _, intent in seed_examples():
        counts[intent] = counts.get(intent, 0) + 1
    assert len(counts) == 13
    assert min(counts.values()) >= 40


def test_it_is_right_on_most_held_out_mails(right: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    """More than eight in ten of all, out of thirteen intents."""
    with capsys.disabled():
        print(f"\nlocal intents, held out: {right.mean():.1%} of {len(right)} right")
    assert right.mean() > 0.8


def test_what_it_is_sure_of_is_nearly_always_right(
    guesses: list[Guess], right: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers above the routing threshold are right nine times in ten; the others go to a person or a model."""
    sure = np.array([g.probability >= 0.6 for g in guesses])
    with capsys.disabled():
        print(f"\nlocal intents, sure of {sure.mean():.1%}: {right[sure].mean():.1%} right")
    assert sure.mean() > 0.6
    assert right[sure].mean() > 0.9


def test_its_confidence_is_calibrated(guesses: list[Guess], right: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    """Expected calibration error over ten bins (Naeini et al., 2015) stays under a tenth."""
    confidence = np.array([g.probability for g in guesses])
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = sum(
        (bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean()) for b in range(10) if (bins == b).any()
    )
    with capsys.disabled():
        print(f"\nlocal intents, expected calibration error: {error:.3f}")
    assert error < 0.1


def test_an_answer_takes_milliseconds(classifier: IntentClassifier) -> None:
    """The best of several single answers is under 20 ms even on a busy machine (2 ms on an idle one)."""

    def once() -> float:
        began = perf_counter()
        classifier.guess(["Where is my order 1001? It should have been here by now."])
        return perf_counter() - began

    assert min(once() for _ in range(10)) < 0.02


def test_what_the_operator_teaches_is_learned(fit: Callable[..., IntentClassifier]) -> None:
    """A phrase that was misread is read as taught after refitting."""
    phrase = "the thingamajig situation"
    taught = fit(learned=[(phrase, "invoice"), ("again the thingamajig situation", "invoice"), ("thingamajig", "invoice")])
    assert taught.guess([phrase])[0].intent == "invoice"


@pytest.fixture
def fit() -> Callable[..., IntentClassifier]:
    return lambda *, learned: IntentClassifier.fit(WordLlamaEmbedder(), learned=learned)
