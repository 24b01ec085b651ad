"""Would a search engine and its users be served by this page? Checks in code; the limits are policy. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from agents.skills.page_text import PageText, page_text, reading_ease, words
from agents.skills.schema_org import structured_data_problems
from domain.decisions import Finding, Severity
from domain.entities import ContentPiece
from domain.policies import ContentPolicy
from domain.wording import counted

TITLE_LENGTH = (15, 65)
"""Characters; search engines cut titles at about 600 pixels, which is some 65 characters."""
DESCRIPTION_LENGTH = (50, 160)
SHINGLE = 5
"""Words of a shingle (Broder 1997)."""
_TEMPLATE_CODE = re.compile(r"\{\{|\{%|\{:|\{#")
"""Liquid, Hugo shortcodes, attribute lists: they are run before the Markdown is read."""
_MAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")


def seo_audit(piece: ContentPiece, *, policy: ContentPolicy, site_url: str, others: Sequence[ContentPiece]) -> tuple[Finding, ...]:
    """Findings about ``piece``; ``others`` are the shop's own pages, among which it may already be."""
    page = page_text(piece.body)
    return (
        *title_findings(piece.title, piece.keyword),
        *_length("description", piece.description, DESCRIPTION_LENGTH),
        *_headings(page),
        *_links(page, piece, site_url),
        *(_finding("structured-data", Severity.BLOCK, problem) for problem in structured_data_problems(piece.kind, piece.json_ld)),
        *_wording(page, piece, policy),
        *_duplicates(page, piece, policy, others),
    )


def title_findings(title: str, keyword: str) -> tuple[Finding, ...]:
    """What is to be said against a title alone, before there is a page."""
    return (*_length("title", title, TITLE_LENGTH), *_keyword(title, keyword))


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the sets of word 5-shingles of two texts, 0 to 1 (Broder 1997), computed exactly."""
    left, right = _shingles(one), _shingles(other)
    return len(left & right) / len(left | right) if left | right else 0.0


def keyword_density(text: str, keyword: str) -> float:
    """Occurrences of ``keyword`` in ``text`` by its number of words."""
    counted = words(text)
    phrase = words(keyword)
    if not counted or not phrase:
        return 0.0
    hits = sum(counted[i : i + len(phrase)] == phrase for i in range(len(counted)))
    return hits / len(counted)


def _length(name: str, text: str, limits: tuple[int, int]) -> Iterable[Finding]:
    least, most = limits
    if not least <= len(text) <= most:
        yield _finding(
            f"{name}-length", Severity.HOLD, f"the {name} has {counted(len(text), 'character')}, good are {least} to {most}"
        )


def _keyword(title: str, keyword: str) -> Iterable[Finding]:
    if keyword and keyword.lower() not in title.lower():
        yield _finding("keyword-missing", Severity.HOLD, f"the title does not name {keyword!r}")


def _headings(page: PageText) -> Iterable[Finding]:
    levels = [heading.level for heading in page.headings]
    if levels.count(1) != 1:
        yield _finding("one-h1", Severity.HOLD, f"the page has {levels.count(1)} main headings, it needs exactly one")
    if levels and levels[0] != 1:
        yield _finding("heading-order", Severity.HOLD, "the first heading is not the main one")
    if any(below > above + 1 for above, below in pairwise(levels)):
        yield _finding("heading-order", Severity.HOLD, "a heading level is left out")


def _links(page: PageText, piece: ContentPiece, site_url: str) -> Iterable[Finding]:
    if page.raw_html:
        yield _finding("raw-html", Severity.BLOCK, "the page contains raw HTML")
    if _TEMPLATE_CODE.search(piece.body):
        yield _finding("template-code", Severity.BLOCK, "the page contains what a site generator would run as template code")
    known = {mail.lower() for value in piece.facts.values() for mail in _MAIL.findall(value)}
    for link in dict.fromkeys(page.links):
        if not _own(link, site_url, known):
            yield _finding("foreign-link", Severity.BLOCK, f"{link!r} does not lead to the shop's own site")
    for mail in dict.fromkeys(_MAIL.findall(page.text)):
        if mail.lower() not in known:
            yield _finding("foreign-mail-address", Severity.BLOCK, f"{mail!r} stands in no fact")


def _own(link: str, site_url: str, mails: set[str]) -> bool:
    try:
        parts = urlsplit(link if not link.lower().startswith("www.") else f"//{link}")
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return parts.path.lower() in mails
    if parts.netloc:
        return parts.scheme in {"", "http", "https"} and parts.netloc.lower() == urlsplit(site_url).netloc.lower()
    return not parts.scheme and "\\" not in link


def _wording(page: PageText, piece: ContentPiece, policy: ContentPolicy) -> Iterable[Finding]:
    count = len(page.text.split())
    if count < policy.minimum_words:
        yield _finding("too-short", Severity.HOLD, f"the page has {counted(count, 'word')}, the least is {policy.minimum_words}")
    ease = reading_ease(page.text)
    if ease < policy.minimum_reading_ease:
        yield _finding(
            "hard-to-read", Severity.HOLD, f"the reading ease is {ease:.0f}, the least is {policy.minimum_reading_ease:.0f}"
        )
    density = keyword_density(page.text, piece.keyword)
    if density > policy.maximum_keyword_density:
        limit = policy.maximum_keyword_density
        yield _finding(
            "keyword-stuffing", Severity.HOLD, f"{piece.keyword!r} makes up {density:.1%} of the words, at most {limit:.1%}"
        )


def _duplicates(page: PageText, piece: ContentPiece, policy: ContentPolicy, others: Sequence[ContentPiece]) -> Iterable[Finding]:
    for other in others:
        if other.slug == piece.slug:
            continue
        alike = similarity(page.text, page_text(other.body).text)
        if alike > policy.maximum_similarity:
            yield _finding("near-duplicate", Severity.BLOCK, f"{alike:.0%} of the page is the same as {other.slug!r}")


def _shingles(text: str) -> set[tuple[str, ...]]:
    tokens = re.findall(r"\w+", text.lower())
    return {tuple(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1))} if tokens else set()


def _finding(code: str, severity: Severity, text: str) -> Finding:
    return Finding(code=code, severity=severity, text=text)
