"""What the intent classifier learns from and what it says; apart from it, so that nothing heavy is imported for the words."""

from dataclasses import dataclass

Example = tuple[str, str]
"""A mail's text and its intent."""


@dataclass(frozen=True)
class Guess:
    """``probability`` is calibrated: of all guesses with 0.8, about eight in ten are right."""

    intent: str
    probability: float
