"""What a reply may not contain: figures without a fact, foreign links and addresses, promises nobody made. Pure."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from agents.audit.figures import unsupported
from agents.audit.findings import block, hold
from domain.decisions import Finding

_MAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
_LINK = re.compile(r"(?:https?:)?//[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+", re.IGNORECASE)
_HOST = re.compile(
    r"(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|io|co|shop|store|app|dev|xyz|site|online|ru|cn|top|link|click|me|tv|"
    r"de|at|ch|eu|uk|fr|it|es|nl|be|pl|us|example|test)\b(?:/[^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\b(?:refund(?:ed|s)?|replacement|replace|voucher|coupon|discount|gift card|compensat\w+|free of charge|for free|guarantee\w*|"
    r"reimburse\w*|credit(?:ed)?|legal\w*|liab\w+|warrant\w+|cancel(?:led|lation)?)\b",
    re.IGNORECASE,
)


def text_findings(
    text: str, *, facts: Mapping[str, str], templates: Iterable[str], mails: Iterable[str], site_url: str
) -> tuple[Finding, ...]:
    """Findings about a reply's ``text``.

    ``facts`` are what it may state, ``templates`` the wording the shop allows for the case, ``mails`` the addresses it may name.
    """
    wording = tuple(templates)
    known = (*facts.values(), *wording)
    return (
        *(hold("figure-without-fact", f"{f!r} stands in no fact") for f in sorted(unsupported(text, known))),
        *(block("foreign-mail-address", f"{m!r} is not the customer's address") for m in _foreign_mails(text, mails, known)),
        *(block("foreign-link", f"{u!r} is not on the shop's site") for u in _foreign_links(text, site_url, known)),
        *(hold("promise-without-ground", f"{p!r} is not in the playbook") for p in _new_promises(text, known)),
    )


def _foreign_mails(text: str, allowed: Iterable[str], known: Iterable[str]) -> list[str]:
    fine = {m.lower() for m in allowed} | {m.lower() for source in known for m in _MAIL.findall(source)}
    return sorted({m for m in _MAIL.findall(text) if m.lower() not in fine})


def _foreign_links(text: str, site_url: str, known: Iterable[str]) -> list[str]:
    site = _host(site_url)
    plain = _MAIL.sub(" ", text)
    given = " ".join(known)
    links = {match[0].rstrip(".,;") for pattern in (_LINK, _HOST) for match in pattern.finditer(plain)}
    return sorted(link for link in links if not _within(_host(link), site) and link not in given)


def _host(url: str) -> str:
    absolute = url if "//" in url else f"//{url}"
    try:
        return (urlsplit(absolute).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def _within(host: str, site: str) -> bool:
    return bool(site) and (host == site or host.endswith(f".{site}"))


def _new_promises(text: str, known: Iterable[str]) -> list[str]:
    given = " ".join(known).lower()
    return sorted({p.lower() for p in _PROMISE.findall(text) if p.lower() not in given})
