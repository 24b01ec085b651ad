"""Whether a summary says only what its sources say: every number, identifier and date in it stands in one of them. Pure.

What this cannot see is a right number in the wrong place; that is why summaries are never used where a key answers.
"""

import re
from collections.abc import Iterable

from agents.audit.figures import unsupported as unsupported_figures

_IDENTIFIER = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # addresses
    r"|https?://[^\s<>\"')]+"
    r"|\b[a-z][a-z-]*/[\w.@-]+(?:/[\w.@-]+)*"  # streams, as ticket/ab-c
    r"|\b[A-Z][A-Z0-9]+(?:[-_/.][A-Z0-9]+)*\b"  # codes, as MUG-RED or EUR
)


def unsupported(summary: str, sources: Iterable[str]) -> set[str]:
    """The figures and identifiers of ``summary`` that stand in none of ``sources``; empty where it may be kept."""
    known = list(sources)
    named = {name for text in known for name in _identifiers(text)}
    return unsupported_figures(summary, known) | (_identifiers(summary) - named)


def _identifiers(text: str) -> set[str]:
    return {name.rstrip(".,;:") for name in _IDENTIFIER.findall(text)}
