"""What Claude models cost, in US dollars for a million tokens.

Source: the pricing page of the Claude documentation, https://platform.claude.com/docs/en/about-claude/pricing
(standard tier, five-minute cache writes), as of November 2026. Longest name first wins; a model that is not listed is
priced as the dearest one, so that a budget errs on the safe side.
"""

from dataclasses import dataclass
from decimal import Decimal

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens of each kind."""

    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal

    def of(self, *, input_tokens: int, output_tokens: int, cache_write: int = 0, cache_read: int = 0) -> Decimal:
        """What one call costs, in dollars."""
        total = self.input * input_tokens + self.output * output_tokens
        return (total + self.cache_write * cache_write + self.cache_read * cache_read) / _MILLION


def _price(plain: str, output: str, *, read: str = "0.1") -> Price:
    """Cache writes cost a quarter more than plain input; cache reads a share of it."""
    base = Decimal(plain)
    return Price(base, Decimal(output), base * Decimal("1.25"), base * Decimal(read))


PRICES: dict[str, Price] = {
    "claude-haiku-5-5": _price("0.50", "2.50"),  # the band of long prompts; short ones cost a fifth of it
    "claude-haiku-4-5": _price("1", "5"),
    "claude-sonnet-5-5": _price("2", "10"),
    "claude-sonnet-5": _price("2", "10"),
    "claude-sonnet-4": _price("3", "15"),
    "claude-opus-5-5": _price("4", "20"),
    "claude-opus-5": _price("5", "25"),
    "claude-opus-4": _price("5", "25"),
    "claude-opus-4-1": _price("15", "75"),
    "claude-fable-5": _price("10", "50"),
    "claude-mythos-5": _price("10", "50"),
}


def price_of(model: str) -> Price:
    """The price of ``model`` by the longest listed name it begins with (``claude-haiku-4-5-20251001``)."""
    known = [name for name in PRICES if model == name or model.startswith(f"{name}-")]
    return PRICES[max(known, key=len)] if known else max(PRICES.values(), key=lambda p: p.output)
