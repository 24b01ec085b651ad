"""The page that ``./steward learn`` prints."""

from domain.failures import RootCause
from domain.learning import LearningReport, MetricSummary
from learning.fix_queue import rank
from learning.fixability import Fixability
from learning.report import text_of
from tests.unit.learning.happened import DAY, NOW, failure

EMPTY = LearningReport(day="2026-03-30", at=NOW)


def test_an_empty_report_says_that_there_is_nothing_yet() -> None:
    """And shows no empty sections."""
    assert text_of(EMPTY) == "Learning, 2026-03-30\n\nThere is nothing to learn from yet.\n"


def test_only_sections_with_content_are_shown() -> None:
    """Each line under its own title."""
    text = text_of(EMPTY.model_copy(update={"questions": ("what is the care of the mug?",)}))
    assert text.endswith("\n\nQuestions to you (each is asked once)\n  - what is the care of the mug?\n")
    assert "Proposed" not in text


def test_results_are_said_in_words_and_in_their_own_unit() -> None:
    """A share in percent, minutes as a number."""
    told = (
        MetricSummary(metric="unaided", count=40, mean=0.85, bad=6),
        MetricSummary(metric="first-response-minutes", count=1, mean=12.34, bad=0),
    )
    text = text_of(EMPTY.model_copy(update={"outcomes": told, "since": NOW - DAY}))
    assert "What happened since 29 March 2026" in text
    assert "handled without your help: 85% (40 cases, 6 of them bad)" in text
    assert "minutes to the first answer: 12.3 (1 case)" in text


def test_the_queue_is_numbered_and_explained() -> None:
    """Mode, cause in plain words, and the reason for its place."""
    found = [failure(n, cause=RootCause.DATA_MISSING, mode="missing fact: care") for n in range(3)]
    queue = rank([*found, *(failure(n) for n in range(10, 13))], now=NOW, fixability=Fixability())
    text = text_of(EMPTY.model_copy(update={"queue": queue}))
    assert "   1. missing fact: care: a fact is missing\n      it happened 3 times" in text
    assert "   2. wrong intent: late: it was misunderstood" in text


def test_a_long_queue_is_cut() -> None:
    """With a word about the rest."""
    found = [failure(10 * mode + n, mode=f"mode {mode}") for mode in range(13) for n in range(3)]
    queue = rank(found, now=NOW, fixability=Fixability())
    assert text_of(EMPTY.model_copy(update={"queue": queue})).rstrip().endswith("and 3 more")
