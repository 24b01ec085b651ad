"""What undoing a run would do: which of its effects have an inverse, and why the others stay."""

from collections.abc import Sequence

from domain.actions import Action, PlacePurchaseOrder, Reversibility, Risk
from domain.effects import Effect, EffectStatus
from domain.entities import PurchaseOrder, PurchaseOrderStatus
from domain.ids import digest
from domain.model import Value

_ON_ITS_WAY = (PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE)
"""The states in which a supplier can still be told that an order is off."""
_UNSETTLED = (EffectStatus.EXECUTING, EffectStatus.UNKNOWN)


class Undo(Value):
    """An effect that stands, and the action that undoes it."""

    effect: Effect
    inverse: Action


class Stay(Value):
    """An effect that stands and that nothing undoes, with the reason."""

    effect: Effect
    why: str


class Undoing(Value):
    """``undo`` in the order in which it happens, newest first. What became of ``unsettled`` is found out before: what did
    happen is undone too."""

    undo: tuple[Undo, ...]
    stays: tuple[Stay, ...]
    unsettled: tuple[Effect, ...] = ()

    @property
    def digest(self) -> str:
        """Names exactly these effects: it changes where the run does more, or something is undone meanwhile."""
        return digest(sorted([*(u.effect.key for u in self.undo), *(s.effect.key for s in self.stays)]))

    @property
    def moves_money(self) -> bool:
        """Money or stock, there or back, as far as it is known what there is to undo."""
        undone = [(u.effect.action, u.inverse) for u in self.undo]
        perhaps = [(effect.action, effect.inverse()) for effect in self.unsettled]
        return any(action and action.risk >= Risk.R2 for pair in (*undone, *perhaps) for action in pair)


def undoing(effects: Sequence[Effect], *, orders: Sequence[PurchaseOrder] = ()) -> Undoing:
    """Of the effects of a run, newest first, as the ledger has them; ``orders`` as they are now."""
    stand = [e for e in effects if e.status is EffectStatus.COMMITTED and not e.compensates]
    found = [(effect, inverse_now(effect, orders)) for effect in stand]
    return Undoing(
        undo=tuple(Undo(effect=effect, inverse=inverse) for effect, inverse in found if not isinstance(inverse, str)),
        stays=tuple(Stay(effect=effect, why=why) for effect, why in found if isinstance(why, str)),
        unsettled=tuple(e for e in effects if e.status in _UNSETTLED and not e.compensates),
    )


def inverse_now(effect: Effect, orders: Sequence[PurchaseOrder]) -> Action | str:
    """The action that undoes ``effect``, or why nothing does."""
    return _settled(effect.action, orders) or effect.inverse() or _why(effect.action)


def _settled(action: Action, orders: Sequence[PurchaseOrder]) -> str:
    """Why an order cannot be cancelled any more; empty where it can."""
    if not isinstance(action, PlacePurchaseOrder):
        return ""
    name = action.purchase_order.purchase_order_id
    now = next((order.status for order in orders if order.purchase_order_id == name), PurchaseOrderStatus.SENT)
    return "" if now in _ON_ITS_WAY else f"the order is {now} already"


def _why(action: Action) -> str:
    if action.reversibility is Reversibility.IRREVERSIBLE:
        return "irreversible: what is out is out, so it was checked before"
    return f"{action.reversibility}, but the record before it says nothing that could be restored"
