"""The text of a mail: plain where there is plain text, else what its HTML says; attachments are named, not read."""

import re
from email.message import Message
from html.parser import HTMLParser

MAX_CHARACTERS = 20_000
_SILENT = {"script", "style", "head", "title", "template"}
_BREAKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote"}
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
            html.append(text_of_html(_text(part)))
        else:
            attached.append(f"[not read: a part of type {part.get_content_type()}]")
    said = clean("\n".join(p for p in plain if p.strip()) or "\n".join(html)).strip()
    if len(said) > MAX_CHARACTERS:
        said = f"{said[:MAX_CHARACTERS]}\n[cut here: {len(said) - MAX_CHARACTERS:,} more characters]"
    return "\n".join([said, *attached[:20]]).strip()


def clean(text: str) -> str:
    """Without the control characters and lone surrogates that no database takes."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def text_of_html(html: str) -> str:
    """What a reader of the page would see, block elements on lines of their own."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
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


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(re.sub(r"\s+", " ", data))
