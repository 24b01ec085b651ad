"""CSV as it comes: encodings, delimiters, names, numbers, dates; what is not plain is refused with its place."""

import gzip
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.importers.cells import CellFormat, Cells, is_email, parse_number
from connectors.importers.report import BadCell
from connectors.importers.table import Column, Table, TableOptions, decode, parse_rows, read_table, unpack
from domain.errors import InvalidInput

COLUMNS = (Column("sku", "number", required=True), Column("title", "name"))


def read(text: str | bytes, **mapping: str) -> Table:
    raw = text.encode() if isinstance(text, str) else text
    return read_table(raw, COLUMNS, TableOptions(mapping=mapping))


def cells(how: CellFormat | None = None, **values: str) -> Cells:
    return Cells(values, how or CellFormat())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    """Comma, semicolon, tab and bar are told apart by the first line."""
    assert read(f"sku{delimiter}title\nA{delimiter}Mug\n").lines == ((2, {"sku": "A", "title": "Mug"}),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encoding_is_found(encoding: str) -> None:
    """UTF-8 with and without mark, Windows' code page and UTF-16 all give the same text."""
    assert read("sku;title\nA;Kännchen\n".encode(encoding)).lines[0][1]["title"] == "Kännchen"


def test_gzip_is_opened() -> None:
    """A gzipped file is read like the plain one."""
    assert read(gzip.compress(b"sku,title\nA,Mug\n")).lines == read("sku,title\nA,Mug\n").lines


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"\n\n \n", "empty"),
        (b"PK\x03\x04\x00\x00binary", "not a text file"),
        (b"\x1f\x8bbroken", "damaged"),
        (gzip.compress(b"sku\nA\n" * 1000, mtime=0)[:-9], "damaged"),
        (b"\x81\x8d\x8f", "neither UTF-8 nor"),
        (b"sku,sku\nA,B\n", "two columns"),
        (b"name,title\nA,B\n", "no column sku"),
        (b'sku,title\n"A,Mug\n' + b"x" * 200_000, "begins on line 2 has more than 131,072"),
        (b'sku,title\nA,"Mug\nB,Cup\n', "line 2 is never closed"),
        (b'sku,title\nA,Mug\n"B","Cup', "line 3 is never closed"),
        (b'sku,title\n"two\nlines","Mug\nC,Cup\n', "line 3 is never closed"),
        (b'sku,title\nA,"Mug\nB,"Cup"\n', "line 2 is never closed"),
        (b'sku,"title\nA,Mug\n', "line 1 is never closed"),
    ],
)
def test_unreadable_files_are_refused(raw: bytes, why: str) -> None:
    """A file that cannot be read as a whole is one clear error."""
    with pytest.raises(InvalidInput, match=why):
        read(raw)


def test_names_are_mapped() -> None:
    """--map names the file's column; capitals do not matter without it."""
    assert read("StockCode,TITLE\nA,Mug\n", sku="StockCode").lines[0][1] == {"sku": "A", "title": "Mug"}


@pytest.mark.parametrize(("mapping", "why"), [({"sku": "Nope"}, "no column Nope"), ({"skew": "sku"}, "column there is not: skew")])
def test_wrong_maps_are_refused(mapping: dict[str, str], why: str) -> None:
    """A map from or to a column that does not exist says which ones do."""
    with pytest.raises(InvalidInput, match=why):
        read("sku,title\nA,Mug\n", **mapping)


def test_line_numbers_are_the_editors() -> None:
    """Blank lines and values over several lines count."""
    table = read('sku,title\nA,"two\nlines"\n\nB,Mug\n')
    assert [number for number, _ in table.lines] == [2, 5]


def test_too_many_cells_are_rejected() -> None:
    """A value with an unquoted delimiter is rejected with its line; empty cells at the end are not."""
    table = read("sku,title\nA,Mug,blue\nB,Cup,,\n")
    assert [(r.line, "3 cells" in r.why) for r in table.rejected] == [(2, True)]
    assert (len(table.lines), table.rows) == (1, 2)


def test_quotes_that_are_only_careless_are_read() -> None:
    """In a cell of one line nothing else can be meant."""
    assert read('sku,title\nA,"5" pipe"\nB,5" pipe\n').lines[0][1]["title"] == '5 pipe"'


def test_rejections_name_the_files_own_column() -> None:
    """A missing value is reported under the name the file gives its column."""
    options = TableOptions(mapping={"sku": "StockCode"})
    table = read_table(b"StockCode,title\n,Mug\n", COLUMNS, options)
    _, rejected = parse_rows(table, lambda c: c.required("sku"), options)
    assert [(r.line, r.column, r.why) for r in rejected] == [(2, "StockCode", "is empty")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2.55", "2.55"),
        ("2,55", "2.55"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("-3", "-3"),
        ("0.7849999999999999", "0.7849999999999999"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: str) -> None:
    """Point or comma, with or without thousands."""
    assert parse_number("price", text) == Decimal(number)


@pytest.mark.parametrize("text", ["1,234", "12,34,56", "1.2.3", "abc", "1e9", "NaN", "inf", "--1", "9" * 40, "1,23.45,6", "٣"])
def test_what_is_not_plainly_a_number_is_refused(text: str) -> None:
    """Above all a number that could be two."""
    with pytest.raises(BadCell):
        parse_number("price", text)


def test_decimal_mark_settles_the_doubt() -> None:
    """1,234 is a thousand or a fraction, as --decimal says; so is 1.234."""
    assert parse_number("price", "1,234", ".") == 1234
    assert parse_number("price", "1,234", ",") == Decimal("1.234")
    assert parse_number("price", "1.234", ",") == 1234


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_bad_cell(text: str) -> None:
    """Nothing else happens, whatever stands in the cell."""
    for decimal in ("", ".", ","):
        with suppress(BadCell):
            assert parse_number("price", text, decimal).is_finite()


@pytest.mark.parametrize("text", ["€ 12.50", "12,50 €", "12.50 EUR", "EUR 12.50", "12.5"])
def test_currency_may_stand_beside_the_amount(text: str) -> None:
    """Symbol or code, before or after."""
    money = cells(price=text).money("price")
    assert (money.amount, money.currency) == (Decimal("12.5"), "EUR")


def test_other_currency_is_refused() -> None:
    """Pounds are never read as euros."""
    with pytest.raises(BadCell, match="--currency GBP"):
        cells(price="£12.50").money("price")
    assert cells(price="£12.50", currency="gbp").money("price").currency == "GBP"


@pytest.mark.parametrize(
    ("text", "date_format"),
    [("2026-01-31", ""), ("2026-01-31T00:00:00Z", ""), ("31.01.2026", "%d.%m.%Y"), ("01/31/26", "%m/%d/%y")],
)
def test_dates(text: str, date_format: str) -> None:
    """ISO 8601 without asking, others by --date-format; times without a zone are UTC."""
    assert cells(CellFormat(date_format=date_format), at=text).moment("at") == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["31.01.2026", "2026-02-30", "yesterday", "", "0000-00-00"])
def test_wrong_dates_are_refused(text: str) -> None:
    """A date that is none, or not written as agreed, is not guessed."""
    with pytest.raises(BadCell):
        cells(at=text).day("at")


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("860.0", 860), ("-3", -3), ("1.000,0", 1000)])
def test_whole_numbers(text: str, number: int) -> None:
    """860.0 is whole."""
    assert cells(units=text).whole("units") == number


def test_fractions_of_units_are_refused() -> None:
    """Nobody sells one and a half mugs."""
    with pytest.raises(BadCell, match="whole"):
        cells(units="1.5").whole("units")


@pytest.mark.parametrize(
    ("text", "fine"), [("a@b.de", True), ("a@b", False), ("a b@c.de", False), ("A <a@b.de>", False), ("", False)]
)
def test_addresses_have_the_shape_of_addresses(text: str, fine: bool) -> None:
    """One at sign, a host with a dot, nothing around it."""
    assert is_email(text) is fine


def test_yes_and_no() -> None:
    """Flags are words; anything else is refused."""
    assert cells(active="No").flag("active", default=True) is False
    assert cells().flag("active", default=True) is True
    with pytest.raises(BadCell):
        cells(active="maybe").flag("active", default=True)


def test_plain_bytes_are_left_alone() -> None:
    """What is not gzipped is not unpacked, and text decodes."""
    assert decode(unpack(b"sku")) == "sku"
