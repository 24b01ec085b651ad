"""One line's cells, read as what they should be. Everything that is not plain is refused, never guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.importers.report import BadCell
from domain.money import Money

_MICRO = Decimal("0.000001")
_SYMBOLS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{0,20})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*")
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
_YES, _NO = {"1", "true", "yes", "y"}, {"0", "false", "no", "n"}


@dataclass(frozen=True)
class CellFormat:
    """``date_format`` is strptime's, empty for ISO 8601; ``decimal`` is "." or ",", empty where the cells are plain about it."""

    date_format: str = ""
    decimal: str = ""
    currency: str = "EUR"


@dataclass(frozen=True)
class Cells:
    """Cells by our column names; a column the file does not have is empty. Every reader raises ``BadCell``."""

    values: Mapping[str, str]
    how: CellFormat

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "") or default

    def required(self, name: str) -> str:
        if not (value := self.text(name)):
            raise BadCell(name, "", "is empty")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number; "860.0" is one."""
        value = self.values.get(name, "")
        if value.isascii() and value.isdigit() and len(value) <= 9:  # nearly always
            return int(value)
        number = self.number(name, None if default is None else Decimal(default))
        if number != int(number):
            raise BadCell(name, self.text(name), "is not a whole number")
        return int(number)

    def number(self, name: str, default: Decimal | None = None) -> Decimal:
        value = self.text(name)
        if not value and default is not None:
            return default
        return parse_number(name, self.required(name), self.how.decimal)

    def money(self, name: str) -> Money:
        """An amount in the row's ``currency``, else the file's; a symbol or code in the cell must agree with it."""
        return Money(amount=self.amount(name), currency=self.currency)

    @property
    def currency(self) -> str:
        return self.text("currency", self.how.currency).upper()

    def amount(self, name: str) -> Decimal:
        """``money`` without its currency; six decimals at most."""
        value, currency = self.required(name), self.currency
        stated, bare = _split_currency(value)
        if stated and stated != currency:
            raise BadCell(name, value, f"is in {stated}, but the file is read as {currency}; say --currency {stated}")
        return parse_number(name, bare, self.how.decimal).quantize(_MICRO).normalize() + 0

    def day(self, name: str) -> date:
        return self.moment(name).date()

    def moment(self, name: str) -> datetime:
        """A date or a time; without a zone it is UTC."""
        value = self.required(name)
        try:
            read = _parsed_date(value, self.how.date_format)
        except ValueError:
            expected = self.how.date_format or "2026-01-31, or 2026-01-31T12:00:00+01:00; for others say --date-format"
            raise BadCell(name, value, f"is not a date ({expected})") from None
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)

    def maybe_moment(self, name: str) -> datetime | None:
        return self.moment(name) if self.text(name) else None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in _YES | _NO:
            raise BadCell(name, value, "is neither yes nor no")
        return value in _YES if value else default

    def email(self, name: str) -> str:
        value = self.required(name)
        if not is_email(value):
            raise BadCell(name, value, "is not an e-mail address")
        return value.lower()


def is_email(value: str) -> bool:
    """Whether it has the shape of an address; not whether anybody reads it."""
    return len(value) <= 200 and _EMAIL.fullmatch(value) is not None


def parse_number(name: str, value: str, decimal: str = "") -> Decimal:
    """A number with a point or a comma. "1,234" could be two numbers and is refused unless ``decimal`` says which."""
    if decimal != "," and _NUMBER.fullmatch(value):  # nearly always
        return Decimal(value)
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", value)
    if not decimal and bare.count(",") == 1 and "." not in bare and _GROUPED.fullmatch(bare):
        raise BadCell(name, value, "could be a thousand or a fraction; say --decimal , or --decimal .")
    mark = decimal or ("," if bare.rfind(",") > bare.rfind(".") else ".")
    if not decimal and bare.count(mark) > 1:  # 1.234.567
        mark = "." if mark == "," else ","
    thousands = "." if mark == "," else ","
    whole, _, fraction = bare.partition(mark)
    if thousands in fraction or (thousands in whole and not _GROUPED.fullmatch(whole)):
        raise BadCell(name, value, "is not a number")
    plain = whole.replace(thousands, "") + (f".{fraction}" if fraction else "")
    if not _NUMBER.fullmatch(plain):
        raise BadCell(name, value, "is not a number")
    return Decimal(plain)


def _parsed_date(value: str, date_format: str) -> datetime:
    if not date_format:
        return datetime.fromisoformat(value)
    return datetime.strptime(value, date_format)  # noqa: DTZ007  the caller sets the zone


def _split_currency(value: str) -> tuple[str, str]:
    """("EUR", "12.50") of "€ 12.50", "12.50 EUR" and the like; no currency where none is stated."""
    if value.isascii() and not any(map(str.isalpha, value)) and "$" not in value:  # nearly always
        return "", value
    for symbol, code in _SYMBOLS.items():
        if symbol in value:
            return code, value.replace(symbol, "", 1).strip()
    if found := re.search(r"\b[A-Z]{3}\b", value):
        return found.group(), (value[: found.start()] + value[found.end() :]).strip()
    return "", value
