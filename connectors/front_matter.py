"""A content piece as Markdown with YAML front matter: what Hugo, Astro and Jekyll read."""

import json
from datetime import datetime
from typing import Any

import yaml

from domain.entities import ContentPiece, ContentStatus


def rendered(piece: ContentPiece, *, first: datetime, last: datetime) -> bytes:
    """The page's file. The same piece and dates always give the same bytes."""
    matter: dict[str, Any] = {
        "title": piece.title,
        "description": piece.description,
        "date": first.isoformat(),
        "lastmod": last.isoformat(),
        "slug": piece.slug,
        "keyword": piece.keyword,
        "tags": [piece.kind],
        "skus": list(piece.skus),
        "language": piece.language,
        "revision": piece.revision,
        "draft": piece.status is not ContentStatus.PUBLISHED,
        "json_ld": _script_text(piece.json_ld),
        **({"image": piece.picture.url, "image_alt": piece.picture.alt} if piece.picture else {}),
    }
    text = yaml.safe_dump(matter, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{text}---\n\n{piece.body.strip()}\n".encode()


def _script_text(data: dict[str, object]) -> str:
    """The data as one text that can stand in a script element: some generators change the keys of a mapping."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c") if data else ""
