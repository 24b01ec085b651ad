"""The answer to a case: which template, which facts. Pure, once the facts are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.skills.grounding import Facts, facts_of_order, facts_of_policy
from agents.skills.reply import Draft, fields_of, render
from agents.skills.resolution import Resolution
from agents.skills.triage import OrderMatch, asked_attributes
from domain.actions import Action
from domain.entities import Product
from domain.playbooks import Playbook
from domain.policies import SupportPolicy

_FEW = 5
ASKING = frozenset({"ask", "not-yours", "which-of-yours"})
"""Situations whose reply asks the customer something."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What is to be done, in order, and the reply after it."""

    situation: str
    draft: Draft
    actions: tuple[Action, ...] = ()
    asks: Mapping[str, str] = field(default_factory=dict)  # kind of action -> why a person has to look at it


def about_order(resolution: Resolution, playbook: Playbook, policy: SupportPolicy) -> Outline:
    """Raises InvalidInput where the template needs what is not known."""
    facts = facts_of_order(resolution.order) | facts_of_policy(policy)
    fields = fields_of(facts) | {name: Draft(facts[ref], {ref: facts[ref]}) for name, ref in resolution.lines.items()}
    draft = render(playbook.reply(resolution.situation), fields)
    return Outline(situation=resolution.situation, draft=draft, actions=resolution.actions, asks=resolution.asks)


def about_product(text: str, product: Product, facts: Facts, playbook: Playbook) -> Outline:
    """The attributes the question asks for; all of them, shown to the operator, where it asks for something else."""
    asked = asked_attributes(text, product)
    keys = asked or tuple(product.attributes)
    refs = {key: f"product/{product.sku}#{key}" for key in keys}
    sentence = "; ".join(f"{key.replace('_', ' ')}: {facts[ref]}" for key, ref in refs.items())
    answer = Draft(f"Here is what I can tell you: {sentence}.", {ref: facts[ref] for ref in refs.values()})
    fields = fields_of(facts) | ({"answer": answer} if keys else {})
    unsure = {} if asked else {"send-reply": "the catalogue may not answer the question"}
    return Outline(situation="answer", draft=render(playbook.reply("answer"), fields), asks=unsure)


def about_stock(product: Product, facts: Facts, playbook: Playbook) -> Outline:
    situation = _stock_situation(product, facts)
    return Outline(situation=situation, draft=render(playbook.reply(situation), fields_of(facts)))


def which_order(match: OrderMatch, playbook: Playbook) -> Outline:
    """Asks for the order number. Names the sender's own orders where there are a few, and never says what else exists."""
    candidates = match.candidates
    if match.named_unknown:
        return Outline(situation="not-yours", draft=render(playbook.reply("not-yours"), {}))
    if not 1 < len(candidates) <= _FEW:
        return Outline(situation="ask", draft=render(playbook.template, {}))
    facts = {f"order/{o.order_id}#order_id": o.order_id for o in candidates}
    own = Draft(", ".join(o.order_id for o in candidates), facts)
    return Outline(situation="which-of-yours", draft=render(playbook.reply("which-of-yours"), {"own_orders": own}))


def _stock_situation(product: Product, facts: Facts) -> str:
    if not product.active:
        return "retired"
    if facts[f"product/{product.sku}#availability"] == "it is in stock":
        return "in-stock"
    return "expected" if f"product/{product.sku}#expected_on" in facts else "out-of-stock"
