"""How urgent a mail is, by rules: a date, safety or a dispute presses; a writer who can wait says so."""

import re

_HIGH = re.compile(
    r"\b(?:urgent(?:ly)?|asap|as soon as possible|immediately|emergency|tomorrow|"
    r"deadline|birthday|wedding|funeral|lawyer|attorney|legal action|sue|police|chargeback|dispute|fraud|"
    r"injur\w+|bleed\w*|cut (?:my|her|his)|burn(?:ed|t) (?:my|her|his)|electric shock|sparks?|caught fire|smok(?:e|ing)|allerg\w+|"
    r"dringend|sofort|eilig|anwalt)\b|!{3,}",
    re.IGNORECASE,
)
_LOW = re.compile(
    r"\b(?:no (?:rush|hurry)|not urgent|whenever you|when(?:ever)? you (?:have|find) (?:a )?(?:time|moment|minute)|take your time|"
    r"just (?:wondering|curious)|at your convenience|out of curiosity|keine eile)\b",
    re.IGNORECASE,
)


def urgency_of(text: str) -> str:
    """ "low", "normal" or "high"."""
    if _HIGH.search(text):
        return "high"
    return "low" if _LOW.search(text) else "normal"
