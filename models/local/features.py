"""Mail texts as numbers: static embeddings, words and pieces of words side by side."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from domain.ports import Embedder

_WORD = r"(?u)\b\w+\b"  # single letters count too: "u", "i"
_NUMBER = re.compile(r"#?\b[a-z]{0,3}-?\d[\w.,:/-]*")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,64}\.[^\s@]{1,64}")
_LINK = re.compile(r"(?:https?://|www\.)\S+")


def plain(text: str) -> str:
    """Lower case, with numbers, addresses and links as their kind: which number it is says nothing about the intent."""
    text = _LINK.sub(" link ", _MAIL.sub(" address ", text.lower()))
    return " ".join(_NUMBER.sub(" 0 ", text).split())


class Features:
    """Fitted on the training texts; ``transform`` gives a sparse row for each text."""

    def __init__(self, embedder: Embedder, *, embedding_weight: float = 1.0) -> None:
        self._embedder = embedder
        self._weight = embedding_weight
        self._words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORD)
        self._pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, min_df=2)

    def fit(self, texts: Sequence[str]) -> Any:
        cleaned = [plain(t) for t in texts]
        return self._joined(cleaned, self._words.fit_transform(cleaned), self._pieces.fit_transform(cleaned))

    def transform(self, texts: Sequence[str]) -> Any:
        cleaned = [plain(t) for t in texts]
        return self._joined(cleaned, self._words.transform(cleaned), self._pieces.transform(cleaned))

    def _joined(self, cleaned: Sequence[str], words: Any, pieces: Any) -> Any:
        meaning = csr_matrix(np.asarray(self._embedder.embed(cleaned), dtype=np.float64) * self._weight)
        return hstack([meaning, words, pieces], format="csr")
