"""Who is asked about: often at first, rarely later, and in the end as many as was meant."""

import random

from bench.triage_asking import Asking, Reason
from models.local.guess import Guess

INTENTS = 10


def asked(margins: list[float], *, seen: int = 20) -> list[Reason | None]:
    """The reasons over a stream of guesses."""
    asking, reasons = Asking(seen=seen), []
    for number, margin in enumerate(margins):
        reasons.append(asking.reason(Guess("late", 0.9, margin), intents=INTENTS, key=f"t-{number}"))
        asking = asking.after(reasons[-1], intents=INTENTS)
    return reasons


def meant(count: int, *, seen: int = 20) -> float:
    """What the shares add up to."""
    return sum(Asking(seen=seen + n).share(INTENTS) for n in range(count))


def test_a_new_model_asks_about_most_and_an_old_one_rarely() -> None:
    """Of the first forty more than half, of the fifth thousand a few in a hundred, for ten intents."""
    draw = random.Random(1)
    reasons = asked([draw.random() for _ in range(5_000)])
    assert sum(r is not None for r in reasons[:40]) > 20
    assert sum(r is not None for r in reasons[-1_000:]) < 40


def test_as_many_are_asked_about_as_was_meant_however_sure_the_guesses_are() -> None:
    """Within the hundred that the threshold's step allows, for guesses that are all unsure, all sure, or grow surer."""
    count = 5_000
    for margins in ([0.05] * count, [0.95] * count, [n / count for n in range(count)]):
        found = sum(r is not None for r in asked(margins))
        assert abs(found - meant(count)) < 100


def test_those_asked_about_are_the_least_sure() -> None:
    """Of two kinds of mails, once there is a choice, nearly all that are asked about are of the kind with smaller margins."""
    draw = random.Random(2)
    margins = [draw.uniform(0.1, 0.3) if draw.random() < 0.2 else draw.uniform(0.7, 0.9) for _ in range(4_000)]
    late = list(zip(margins, asked(margins), strict=True))[500:]
    unsure = [m for m, r in late if r is Reason.UNSURE]
    assert sum(m < 0.5 for m in unsure) > 0.95 * len(unsure)


def test_some_of_the_sure_ones_are_audited_and_always_the_same() -> None:
    """About one in fifty of those asked about is drawn by its key, not by its margin."""
    margins = [0.5 + n % 7 / 20 for n in range(20_000)]
    first, again = asked(margins), asked(margins)
    share = sum(r is Reason.AUDIT for r in first) / sum(r is not None for r in first)
    assert first == again
    assert 0.005 < share < 0.06
