"""A content piece as a WordPress post, and what a post says of itself. Pure.

The body is one block of HTML, structured data another. A third block, which WordPress keeps and never shows, is our note
on the post: the piece it was made from, a seal over what was written, and the keys under which it was changed. So the
change and its receipt are one write, and a post that somebody else changed is known by its broken seal.
"""

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from pydantic import Field, ValidationError

from domain.entities import ContentPiece, Picture
from domain.errors import Permanent
from domain.ids import digest
from domain.model import Moment, Value

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_NOTE = re.compile(r"\s*<!-- wp:steward/page (\{[^{}]*\}) /-->\s*")
_SHORTCODE = re.compile(r"\[(?![\n\]])")  # in JSON that is written with line breaks, only inside a text
_VOID = {"br", "hr", "img"}
_REMEMBERED = 50  # changes; a key is asked for within days of its use
_LARGEST_NOTE = 5_000_000


class Done(Value):
    """A change of the post: the marks of its key and of its action, when it was made, and what became of the picture."""

    key: str
    action: str
    at: Moment
    picture: str = Field(default="", exclude_if=lambda said: not said)


class Note(Value):
    """``begun`` is a publication of which only the draft is there; ``seal`` is over title, excerpt and content; ``media`` is the
    number of the picture that we gave the post, 0 for none, and ``pictured`` that picture: the piece's, unless that could not be
    had. Notes from before there was ``pictured`` mean the piece's.
    """

    piece: ContentPiece
    seal: str
    media: int = Field(default=0, exclude_if=lambda number: not number)
    pictured: Picture | None = Field(default=None, exclude_if=lambda picture: picture is None)
    done: tuple[Done, ...] = ()
    begun: Done | None = None

    def under(self, key: str, action: str) -> Done | None:
        """What was done under the key with this mark. Raises Permanent where that was another action."""
        known = [*self.done, *([self.begun] if self.begun else [])]
        if any(change.key == key and change.action != action for change in known):
            raise Permanent("this key was used for another change of the site")
        return next((change for change in self.done if change.key == key), None)

    def finished(self, change: Done) -> "Note":
        return self.model_copy(update={"done": (*self.done, change)[-_REMEMBERED:], "begun": None})


def page_mark(slug: str) -> str:
    """One word by which WordPress finds the posts of a page, whatever their address is now."""
    return digest(["page", slug])[:32]


def key_mark(key: str) -> str:
    return digest(key)[:32]


def fields_of(piece: ContentPiece, *, structured_data: bool) -> dict[str, str]:
    """Title, excerpt and content, without a note. The same piece always gives the same."""
    blocks = [_html_block(_body(piece.body))]
    if structured_data and piece.json_ld:
        blocks.append(_html_block(f'<script type="application/ld+json">\n{_script_text(piece.json_ld)}\n</script>'))
    return {"title": _text(piece.title), "excerpt": _text(piece.description), "content": "\n\n".join(blocks)}


def seal_of(fields: Mapping[str, str]) -> str:
    """The same for texts that a browser shows alike: WordPress writes some things in its own way as it stores them."""
    title, excerpt = (" ".join(unescape(fields[name]).split()) for name in ("title", "excerpt"))
    return digest([title, excerpt, _skeleton(_NOTE.sub("\n", fields["content"]))])


def with_note(fields: Mapping[str, str], note: Note) -> dict[str, str]:
    """``fields`` with ``note`` in the content, in place of one that is there."""
    data = b64encode(zlib.compress(note.model_dump_json().encode(), 9)).decode()
    attributes = json.dumps({"page": page_mark(note.piece.slug), "data": data})
    return {**fields, "content": f"{_NOTE.sub('', fields['content'])}\n\n<!-- wp:steward/page {attributes} /-->"}


def note_in(content: str) -> Note | None:
    """None where there is none that can be read."""
    found = _NOTE.search(content)
    if found is None:
        return None
    try:
        inflating = zlib.decompressobj()
        return Note.model_validate_json(inflating.decompress(b64decode(json.loads(found[1])["data"]), _LARGEST_NOTE))
    except (ValueError, LookupError, TypeError, zlib.error, ValidationError):
        return None


def _body(markdown: str) -> str:
    """Without a main heading at its start, since themes show the title as one; what looks like a shortcode stays text."""
    tokens = _MARKDOWN.parse(markdown)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html.strip().replace("[", "&#x5b;")


def _html_block(html: str) -> str:
    return f"<!-- wp:html -->\n{html}\n<!-- /wp:html -->"


def _text(text: str) -> str:
    """WordPress shows titles and excerpts as HTML."""
    return " ".join(escape(text, quote=False).split())


def _script_text(data: dict[str, object]) -> str:
    """JSON that can neither close its script element nor start a shortcode."""
    text = _SHORTCODE.sub(r"\\u005b", json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _skeleton(html: str) -> list[Any]:
    reader = _Skeleton()
    reader.feed(html)
    reader.close()
    return reader.parts


class _Skeleton(HTMLParser):
    """Tags with their attributes in order, comments, and words."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append([tag, *sorted([name, value or ""] for name, value in attrs)])

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.parts.append(["/", tag])

    def handle_comment(self, data: str) -> None:
        self.parts.append(["!", data.strip()])

    def handle_data(self, data: str) -> None:
        if words := data.split():
            self.parts.append(" ".join(words))
