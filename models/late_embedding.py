"""The bundled embeddings for programs that seldom embed."""

from collections.abc import Sequence
from typing import Any


class LateEmbedder:
    """As ``models.embedding.WordLlamaEmbedder``, imported at its first use: that takes seconds."""

    name = "wordllama-l2-256"
    dimensions = 256

    def embed(self, texts: Sequence[str]) -> Any:
        from models.embedding import WordLlamaEmbedder  # noqa: PLC0415 - see above

        return WordLlamaEmbedder().embed(texts)
