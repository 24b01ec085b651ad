"""What a line of sales or orders says that cannot be, or need not be so."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from connectors.importers.cells import Cells
from connectors.importers.report import BadCell
from domain.wording import counted

_NAMED = 10  # articles that a note names


def refuse_future(column: str, cells: Cells, day: date, *, today: date) -> None:
    """The next day may be today in another zone. Raises BadCell."""
    if day > today + timedelta(days=1):
        raise BadCell(column, cells.text(column), f"is in the future; today is {today}")


def unknown_articles(skus: Sequence[str], catalogue: Collection[str] | None) -> Iterable[str]:
    """Lines are taken although they name an article that is not listed: it may be listed later, or not be sold any more."""
    strange = Counter(sku for sku in skus if catalogue is not None and sku not in catalogue)
    if strange:
        more = f" and {len(strange) - _NAMED:,} more" if len(strange) > _NAMED else ""
        names = counted(len(strange), "article that is", "articles that are")
        lines = counted(strange.total(), "line names", "lines name")
        yield f"{lines} {names} not in the catalogue: {', '.join(sorted(strange)[:_NAMED])}{more}"
