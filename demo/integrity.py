"""Checks the day against what the outside systems hold: nothing lost, nothing done twice, the log whole."""

import mailbox
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.local_shop import LocalShop
from demo.report import Integrity
from demo.running import Running
from domain.actions import Capability
from domain.effects import Effect, EffectStatus
from domain.entities import Order
from domain.ports import Connector
from memory.rebuild import rebuild_check

_DONE = (EffectStatus.COMMITTED, EffectStatus.COMPENSATED)
_MAILED = (Capability.HELPDESK, Capability.SUPPLIERS)


async def check(running: Running) -> Integrity:
    """Verify the chain, rebuild the state from the log, and look every committed effect up where it happened."""
    verification = await running.memory.log.verify()
    rebuilt = await rebuild_check(running.endpoints.database_url)
    effects = [e for e in await running.memory.ledger.effects() if e.status in _DONE]
    return Integrity(
        events=verification.events,
        head=verification.head.hash,
        chain=verification.problem,
        rows_compared=sum(rebuilt.rows.values()),
        differences=rebuilt.differences,
        effects_checked=len(effects),
        missing=await _missing(effects, running.connectors),
        doubled=(*_doubled_mails(effects, running.settings.home), *await _changed_orders(running)),
    )


async def _missing(effects: Sequence[Effect], connectors: Mapping[Capability, Connector]) -> tuple[str, ...]:
    """Committed effects that the outside system has no receipt for."""
    found = [(e, await connectors[e.action.spec.capability].find_receipt(e.action, key=e.key)) for e in effects]
    return tuple(e.action.summary() for e, receipt in found if receipt is None)


def _doubled_mails(effects: Sequence[Effect], home: Path) -> tuple[str, ...]:
    """Mails lying ready that no committed effect accounts for."""
    lying = len(mailbox.Maildir(home / "outside" / "mail" / "outgoing", create=False))
    meant = sum(e.action.spec.capability in _MAILED for e in effects)
    return (f"{lying} mails lie ready, {meant} were meant",) if lying != meant else ()


async def _changed_orders(running: Running) -> tuple[str, ...]:
    """Orders that the order book and the log do not tell alike: a refund too many would show here."""
    shop = running.connectors[Capability.SHOP]
    assert isinstance(shop, LocalShop)
    outside = (await shop.snapshot())["orders"]
    known = {o.order_id: o for o in await running.memory.state.find(Order)}
    differing = [i for i in known.keys() | outside.keys() if i not in outside or Order.model_validate(outside[i]) != known.get(i)]
    return tuple(f"order {order_id} differs between the order book and the log" for order_id in sorted(differing))
