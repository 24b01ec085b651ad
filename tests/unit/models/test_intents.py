"""The local intent engine, on mails it was not fitted on."""

from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from models.embedding import WordLlamaEmbedder
from models.local.features import Features
from models.local.guess import Guess
from models.local.intents import IntentClassifier, seed_examples

HELD_OUT = [line.split("\t") for line in (Path(__file__).parent / "held_out.txt").read_text("utf-8").splitlines()]


EMBEDDER = WordLlamaEmbedder()


@pytest.fixture(scope="module")
def classifier() -> IntentClassifier:
    return IntentClassifier.fit(EMBEDDER)


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
    """The best of several single answers takes less than 20 ms of work (2 ms on an idle machine)."""

    def once() -> float:
        began = process_time()
        classifier.guess(["Where is my order 1001? It should have been here by now."])
        return process_time() - began

    assert min(once() for _ in range(10)) < 0.02


def test_what_the_operator_teaches_is_learned(fit: Callable[..., IntentClassifier]) -> None:
    """A phrase that was misread is read as taught after refitting."""
    phrase = "the thingamajig situation"
    taught = fit(learned=[(phrase, "invoice"), ("again the thingamajig situation", "invoice"), ("thingamajig", "invoice")])
    assert taught.guess([phrase])[0].intent == "invoice"


@pytest.fixture
def fit() -> Callable[..., IntentClassifier]:
    return lambda *, learned: IntentClassifier.fit(EMBEDDER, learned=learned)


def test_an_intent_the_operator_invents_becomes_one_of_the_model(fit: Callable[..., IntentClassifier]) -> None:
    """Two examples make it; with one, the model does not know it yet."""
    mails = [("Do you offer workshops on pottery?", "workshop"), ("When is the next pottery workshop?", "workshop")]
    asked = "Is there a pottery workshop in May?"
    assert "workshop" not in fit(learned=mails[:1]).intents
    assert fit(learned=mails).guess([asked])[0].intent == "workshop"


def test_what_the_operator_calls_out_of_scope_is_out_of_scope(fit: Callable[..., IntentClassifier]) -> None:
    """Mails that were read as something the shop does are no longer, and others like them neither."""
    asked = "Please confirm my appointment for the return of the rental car on Friday"
    mails = [
        ("Your appointment to return the rental car is confirmed", "out-of-scope"),
        ("Rental car: appointment for the return on Monday, please confirm", "out-of-scope"),
    ]
    assert not fit(learned=[]).guess([asked])[0].out_of_scope
    assert fit(learned=mails).guess([asked])[0].out_of_scope


def test_the_same_examples_give_the_same_model_in_any_order(fit: Callable[..., IntentClassifier]) -> None:
    """Its version names the training set; another example gives another version."""
    mails = [("gift wrap it please", "gift"), ("can you gift wrap", "gift"), ("wrap it as a gift", "gift")]
    one, other, less = fit(learned=mails), fit(learned=mails[::-1]), fit(learned=mails[:2])
    texts = [text for _, text in HELD_OUT[:20]]
    assert one.version == other.version != less.version
    assert one.guess(texts) == other.guess(texts)


def test_a_text_that_is_taught_twice_counts_as_taught_last(fit: Callable[..., IntentClassifier]) -> None:
    """The operator corrects a sentence of the box."""
    text, intent = seed_examples()[0]
    assert intent != "invoice"
    corrected = fit(learned=[(text, "invoice")])
    assert corrected.guess([text])[0].intent == "invoice"


def test_one_intent_is_nothing_to_tell_apart() -> None:
    """It says so instead of guessing it always."""
    with pytest.raises(ValueError, match="nothing to tell apart"):
        IntentClassifier.fit_on([("a b", "late"), ("c d", "late")], features=Features(WordLlamaEmbedder()))


def test_a_text_without_words_gets_an_answer(classifier: IntentClassifier) -> None:
    """An empty mail is guessed at with little margin, and does not spoil the others."""
    empty, other = classifier.guess(["", "Where is my parcel?"])
    assert empty.margin < other.margin
