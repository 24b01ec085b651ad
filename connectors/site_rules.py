"""What every site is asked, and what it shows of it: shared by all that publish pages. Pure."""

import re
from typing import Any

from domain.actions import Action, PublishContent, UnpublishContent
from domain.decisions import Diff
from domain.entities import ContentPiece
from domain.errors import Permanent

ABSENT = "absent"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

SiteAction = PublishContent | UnpublishContent


def site_action(action: Action) -> SiteAction:
    """``action`` as one a site understands. Raises Permanent."""
    if isinstance(action, SiteAction):
        return action
    raise Permanent(f"the site cannot {action.kind}")


def slug_of(action: SiteAction) -> str:
    """The page's slug, which cannot lead out of the folder. Raises Permanent."""
    slug = action.piece.slug if isinstance(action, PublishContent) else action.slug
    if not _SLUG.fullmatch(slug):
        raise Permanent(f"{slug!r} is not a slug", hint="lower-case letters, digits and single hyphens")
    return slug


def site_diff(action: SiteAction, before: ContentPiece | None, version: str) -> Diff:
    """Raises Permanent where there is no page to take down."""
    slug = slug_of(action)
    if isinstance(action, UnpublishContent) and before is None:
        raise Permanent(f"there is no page {slug} to take down")
    after = action.piece if isinstance(action, PublishContent) else None
    return Diff(record=f"content/{slug}", record_version=version, before=_shown(before), after=_shown(after))


def _shown(piece: ContentPiece | None) -> dict[str, Any]:
    return {"piece": piece.model_dump(mode="json") if piece else None}
