"""A Markdown page as its readers and a search engine get it: headings, blocks of plain text, links. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BARE_URL = re.compile(r"(?:https?:)?//[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouyäöüéèáà]+")
_SILENT_E = re.compile(r"(?<!l)e$")
_SILENT_ES = re.compile(r"es$")
_SPOKEN_ES = re.compile(r"(?:[sxz]|[cs]h|[cg])es$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class _AnyLink(MarkdownIt):
    """CommonMark with tables that reads every link, because other renderers make links of "javascript:" too."""

    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002 - the library's signature
        return True


_PARSER = _AnyLink("commonmark").enable("table")


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class PageText:
    """``blocks`` are paragraphs, list items, cells and headings in reading order; ``sections`` pair a heading with its blocks."""

    blocks: tuple[str, ...]
    sections: tuple[tuple[Heading, tuple[str, ...]], ...]
    links: tuple[str, ...]
    raw_html: bool

    @property
    def headings(self) -> tuple[Heading, ...]:
        return tuple(heading for heading, _ in self.sections)

    @property
    def text(self) -> str:
        return "\n".join(self.blocks)


def page_text(markdown: str) -> PageText:
    """Parse ``markdown`` (CommonMark with tables)."""
    tokens = _PARSER.parse(markdown)
    blocks: list[str] = []
    sections: list[tuple[Heading, list[str]]] = []
    for previous, token in pairwise(tokens):
        if token.type != "inline":
            continue
        text = "".join(_plain(token.children or []))
        blocks.append(text)
        if previous.type == "heading_open":
            sections.append((Heading(int(previous.tag[1]), text), []))
        elif sections:
            sections[-1][1].append(text)
    inline = [child for token in tokens for child in (token.children or [])]
    return PageText(
        blocks=tuple(blocks),
        sections=tuple((heading, tuple(under)) for heading, under in sections),
        links=tuple(_links(inline, blocks)),
        raw_html=any(token.type in {"html_block", "html_inline"} for token in (*tokens, *inline)),
    )


def words(text: str) -> list[str]:
    """The words of ``text`` in lower case; figures are not words."""
    return [word.lower() for word in _WORD.findall(text)]


def sentences(text: str) -> list[str]:
    """Sentences; the end of a line ends one too."""
    return [part for line in text.splitlines() for part in _SENTENCE_END.split(line.strip()) if part]


def reading_ease(text: str) -> float:
    """Flesch reading ease (Flesch 1948): 206.835 - 1.015 words per sentence - 84.6 syllables per word; 100 is very easy."""
    counted = [words(sentence) for sentence in sentences(text)]
    lengths = [len(sentence) for sentence in counted if sentence]
    if not lengths:
        return 0.0
    syllables = sum(_syllables(word) for sentence in counted for word in sentence)
    return 206.835 - 1.015 * sum(lengths) / len(lengths) - 84.6 * syllables / sum(lengths)


def _syllables(word: str) -> int:
    """Groups of vowels, less a silent ending: "stone", "plates", but not "table", "dishes"."""
    silent = _SILENT_E.search(word) or (_SILENT_ES.search(word) and not _SPOKEN_ES.search(word))
    return max(1, len(_VOWELS.findall(word)) - bool(silent))


def _plain(children: list[Token]) -> Iterator[str]:
    for child in children:
        match child.type:
            case "text" | "code_inline":
                yield child.content
            case "image":
                yield from _plain(child.children or [])
            case "softbreak" | "hardbreak":
                yield " "


def _links(inline: list[Token], blocks: list[str]) -> Iterator[str]:
    for token in inline:
        yield from (str(token.attrs[name]) for name in ("href", "src") if name in token.attrs)
    for block in blocks:
        yield from _BARE_URL.findall(block)
