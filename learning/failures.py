"""Failures: every bad result and everything a person had to change, each with a mode and a root cause. Pure.

Rules label first, then the classifier that the operator's labels taught; what is left unsure waits for a model
(``unlabelled``, ``labelled_by_model``) or the operator.
"""

from collections.abc import Iterable

from domain.actions import RefundOrder
from domain.choice import unit_of
from domain.failures import Failure, Labeller, RootCause
from domain.ids import derived_id
from domain.metrics import METRICS
from learning.failure_classifier import FailureClassifier, text_of
from learning.failure_rules import explain
from learning.observed import Case, Kind, Observed, cases

SURE = 0.6  # under it a label counts for nothing until somebody surer gave one
_DETAIL = 300


def find(observed: Observed, *, classifier: FailureClassifier | None = None) -> tuple[Failure, ...]:
    """Failures since ``observed.since``, oldest first. The same case always has the same ``failure_id``."""
    taught = classifier or FailureClassifier()
    found = (failure for case in cases(observed) if (failure := _failure(case, observed, taught)) is not None)
    return tuple(sorted(found, key=lambda f: (f.at, f.failure_id)))


def unlabelled(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Those that neither a rule nor the classifier could explain."""
    return tuple(f for f in failures if f.labelled_by is Labeller.CLASSIFIER and f.confidence < SURE)


def labelled_by_model(failure: Failure, *, cause: RootCause, mode: str, confidence: float) -> Failure:
    label = {"cause": cause, "mode": mode, "confidence": confidence, "labelled_by": Labeller.MODEL}
    return failure.model_copy(update=label)


def sample_to_confirm(failures: Iterable[Failure], *, share: float, salt: str) -> tuple[Failure, ...]:
    """The ones whose label the operator is asked to confirm, marked so; drawn by hash, so always the same ones."""
    fresh = (f for f in failures if not (f.asked or f.confirmed))
    return tuple(f.model_copy(update={"asked": True}) for f in fresh if unit_of("confirm", salt, f.failure_id) < share)


def _failure(case: Case, observed: Observed, classifier: FailureClassifier) -> Failure | None:
    """None for a doubt that the operator did not share and no rule knows: nothing went wrong."""
    cause = explain(case, observed)
    if cause is None and case.kind is Kind.ASKED:
        return None
    failure = Failure(
        failure_id=str(derived_id("failure", case.run_id, case.metric, case.occurrence)),
        run_id=case.run_id,
        metric=case.metric,
        value=case.value,
        topic=case.topic,
        mode=cause.mode if cause else f"unexplained: {_named(case)}",
        cause=cause.cause if cause else RootCause.HUMAN,
        labelled_by=Labeller.RULES if cause else Labeller.CLASSIFIER,
        confidence=1.0 if cause else 0.0,
        detail=case.told[:_DETAIL],
        ref=cause.ref if cause else "",
        cost=_cost(case, observed),
        severe=_severe(case),
        at=case.at,
    )
    return failure if cause else _classified(failure, classifier)


def _classified(failure: Failure, classifier: FailureClassifier) -> Failure:
    guess = classifier.guess(text_of(failure))
    if guess is None:
        return failure
    return failure.model_copy(update={"cause": guess.cause, "mode": guess.mode, "confidence": round(guess.confidence, 3)})


def _named(case: Case) -> str:
    return f"{case.kind} {case.approval.proposal.action.kind}" if case.approval else case.metric


def _severe(case: Case) -> bool:
    metric = METRICS.get(case.metric)
    return metric is not None and metric.severe and metric.reward(case.value) == 0


def _cost(case: Case, observed: Observed) -> float:
    """What it cost: the money refunded where that was wrong, else the metric's prior."""
    prior = METRICS[case.metric].cost if case.metric in METRICS else 0.0
    if case.metric != "refund-wrong":
        return prior
    actions = [a.proposal.action for a in observed.approvals_by_run.get(case.run_id, ())]
    return max([prior, *(float(a.amount.amount) for a in actions if isinstance(a, RefundOrder))])
