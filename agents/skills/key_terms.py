"""The words by which a text should be found again. Pure."""

import re

_WORD = re.compile(r"[^\W_][\w'-]*[^\W_]")
_SHORTEST = 4


def key_terms(text: str, *, limit: int = 8) -> str:
    """The most telling words of ``text``, as many as ``limit``, in the order in which they stand.

    Without counting the words of all texts: what has a digit is mostly an identifier, and long words are rare ones.
    """
    words = words_of(text)
    chosen = set(sorted(words, key=lambda word: (not any(c.isdigit() for c in word), -len(word), word))[:limit])
    return " ".join(word for word in words if word in chosen)


def words_of(text: str) -> list[str]:
    """The different words of four letters and more, in lower case."""
    return list(dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) >= _SHORTEST))
