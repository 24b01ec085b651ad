"""What strangers wrote is shown, never obeyed; and the small words people type."""

import io
import json
import unicodedata
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.assignments import assigned, differences
from cli.choosing import choose
from cli.output import plain, print_json, print_table, say
from cli.showing import Question, print_shown
from cli.times import Times
from domain.actions import PublishContent
from domain.decisions import Diff, Why
from domain.entities import ContentPiece
from domain.errors import InvalidInput, NotFound
from domain.wording import left, parse_duration
from tests.cli.files import HOSTILE
from tests.unit.learning.waiting import question

DOCUMENT = {"limit": {"amount": "25", "currency": "EUR"}, "languages": ["en"], "name": "x", "rules": {"a": 1}, "on": True}


def printed(what: Any, *values: Any, **named: Any) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        what(*values, **named)
    return out.getvalue()


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    """Only tabs, newlines and visible characters are left; nothing hides or turns the text."""
    assert not [c for c in plain(text) if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\n"]
    assert not set(plain(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def test_markup_of_strangers_is_shown_as_they_wrote_it() -> None:
    """In lines, titles and cells, and no escape sequence comes through."""
    for shown in (printed(say, HOSTILE), printed(print_table, HOSTILE, ("what",), [(HOSTILE,)])):
        assert "[bold red]pay me[/bold red] :smile:" in shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e")


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same_without_steering(value: Any) -> None:
    """Characters that would act on a terminal are escaped, and read back as they were."""
    shown = printed(print_json, value)
    assert json.loads(shown) == value
    assert not set(shown) & set("\x1b\x07\x9b\u202e\x7f")


def test_a_field_is_found_by_its_last_name() -> None:
    """Where a name stands deeper, the hint is what to type."""
    order = {"purchase_order": {"lines": [{"sku": "MUG", "units": 5}, {"sku": "CUP", "units": 3}]}}
    with pytest.raises(InvalidInput) as refused:
        assigned(order, ["units=4"])
    assert refused.value.hint == "did you mean purchase_order.lines.0.units or purchase_order.lines.1.units?"
    assert assigned(order, ["purchase_order.lines.1.units=4"])["purchase_order"]["lines"][1]["units"] == 4


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("titel=x", "did you mean title?"),
        ("piece.titel=x", "did you mean title?"),
        ("descripton=x", "did you mean piece.description?"),
        ("zzz=x", "there is title, piece"),
    ],
)
def test_a_misspelt_field_is_guessed(typed: str, hint: str) -> None:
    """Wherever one of a name like it stands."""
    with pytest.raises(InvalidInput) as refused:
        assigned({"title": "a", "piece": {"description": "b"}}, [typed])
    assert refused.value.hint == hint


def shown(page: PublishContent, *, full: bool = False) -> str:
    asked = question(page)
    diff = Diff(record="content/mug", record_version="0", before={"piece": None}, after=page.model_dump(mode="json"))
    why = Why(reason="asked", facts={f"product/MUG#{n}": f"value {n}" for n in range(20)})
    proposal = asked.proposal.model_copy(update={"diff": diff, "why": why})
    whole = Question(approval=asked.model_copy(update={"proposal": proposal}), ticket=None)
    return printed(print_shown, whole, Times("Europe/Berlin"), full=full)


PAGE = PublishContent(
    piece=ContentPiece(
        slug="mug",
        kind="faq",
        title="Choosing a mug",
        description="Which one to take.",
        keyword="mug",
        body="\n".join(f"line {n}" for n in range(40)),
        json_ld={"@graph": [{"@type": "Article", "headline": "Choosing a mug"}]},
    )
)


def test_a_page_is_shown_by_its_beginning_and_what_is_left_out_is_named() -> None:
    """Nothing of it as a program keeps it; all of it on request."""
    short, whole = shown(PAGE), shown(PAGE, full=True)
    assert "title: Choosing a mug" in short
    assert ("line 11" in short, "line 12" in short, "line 39" in whole) == (True, False, True)
    assert "left out: 28 more lines of the text, structured data, 12 more facts; --full shows it" in short
    assert ("@graph" in short, "{" in short, "left out" in whole) == (False, False, False)


def test_times_are_in_the_operators_zone_and_name_it() -> None:
    """Summer and winter."""
    times = Times("Europe/Berlin")
    moments = [datetime(2026, month, 3, 7, 15, tzinfo=UTC) for month in (3, 7)]
    assert [times.clock(m) for m in moments] == ["Tue 3 Mar 08:15 CET", "Fri 3 Jul 09:15 CEST"]
    assert times.stamp(moments[0]) == "2026-03-03 08:15:00 CET"


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("2h", 120), ("1d12h", 2160), ("1.5h", 90)])
def test_durations_are_read_as_people_write_them(text: str, minutes: int) -> None:
    """Minutes, hours, days and weeks, also several in a row."""
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1h!", "9999999w", "999999w", "1e9h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Also one that no calendar holds."""
    with pytest.raises(InvalidInput):
        parse_duration(text)


def test_what_is_left_is_said_in_two_units() -> None:
    """Never negative."""
    said = [left(timedelta(minutes=m)) for m in (3000, 125, 5, -5)]
    assert said == ["2 d 2 h", "2 h 5 min", "5 min", "0 min"]


@pytest.mark.parametrize(
    ("assignment", "changed"),
    [
        ("limit=40", ("limit.amount", "25", "40")),
        ("languages=en,de", ("languages", ["en"], ["en", "de"])),
        ("on=false", ("on", True, False)),
        ("name=a=b", ("name", "x", "a=b")),
        ("rules.b=2", ("rules.b", None, 2)),
    ],
)
def test_values_take_the_kind_of_what_was_there(assignment: str, changed: tuple[str, Any, Any]) -> None:
    """Money as a number, lists by commas, texts as they are; a free part may grow."""
    assert differences(DOCUMENT, assigned(DOCUMENT, [assignment], grow=True)) == [changed]


@pytest.mark.parametrize("assignment", ["limit", "=1", "nope=1", "limit.amount.x=1", "languages.7=de", "limit=plenty"])
def test_what_is_no_assignment_is_refused(assignment: str) -> None:
    """Fields that are not there, and amounts that are none."""
    with pytest.raises(InvalidInput):
        assigned(DOCUMENT, [assignment], grow=True)


def test_an_id_may_be_shortened_to_what_names_one_thing() -> None:
    """The whole id wins over the beginning of others, the beginning over the middle."""
    ids = ["aaab", "aaabc", "xaabc"]

    def chosen(which: str) -> str:
        return choose(ids, which, key=str, what="thing", hint="look")

    assert (chosen("aaab"), chosen("aaabc"), chosen("xaab")) == ("aaab", "aaabc", "xaabc")
    with pytest.raises(InvalidInput, match="names 2 things"):
        choose(["xaabc", "yaabc"], "aabc", key=str, what="thing", hint="look")
    with pytest.raises(NotFound):
        chosen("zzzz")
    for short in ("", "x", "aaa"):
        with pytest.raises(InvalidInput, match="too short"):
            chosen(short)
