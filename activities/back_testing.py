"""Choosing the stock policy anew by the shop's own past, once a week."""

import asyncio

import structlog

from agents.stock_planner import StockPicture, StockPlanner, arrays_of, plannable
from domain.errors import InvalidInput
from domain.policies import StockPolicy
from learning.candidates.stock import stock_candidate
from learning.drafts import Draft
from learning.picture import Picture
from learning.stock_backtest import Choice, choose_policy, stock_candidates
from learning.stock_replay import past_of

_MONDAY = 0


class BackTester:
    def __init__(self, *, planner: StockPlanner) -> None:
        self._planner = planner

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The policy that the past calls for, where it is another one. On Mondays: a week of sales changes little."""
        if picture.now.weekday() != _MONDAY or picture.record("stock").trial:
            return ()
        incumbent = picture.in_force(StockPolicy)
        shop = await self._planner.picture(incumbent.document, picture.now)
        try:
            choice = await asyncio.to_thread(_chosen, shop, incumbent.document)
        except InvalidInput as short:
            structlog.get_logger().info("no stock policy can be chosen yet", why=str(short))
            return ()
        candidate = stock_candidate(choice, incumbent) if choice else None
        return (Draft(candidate),) if candidate else ()


def _chosen(shop: StockPicture, policy: StockPolicy) -> Choice | None:
    """Raises InvalidInput where the past is too short."""
    products, _ = plannable(shop, policy)
    if not products:
        return None
    _, items, history = arrays_of(shop, products)
    return choose_policy(past_of(history, items, policy), policy, stock_candidates(policy))
