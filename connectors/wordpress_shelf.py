"""The posts of a WordPress site that have to do with one page: ours, and those of others in its way. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.wordpress_api import Post
from connectors.wordpress_media import Shown
from connectors.wordpress_page import Done, Note, note_in, seal_of
from domain.entities import ContentPiece
from domain.errors import Permanent
from domain.ids import digest


@dataclass(frozen=True)
class Page:
    """A post of ours, as it stands."""

    post: Post
    note: Note

    @property
    def version(self) -> str:
        post = self.post
        return f"{post.id}@{post.modified_gmt}/{digest([post.status, post.slug, post.fields])[:16]}"

    def begun_by(self, change: Done) -> bool:
        return self.note.begun is not None and self.note.begun.key == change.key

    @property
    def picture_is_ours(self) -> bool:
        """It has the picture, or none, that we left it with."""
        return self.post.featured_media == self.note.media

    @property
    def given(self) -> Shown:
        """The picture, or none, that we left it with."""
        note = self.note
        return Shown(note.media, picture=note.pictured or note.piece.picture) if note.media else Shown()

    def showing(self, wanted: Shown) -> tuple[dict[str, Any], dict[str, int]]:
        """The change of the note, and the change of the post that makes it true."""
        shown = wanted if self.picture_is_ours else self.given
        featured = {"featured_media": shown.media} if shown.media != self.note.media else {}
        return {"media": shown.media, "pictured": shown.picture}, featured

    @property
    def public(self) -> ContentPiece | None:
        return self.note.piece if self.post.status == "publish" else None


@dataclass(frozen=True)
class Shelf:
    """All posts that are, were or stand in the way of the page ``slug``."""

    slug: str
    ours: tuple[Page, ...]
    others: tuple[Post, ...]  # at its address, without a note of ours

    def page(self) -> Page | None:
        """The page as it was left by us. Raises Permanent where somebody else has a hand in it."""
        if other := next((post for post in self.others if post.status != "trash"), None):
            raise _by_hand(f"the post {other.id} at the address {self.slug} was written or changed by hand")
        kept = [page for page in self.ours if page.post.status != "trash"]
        if not kept:
            return None
        page = min(kept, key=lambda p: (p.post.status == "draft", p.post.slug != self.slug, p.post.id))
        post = page.post
        if post.status not in ("publish", "draft") or (post.status == "publish" and post.slug != self.slug):
            raise _by_hand(f"the page {self.slug} stands as {post.slug} ({post.status}) now")
        if seal_of(post.fields) != page.note.seal:
            raise _by_hand(f"the page {self.slug} (post {post.id}) was changed in WordPress, by hand or by a plugin")
        return page


def shelf_of(slug: str, found: Iterable[Post]) -> Shelf:
    posts = {post.id: post for post in found}.values()
    noted = [(post, note_in(post.content.raw)) for post in posts]
    ours = tuple(Page(post, note) for post, note in noted if note is not None and note.piece.slug == slug)
    known = {page.post.id for page in ours}
    return Shelf(slug, ours, tuple(post for post in posts if post.id not in known and _is_at(post, slug)))


def _is_at(post: Post, slug: str) -> bool:
    return post.slug in (slug, f"{slug}__trashed")


def _by_hand(what: str) -> Permanent:
    return Permanent(f"{what}, so it is left alone", hint="move it to the trash in WordPress to let Steward publish there")
