"""Texts to unit vectors: the bundled static embeddings, and a hashing one that needs no model."""

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

_WORD = re.compile(r"\w+")


class WordLlamaEmbedder:
    """WordLlama's static token embeddings (256 dimensions), which come inside its package: no download, no network.

    Loaded at the first use. Safe to share between threads.
    """

    name = "wordllama-l2-256"
    dimensions = 256

    def __init__(self) -> None:
        self._lock = Lock()
        self._model: Any = None

    def embed(self, texts: Sequence[str]) -> Any:
        """float32 of shape (len(texts), 256), rows of length 1; zero rows for texts without a token."""
        with self._lock:
            if self._model is None:
                self._model = _load()
            with np.errstate(invalid="ignore"):  # a text without tokens is zero divided by zero
                vectors = self._model.embed([t.strip() for t in texts], norm=False) if texts else np.empty((0, self.dimensions))
        return _unit(np.nan_to_num(np.asarray(vectors, dtype=np.float32)))


class HashingEmbedder:
    """Words and their three-letter pieces hashed into a vector: deterministic and instant, knows no synonyms."""

    def __init__(self, dimensions: int = 128) -> None:
        self.name = f"hashing-{dimensions}"
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> Any:
        """float32 of shape (len(texts), dimensions), rows of length 1; zero rows for texts without a word."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()):
                for piece in (word, *(f"{word[i : i + 3]}" for i in range(len(word) - 2))):
                    code = hashlib.blake2b(piece.encode("utf-8", "surrogatepass"), digest_size=8).digest()
                    vectors[row, int.from_bytes(code[:4], "big") % self.dimensions] += 1.0 if code[4] & 1 else -1.0
        return _unit(vectors)


def _load() -> Any:
    """The model from its package's own folder. Importing it configures the root logger, which is put back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import wordllama  # noqa: PLC0415 - a second of import that only a first embedding has to pay

    root.handlers[:] = handlers
    root.setLevel(level)
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def _unit(vectors: Any) -> Any:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
