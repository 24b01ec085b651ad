"""vCards as address books export them, and as nobody should."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.importers.vcard import is_vcards, read_vcards
from domain.entities import Address, Customer
from domain.errors import InvalidInput

AT = datetime(2026, 3, 2, tzinfo=UTC)
PHONE = """\ufeffBEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iPhone OS 19//EN\r
N:Byron;Ada;;Dr.;\r
FN:Dr. Ada By\r
 ron\r
EMAIL;type=INTERNET;type=WORK:work@example.org\r
item1.EMAIL;type=INTERNET;type=pref:Ada@Example.org\r
ADR;TYPE=HOME;LABEL="a;b:c":;c/o Mill\\, Ltd;1 Mill Lane\\; rear;Berlin;;10115;de\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r
 SkZJRgABAQ==\r
END:VCARD\r
"""
ANDROID = "BEGIN:VCARD\nVERSION:4.0\nN:O\\;Neil;Bo;;;\nEMAIL;PREF=1:mailto:bo@example.org\nLANG:de\nEND:VCARD\n"


def customers(text: str) -> list[Customer]:
    return [e.data.customer for e in read_vcards(text.encode(), at=AT).accepted]


def test_a_card_of_a_phone() -> None:
    """Folded lines, groups, quoted parameters, escapes; the preferred address counts."""
    home = Address(
        name="Dr. Ada Byron", line1="1 Mill Lane; rear", line2="c/o Mill, Ltd", postcode="10115", city="Berlin", country="DE"
    )
    assert customers(PHONE) == [
        Customer(customer_id="ada@example.org", name="Dr. Ada Byron", email="ada@example.org", address=home)
    ]


def test_a_card_of_version_4_without_a_written_name() -> None:
    """The name is put together from its parts."""
    assert customers(ANDROID) == [Customer(customer_id="bo@example.org", name="Bo O;Neil", email="bo@example.org", locale="de")]


def test_many_cards_and_their_lines() -> None:
    """What cannot be read is named by the line it begins on; who has no address is counted."""
    none = "BEGIN:VCARD\nVERSION:3.0\nFN:Only a phone\nTEL:1\nEND:VCARD\n"
    old = "BEGIN:VCARD\nVERSION:2.1\nEMAIL:x@example.org\nEND:VCARD\n"
    wrong = "BEGIN:VCARD\nVERSION:3.0\nEMAIL:no address\nEND:VCARD\n"
    report = read_vcards((ANDROID + none + old + wrong + ANDROID + "BEGIN:VCARD\nVERSION:3.0\n").encode(), at=AT)
    assert (report.rows, len(report.accepted)) == (6, 1)
    assert report.notes == ("1 cards have no mail address and are left out",)
    assert [(r.line, r.column) for r in report.rejected] == [(12, "VERSION"), (16, "EMAIL"), (20, "EMAIL"), (26, "card")]


@pytest.mark.parametrize("country", ["Germany", "", "D", "ÄÖ"])
def test_a_country_that_is_no_code_makes_no_address(country: str) -> None:
    (customer,) = customers(ANDROID.replace("LANG:de", f"ADR:;;1 Mill Lane;Berlin;;10115;{country}"))
    assert customer.address is None


def test_another_encoding_is_refused_whole() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_vcards(PHONE.replace("Ada", "Ä").encode("latin-1", "replace"), at=AT)
    assert is_vcards(PHONE.encode())
    assert not is_vcards(b"email,name\n")


@given(st.text(alphabet=st.sampled_from('BEGIN:VCARD\nEMAIL;\\,"= x@.é\r\t'), max_size=400))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    """And quickly."""
    report = read_vcards(f"BEGIN:VCARD\nVERSION:3.0\n{text}\nEND:VCARD\n".encode(), at=AT)
    assert len(report.accepted) + len(report.rejected) <= report.rows


def test_a_line_without_an_end_is_read_in_time() -> None:
    """No way of writing parameters takes longer than its length."""
    for line in ('EMAIL;a="' + 'x";' * 50_000, "EMAIL" + ";a" * 100_000, "N:" + "\\" * 100_001, " x" * 100_000):
        read_vcards(f"BEGIN:VCARD\nVERSION:3.0\n{line}\nEND:VCARD\n".encode(), at=AT)
