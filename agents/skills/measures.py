"""Figures with their units and currencies, so that 12 cm is not 12 mm and 1,299.00 EUR is €1299. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_UNITS = {
    "mm": "mm millimetre millimetres millimeter millimeters",
    "cm": "cm centimetre centimetres centimeter centimeters",
    "m": "m metre metres meter meters",
    "km": "km kilometre kilometres",
    "inch": "inch inches",
    "ft": "ft foot feet",
    "mg": "mg milligram milligrams",
    "g": "g gram grams gramme grammes",
    "kg": "kg kilo kilos kilogram kilograms",
    "oz": "oz ounce ounces",
    "lb": "lb lbs",
    "ml": "ml millilitre millilitres milliliter milliliters",
    "cl": "cl",
    "l": "l litre litres liter liters",
    "w": "w watt watts",
    "v": "v volt volts",
    "mah": "mah",
    "gsm": "gsm g/m² g/m2",
    "%": "% percent",
    "°c": "°c ºc degrees",
    "second": "s second seconds",
    "minute": "min minute minutes",
    "hour": "h hour hours",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years",
    "EUR": "€ eur euro euros",
    "USD": "$ usd dollar dollars",
    "GBP": "£ gbp",
}
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in names.split()}
_NUMBER_WORDS = {w: i for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)}  # noqa: SIM905 - reads better
_UNIT = "|".join(sorted((re.escape(name) for name in _UNIT_OF), key=len, reverse=True))
_FIGURE = re.compile(
    rf"(?<![\w.,])(?P<before>[€$£]|(?:EUR|USD|GBP)\b)?\s?"
    rf"(?P<number>\d(?:[\d.,]*\d)?)"
    rf"(?:[\s-]?(?P<unit>{_UNIT})(?![^\W\d_]))?",
    re.IGNORECASE,
)
_SPELLED = re.compile(rf"\b(?P<number>{'|'.join(_NUMBER_WORDS)})[\s-](?P<unit>[a-z]{{3,}})\b", re.IGNORECASE)
_JOINED = re.compile(r"\s?(?:x|×|by|to|[-–/])\s?", re.IGNORECASE)  # between two figures that share the unit of the second
_TIMES = re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)")
_IDENTIFIER = re.compile(r"(?<![\w-])[^\W\d_][^\W_]*(?:-[^\W_]+)*")


@dataclass(frozen=True)
class Measure:
    """A figure as it was written, what it may mean ("1,299" is 1299 or 1.299), and its unit or currency, if any."""

    written: str
    values: frozenset[Decimal]
    unit: str = ""

    def supported_by(self, known: "Measure") -> bool:
        """A unit has to be the same; a bare figure is supported by one with any unit."""
        return bool(self.values & known.values) and self.unit in {"", known.unit}


def measures(text: str) -> list[Measure]:
    """Every figure of ``text`` in order; spelled-out numbers count where a unit follows."""
    text = _TIMES.sub(" x ", text)
    found = list(_FIGURE.finditer(text))
    units = [_unit(match) for match in found]
    for i in range(len(found) - 2, -1, -1):
        if not units[i] and _JOINED.fullmatch(text[found[i].end() : found[i + 1].start()]):
            units[i] = units[i + 1]
    plain = [Measure(m[0].strip(), _values(m["number"]), unit) for m, unit in zip(found, units, strict=True)]
    return plain + [m for match in _SPELLED.finditer(text) if (m := _spelled(match))]


def unsupported_measures(text: str, sources: Iterable[str]) -> list[Measure]:
    """The figures of ``text`` that stand in none of ``sources`` with that unit."""
    known = [measure for source in sources for measure in measures(source)]
    return [measure for measure in measures(text) if not any(measure.supported_by(k) for k in known)]


def identifiers(text: str) -> set[str]:
    """Words that hold digits, such as model numbers, in lower case."""
    return {word.lower() for word in _IDENTIFIER.findall(text) if any(c.isdigit() for c in word)}


def _unit(match: re.Match[str]) -> str:
    written = match["before"] or match["unit"] or ""
    return _UNIT_OF.get(written.lower(), written.lower())


def _spelled(match: re.Match[str]) -> Measure | None:
    unit = _UNIT_OF.get(match["unit"].lower())
    return Measure(match[0], frozenset({Decimal(_NUMBER_WORDS[match["number"].lower()])}), unit) if unit else None


def _values(number: str) -> frozenset[Decimal]:
    """A lone separator before three digits is read both ways; of two kinds the last one is the decimal point."""
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return frozenset({Decimal(number)})
    whole, cents = re.sub(r"[.,]", "", number[:last]), number[last + 1 :]
    as_decimal, as_thousands = Decimal(f"{whole}.{cents}"), Decimal(f"{whole}{cents}")
    if number.count(number[last]) > 1:
        return frozenset({as_thousands})
    only_one_kind = len(re.findall(r"[.,]", number)) == 1
    return frozenset({as_decimal, as_thousands}) if only_one_kind and len(cents) == 3 else frozenset({as_decimal})
