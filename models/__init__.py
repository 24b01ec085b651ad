"""ANSWER: the engines behind the Model port. ``open_model`` is the one everybody uses."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from threading import Thread

from domain.policies import RoutingPolicy
from domain.ports import Embedder, ModelJournal
from models.local import LocalModel, Taught
from models.routing import RoutedModel, Tiers

__all__ = ["LocalModel", "open_model"]


def open_model(
    *,
    api_key: str | None,
    routing: Callable[[str], Awaitable[RoutingPolicy]],
    journal: ModelJournal,
    embedder: Embedder,
    daily_budget: Callable[[], Awaitable[Decimal]],
    base_url: str | None = None,
    taught: Taught | None = None,
) -> RoutedModel:
    """The routed model: local, then small, then large, by confidence and budget; local alone without ``api_key``.

    ``routing`` and ``daily_budget`` (dollars) are read for every question; ``taught`` are the (mail, intent) pairs that the
    model of a run knows. The local engine begins to fit at once, in the background.
    """
    local = LocalModel(embedder, taught=taught)
    Thread(target=local.warm_up, name="fit-intents", daemon=True).start()
    remote = _claude(api_key, base_url) if api_key else None
    return RoutedModel(local=local, remote=remote, routing=routing, journal=journal, daily_budget=daily_budget)


def _claude(api_key: str, base_url: str | None) -> Callable[[RoutingPolicy], Tiers]:
    """The tiers a routing policy names; clients are kept while the policy stays the same."""
    from models.anthropic import AnthropicModel  # noqa: PLC0415 - a second of import that only a key has use for

    opened: dict[tuple[str, int], AnthropicModel] = {}

    def engine(model: str, max_tokens: int) -> AnthropicModel:
        key = (model, max_tokens)
        if key not in opened:
            opened[key] = AnthropicModel(api_key=api_key, model=model, max_tokens=max_tokens, base_url=base_url)
        return opened[key]

    def tiers(policy: RoutingPolicy) -> Tiers:
        return Tiers(small=engine(policy.small_model, policy.max_tokens), large=engine(policy.large_model, policy.max_tokens))

    return tiers
