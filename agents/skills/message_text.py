"""What a stranger's mail really says: markup, invisible characters and quoted history taken away. Pure."""

import html
import re
import unicodedata
from email.utils import parseaddr

LIMIT = 20_000
"""Characters of a message that are looked at. Nobody asks a shop anything after that."""

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_UNREAD = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<head", "</head>"))
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_BLOCK_END = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_QUOTE_HEAD = re.compile(
    r"^\s*(?:on .{4,120} wrote:|am .{4,120} schrieb.*:|-{2,}\s*original message\s*-{2,}|_{10,}|from: .+)\s*$", re.IGNORECASE
)
_THANKS = re.compile(r"\b(thanks|thank you|thx|cheers|perfect|great|wonderful|got it|much appreciated|danke)\b", re.IGNORECASE)
_WANTS_MORE = re.compile(r"\?|\b(but|however|still|not|when|where|why|how|please|can you|could you|order|refund)\b", re.IGNORECASE)


def address_of(sender: str) -> str:
    """The bare mail address in lower case; empty where ``sender`` is not exactly one plain ASCII address."""
    if any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in sender) or sender.count("@") != 1:
        return ""
    address = parseaddr(sender)[1].strip()
    return address.lower() if _ADDRESS.fullmatch(address) else ""


def without_invisible(text: str) -> str:
    """``text`` without control and format characters (zero width, direction overrides, tags); line ends and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def visible(body: str) -> str:
    """The text as a reader sees it, with markup and invisible characters removed and at most ``LIMIT`` long."""
    text = body[: 4 * LIMIT].replace("\r\n", "\n").replace("\r", "\n")
    for opening, closing in _UNREAD:
        text = _without(text, opening, closing)
    text = html.unescape(_TAG.sub(" ", _BLOCK_END.sub("\n", text)))
    return unicodedata.normalize("NFKC", without_invisible(text))[:LIMIT].strip()


def _without(text: str, opening: str, closing: str) -> str:
    """``text`` without what lies between the two, in one pass: a pattern takes minutes on a mail that is made for it."""
    lower = text.lower()
    lower = lower if len(lower) == len(text) else text  # a few letters grow in lower case, and positions have to agree
    kept, at = [], 0
    while (start := lower.find(opening, at)) >= 0 and (end := lower.find(closing, start)) >= 0:
        kept.append(text[at:start])
        at = end + len(closing)
    return " ".join((*kept, text[at:]))


def newest(body: str) -> str:
    """The visible text above quoted history; all of it where nothing stands above."""
    kept: list[str] = []
    for line in visible(body).split("\n"):
        if _QUOTE_HEAD.match(line):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip() or visible(body)


def one_line(text: str, *, limit: int = 150) -> str:
    """``text`` as one line that is safe in a mail header."""
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return " ".join(without_invisible(spaced).split())[:limit].strip()


def reply_subject(subject: str) -> str:
    plain = re.sub(r"^(?:(?:re|aw|fwd?|wg)\s*:\s*)+", "", one_line(subject), flags=re.IGNORECASE)
    return f"Re: {plain or 'your message'}"


def only_thanks(text: str) -> bool:
    """A short message that thanks and asks for nothing."""
    return len(text) < 160 and bool(_THANKS.search(text)) and not _WANTS_MORE.search(text)
