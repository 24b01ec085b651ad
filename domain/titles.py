"""Title templates: texts with ``{fields}`` that are filled with facts. Pure."""

import re
from collections.abc import Mapping

WRITTEN = "{written}"
"""The template that is the title the writer of the page gave it."""
_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NAMING = frozenset({"written", "product"})


def fields_of(template: str) -> frozenset[str]:
    return frozenset(_FIELD.findall(template))


def literal_of(template: str) -> str:
    """The template's own words, without its fields."""
    return _FIELD.sub("", template)


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """The title, or None where a field has no value."""
    if any(not values.get(field) for field in fields_of(template)):
        return None
    return _FIELD.sub(lambda field: values[field[1]], template).strip()


def title_template(text: str) -> str:
    """``text`` where it is a template that names the product. Raises ValueError."""
    if set("{}") & set(literal_of(text)):
        raise ValueError(f"{text!r} has a brace that is no {{field}}: small letters, digits and _ only")
    if not fields_of(text) & _NAMING:
        raise ValueError(f"{text!r} does not name the product: it needs {{product}} or {{written}}")
    return text
