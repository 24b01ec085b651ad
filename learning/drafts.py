"""Every change that the look back calls for, each with its proof from past cases where past cases can prove it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.learning import Candidate
from domain.policies import AutonomyPolicy, ContentPolicy, GatePolicy, RoutingPolicy, SupportPolicy
from learning import replay
from learning.candidates.always_asked import always_asked_candidates, floor_of
from learning.candidates.autonomy import autonomy_candidates
from learning.candidates.playbooks import playbook_candidates
from learning.candidates.reviews import Review, intent_reviews, reviews_of
from learning.candidates.thresholds import gate_candidates, routing_candidate
from learning.candidates.titles import title_candidate
from learning.offline_gate import offline_gate
from learning.picture import Picture
from learning.replay import Paired


@dataclass(frozen=True)
class Draft:
    """``proof`` is the paired replay; None where the candidate was proved otherwise or is for the operator to judge.

    ``instead_of`` is the trial whose place it takes, where one is running on the policy.
    """

    candidate: Candidate
    proof: Paired | None = None
    instead_of: str = ""

    def judged(self) -> tuple[bool, str]:
        """Whether it may be tried, and why."""
        if self.proof is None:
            return True, self.candidate.checked
        result = offline_gate(self.proof.wins, self.proof.losses, self.proof.golden_regressions)
        return result.passed, result.reason


def drafts(picture: Picture) -> Iterator[Draft]:
    """In the order in which causes are mended: policy before prompt before model; what only waits for a yes comes first."""
    observed = picture.observed
    for candidate in autonomy_candidates(picture.classes, picture.in_force(AutonomyPolicy), now=picture.now):
        yield Draft(candidate)
    yield from _thresholds(picture)
    support = picture.in_force(SupportPolicy)
    for candidate in playbook_candidates(observed.approvals, support):
        after = SupportPolicy.model_validate(candidate.document)
        golden = picture.golden("support")
        yield Draft(candidate, replay.templates(observed.approvals, incumbent=support.document, candidate=after, golden=golden))
    if titles := title_candidate(picture.pieces, picture.in_force(ContentPolicy)):
        yield Draft(titles)


def _thresholds(picture: Picture) -> Iterator[Draft]:
    observed = picture.observed
    gate, routing = picture.in_force(GatePolicy), picture.in_force(RoutingPolicy)
    reviews = reviews_of(observed.approvals)
    for candidate in (*gate_candidates(reviews, gate), *always_asked_candidates(reviews, gate)):
        yield Draft(candidate, _gate_proof(picture, reviews, gate.document, GatePolicy.model_validate(candidate.document)))
    intents = intent_reviews(observed.approvals, tickets=observed.tickets, labels=observed.labels, support=observed.support)
    if moved := routing_candidate(intents, routing):
        after = RoutingPolicy.model_validate(moved.document)
        floors = {"incumbent": routing.document.local_confidence, "candidate": after.local_confidence}
        yield Draft(moved, replay.thresholds(intents, **floors, golden=picture.golden("routing")))


def _gate_proof(picture: Picture, reviews: tuple[Review, ...], before: GatePolicy, after: GatePolicy) -> Paired:
    """Over the kinds of action whose floor moves; what is always asked has one that nothing reaches."""
    floors = {kind: (floor_of(before, kind), floor_of(after, kind)) for kind in {r.kind for r in reviews}}
    moved = {kind: pair for kind, pair in floors.items() if pair[0] != pair[1]}
    golden = picture.golden("gate")
    parts = [
        replay.thresholds([r for r in reviews if r.kind == kind], incumbent=old, candidate=new, golden=golden)
        for kind, (old, new) in sorted(moved.items())
    ]
    return Paired(
        wins=sum(p.wins for p in parts),
        losses=sum(p.losses for p in parts),
        golden_regressions=sum(p.golden_regressions for p in parts),
        compared=sum(p.compared for p in parts),
    )
