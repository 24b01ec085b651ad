"""Letters against the templates they were made from: which words are the template's, which are facts. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.actions import SendReply

_FIELD = re.compile(r"\{([a-z_]+)\}")
_GREETING = re.compile(r"\AHello(?: [^\W\d_][^\W\d_'’-]{1,29})?,\n\n")
SIGNATURE = "shop/self#signature"


@dataclass(frozen=True)
class Filled:
    """A template and the values that its fields had in one letter."""

    template: str
    values: Mapping[str, str]

    def abstracted(self, text: str) -> str:
        """``text`` with each value put back as its {field}, the longest first."""
        longest = sorted(self.values.items(), key=lambda item: (-len(item[1]), item[0]))
        for name, value in longest:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"{{{name}}}", text)
        return text

    def render(self, template: str) -> str | None:
        """``template`` filled with the same values; None where it has a field that this letter did not."""
        if set(_FIELD.findall(template)) - self.values.keys():
            return None
        return _FIELD.sub(lambda field: self.values[field[1]], template)


def text_of(action: SendReply) -> str:
    """The letter without greeting and signature."""
    signature = action.facts.get(SIGNATURE, "")
    return _GREETING.sub("", action.body.removesuffix(signature)).strip()


def filled_from(template: str, text: str) -> Filled | None:
    """The values of ``template``'s fields in ``text``; None where the text was not made from it."""
    pattern, seen = "", set[str]()
    for literal, name in _pieces(template):
        again = f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
        pattern += re.escape(literal) + (again if name else "")
        seen.add(name)
    match = re.fullmatch(pattern, text, re.DOTALL)
    return Filled(template, match.groupdict()) if match and template else None


def fields_in(template: str) -> frozenset[str]:
    return frozenset(_FIELD.findall(template))


def _pieces(template: str) -> list[tuple[str, str]]:
    """(words, the field after them); the last one has no field."""
    parts = _FIELD.split(template)
    return list(zip(parts[::2], [*parts[1::2], ""], strict=True))
