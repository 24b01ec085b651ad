"""Replies from grounded templates: every {field} is filled from a referenced fact, or the reply is not written. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agents.skills.grounding import Facts
from domain.entities import Customer, Shop
from domain.errors import InvalidInput

_FIELD = re.compile(r"\{([a-z_]+)\}")
_PLAIN_NAME = re.compile(r"[^\W\d_][^\W\d_'’-]{1,29}")


@dataclass(frozen=True)
class Draft:
    """A text, or a piece of one, and the facts it states, by reference."""

    text: str
    facts: Facts


def fields_of(facts: Facts) -> dict[str, Draft]:
    """A field for every fact, named by what follows the ``#`` of its reference."""
    return {ref.partition("#")[2]: Draft(text=value, facts={ref: value}) for ref, value in facts.items()}


def render(template: str, fields: Mapping[str, Draft]) -> Draft:
    """Fill ``template``. Raises InvalidInput naming the field that no fact fills."""
    used: Facts = {}

    def fill(match: re.Match[str]) -> str:
        field = fields.get(match[1])
        if field is None:
            raise InvalidInput(f"nothing is known for {match[1]!r}", hint="a person has to write this reply")
        used.update(field.facts)
        return field.text

    text = _FIELD.sub(fill, template)
    return Draft(text=text, facts=used)


def greeting(customer: Customer | None) -> str:
    """ "Hello Ada," from the customer's record, or "Hello," where the record holds nothing that looks like a first name."""
    first = customer.name.split()[0] if customer and customer.name.split() else ""
    return f"Hello {first}," if _PLAIN_NAME.fullmatch(first) else "Hello,"


def letter(text: str, *, customer: Customer | None, shop: Shop) -> str:
    """The whole mail: greeting, text, signature."""
    return f"{greeting(customer)}\n\n{text}\n\n{shop.signature}"
