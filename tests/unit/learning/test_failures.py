"""Labels of failures: stable names, the classifier, the model, and the sample that the operator confirms."""

from domain.approvals import ApprovalStatus
from domain.failures import Failure, Labeller, RootCause
from learning.failure_classifier import FailureClassifier
from learning.failures import find, labelled_by_model, sample_to_confirm, unlabelled
from learning.observed import Observed
from tests.unit.learning.happened import approval, failure, reply

REJECTED = approval(reply("We ship today."), ApprovalStatus.REJECTED, said="the tone is far too cold and stiff")


def confirmed(number: int, cause: RootCause, mode: str, detail: str) -> Failure:
    label = {"cause": cause, "mode": mode, "detail": detail, "labelled_by": Labeller.OPERATOR, "confirmed": True}
    return failure(number, **label)


TAUGHT = FailureClassifier.taught_by(
    [
        confirmed(n, RootCause.PROMPT, "tone", f"the tone is too cold {word}")
        for n, word in enumerate(("here", "again", "and stiff"))
    ]
    + [confirmed(n, RootCause.EXTERNAL, "weather", f"snow on the roads {word}") for n, word in enumerate(("a", "b", "c"), start=3)]
)


def test_the_same_case_has_the_same_name_whenever_it_is_found() -> None:
    """So that finding it twice records it once."""
    seen = Observed(since=None, approvals=(REJECTED,))
    assert find(seen) == find(seen)
    assert (
        find(seen)[0].failure_id
        != find(Observed(since=None, approvals=(approval(reply(""), ApprovalStatus.REJECTED),)))[0].failure_id
    )


def test_what_no_rule_explains_waits_for_somebody_who_can() -> None:
    """It keeps no confidence until then."""
    (found,) = find(Observed(since=None, approvals=(REJECTED,)))
    assert (found.labelled_by, found.confidence, found.mode) == (Labeller.CLASSIFIER, 0.0, "unexplained: rejected send-reply")
    assert unlabelled([found]) == (found,)


def test_the_classifier_learns_from_what_the_operator_confirmed() -> None:
    """And takes the mode from the example that is most alike."""
    (found,) = find(Observed(since=None, approvals=(REJECTED,)), classifier=TAUGHT)
    assert (found.cause, found.mode) == (RootCause.PROMPT, "tone")
    assert found.confidence > 0.9
    assert unlabelled([found]) == ()


def test_the_classifier_is_silent_with_too_few_examples() -> None:
    """Rules and guesses of our own teach it nothing."""
    few = FailureClassifier.taught_by([failure(n) for n in range(20)])
    assert few.guess("anything") is None


def test_the_order_of_the_examples_does_not_matter_to_the_classifier() -> None:
    """Replaying the log in another order gives the same labels."""
    assert FailureClassifier.taught_by(reversed(TAUGHT.examples)).guess("cold tone") == TAUGHT.guess("cold tone")


def test_a_models_label_says_that_it_is_one() -> None:
    """With the model's own confidence."""
    told = labelled_by_model(failure(), cause=RootCause.PROMPT, mode="tone", confidence=0.7)
    assert (told.labelled_by, told.cause, told.confidence) == (Labeller.MODEL, RootCause.PROMPT, 0.7)


def test_a_sample_is_drawn_by_hash_and_never_twice() -> None:
    """The same share, the same ones; those asked or confirmed before are left alone."""
    many = [failure(n) for n in range(1_000)]
    drawn = sample_to_confirm(many, share=0.1, salt="s")
    assert 60 < len(drawn) < 140
    assert drawn == sample_to_confirm(many, share=0.1, salt="s")
    assert all(f.asked for f in drawn)
    assert sample_to_confirm(drawn, share=1.0, salt="t") == ()
