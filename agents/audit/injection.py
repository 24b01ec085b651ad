"""Signs that a message tries to steer the machine that reads it. Pure; patterns over the text as a reader would see it.

A sign never decides what is done: it makes a person look. So the patterns prefer to be wrong on the safe side, and
what protects the business is elsewhere: amounts, recipients and owners are never taken from a text.
"""

import base64
import binascii
import re
import unicodedata

from agents.skills.message_text import LIMIT, visible
from domain.actions import ACTION_TYPES

_LOOKALIKES = str.maketrans("аеіӏјкмнорсѕтухԁԛԝαβεικνορτυχ", "aeiljkmhopcstyxdqwabeiknoptux")
_KINDS = "|".join(re.escape(kind).replace(r"\-", "[-_ ]") for kind in ACTION_TYPES if kind != "send-reply")
_WHO = r"(?:operator|owner|manager|management|boss|ceo|admin(?:istrator)?|supervisor|developer|finance|chef|inhaber|steward)"
_OTHERS = r"(?:all|every|other|another)\s+(?:the |of |your )*(?:customer|client|order|buyer|supplier|user)"

_SIGNS: dict[str, tuple[str, ...]] = {
    "asks to drop the rules": (
        (
            r"\b(?:ignore|disregard|forget|override|bypass|skip|vergiss|ignoriere)\b.{0,60}"
            r"\b(?:instructions?|rules|prompts?|polic(?:y|ies)|guidelines|guardrails|directives|training|anweisungen|regeln)\b"
        ),
        r"\bjailbreak",
    ),
    "speaks as the system": (
        r"\b(?:system|developer|admin(?:istrator)?)\s*(?:prompt|message|override|note|mode|notice|instruction)s?\b",
        r"(?:^|\n)[ #\[<|*]*(?:system|assistant|developer|tool)[\s\]>|*]*:",
        r"<\|[^|]{1,40}\|>",
        r"\[/?INST\]|<</?SYS>>",
    ),
    "addresses the machine": (
        r"\bas an? (?:ai|llm)\b",
        r"\byou are (?:now |an? )*(?:ai|llm|chatbot|language model|steward|dan|in \w+ mode)\b",
        r"\b(?:dear|hey|hello|attention|note to)\s+(?:the )?(?:ai|llm|bot|chatbot|assistant|steward)\b",
        r"\b(?:ai|llm|automated)\s+(?:agent|assistant|model|system)\b",
    ),
    "claims an approval": (
        (
            r"\b(?:approved|authori[sz]ed|confirmed|signed off|genehmigt|freigegeben)\s+(?:by|from|von|vom)\s+"
            rf"(?:the |our |your |my |dem |der )*(?:\w+ )?{_WHO}\b"
        ),
        rf"\b{_WHO}\b.{{0,40}}\b(?:approved|approves|authori[sz]ed|agreed|told me|promised)\b",
    ),
    "claims to be in charge": (rf"\b(?:i am|i'm|this is|ich bin)\s+(?:the |your |der |die )*(?:\w+ ){{0,2}}{_WHO}\b",),
    "names an internal action": (
        rf"\b(?:{_KINDS})\b\s*[\"'(:{{=]|[\"'](?:{_KINDS}|send[-_]reply)[\"']",
        r"\b(?:tool|function)[-_ ]?calls?\b",
    ),
    "sets a machine's switch": (
        r"\b(?:auto[-_ ]?(?:approve|mode)|kill[-_ ]?switch|force[-_ ]?ask)",
        r"\b(?:confidence|mode|decision|risk|status)\s*[:=]\s*[\"']?(?:\d|auto|approve|r0|allow)",
        r"\bsteward (?:approve|mode|kill|run)\b",
    ),
    "asks for others' data": (
        r"\b(?:customer|client|user|subscriber|supplier)s?'?\s*(?:list|database|records|addresses|data|table|export|dump)\b",
        rf"\b(?:list|export|send|show|give|forward|dump|tell|read|attach)\b.{{0,60}}\b{_OTHERS}",
        r"\b(?:address|e-?mail|phone|order|details?) (?:of|for|from) (?:customer|user|my neighbou?r|my ex|another|someone)\b",
    ),
    "asks to send elsewhere": (
        r"\b(?:reply|answer|respond|send|forward|copy|cc|bcc|mail|e-?mail)\b.{0,80}(?:\bto|\binstead|\bat|:)\s*<?[\w.+-]{1,80}@[\w-]{1,80}\.[\w.-]",
        r"\b(?:different|another|other|new|my friend'?s) (?:bank account|iban|card|paypal)\b",
    ),
    "injects a header": (r"(?:^|\n) ?(?:bcc|cc|reply-to|return-path|content-type|x-[a-z-]+)\s*:",),
    "asks for secrets": (
        r"\b(?:api[-_ ]?keys?|passwords? (?:of|for)|credentials|environment variables?|database_url|secret key)\b",
        r"\byour (?:system )?(?:prompt|instructions)\b|\bhidden instructions\b",
    ),
    "contains code": (
        r"<\s*(?:script|iframe|img|svg|object)\b|javascript:|\bon(?:error|load)\s*=",
        r"\{\{.{0,80}\}\}|\$\{.{0,80}\}",
        r"['\";]\s*(?:drop|delete|update|insert)\s+(?:table|from|into|\w+ set)\b",
    ),
    "asks to act without a look": (
        (
            r"\b(?:without|no need (?:for|of)|do not|don't|skip|ohne)\b.{0,30}"
            rf"\b(?:human|{_WHO}|approval|asking (?:for|any|the|us)|review|checking|verification|freigabe|r[üu]ckfrage)"
        ),
    ),
}
"""Read after ``_spaced``. No two neighbouring repeats match the same character, and a repeat that follows a place which
a mail can have thousands of is bounded or cannot pass the next such place: so the time grows with the length only."""
_PATTERNS = {name: re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL) for name, patterns in _SIGNS.items()}
_HIDDEN = re.compile(
    r"[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]|(?<=[^\W\d_])[\u200b-\u200d\u2060\ufeff\u00ad](?=[^\W\d_])"
)
_MIXED = re.compile(r"\b(?=\w*[a-zA-Z])(?=\w*[\u0370-\u03ff\u0400-\u04ff])\w+\b")
_SPACE = re.compile(r"\s+")
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{24,4000}={0,2}(?![\w+/])")


def signs(message: str, *, subject: str = "") -> tuple[str, ...]:
    """What about ``message`` looks like an attempt to steer the reader; empty for ordinary mail."""
    raw = f"{subject}\n{message}"[: 4 * LIMIT]
    found = ["hides characters"] if _HIDDEN.search(raw) else []
    if _MIXED.search(unicodedata.normalize("NFKC", raw)):
        found.append("mixes alphabets inside a word")
    layers = [_spaced(layer) for layer in (raw, _folded(visible(raw)), *_decoded(raw))]
    found += [name for name, pattern in _PATTERNS.items() if any(pattern.search(layer) for layer in layers)]
    return tuple(found)


def _spaced(text: str) -> str:
    """Every run of white space as one line end or one space: the patterns take their time from it, and see past padding."""
    return _SPACE.sub(lambda run: "\n" if "\n" in run[0] or "\r" in run[0] else " ", text)


def _folded(text: str) -> str:
    """Letters of other alphabets that look Latin made Latin, accents dropped, so that disguised words are seen."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LOOKALIKES))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _decoded(text: str) -> tuple[str, ...]:
    """Readable texts hidden in base64; at most twenty are looked at."""
    found = []
    for match in list(_BASE64.finditer(text))[:20]:
        try:
            plain = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if plain.isprintable():
            found.append(plain)
    return tuple(found)
