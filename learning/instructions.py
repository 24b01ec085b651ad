"""What may not stand in an addition to a prompt that a model proposed: anything that is not plain wording. Pure.

What a prompt says cannot move money or choose a recipient: the rules, the auditor and the gate decide that. These checks
keep it from trying. They are wrong on the safe side: a good edit that uses one of these words is not proposed.
"""

import re
from collections.abc import Collection, Iterator
from difflib import SequenceMatcher

from agents.audit.injection import signs
from domain.actions import ACTION_TYPES

MOST_CHANGED_WORDS = 40
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CAPITAL = re.compile(r"(?P<before>^|[.?!:;]\s+|\n\s*[-*]?\s*)?(?P<word>[A-ZÀ-Þ][^\W\d_]*)")
_OTHER_LETTERS = re.compile(r"[^A-Za-zÀ-ÿ0-9 \n.,;:'’\"“”()?!&/–-]")
_KINDS = "|".join(re.escape(kind).replace(r"\-", "[-_ ]") for kind in ACTION_TYPES)
_FORBIDDEN: dict[str, str] = {
    "a link or an address": r"https?:|\bwww\b|@|\b[\w-]+\.[a-z]{2,}\b",
    "an amount or a long number": (
        r"\d{3,}|\d[.,]\d|\b(?:eur|usd|gbp|chf|euros?|dollars?|pounds?|cents?|per ?cent|percentage|amounts?|prices?|hundred)\b"
    ),
    "money, goods or a promise": (
        r"\b(?:refund\w*|reimburs\w*|repay\w*|money|pay(?:s|ing|ments?|out)?|compensat\w*|discount\w*|vouchers?|coupons?|credit\w*|"
        r"gifts?|free|goodwill|replac\w+|exchang\w+|return\w*|cancel\w*|promis\w+|guarantee\w*|warrant\w+|legal\w*|liab\w+|deadlines?|"
        r"offer\w*|waiv\w+|reship\w*|resend\w*)\b"
    ),
    "a statement or a time of its own": (
        r"\b(?:tell|say|state|claim|announc|inform|assur|mention|writ|add)\w*\b[^.]{0,60}\bthat\b|"
        r"\b(?:tomorrow|tonight|today|minutes?|hours?|days?|weeks?|months?|years?)\b"
    ),
    "a tool": rf"\b(?:{_KINDS})\b|\b(?:tools?|functions?|api|commands?|connectors?|databases?|steward|scripts?)\b",
    "a recipient": (
        r"\b(?:recipients?|addressees?|cc|bcc|forward\w*|reply-to|e-?mails?|addresses|address|phones?|telephone|iban|accounts?)\b"
    ),
    "the fixed rules": (
        r"\b(?:ignor\w+|disregard\w*|forget|overrid\w+|bypass\w*|skip\w*|unless|regardless|except\w*|even (?:if|where|when|though)|"
        r"instead of|rules?|instructions?|prompts?|polic(?:y|ies)|facts?|facts_used|confidence|untrusted|trusted|data|schema|json|"
        r"system|invent\w*|guess\w*|assum\w+|estimat\w+|approv\w+|confirm\w*|operator|owner|limits?|gate|auditor|checks?|"
        r"do (?:what|as|whatever|anything)|obey\w*|comply|complies|grant\w*|fulfil\w*|accept\w*|agree\w*|believ\w+|allow\w*)\b"
    ),
}
_PATTERNS = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in _FORBIDDEN.items()}


def unfit(new: str, old: str, *, known: str = "", names: Collection[str] = ()) -> Iterator[str]:
    """What speaks against putting ``new`` in the place of the addition ``old``; nothing where it may be tried.

    ``known`` is the bundled prompt, whose names (Markdown) may be repeated; ``names`` are customers', in lower case.
    """
    if _OTHER_LETTERS.search(new):
        yield "holds other characters than plain text needs"
    if signs(new):
        yield "reads like an attempt to steer a machine"
    for what, pattern in _PATTERNS.items():
        if pattern.search(new):
            yield f"speaks of {what}"
    if _named(new, known, names):
        yield "holds a name"
    if _changed_words(new, old) > MOST_CHANGED_WORDS:
        yield f"changes more than {MOST_CHANGED_WORDS} words at once"


def _named(text: str, known: str, names: Collection[str]) -> bool:
    """A capital inside a sentence is a name; at its beginning only that of a customer can be told."""
    plain = {*_WORD.findall(known), "I"}
    found = ((match["before"] is None, match["word"]) for match in _CAPITAL.finditer(text))
    return any((inside and word not in plain) or word.lower() in names for inside, word in found)


def _changed_words(new: str, old: str) -> int:
    before, after = old.split(), new.split()
    codes = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for tag, a, b, c, d in codes if tag != "equal")
