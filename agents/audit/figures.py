"""Figures in a text: numbers, prices, dates and identifiers, in one normal form, so that they can be compared. Pure."""

import re
from collections.abc import Iterable, Iterator

_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905 - reads better
_MONTH = rf"(?P<{{0}}>{'|'.join(m[:3] + f'(?:{m[3:]})?' if m != 'may' else m for m in _MONTHS)})"
_DAY_MONTH = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH.format('month')}\b\.?(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"\b{_MONTH.format('month')}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_ISO_DAY = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b")
_TOKEN = re.compile(r"(?<![^\W_])[^\W_]*\d(?:[^\W_]|[.,:/_-](?=[^\W_]))*")
_NUMBER = re.compile(r"\d[\d.,]*")
_SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
_CURRENCY = r"(?:[€$£¥]|(?-i:[A-Z]{3})\b)"
_PRICE = re.compile(rf"(?P<before>{_CURRENCY})?\s?(?P<amount>\d(?:[\d.,]*\d)?)(?:\s?(?P<after>{_CURRENCY}))?")
_UNITS = r"(?:business |working )?(?:days?|weeks?|months?|hours?|years?|percent|euros?|dollars?|pounds?|times?)"
_SPELLED = "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905 - reads better
_SPELLED_OUT = re.compile(
    rf"\b({'|'.join([*_SPELLED, 'a couple of', 'half', 'twenty', 'thirty', 'hundred'])})\s+{_UNITS}\b", re.IGNORECASE
)


def figures(text: str) -> set[str]:
    """Every figure in ``text``: days as 2026-03-12 or 03-12, numbers as plain decimals, prices also with their currency."""
    found: set[str] = set()
    rest = text
    for pattern in (_ISO_DAY, _DAY_MONTH, _MONTH_DAY):
        for match in pattern.finditer(rest):
            found.add(_day(match["year"], match["month"], match["day"]))
        rest = pattern.sub(" ", rest)
    found.update(_spelled(m[1]) for m in _SPELLED_OUT.finditer(rest))
    found.update(_prices(rest))
    found.update(_plain(token) for token in _TOKEN.findall(rest))
    return found


def unsupported(text: str, sources: Iterable[str]) -> set[str]:
    """The figures of ``text`` that stand in none of ``sources``. A day without its year is supported by one with it."""
    known = {figure for source in sources for figure in figures(source)}
    short_days = {figure[5:] for figure in known if _ISO_DAY.fullmatch(figure)}
    return figures(text) - known - short_days


def _prices(text: str) -> Iterator[str]:
    for match in _PRICE.finditer(text):
        if currency := match["before"] or match["after"]:
            yield f"{_plain(match['amount'])} {_SYMBOLS.get(currency, currency)}"


def _day(year: str | None, month: str, day: str) -> str:
    number = int(month) if month.isdigit() else 1 + next(i for i, name in enumerate(_MONTHS) if name.startswith(month[:3].lower()))
    return f"{year}-{number:02d}-{int(day):02d}" if year else f"{number:02d}-{int(day):02d}"


def _spelled(word: str) -> str:
    return str(_SPELLED.index(word.lower()) + 1) if word.lower() in _SPELLED else word.lower()


def _plain(token: str) -> str:
    """ "1,299.00" and "1.299,00" are both "1299"; anything that is not a number stays as it is, in lower case."""
    if not _NUMBER.fullmatch(token):
        return token.lower()
    token = token.rstrip(".,")
    whole, _, cents = token.rpartition("," if token.rfind(",") > token.rfind(".") else ".")
    if whole and len(cents) != 3:
        return f"{whole.replace(',', '').replace('.', '') or '0'}.{cents}".rstrip("0").rstrip(".")
    return token.replace(",", "").replace(".", "")
