"""Playbooks: how each intent of a support message is handled. The defaults suit a small shop."""

from domain.model import Text, Value


class Playbook(Value):
    """``needs`` names facts, ``actions`` the allowed kinds, ``template`` the reply's text with {fact} fields."""

    needs: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("send-reply",)
    template: Text = ""
    ask: bool = False  # always show it to the operator
    close_silently: bool = False  # spam: no answer at all


DEFAULT_PLAYBOOKS: dict[str, Playbook] = {}
