"""The language of a short mail, by its commonest words and its letters. Says "und" where nothing speaks for any."""

import re
import unicodedata
from pathlib import Path

_WORDS = {
    language: frozenset(words.split())
    for language, _, words in (
        line.partition(": ")
        for line in (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
}
_SCRIPTS = {"CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja"}
_SCRIPTS |= {"CJK": "zh", "THAI": "th", "DEVANAGARI": "hi"}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def language_of(text: str) -> str:
    """ISO 639-1, or "und"."""
    words = [w.lower().replace("’", "'") for w in _WORD.findall(text[:4_000])]
    if not words:
        return "und"
    if script := _script(words):
        return script
    votes = {language: sum(word in common for word in words) for language, common in _WORDS.items()}
    best, second = sorted(votes, key=lambda language: -votes[language])[:2]
    return best if votes[best] > votes[second] else "und"


def _script(words: list[str]) -> str:
    """The language of another script, where most letters are of it."""
    letters = "".join(words)
    kinds = [unicodedata.name(letter, "").partition(" ")[0] for letter in letters]
    found = [_SCRIPTS[kind] for kind in kinds if kind in _SCRIPTS]
    if len(found) * 2 <= len(letters):
        return ""
    return "ja" if "ja" in found else max(set(found), key=found.count)
