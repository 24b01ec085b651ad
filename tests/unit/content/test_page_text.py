"""A page is read as its visitors see it."""

from agents.skills.page_text import page_text, reading_ease

PAGE = """# Mugs

A *wide* mug, see [more](https://mill.example/mugs/) and https://else.example/x.

## How big?

- 9 cm
- <b>round</b>

![picture](/mug.png)
"""


def test_text_and_sections() -> None:
    """Markup is gone, and each heading has the blocks that stand under it."""
    page = page_text(PAGE)
    assert page.blocks[0] == "Mugs"
    assert "A wide mug, see more" in page.text
    assert [(heading.level, heading.text) for heading in page.headings] == [(1, "Mugs"), (2, "How big?")]
    assert page.sections[1][1][0] == "9 cm"


def test_links_and_html() -> None:
    """Every address is found, whether it is a link, a picture or bare text; raw HTML is noticed."""
    page = page_text(PAGE)
    assert set(page.links) == {"https://mill.example/mugs/", "https://else.example/x.", "/mug.png"}
    assert page.raw_html
    assert not page_text("a < b and *c*").raw_html


def test_reading_ease() -> None:
    """The formula gives what Flesch's example of easy and hard prose asks for."""
    easy = "The cat sat on the mat. It was a warm day."
    hard = "Organisational responsibilities necessitate comprehensive documentation procedures."
    assert reading_ease(easy) > 90
    assert reading_ease(hard) < 0
    assert reading_ease("") == 0
