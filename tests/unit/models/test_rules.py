"""Language, urgency, prices and embeddings."""

import logging
from decimal import Decimal

import numpy as np
import pytest

from domain.ports import Embedder
from models.embedding import HashingEmbedder, WordLlamaEmbedder
from models.local.language import language_of
from models.local.urgency import urgency_of
from models.prices import PRICES, price_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order? I have been waiting.", "en"),
        ("invoice please", "en"),
        ("Guten Tag, wo bleibt meine Bestellung 1001?", "de"),
        ("Bonjour, où est mon colis ?", "fr"),
        ("Hola, ¿dónde está mi pedido?", "es"),
        ("Buongiorno, dove è il mio ordine?", "it"),
        ("Hallo, waar is mijn bestelling?", "nl"),
        ("Gdzie jest moje zamówienie?", "pl"),
        ("Где мой заказ?", "ru"),
        ("注文はどこですか", "ja"),
        ("1001", "und"),
        ("", "und"),
        ("xqz vbn", "und"),
    ],
)
def test_the_language_is_told_by_common_words_and_letters(text: str, language: str) -> None:
    """What nothing speaks for is "und", which goes to the operator."""
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("I need it for a wedding on Saturday", "high"),
        ("my lawyer will write to you", "high"),
        ("the lamp gave me an electric shock", "high"),
        ("No hurry, just wondering", "low"),
        ("Where is my order?", "normal"),
    ],
)
def test_urgency_follows_dates_safety_and_disputes(text: str, urgency: str) -> None:
    """And a writer who can wait says so."""
    assert urgency_of(text) == urgency


@pytest.mark.parametrize("embedder", [HashingEmbedder(), WordLlamaEmbedder()], ids=["hashing", "wordllama"])
class TestEveryEmbedder:
    def test_rows_are_unit_vectors_and_empty_texts_are_zero(self, embedder: Embedder) -> None:
        """float32 of (texts, dimensions)."""
        vectors = embedder.embed(["where is my order", "", "  "])
        assert vectors.shape == (3, embedder.dimensions)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1).round(4).tolist() == [1, 0, 0]

    def test_it_is_deterministic_and_puts_like_texts_near(self, embedder: Embedder) -> None:
        """The same text twice is one vector; a parcel is nearer to a parcel than to a candle."""
        one, again, near, far = embedder.embed(["my parcel is late"] * 2 + ["the parcel is late", "scented candle wax"])
        assert np.array_equal(one, again)
        assert one @ near > one @ far

    def test_nothing_gives_nothing(self, embedder: Embedder) -> None:
        """No texts, no rows."""
        assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_loading_the_embeddings_leaves_logging_alone() -> None:
    """The package configures the root logger on import; that is put back."""
    before = (logging.getLogger().level, len(logging.getLogger().handlers))
    WordLlamaEmbedder().embed(["x"])
    assert (logging.getLogger().level, len(logging.getLogger().handlers)) == before


def test_a_dated_model_name_has_its_family_s_price() -> None:
    """And the longest known name wins."""
    assert price_of("claude-haiku-4-5-20251001") == PRICES["claude-haiku-4-5"]
    assert price_of("claude-opus-4-1-20250805") == PRICES["claude-opus-4-1"]
    assert price_of("claude-opus-4-8") == PRICES["claude-opus-4"]


def test_an_unknown_model_is_priced_as_the_dearest() -> None:
    """A budget errs on the safe side."""
    assert price_of("claude-next-9").of(input_tokens=0, output_tokens=1_000_000) == Decimal(75)
