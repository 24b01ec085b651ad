"""The options of imports, as typed values. All raise InvalidInput for a word that makes no sense."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

from connectors.importers.table import TableOptions
from domain.errors import InvalidInput


def table_options(columns: Sequence[str] | None, date_format: str, decimal: str, currency: str) -> TableOptions:
    if decimal not in {"", ".", ","}:
        raise InvalidInput(f"{decimal!r} is no decimal mark", hint="say --decimal . or --decimal ,")
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise InvalidInput(f"{currency!r} is no currency", hint="say its ISO code, such as --currency EUR")
    return TableOptions(mapping=mapping(columns), date_format=date_format, decimal=decimal, currency=currency.upper())


def mapping(columns: Sequence[str] | None) -> dict[str, str]:
    pairs = [pair for option in columns or () for pair in option.split(",")]
    if wrong := [p for p in pairs if not all(part.strip() for part in p.partition("="))]:
        raise InvalidInput(f"{wrong[0]!r} maps nothing", hint="say --map ours=theirs, such as --map sku=StockCode")
    return {ours.strip(): theirs.strip() for ours, _, theirs in (p.partition("=") for p in pairs)}


def ratio(text: str) -> Decimal:
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 10:
        raise InvalidInput(f"{text!r} is no share of a price", hint="say --cost-ratio 0.5 for half of it")
    return share


def first_day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC) if text else None
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a day", hint="say --since 2026-01-31") from error
