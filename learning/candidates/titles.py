"""Weights of title templates, as the clicks on all pages call for."""

from collections.abc import Sequence

from domain.entities import ContentPiece
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import ContentPolicy
from learning import titles
from learning.candidates.drafting import drafted


def title_candidate(pieces: Sequence[ContentPiece], incumbent: InForce[ContentPolicy]) -> Candidate | None:
    """None where the pages have shown too little, or little would change."""
    policy = titles.title_candidate(pieces, incumbent.document)
    if policy is None:
        return None
    shares = dict(zip(policy.title_templates, policy.title_shares, strict=True))
    best = max(shares, key=lambda template: shares[template])
    shown = sum(day.impressions for piece in pieces for day in piece.metrics)
    return drafted(
        incumbent,
        policy,
        why=f"after {shown:,} times shown on {len(pieces)} pages, titles like {best!r} are clicked most: {shares[best]:.0%} get it",
        cause=RootCause.POLICY_WRONG,
        metrics=("ctr", "seconds-on-page"),
        margin=0.05,
        examples=[f"content/{piece.slug}" for piece in pieces],
    )
