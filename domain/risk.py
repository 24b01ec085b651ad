"""How much an action can hurt, and whether it can be taken back."""

from enum import IntEnum, StrEnum


class Risk(IntEnum):
    """R0 internal, R1 text a customer sees, R2 money or stock, R3 legal or irreversible harm."""

    R0 = 0
    R1 = 1
    R2 = 2
    R3 = 3

    @property
    def means(self) -> str:
        """For people."""
        words = ("nothing outside sees it", "text that a customer sees", "money or stock moves", "legal, or beyond repair")
        return words[self]


class Reversibility(StrEnum):
    REVERSIBLE = "reversible"  # the inverse restores the outside state exactly
    COMPENSABLE = "compensable"  # the inverse makes good, but a trace stays
    IRREVERSIBLE = "irreversible"  # gated before, because nothing helps after

    @property
    def means(self) -> str:
        """For people."""
        return {
            Reversibility.REVERSIBLE: "it can be undone without a trace",
            Reversibility.COMPENSABLE: "it can be made good, but a trace stays",
            Reversibility.IRREVERSIBLE: "nothing undoes it",
        }[self]
