"""Chance that two arms share: what is drawn depends on the seed and on what it is for, never on what was drawn before."""

import random


def chance(seed: int, *purpose: object) -> random.Random:
    """A generator of its own for one purpose."""
    return random.Random("/".join(map(str, (seed, *purpose))))  # noqa: S311 - reproducible, not secret
