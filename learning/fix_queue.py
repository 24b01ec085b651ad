"""The fix queue: what goes wrong repeatedly, in the order in which mending it is worth while. Pure.

Data before policy before tools before prompts before models; within each by ``cases in 30 days x cost x P(fixable | cause) x
recency / effort``: money saved a month for each unit of effort.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from domain.failures import Failure, RootCause
from domain.learning import FixItem
from domain.model import Moment
from learning.failures import SURE
from learning.fixability import Fixability

WINDOW = timedelta(days=30)
LEAST_CASES = 3
_HALF_LIFE = timedelta(days=14)
_EXAMPLES = 10
_TURNS: dict[RootCause, tuple[int, str, float]] = {
    RootCause.DATA_MISSING: (0, "data", 1.0),
    RootCause.DATA_STALE: (0, "data", 1.0),
    RootCause.DATA_WRONG: (0, "data", 1.0),
    RootCause.POLICY_GAP: (1, "rules", 3.0),
    RootCause.POLICY_WRONG: (1, "rules", 2.0),
    RootCause.TOOL: (2, "connections to other systems", 5.0),
    RootCause.PROMPT: (3, "instructions to a model", 3.0),
    RootCause.MODEL: (4, "the model", 2.0),
    RootCause.EXTERNAL: (5, "what others do", 8.0),
    RootCause.HUMAN: (5, "habits", 4.0),
}
"""For each cause its turn, what people call it, and the effort of a fix, where asking a question is 1."""
Key = tuple[RootCause, str, str]


def rank(failures: Iterable[Failure], *, now: Moment, fixability: Fixability) -> tuple[FixItem, ...]:
    """Modes with enough independent cases (runs) or a severe one. The order of ``failures`` does not matter."""
    groups: dict[Key, list[Failure]] = {}
    for failure in sorted(failures, key=lambda f: (f.at, f.failure_id)):
        if now - WINDOW <= failure.at <= now and failure.confidence >= SURE:
            groups.setdefault((failure.cause, failure.mode, failure.ref), []).append(failure)
    items = [_item(key, found, now, fixability) for key, found in groups.items() if _counts(found)]
    return tuple(sorted(items, key=lambda item: (_TURNS[item.cause][0], -item.score, item.mode, item.ref)))


def _counts(found: Sequence[Failure]) -> bool:
    return len({f.run_id for f in found}) >= LEAST_CASES or any(f.severe for f in found)


def _item(key: Key, found: Sequence[Failure], now: Moment, fixability: Fixability) -> FixItem:
    cause, mode, ref = key
    _, _, effort = _TURNS[cause]
    runs = tuple(dict.fromkeys(f.run_id for f in reversed(found)))
    item = FixItem(
        mode=mode,
        cause=cause,
        cases=len(runs),
        severe=sum(f.severe for f in found),
        cost_per_case=math.fsum(f.cost for f in found) / len(runs),
        fixable=fixability.probability(cause),
        recency=math.fsum(0.5 ** ((now - f.at) / _HALF_LIFE) for f in found) / len(found),
        effort=effort,
        score=0.0,
        ref=ref,
        topics=tuple(sorted({f.topic for f in found if f.topic})),
        examples=runs[:_EXAMPLES],
    )
    score = item.cases * item.cost_per_case * item.fixable * item.recency / effort
    return item.model_copy(update={"score": score, "why": _why(item)})


def _why(item: FixItem) -> str:
    """One sentence with the numbers it was ranked by."""
    turn, called, effort = _TURNS[item.cause]
    times = "once" if item.cases == 1 else f"{item.cases} times"
    severe = f", {item.severe} of them severe" if item.severe else ""
    place = "comes before everything else" if turn == 0 else "comes after what is surer to mend"
    return (
        f"it happened {times} in 30 days{severe}, costs about {item.cost_per_case:.2f} each time and was seen "
        f"{_recently(item.recency)}; mending {called} works about {10 * item.fixable:.0f} times in 10 at an effort of "
        f"{effort:g} (a question to you is 1), and {place}"
    )


def _recently(recency: float) -> str:
    return "mostly this week" if recency > 0.7 else "mostly in the last two weeks" if recency > 0.45 else "mostly some weeks ago"
