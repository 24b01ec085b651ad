"""A summary says nothing that its sources do not say."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.audit.summary import unsupported

SOURCES = (
    "ticket/mail/77\n2026-03-12 2026-03-12\nmail/77\nMy mug from order 1001 came broken\nada@post.example",
    "order/1001\n2026-03-14\n20.00 EUR\nMUG-RED\nthe refund window is 30 days",
)


@pytest.mark.parametrize(
    "summary",
    [
        "Ticket mail/77 was about order 1001. 20.00 EUR were refunded on 14 March 2026.",
        "Opened on 2026-03-12; the mug MUG-RED of order 1001 came broken, and 20 EUR went back.",
        "Within the window of 30 days, on 14 March.",
        "The customer was content.",
        "",
    ],
)
def test_what_stands_in_the_sources_may_be_said(summary: str) -> None:
    """In whatever form a price or a day is written."""
    assert unsupported(summary, SOURCES) == set()


@pytest.mark.parametrize(
    ("summary", "invented"),
    [
        ("25.00 EUR were refunded.", "25"),
        ("20.00 USD were refunded.", "USD"),
        ("Three mugs, 3 of them broken.", "3"),
        ("Closed on 15 March 2026.", "2026-03-15"),
        ("Closed on 14 March 2025.", "2025-03-14"),
        ("Order 1002 came broken.", "1002"),
        ("Ticket mail/78 was closed.", "mail/78"),
        ("It was the MUG-BLUE.", "MUG-BLUE"),
        ("Write to bob@post.example.", "bob@post.example"),
        ("Refunded within two weeks.", "2"),
        ("See https://evil.example/pay for more.", "https://evil.example/pay"),
    ],
)
def test_an_invented_number_date_or_identifier_is_named(summary: str, invented: str) -> None:
    """One is enough to throw the summary away."""
    assert invented in unsupported(summary, SOURCES)


@given(st.integers(0, 10**9))
def test_no_number_passes_that_stands_nowhere(number: int) -> None:
    """Whatever its size."""
    passes = unsupported(f"They paid {number} for it.", SOURCES) == set()
    assert passes == (str(number) in {"77", "1001", "20", "30"})


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)))
def test_no_day_passes_that_stands_nowhere(moment: date) -> None:
    """In words as in figures."""
    known = moment.isoformat() in ("2026-03-12", "2026-03-14")
    assert (unsupported(f"Closed on {moment.day} {moment:%B %Y}.", SOURCES) == set()) == known
    assert (unsupported(f"Closed on {moment:%Y-%m-%d}.", SOURCES) == set()) == known
