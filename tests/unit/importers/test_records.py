"""Catalogue, sales, orders and customers: what each line becomes, and what keeps it out."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.customers import read_customers
from connectors.importers.novelty import what_is_new
from connectors.importers.orders import read_orders
from connectors.importers.report import ImportReport
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions
from domain.catalogue import fold
from domain.entities import Order, OrderStatus, Picture, Product, Stock, Supplier
from domain.event import SalesRow
from domain.events import OrderRefunded, ProductListed, StockCounted, SupplierListed
from domain.model import Value
from domain.money import Money

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORDER = "order_id,email,placed_at,sku,units,unit_price,line1,city,country\n"
HOME = "High Street 1,Bath,GB"


def catalog(text: str) -> ImportReport:
    return read_catalog(text.encode(), table=TableOptions(), catalog=CatalogOptions(), at=NOW)


def sales(text: str, *, opening_stock_days: int = 0) -> ImportReport:
    return read_sales(text.encode(), table=TableOptions(), today=NOW.date(), opening_stock_days=opening_stock_days)


def orders(text: str) -> ImportReport:
    return read_orders(text.encode(), table=TableOptions(), today=NOW.date())


def customers(text: str) -> ImportReport:
    return read_customers(text.encode(), table=TableOptions(), at=NOW)


def state_after(*reports: ImportReport) -> dict[str, Value]:
    state: dict[str, Value] = {}
    for event in (e for r in reports for e in (*r.accepted, *r.assumed)):
        state[event.data.stream] = fold(state.get(event.data.stream), event.data)
    return state


def test_a_full_catalogue_line() -> None:
    """Every documented column lands where it belongs."""
    report = catalog(
        "sku,title,price,unit_cost,supplier,supplier_email,lead_time_days,moq,pack_size,on_hand,active\n"
        "A1,Mug,9.90,4.20,Potter & Sons,p@sons.uk,12,24,6,30,yes\n"
    )
    state = state_after(report)
    assert isinstance(product := state["product/A1"], Product)
    assert (product.price, product.unit_cost, product.moq, product.pack_size) == (Money.of("9.90"), Money.of("4.20"), 24, 6)
    assert state["supplier/potter-sons"] == Supplier(
        supplier_id="potter-sons", name="Potter & Sons", email="p@sons.uk", lead_time_days=12
    )
    assert state["stock/A1"] == Stock(sku="A1", on_hand=30, supplier_id="potter-sons")


def test_a_picture_in_a_catalogue_has_its_words_or_else_the_title() -> None:
    """And a product without one is listed as it was before there were pictures."""
    report = catalog(
        "sku,title,price,image_url,image_alt\n"
        "A1,Mug,9.90,https://mill.example/a1.jpg?v=2,A red mug\n"
        "A2,Cup,5,https://mill.example/a2.jpg,\n"
        "A3,Jug,7,,\n"
    )
    state = state_after(report)
    assert [product.picture for product in state.values() if isinstance(product, Product)] == [
        Picture(url="https://mill.example/a1.jpg?v=2", alt="A red mug"),
        Picture(url="https://mill.example/a2.jpg", alt="Cup"),
        None,
    ]
    assert "picture" not in state["product/A3"].model_dump()


@pytest.mark.parametrize(
    ("url", "alt", "column"),
    [
        ("http://mill.example/a.jpg", "", "image_url"),
        ("mill.example/a.jpg", "", "image_url"),
        ("https://me:pw@mill.example/a.jpg", "", "image_url"),
        (f"https://mill.example/{'a' * 2_000}.jpg", "", "image_url"),
        ("https://mill.example/a.jpg", "a" * 201, "image_alt"),
    ],
    ids=["no https", "no scheme", "a password", "too long", "too many words"],
)
def test_a_picture_that_no_page_could_show_is_rejected(url: str, alt: str, column: str) -> None:
    report = catalog(f"sku,title,price,image_url,image_alt\nA1,Mug,9.90,{url},{alt}\n")
    assert [(r.line, r.column) for r in report.rejected] == [(2, column)]


def test_what_a_catalogue_does_not_say_is_assumed_and_told() -> None:
    """A default supplier that nobody can write to yet, and half the price as cost."""
    report = catalog("sku,title,price\nA1,Mug,9.90\n")
    assert [type(e.data) for e in report.accepted] == [ProductListed]
    assert [type(e.data) for e in report.assumed] == [SupplierListed]
    assert isinstance(product := state_after(report)["product/A1"], Product)
    assert product.unit_cost.amount == Decimal("4.95")
    assert any("50% of the price" in n for n in report.notes)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (",Mug,9.90,1", "sku"),
        ("A1,,9.90,1", "title"),
        ("A1,Mug,0,1", "price"),
        ("A1,Mug,-1,1", "price"),
        ("A1,Mug,free,1", "price"),
        ("A1,Mug,9.90,0", "moq"),
        ("A1,Mug,9.90,x", "moq"),
        (f"{'A' * 300},Mug,9.90,1", "sku"),
    ],
)
def test_bad_catalogue_lines_are_rejected(line: str, column: str) -> None:
    """With the line, the column and a reason; the good line beside it is read."""
    report = catalog(f"sku,title,price,moq\nGOOD,Cup,5,1\n{line}\n")
    assert [(r.line, r.column) for r in report.rejected] == [(3, column)]
    assert len(report.accepted) == 1


def test_an_article_listed_twice_is_rejected() -> None:
    """The second line of the same number is not a silent change."""
    report = catalog("sku,title,price\nA1,Mug,9.90\nA1,Mug,8.90\n")
    assert [(r.line, r.why) for r in report.rejected] == [(3, "stands in the file twice")]


def test_sales_of_an_article_are_one_event() -> None:
    """Lines of one day add up; days are in order; revenue is units times price."""
    report = sales("date,sku,units,unit_price\n2026-01-02,A,3,2\n2026-01-01,A,1,2\n2026-01-02,A,2,1.50\n2026-01-02,B,1,9\n")
    assert [e.data.stream for e in report.accepted] == ["stock/A", "stock/B"]
    rows = report.accepted[0].data.sales()
    assert [(r.day, r.units, r.orders, r.revenue) for r in rows] == [(date(2026, 1, 1), 1, 1, 2), (date(2026, 1, 2), 5, 2, 9)]


def test_every_rejected_line_is_told_in_the_order_of_the_file() -> None:
    """Those with too many cells among the others, and all of them counted."""
    report = sales("date,sku,units\n2026-01-01,A,x\n2026-01-01,A,1,2\n2026-01-01,,1\n2026-01-01,A,1\n")
    assert ([r.line for r in report.rejected], report.rows) == ([2, 3, 4], 4)


def test_nothing_was_sold_in_the_future() -> None:
    """The next day can be today in another zone."""
    report = sales("date,sku,units\n2026-03-02,A,1\n2026-03-03,A,1\n")
    assert [(r.line, r.column, r.why) for r in report.rejected] == [(3, "date", "is in the future; today is 2026-03-01")]


def test_sales_of_articles_that_are_not_listed_are_taken_and_told() -> None:
    """Only where it is known what is listed."""
    text = "date,sku,units\n2026-01-01,A,1\n2026-01-01,B,1\n2026-01-02,B,1\n2026-01-02,C,1\n"
    report = read_sales(text.encode(), table=TableOptions(), today=NOW.date(), catalogue={"A"})
    assert (report.rejected, len(report.accepted)) == ((), 3)
    assert report.notes == ("3 lines name 2 articles that are not in the catalogue: B, C",)
    assert sales(text).notes == ()


def test_negative_units_are_returns() -> None:
    """A credit note is not a sale."""
    (row,) = sales("date,sku,units\n2026-01-01,A,-4\n").accepted[0].data.sales()
    assert (row.units, row.returned, row.orders) == (0, 4, 0)


def test_history_does_not_move_stock() -> None:
    """Past sales leave today's shelf alone."""
    assert state_after(sales("date,sku,units\n2026-01-01,A,4\n"))["stock/A"] == Stock(sku="A")


def test_opening_stock_is_an_assumption() -> None:
    """Ten days' mean sales, only where asked for, and told."""
    report = sales("date,sku,units\n2026-01-01,A,4\n2026-01-04,A,4\n", opening_stock_days=10)
    assert state_after(report)["stock/A"] == Stock(sku="A", on_hand=20)
    assert any(n.startswith("assumed") for n in report.notes)


@pytest.mark.parametrize(
    "line", ["31.12.2025,A,1", "2026-01-01,,1", "2026-01-01,A,", "2026-01-01,A,99999999999", "2026-01-01,A,0.5"]
)
def test_bad_sales_lines_are_rejected(line: str) -> None:
    """A date that is none, no article, no number, an impossible number."""
    report = sales(f"date,sku,units\n{line}\n2026-01-01,B,1\n")
    assert [r.line for r in report.rejected] == [2]
    assert len(report.accepted) == 1


def test_order_lines_become_one_order() -> None:
    """Two lines, one order, the sum of both as total."""
    report = orders(f"{ORDER}7,A@b.de,2026-01-05,S1,2,3.50,{HOME}\n7,a@b.de,2026-01-05,S2,1,1,{HOME}\n")
    (order,) = (e.data.order for e in report.accepted)
    assert (order.email, order.total, [line.units for line in order.lines]) == ("a@b.de", Money.of("8"), [2, 1])
    assert order.status is OrderStatus.PAID


def test_an_order_with_a_bad_line_is_rejected_whole() -> None:
    """Half an order is worse than none."""
    report = orders(f"{ORDER}7,a@b.de,2026-01-05,S1,2,3.50,{HOME}\n7,a@b.de,2026-01-05,S2,none,1,{HOME}\n")
    assert [(r.line, r.column) for r in report.rejected] == [(2, "order_id"), (3, "units")]
    assert not report.accepted


def test_nothing_was_ordered_in_the_future() -> None:
    """The next day can be today in another zone."""
    report = orders(f"{ORDER}7,a@b.de,2026-03-02,S1,1,3.50,{HOME}\n8,a@b.de,2026-03-03,S1,1,3.50,{HOME}\n")
    assert [(r.line, r.column, r.why) for r in report.rejected] == [(3, "placed_at", "is in the future; today is 2026-03-01")]
    assert len(report.accepted) == 1


def test_orders_of_articles_that_are_not_listed_are_taken_and_told() -> None:
    """Only where it is known what is listed."""
    text = f"{ORDER}7,a@b.de,2026-01-05,S1,1,3.50,{HOME}\n7,a@b.de,2026-01-05,S2,1,1,{HOME}\n"
    report = read_orders(text.encode(), table=TableOptions(), today=NOW.date(), catalogue={"S1"})
    assert (len(report.accepted), report.notes) == (1, ("1 line names 1 article that is not in the catalogue: S2",))
    assert orders(text).notes == ()


def test_lines_that_disagree_about_the_order_are_rejected() -> None:
    """Two customers cannot share an order number."""
    report = orders(f"{ORDER}7,a@b.de,2026-01-05,S1,2,3.50,{HOME}\n7,x@y.de,2026-01-05,S2,1,1,{HOME}\n")
    assert len(report.rejected) == 2
    assert not report.accepted


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("7,nobody,2026-01-05,S1,2,3.50,High Street 1,Bath,GB", "email"),
        ("7,a@b.de,2026-01-05,S1,0,3.50,High Street 1,Bath,GB", "units"),
        ("7,a@b.de,2026-01-05,S1,2,-1,High Street 1,Bath,GB", "unit_price"),
        ("7,a@b.de,2026-01-05,S1,2,3.50,High Street 1,Bath,England", "country"),
        ("7,a@b.de,2026-01-05,S1,2,3.50,,Bath,GB", "line1"),
    ],
)
def test_bad_order_lines_are_rejected(line: str, column: str) -> None:
    """Each with its column."""
    assert [r.column for r in orders(f"{ORDER}{line}\n").rejected] == [column]


def test_customers() -> None:
    """The address is optional, the number defaults to the e-mail address, which is written small."""
    report = customers("email,name,line1,city,country\nAnn@B.de,Ann,,,\nbob@b.de,Bob,Weg 1,Ulm,de\n")
    ann, bob = (e.data.customer for e in report.accepted)
    assert (ann.customer_id, ann.address) == ("ann@b.de", None)
    assert bob.address.country == "DE"


def test_customers_listed_twice_are_rejected() -> None:
    """The second line is rejected."""
    assert [r.line for r in customers("email,name\na@b.de,Ann\nA@B.de,Anna\n").rejected] == [3]


def test_the_same_file_says_nothing_new_the_second_time() -> None:
    """Catalogue, sales, orders and customers: importing again appends no event, and ids repeat."""
    files: list[Callable[[], ImportReport]] = [
        lambda: catalog("sku,title,price,on_hand\nA1,Mug,9.90,4\n"),
        lambda: orders(f"{ORDER}7,a@b.de,2026-01-05,S1,2,3.50,{HOME}\n"),
        lambda: customers("email,name\na@b.de,Ann\n"),
    ]
    for read in files:
        known = state_after(read())
        assert what_is_new(read(), known=known, sales={}) == []
        assert [e.event_id for e in read().accepted] == [e.event_id for e in read().accepted]


def test_the_same_sales_say_nothing_new() -> None:
    """Sales are compared with the rows that are known."""
    report = sales("date,sku,units\n2026-01-01,A,4\n")
    rows = {r.sku: {r.day: r} for e in report.accepted for r in e.data.sales()}
    assert what_is_new(report, known=state_after(report), sales=rows) == []
    restated = {"A": {date(2026, 1, 1): SalesRow(sku="A", day=date(2026, 1, 1), units=5)}}
    assert len(what_is_new(report, known=state_after(report), sales=restated)) == 1


def test_going_back_to_an_older_file_counts() -> None:
    """Price 10, then 12, then the first file again: the third import is a new event, not a repeat of the first."""
    old, new = catalog("sku,title,price\nA1,Mug,10\n"), catalog("sku,title,price\nA1,Mug,12\n")
    again = what_is_new(old, known=state_after(old, new), sales={})
    assert [e.data.product.price for e in again] == [Money.of(10)]
    assert again[0].event_id != old.accepted[0].event_id


def test_what_the_operator_described_outlives_an_import() -> None:
    """No file says it, so none takes it back; it is no news either."""
    old, new = catalog("sku,title,price\nA1,Mug,10\n"), catalog("sku,title,price\nA1,Mug,12\n")
    known = state_after(old)
    known["product/A1"] = known["product/A1"].model_copy(update={"attributes": {"care": "by hand"}})
    assert what_is_new(old, known=known, sales={}) == []
    (told,) = what_is_new(new, known=known, sales={})
    assert (told.data.product.attributes, told.data.product.price) == ({"care": "by hand"}, Money.of(12))


def test_assumptions_never_overwrite_what_is_known() -> None:
    """Neither the operator's supplier address nor a count gives way to a default."""
    listed, past = catalog("sku,title,price\nA1,Mug,10\n"), sales("date,sku,units\n2026-01-01,A1,4\n", opening_stock_days=9)
    known = state_after(listed)
    supplier = known["supplier/default-supplier"]
    known["supplier/default-supplier"] = supplier.model_copy(update={"email": "real@supplier.uk"})
    known["stock/A1"] = fold(None, StockCounted(sku="A1", on_hand=1, supplier_id="default-supplier"))
    assert what_is_new(listed, known=known, sales={}) == []
    assert [type(e.data).__name__ for e in what_is_new(past, known=known, sales={})] == ["SalesImported"]


def test_an_order_with_a_line_of_too_many_cells_is_rejected_whole() -> None:
    """Although nobody can say which of the cells is its number."""
    good = f"7,a@b.de,2026-01-05,S1,2,3.50,{HOME}"
    report = orders(f"{ORDER}{good}\n{good},more\n8,a@b.de,2026-01-05,S1,2,3.50,{HOME}\n")
    assert ([r.line for r in report.rejected], len(report.accepted)) == ([2, 3], 1)


def test_a_known_order_is_never_overwritten() -> None:
    """An order that was refunded since keeps its refund when the file comes again with another price."""
    first = orders(f"{ORDER}7,a@b.de,2026-01-05,S1,2,3.50,{HOME}\n")
    known = state_after(first)
    order = known["order/7"]
    assert isinstance(order, Order)
    refund = {"refund_id": "r", "amount": Money.of(1), "reason": "late", "at": NOW}
    known["order/7"] = fold(order, OrderRefunded.model_validate({"order_id": "7", "refund": refund}))
    assert what_is_new(orders(f"{ORDER}7,a@b.de,2026-01-05,S1,2,4,{HOME}\n"), known=known, sales={}) == []


def test_a_known_order_may_still_be_told_by_which_payment_it_was_paid() -> None:
    """Once: another payment later is not believed. The order is otherwise as it was."""
    plain = orders(f"{ORDER}7,ada@example.org,2026-02-01,A1,1,5,{HOME}\n")
    named = ORDER.strip() + ",payment_reference\n7,ada@example.org,2026-02-01,A1,9,5," + HOME
    known = state_after(plain)
    fresh = what_is_new(orders(f"{named},pi_1\n"), known=known, sales={})
    assert [e.data.type for e in fresh] == ["order.payment-named"]
    after = {"order/7": fold(known["order/7"], fresh[0].data)}
    assert isinstance(order := after["order/7"], Order)
    assert (order.payment_reference, order.lines[0].units) == ("pi_1", 1)
    assert what_is_new(orders(f"{named},pi_2\n"), known=after, sales={}) == []
