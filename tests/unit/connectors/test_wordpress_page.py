"""A piece as a WordPress post: what is written, what is hidden, and how other hands are known."""

from typing import Any

import pytest

from connectors.wordpress_page import Done, Note, fields_of, note_in, seal_of, with_note
from domain.entities import ContentPiece
from domain.errors import Permanent
from tests.contract.outside_cases import NOW, page

BODY = """# Mugs

Line one
line two with [gallery] and <script>x</script> & more.

| a | b |
|:--|--:|
| 1 | 2 |
"""


def piece(**changes: Any) -> ContentPiece:
    return page().piece.model_copy(update={"body": BODY, **changes})


def noted(change: Done | None = None) -> Note:
    fields = fields_of(piece(), structured_data=True)
    return Note(piece=piece(), seal=seal_of(fields), begun=change)


def test_the_body_is_html_without_the_main_heading_and_without_shortcodes() -> None:
    """Themes show the title as main heading; what looks like code of either kind stays text."""
    content = fields_of(piece(), structured_data=True)["content"]
    assert "<h1>" not in content
    assert "&#x5b;gallery]" in content
    assert "&lt;script&gt;" in content
    assert '<th style="text-align:left">a</th>' in content


def test_titles_and_excerpts_are_text() -> None:
    """WordPress would take them for HTML."""
    fields = fields_of(piece(title='A <b> & "C"', description="x < y\n z"), structured_data=True)
    assert (fields["title"], fields["excerpt"]) == ('A &lt;b&gt; &amp; "C"', "x &lt; y z")


def test_a_note_comes_back_whole_and_is_replaced_by_the_next() -> None:
    """Whatever the piece contains: it can neither end its block nor be read as HTML."""
    fields = fields_of(piece(), structured_data=True)
    first = with_note(fields, noted().model_copy(update={"piece": piece(keyword='--> <!-- "{}" /-->')}))
    again = with_note(first, noted())
    assert note_in(first["content"]).piece.keyword == '--> <!-- "{}" /-->'  # type: ignore[union-attr]
    assert note_in(again["content"]) == noted()
    assert again["content"].count("wp:steward/page") == 1


@pytest.mark.parametrize("content", ["", "<p>x</p>", "<!-- wp:steward/page {} /-->", '<!-- wp:steward/page {"data": "AAAA"} /-->'])
def test_what_is_no_note_is_none(content: str) -> None:
    assert note_in(content) is None


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("<p>a<br>b</p>", "<p>a<br />\nb</p>"),
        ('<td style="x" class="y">1</td>', '<td class="y" style="x">1</td>'),
        ("<p>&quot;a&#x5b;</p>", '<p>"a&#x5B;</p>'),
    ],
)
def test_the_seal_holds_where_a_browser_shows_the_same(written: str, stored: str) -> None:
    """WordPress has its own way of writing some things."""
    texts = {"title": "A &amp; B", "excerpt": ""}
    assert seal_of({**texts, "content": written}) == seal_of({**texts, "title": "A & B", "content": stored})


@pytest.mark.parametrize("stored", ["<p>a c</p>", "<b>a b</b>", '<p class="x">a b</p>', "<p>a b</p><script>1</script>"])
def test_the_seal_breaks_where_it_is_another_text(stored: str) -> None:
    texts = {"title": "A", "excerpt": ""}
    assert seal_of({**texts, "content": "<p>a b</p>"}) != seal_of({**texts, "content": stored})


def test_the_seal_does_not_cover_the_note() -> None:
    """It is in the content, and holds the seal."""
    fields = fields_of(piece(), structured_data=True)
    assert seal_of(with_note(fields, noted())) == seal_of(fields)


def test_a_key_belongs_to_one_action() -> None:
    """Begun is not done, but it claims the key; the oldest keys are forgotten at last."""
    change = Done(key="k", action="a", at=NOW)
    assert noted(change).under("k", "a") is None
    with pytest.raises(Permanent, match="another change"):
        noted(change).under("k", "b")
    note = noted(change).finished(change)
    assert note.under("k", "a") == change
    for number in range(50):
        note = note.finished(Done(key=str(number), action="a", at=NOW))
    assert (note.under("k", "a"), len(note.done)) == (None, 50)
