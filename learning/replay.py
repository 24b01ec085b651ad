"""Shadow replay: what a candidate would have decided about past episodes, against what was decided and what was right. Pure.

Each function returns ``Paired`` for the offline gate: episodes where only the candidate, or only the incumbent, was right.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeVar

from domain.approvals import Approval
from domain.policies import SupportPolicy
from learning.candidates.playbooks import Episode, episodes
from learning.candidates.reviews import Review

T = TypeVar("T")
_HAIR = 1e-9


@dataclass(frozen=True)
class Paired:
    """``golden_regressions`` are losses on episodes that must never be lost."""

    wins: int
    losses: int
    golden_regressions: int = 0
    compared: int = 0


def paired(
    incumbent: Mapping[str, T], candidate: Mapping[str, T], truth: Mapping[str, T], *, golden: Collection[str] = ()
) -> Paired:
    """Answers by episode against the true ones; an episode that one of them did not answer is left out."""
    known = [key for key in sorted(truth) if key in incumbent and key in candidate]
    scores = {key: (candidate[key] == truth[key]) - (incumbent[key] == truth[key]) for key in known}
    return _counted(scores, golden)


def thresholds(reviews: Sequence[Review], *, incumbent: float, candidate: float, golden: Collection[str] = ()) -> Paired:
    """A floor is right about a reviewed case where it would have asked exactly when the operator changed something."""
    scores = {f"{place}/{r.run_id}": _asks_rightly(r, candidate) - _asks_rightly(r, incumbent) for place, r in enumerate(reviews)}
    by_run = {key for key in scores if key.partition("/")[2] in golden}
    return _counted(scores, by_run)


def templates(
    approvals: Iterable[Approval], *, incumbent: SupportPolicy, candidate: SupportPolicy, golden: Collection[str] = ()
) -> Paired:
    """A reply is better where it is nearer to what the operator sent. Only answers whose template differs are compared.

    Answers that were let go as shown speak for the incumbent: there every change is a loss.
    """
    scores: dict[str, int] = {}
    for place, ((intent, situation), episode) in enumerate(episodes(approvals, incumbent)):
        playbook = candidate.playbooks.get(intent)
        template = playbook.reply(situation) if playbook else ""
        if template != episode.filled.template:
            scores[f"{place}/{episode.run_id}"] = _nearer(episode, template)
    by_run = {key for key in scores if key.partition("/")[2] in golden}
    return _counted(scores, by_run)


@dataclass(frozen=True, kw_only=True)
class Rewording:
    """One text as it is worded with and without a change, and as the operator sent it. ``facts`` are values it may state."""

    run_id: str
    incumbent: str
    candidate: str
    sent: str
    facts: tuple[str, ...] = ()


def wordings(found: Iterable[Rewording], *, golden: Collection[str] = ()) -> Paired:
    """A wording is better where it misses fewer of the facts that the operator stated; then where it is nearer to their words."""
    scores = {f"{place}/{worded.run_id}": _better_worded(worded) for place, worded in enumerate(found)}
    by_run = {key for key in scores if key.partition("/")[2] in golden}
    return _counted(scores, by_run)


def _counted(scores: Mapping[str, int], golden: Collection[str]) -> Paired:
    lost = [key for key, score in scores.items() if score < 0]
    return Paired(
        wins=sum(score > 0 for score in scores.values()),
        losses=len(lost),
        golden_regressions=sum(key in golden for key in lost),
        compared=len(scores),
    )


def _asks_rightly(review: Review, floor: float) -> bool:
    return (review.confidence < floor) is review.corrected


def _better_worded(worded: Rewording) -> int:
    stated = [value for value in worded.facts if value and value in worded.sent]
    missed = [sum(value not in text for value in stated) for text in (worded.incumbent, worded.candidate)]
    if missed[0] != missed[1]:
        return 1 if missed[1] < missed[0] else -1
    return _sign(_likeness(worded.candidate, worded.sent) - _likeness(worded.incumbent, worded.sent))


def _nearer(episode: Episode, template: str) -> int:
    """1 where ``template`` gives the better letter, -1 where the episode's own does, 0 where they are as good."""
    new, old = episode.filled.render(template), episode.filled.render(episode.filled.template) or ""
    if new is None:
        return -1
    return _sign(_likeness(new, episode.sent) - _likeness(old, episode.sent))


def _sign(gain: float) -> int:
    return 0 if abs(gain) < _HAIR else 1 if gain > 0 else -1


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(a=one.split(), b=other.split(), autojunk=False).ratio()
