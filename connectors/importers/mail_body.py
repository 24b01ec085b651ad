"""The text of a mail: plain where there is plain text, else what its HTML says; attachments are named, not read."""

import re
from email.message import Message
from html import unescape

from domain.wording import counted

MAX_CHARACTERS = 20_000
_RAW = {"script", "style"}  # nothing in them is a tag but their own end
_SILENT = {*_RAW, "head", "title", "template"}
_BREAKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*|[!?])")
_STOP = re.compile(r"""[>"']""")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def body_of(message: Message) -> str:
    """At most ``MAX_CHARACTERS`` and a note on what was cut; notes on attachments at the end."""
    plain, html, attached = [], [], []
    for part in message.walk():
        if part.is_multipart():
            continue
        if part.get_filename() or part.get_content_disposition() == "attachment":
            attached.append(f"[attachment not read: {clean(part.get_filename() or 'without name')} ({part.get_content_type()})]")
        elif part.get_content_type() == "text/plain":
            plain.append(_text(part))
        elif part.get_content_type() == "text/html":
            html.append(_text(part))
        else:
            attached.append(f"[not read: a part of type {part.get_content_type()}]")
    said = clean("\n".join(p for p in plain if p.strip()) or "\n".join(map(text_of_html, html))).strip()
    if len(said) > MAX_CHARACTERS:
        said = f"{said[:MAX_CHARACTERS]}\n[cut here: {counted(len(said) - MAX_CHARACTERS, 'more character')}]"
    return "\n".join([said, *attached[:20]]).strip()


def clean(text: str) -> str:
    """Without the control characters and lone surrogates that no database takes."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def text_of_html(html: str) -> str:
    """What a reader of the page would see, block elements on lines of their own."""
    reader = _Reader(html)
    reader.read()
    lines = (re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in "".join(reader.said).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _text(part: Message) -> str:
    """Decoded as declared; what does not decode becomes a replacement character."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset nobody knows
        return raw.decode("utf-8", "replace")


class _Reader:
    """Every character is looked at a fixed number of times, whatever a stranger wrote: ``html.parser`` looks for the end of
    each tag anew where none ends, and a small mail could keep it busy for minutes.
    """

    def __init__(self, html: str) -> None:
        self._html = html
        lowered = html.lower()
        self._small = lowered if len(lowered) == len(html) else html  # of a few letters the small one is longer
        self._missing: set[str] = set()  # what was looked for once and does not come any more
        self._silent = 0
        self.said: list[str] = []

    def read(self) -> None:
        place = 0
        while (start := self._html.find("<", place)) >= 0:
            self._say(self._html[place:start])
            place = self._after_markup(start)
        self._say(self._html[place:])

    def _after_markup(self, start: int) -> int:
        """Where the text goes on behind what begins at ``start``."""
        if self._html.startswith("<!--", start):
            return self._behind("-->", start + 4)
        tag = _TAG.match(self._html, start)
        if tag is None:
            self._say("<")
            return start + 1
        closing, name = tag[1] == "/", tag[2].lower()
        end = self._end_of_tag(tag.end())
        if name in _RAW and not closing:
            return self._end_of_tag(self._behind(f"</{name}", end))
        if name in _SILENT:
            self._silent = max(0, self._silent - 1) if closing else self._silent + 1
        elif name in _BREAKS:
            self.said.append("\n")
        return end

    def _end_of_tag(self, place: int) -> int:
        """Behind the next ``>`` that is not in quotes."""
        while found := _STOP.search(self._html, place):
            if found[0] == ">":
                return found.end()
            closed = self._find(found[0], found.end())
            place = found.end() if closed is None else closed + 1
        return len(self._html)

    def _behind(self, wanted: str, place: int) -> int:
        found = self._find(wanted, place)
        return len(self._html) if found is None else found + len(wanted)

    def _find(self, wanted: str, place: int) -> int | None:
        if wanted in self._missing or (found := self._small.find(wanted, place)) < 0:
            self._missing.add(wanted)
            return None
        return found

    def _say(self, text: str) -> None:
        if text and not self._silent:
            self.said.append(re.sub(r"\s+", " ", unescape(text)))
