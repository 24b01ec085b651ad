"""What undoing a run would do: which of its effects have an inverse, and why the others stay."""

from collections.abc import Sequence

from domain.actions import Action, Reversibility, Risk
from domain.effects import Effect, EffectStatus
from domain.ids import digest
from domain.model import Value

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
        return any(action and action.spec.risk >= Risk.R2 for pair in (*undone, *perhaps) for action in pair)


def undoing(effects: Sequence[Effect]) -> Undoing:
    """Of all effects of a run, newest first, as the ledger has them."""
    stand = [e for e in effects if e.status is EffectStatus.COMMITTED and not e.compensates]
    found = [(effect, effect.inverse()) for effect in stand]
    return Undoing(
        undo=tuple(Undo(effect=effect, inverse=inverse) for effect, inverse in found if inverse is not None),
        stays=tuple(Stay(effect=effect, why=_why(effect.action)) for effect, inverse in found if inverse is None),
        unsettled=tuple(e for e in effects if e.status in _UNSETTLED and not e.compensates),
    )


def _why(action: Action) -> str:
    if action.spec.reversibility is Reversibility.IRREVERSIBLE:
        return "irreversible: what is out is out, so it was checked before"
    return f"{action.spec.reversibility}, but the record before it says nothing that could be restored"
