"""The columns of an address, shared by customers and orders."""

from connectors.importers.cells import Cells
from connectors.importers.report import BadCell
from connectors.importers.table import Column
from domain.entities import Address

ADDRESS_COLUMNS = (
    Column("line1", "street and number"),
    Column("line2", "the rest of the address"),
    Column("postcode", "post code"),
    Column("city", "city"),
    Column("country", "ISO code of the country, such as DE"),
)


def read_address(cells: Cells, name: str) -> Address:
    """Raises ``BadCell`` where the address is not complete."""
    country = cells.required("country").upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise BadCell("country", country, "is not a two-letter ISO code")
    return Address(
        name=name,
        line1=cells.required("line1"),
        line2=cells.text("line2"),
        postcode=cells.text("postcode"),
        city=cells.required("city"),
        country=country,
    )
