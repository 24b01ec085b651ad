"""A site kept as a folder of Markdown files, which any static site generator reads.

``content/<slug>.md`` is the page and the only truth. ``.revisions/<slug>/`` keeps every version that was ever there
and ``.receipts/`` what was done under which key. A change is written down in ``.pending.json`` first, done by one
rename or removal of the page, and confirmed by turning the pending file into the receipt. Whoever comes after a
crash sees from the page itself whether the change happened, and confirms or forgets it.

Connected as a ``folder-site``, the pages lie in the operator's own folder and the bookkeeping in ``.steward`` there, which
git ignores. A change may be committed to git as part of its confirmation.
"""

import asyncio
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from connectors.files import after_the_fact, file_errors, locked, looking, move_whole, replace_whole, sync_directory
from connectors.front_matter import rendered
from connectors.git_folder import GitFolder
from connectors.kinds import Kind, Opened, Opening, Setting, one_of
from connectors.site_rules import ABSENT, SiteAction, site_action, site_diff, slug_of
from domain.actions import Action, Capability, PublishContent, Receipt
from domain.decisions import Diff
from domain.entities import ContentPiece
from domain.errors import InvalidInput, Permanent, Retryable, Stale, Unknown
from domain.ids import derived_id, digest
from domain.model import Moment, Value
from domain.wording import counted


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
    summary: str = ""


class FolderSite:
    """``root`` has the bookkeeping, and the pages too where no ``pages`` folder is named; that one must exist. With ``git``
    each change is committed there.
    """

    capability = Capability.SITE

    def __init__(self, root: Path, *, name: str = "folder-site", pages: Path | None = None, git: GitFolder | None = None) -> None:
        self.name = name
        self._root = root
        self._content = pages or root / "content"
        self._own_pages = pages is None
        self._git = git
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
        with file_errors("could not open the site"), self._held():
            if self._git:
                self._git.require(self._page("index"))
            where = self._root if self._own_pages else self._content
            return f"{counted(len(self._pages()), 'page')} in {where}{', committed to git' if self._git else ''}"

    def _preview(self, action: SiteAction) -> Diff:
        slug = slug_of(action)
        with file_errors("could not read the site"), self._held():
            before = self._published(slug)
            version = self._version(slug)
        return site_diff(action, before, version)

    def _execute(self, action: SiteAction, key: str, expected_version: str, now: datetime) -> Receipt:
        slug = slug_of(action)
        with file_errors(f"could not change the page {slug}"), self._held():
            if receipt := self._receipt(action, key):
                return receipt
            version = self._version(slug)
            if version != expected_version:
                raise Stale(f"the page {slug} is not what it was when the change was shown")
            site_diff(action, self._published(slug), version)
            if self._git:
                self._git.require(self._page(slug))
            change = self._begin(action, key, now)
            self._apply(change)
        return change.receipt

    def _find_receipt(self, action: Action, key: str) -> Receipt | None:
        with looking("could not read the site"), self._held():
            return self._receipt(action, key)

    def _begin(self, action: SiteAction, key: str, now: datetime) -> Change:
        """Write down what is about to happen, and keep the bytes of a new revision."""
        receipt = Receipt(reference=str(derived_id(self.name, key)), at=now)
        change = Change(
            key=key, action=action.digest(), slug=slug_of(action), after=ABSENT, receipt=receipt, summary=action.summary()
        )
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
            try:
                self._confirm(change)
            except Retryable as error:
                raise Unknown(f"changed the page {change.slug}, but {error.message}", hint=error.hint) from error

    def _confirm(self, change: Change) -> None:
        if self._git:
            self._git.commit(self._page(change.slug), change.summary)
        if change.revision:
            history = self._history(change.slug).grown(change.revision)
            replace_whole(self._index(change.slug), history.model_dump_json(indent=1).encode())
        move_whole(self._pending, self._receipt_path(change.key))

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The site for this thread alone, with whatever was left pending settled."""
        if not self._own_pages and not self._content.is_dir():
            missing = errno.ENOTDIR if self._content.exists() else errno.ENOENT
            raise OSError(missing, os.strerror(missing), str(self._content))
        with locked(self._root):
            ignored = self._root / ".gitignore"
            if not self._own_pages and not ignored.exists():
                replace_whole(ignored, b"*\n")
            self._recover()
            yield

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
        with file_errors("could not read the site"), self._held():
            return {f"content/{page.name}": page.read_text() for page in self._pages()}

    def _pages(self) -> list[Path]:
        return sorted(page for page in self._content.glob("*.md") if not page.name.startswith("."))

    def _history(self, slug: str) -> History:
        index = self._index(slug)
        return History.model_validate(json.loads(index.read_bytes())) if index.exists() else History()

    def _page(self, slug: str) -> Path:
        return self._content / f"{slug}.md"

    def _index(self, slug: str) -> Path:
        return self._root / ".revisions" / slug / "index.json"

    def _revision(self, slug: str, revision: Revision) -> Path:
        return self._index(slug).with_name(f"{revision.number}.md")

    def _receipt_path(self, key: str) -> Path:
        return self._root / ".receipts" / f"{digest(key)}.json"


def _open(opening: Opening) -> Opened:
    folder = Path(opening.settings["folder"])
    git = GitFolder(folder) if opening.settings["commit"] == "yes" else None
    site = FolderSite(folder / ".steward", name=opening.name, pages=folder, git=git)
    return Opened(check=site.check, connectors={Capability.SITE: site})


def _folder(value: str) -> str:
    """Whole, since a worker may run elsewhere than the command. Raises InvalidInput."""
    folder = Path(value.strip()).expanduser()
    if not folder.is_absolute():
        raise InvalidInput(f"{value.strip()[:200]!r} is not a whole path", hint="such as /srv/shop/content/guides")
    return str(folder)


KIND = Kind(
    name="folder-site",
    title="a folder of Markdown pages, which a site generator reads; committed to git if you like",
    settings=(
        Setting(name="folder", ask="The folder for the pages", check=_folder),
        Setting(name="commit", ask="Commit each page to git: yes or no", default="no", check=one_of("yes", "no")),
    ),
    open=_open,
    does={Capability.SITE: "writes pages as Markdown files and removes them"},
)
