"""A site kept as a folder of Markdown files, which any static site generator reads.

``content/<slug>.md`` is the page and the only truth. ``.revisions/<slug>/`` keeps every version that was ever there
and ``.receipts/`` what was done under which key. A change is written down in ``.pending.json`` first, done by one
rename or removal of the page, and confirmed by turning the pending file into the receipt. Whoever comes after a
crash sees from the page itself whether the change happened, and confirms or forgets it.
"""

import asyncio
import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from connectors.files import after_the_fact, file_errors, locked, looking, move_whole, replace_whole, sync_directory
from connectors.front_matter import rendered
from domain.actions import Action, Capability, PublishContent, Receipt, UnpublishContent
from domain.decisions import Diff
from domain.entities import ContentPiece
from domain.errors import Permanent, Stale
from domain.ids import derived_id, digest
from domain.model import Moment, Value

ABSENT = "absent"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

SiteAction = PublishContent | UnpublishContent


class Revision(Value):
    """A version of a page that was published; its bytes are in ``<number>.md`` beside the index."""

    number: int
    sha256: str
    piece: ContentPiece


class History(Value):
    """The index of a page's revisions, oldest first."""

    first_published: Moment | None = None
    revisions: tuple[Revision, ...] = ()

    def with_bytes(self, sha256: str) -> Revision | None:
        return next((r for r in reversed(self.revisions) if r.sha256 == sha256), None)

    def grown(self, revision: Revision) -> "History":
        if any(known.number == revision.number for known in self.revisions):
            return self
        return History(first_published=self.first_published or revision.piece.published_at, revisions=(*self.revisions, revision))


class Change(Value):
    """What is being done, or was done, under a key. ``after`` is the page's version once it is done."""

    key: str
    action: str = Field(description="digest of the action")
    slug: str
    after: str
    receipt: Receipt
    revision: Revision | None = None


class FolderSite:
    name = "folder-site"
    capability = Capability.SITE

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pending = root / ".pending.json"

    async def check(self) -> str:
        return await asyncio.to_thread(self._check)

    async def preview(self, action: Action) -> Diff:
        return await asyncio.to_thread(self._preview, site_action(action))

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        return await asyncio.to_thread(self._execute, site_action(action), key, expected_version, now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await asyncio.to_thread(self._find_receipt, action, key)

    async def snapshot(self) -> dict[str, Any]:
        """Every page's path and text: the outside state without its bookkeeping."""
        return await asyncio.to_thread(self._snapshot)

    def _check(self) -> str:
        with file_errors("could not open the site"), locked(self._root):
            self._recover()
            return f"{len(list(self._pages()))} pages in {self._root}"

    def _preview(self, action: SiteAction) -> Diff:
        slug = slug_of(action)
        with file_errors("could not read the site"), locked(self._root):
            self._recover()
            before = self._published(slug)
            version = self._version(slug)
        return site_diff(action, before, version)

    def _execute(self, action: SiteAction, key: str, expected_version: str, now: datetime) -> Receipt:
        slug = slug_of(action)
        with file_errors(f"could not change the page {slug}"), locked(self._root):
            self._recover()
            if receipt := self._receipt(action, key):
                return receipt
            version = self._version(slug)
            if version != expected_version:
                raise Stale(f"the page {slug} is not what it was when the change was shown")
            site_diff(action, self._published(slug), version)
            change = self._begin(action, key, now)
            self._apply(change)
        return change.receipt

    def _find_receipt(self, action: Action, key: str) -> Receipt | None:
        with looking("could not read the site"), locked(self._root):
            self._recover()
            return self._receipt(action, key)

    def _begin(self, action: SiteAction, key: str, now: datetime) -> Change:
        """Write down what is about to happen, and keep the bytes of a new revision."""
        receipt = Receipt(reference=str(derived_id(self.name, key)), at=now)
        change = Change(key=key, action=action.digest(), slug=slug_of(action), after=ABSENT, receipt=receipt)
        if isinstance(action, PublishContent):
            history = self._history(change.slug)
            piece = action.piece.model_copy(update={"published_at": action.piece.published_at or now})
            last = piece.published_at or now
            page = rendered(piece, first=history.first_published or last, last=last)
            revision = Revision(number=len(history.revisions) + 1, sha256=hashlib.sha256(page).hexdigest(), piece=piece)
            replace_whole(self._revision(change.slug, revision), page)
            change = change.model_copy(update={"after": revision.sha256, "revision": revision})
        replace_whole(self._pending, change.model_dump_json().encode())
        return change

    def _apply(self, change: Change) -> None:
        """The one step that changes the page, then its confirmation."""
        page = self._page(change.slug)
        if change.revision:
            replace_whole(page, self._revision(change.slug, change.revision).read_bytes())
        else:
            page.unlink()
        with after_the_fact(f"change the page {change.slug}"):
            sync_directory(page.parent)
            self._confirm(change)

    def _confirm(self, change: Change) -> None:
        if change.revision:
            history = self._history(change.slug).grown(change.revision)
            replace_whole(self._index(change.slug), history.model_dump_json(indent=1).encode())
        move_whole(self._pending, self._receipt_path(change.key))

    def _recover(self) -> None:
        """Confirm or forget what a killed process left pending."""
        if not self._pending.exists():
            return
        change = Change.model_validate_json(self._pending.read_bytes())
        if self._version(change.slug) == change.after:
            self._confirm(change)
        else:
            self._pending.unlink()
            sync_directory(self._root)

    def _published(self, slug: str) -> ContentPiece | None:
        """The piece on the page now. Raises Permanent for a page that somebody else wrote or changed."""
        version = self._version(slug)
        if version == ABSENT:
            return None
        revision = self._history(slug).with_bytes(version)
        if revision is None:
            raise Permanent(
                f"the page {self._page(slug)} was written or changed by hand, so it is left alone",
                hint="take your changes to another file, or remove it to let Steward publish there",
            )
        return revision.piece

    def _version(self, slug: str) -> str:
        page = self._page(slug)
        return hashlib.sha256(page.read_bytes()).hexdigest() if page.exists() else ABSENT

    def _receipt(self, action: Action, key: str) -> Receipt | None:
        path = self._receipt_path(key)
        if not path.exists():
            return None
        change = Change.model_validate_json(path.read_bytes())
        if change.action != action.digest():
            raise Permanent(f"the key {key} was used for another change of the site")
        return change.receipt

    def _snapshot(self) -> dict[str, Any]:
        with file_errors("could not read the site"), locked(self._root):
            self._recover()
            return {str(page.relative_to(self._root)): page.read_text() for page in self._pages()}

    def _pages(self) -> list[Path]:
        return sorted(page for page in (self._root / "content").glob("*.md") if not page.name.startswith("."))

    def _history(self, slug: str) -> History:
        index = self._index(slug)
        return History.model_validate(json.loads(index.read_bytes())) if index.exists() else History()

    def _page(self, slug: str) -> Path:
        return self._root / "content" / f"{slug}.md"

    def _index(self, slug: str) -> Path:
        return self._root / ".revisions" / slug / "index.json"

    def _revision(self, slug: str, revision: Revision) -> Path:
        return self._index(slug).with_name(f"{revision.number}.md")

    def _receipt_path(self, key: str) -> Path:
        return self._root / ".receipts" / f"{digest(key)}.json"


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
