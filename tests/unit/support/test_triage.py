"""Whose order, which product, which address: rules that do not believe the text."""

from time import process_time

import pytest

from agents.audit.injection import signs
from agents.skills.message_text import address_of, newest, only_thanks, reply_subject, visible
from agents.skills.triage import affected_line, match_order, match_product, parse_address
from models.local.features import plain
from models.local.language import language_of
from tests.unit.support.floor import ADA, MUG, NOW, VASE, delivered, order, shipped

OPEN, DONE = order("1001", ADA, MUG, days_ago=4, **shipped(2)), order("1002", ADA, MUG, VASE, days_ago=9, **delivered(3))


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Ada@Mail.Example", "ada@mail.example"),
        ("Ada <ada@mail.example>", "ada@mail.example"),
        ("ada@mail.example, eve@evil.example", ""),
        ('"ada@mail.example" <eve@evil.example>', ""),
        ("ada@mail.example\r\nBcc: eve@evil.example", ""),
        ("аda@mail.example", ""),
        ("ada\u200b@mail.example", ""),
        ("undisclosed-recipients:;", ""),
        ("", ""),
    ],
)
def test_a_sender_is_one_plain_address_or_nobody(sender: str, address: str) -> None:
    """Anything that could be two is none."""
    assert address_of(sender) == address


@pytest.mark.parametrize(
    ("text", "intent", "expected"),
    [
        ("where is order 1002?", "where-is-my-order", "1002"),
        ("where is #1001", "where-is-my-order", "1001"),
        ("where is my order?", "where-is-my-order", "1001"),
        ("the vase is cracked", "damaged", "1002"),
        ("order 2001", "damaged", None),
        ("order 10011", "where-is-my-order", None),
        ("orders 1001 and 1002", "cancel", None),
    ],
)
def test_an_order_is_the_sender_s_own_or_none(text: str, intent: str, expected: str | None) -> None:
    """Named, the only open one, or the only one with the item; a foreign number is no order at all."""
    match = match_order(text, (OPEN, DONE), intent=intent, known=None, now=NOW)
    assert (match.order.order_id if match.order else None) == expected


def test_the_order_of_the_thread_is_kept() -> None:
    """Until the text names another one."""
    assert match_order("and now?", (OPEN, DONE), intent="damaged", known="1001", now=NOW).order == OPEN
    assert match_order("no, 1002", (OPEN, DONE), intent="damaged", known="1001", now=NOW).order == DONE


def test_an_affected_line_is_named_or_the_only_one() -> None:
    """Two lines and no name: nobody knows."""
    assert affected_line("it broke", OPEN) == OPEN.lines[0]
    assert affected_line("the tall vase broke", DONE) == DONE.lines[1]
    assert affected_line("it broke", DONE) is None


def test_a_product_is_named_by_sku_or_by_most_of_its_title() -> None:
    """And two that fit equally are none."""
    shelf = (MUG, VASE, MUG.model_copy(update={"sku": "MUG-9", "title": "Enamel mug"}))
    assert match_product("is VASE-2 heavy?", shelf) == VASE
    assert match_product("do you have stoneware mugs?", shelf) == MUG
    assert match_product("do you have mugs?", shelf) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Berg\n12 Rose Street\n10115 Berlin\nGermany", ("Ada Berg", "12 Rose Street", "10115", "Berlin", "DE")),
        ("please send it to 7 Mill Lane, York YO1 7EP, UK", ("Ada", "7 Mill Lane", "YO1 7EP", "York", "GB")),
        ("9 Quay Street\nF91 A2RT Sligo\nIreland", ("Ada", "9 Quay Street", "F91 A2RT", "Sligo", "IE")),
        ("the new address is: Hauptstr. 9, 80331 München", ("Ada", "Hauptstr. 9", "80331", "München", "DE")),
    ],
)
def test_a_whole_address_is_read(text: str, expected: tuple[str, ...]) -> None:
    """Street, postcode and town; name and country may come from the order."""
    found = parse_address(text, name="Ada", country="DE")
    assert found
    assert (found.name, found.line1, found.postcode, found.city, found.country) == expected


@pytest.mark.parametrize("text", ["please send it to Munich", "house number 15", "12 Rose Street", "10115 Berlin", ""])
def test_half_an_address_is_none(text: str) -> None:
    """It is asked for instead."""
    assert parse_address(text, name="Ada", country="DE") is None


def test_only_the_newest_visible_text_is_read() -> None:
    """No quotes, no markup, no invisible characters; a mail that is all quote is read whole."""
    assert newest("new\n\nOn Monday Ada wrote:\n> old") == "new"
    assert newest("> only a quote") == "> only a quote"
    assert visible("<p>a<br>b</p><style>x{}</style><!-- c -->\u200b&amp;").split() == ["a", "b", "&"]


def test_a_subject_is_one_line_with_one_prefix() -> None:
    """Whatever came in."""
    assert reply_subject("RE: Aw: Fwd: my\r\n\torder\u2028x") == "Re: my order x"
    assert reply_subject("") == "Re: your message"


@pytest.mark.parametrize(
    ("text", "thanks"),
    [("Thank you!", True), ("Great, thanks a lot", True), ("Thanks, but where is it?", False), ("ok", False)],
)
def test_a_thank_you_asks_for_nothing(text: str, thanks: bool) -> None:
    """Anything that may want more is not one."""
    assert only_thanks(text) is thanks


@pytest.mark.parametrize("piece", ["<script>", "<!--", "<a ", "> ", "a@", "1.", "to ", "\u200b", "QUJD", "{{", "send to x@x "])
def test_a_mail_made_to_be_slow_is_read_in_time(piece: str) -> None:
    """Reading takes a time that grows with the length, not with its square."""
    mail = piece * (80_000 // len(piece))
    began = process_time()
    signs(mail)
    parse_address(newest(mail), name="Ada", country="DE")
    plain(mail)
    language_of(mail)
    assert process_time() - began < 5
