"""A WordPress site: pages are its posts, changed over the REST API with an application password.

WordPress has neither idempotency keys nor conditional changes, so everything is searched before it is written. A new page
is a draft first, which nobody sees and of which a second does no harm; publishing it is a change of that draft, which
may be repeated. What was done under which key stands in the post itself (``connectors.wordpress_page``). Nothing is ever
deleted: taking a page down makes it a draft again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx

from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting, one_of
from connectors.site_rules import ABSENT, SiteAction, site_action, site_diff, slug_of
from connectors.wordpress_api import Post, WordpressApi, explained
from connectors.wordpress_page import Done, Note, fields_of, key_mark, note_in, page_mark, seal_of, with_note
from domain.actions import Action, Capability, Receipt, UnpublishContent
from domain.decisions import Diff
from domain.entities import ContentPiece, ContentStatus
from domain.errors import EffectError, InvalidInput, Permanent, Retryable, Stale, Unknown
from domain.ids import digest

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


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


class WordpressSite:
    """Publishes pages and takes them down. See ``ports.Connector``."""

    capability = Capability.SITE

    def __init__(self, api: WordpressApi, *, name: str, category: str = "", structured_data: bool = True) -> None:
        self.name = name
        self._api = api
        self._category = category
        self._structured_data = structured_data
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        index, me = await self._api.index(), await self._api.me()
        user = " ".join(me.name.split())[:80]
        if not me.may("publish_posts"):
            raise Permanent(f"{user} may not publish at {index.title}", hint="give the user the role Author or Editor")
        if self._structured_data and not me.may("unfiltered_html"):
            raise _no_structured_data(user)
        return f"{index.title}: {user} may publish"

    async def preview(self, action: Action) -> Diff:
        wanted = site_action(action)
        page = (await self._shelf(slug_of(wanted))).page()
        return _diff(wanted, page)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        """Raises Stale where the post is not at ``expected_version``, unless it is the draft that ``key`` itself began."""
        wanted = site_action(action)
        change = Done(key=key_mark(key), action=action.digest(), at=now)
        async with self._busy.setdefault(slug_of(wanted), asyncio.Lock()):
            shelf = await self._shelf(slug_of(wanted))
            if receipt := await self._receipt(shelf, action, key):
                return receipt
            page = shelf.page()
            if page is None or not page.begun_by(change):
                _refuse_stale(wanted, page, expected_version)
            if isinstance(wanted, UnpublishContent):
                return await self._take_down(page, change)
            piece = wanted.piece.model_copy(update={"published_at": wanted.piece.published_at or now})
            if page is None:
                shelf = await self._begin(piece, change)
                if receipt := await self._receipt(shelf, action, key):
                    return receipt  # another worker was faster
                page = _begun(shelf, change)
            return await self._publish(piece, page, change)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        shelf = await self._shelf(slug_of(site_action(action)))
        return await self._receipt(shelf, action, key)

    async def _begin(self, piece: ContentPiece, change: Done) -> Shelf:
        """Make the draft of a new page. Of drafts that were begun at the same moment, all go on with the same one."""
        fields = await self._fields(piece)
        note = with_note(fields, Note(piece=piece, seal=seal_of(fields), begun=change))
        await self._api.create({**note, "slug": piece.slug, "status": "draft", **await self._terms(piece)})
        return await self._shelf(piece.slug)

    async def _publish(self, piece: ContentPiece, page: Page, change: Done) -> Receipt:
        fields, page = await self._fields(piece), await self._at_its_address(page, piece.slug)
        note = page.note.model_copy(update={"piece": piece, "seal": seal_of(fields)})
        status = "publish" if piece.status is ContentStatus.PUBLISHED else "draft"
        placed = {"slug": piece.slug, "status": status, **(await self._terms(piece) if page.note.begun else {})}
        post = await self._api.change(page.post.id, {**with_note(fields, note.finished(change)), **placed})
        if post.status != status:
            raise Unknown(f"{self.name} took the page {piece.slug} and left it {post.status}", hint="look at it in WordPress")
        if post.slug != piece.slug:
            await self._hide_again(post, with_note(fields, note.model_copy(update={"begun": change})))
        return _receipt(post, change)

    async def _at_its_address(self, page: Page, slug: str) -> Page:
        """Raises Permanent where WordPress keeps the address for a post that we cannot see."""
        if page.post.slug == slug:
            return page
        post = await self._api.change(page.post.id, {"slug": slug})
        if post.slug != slug:
            hint = "free the address in WordPress, or let its owner publish there"
            raise Permanent(f"the address {slug} is taken by a post that this user may not see", hint=hint)
        return Page(post, page.note)

    async def _hide_again(self, post: Post, begun: dict[str, str]) -> None:
        """Two were published at once, and this one got another address: it is a draft again."""
        try:
            await self._api.change(post.id, {**begun, "status": "draft"})
        except EffectError as error:
            raise Unknown(f"{self.name} published the post {post.id} at {post.slug}", hint="look in WordPress") from error
        raise Retryable(f"the address was taken while {self.name} published there", hint="it is tried again by itself")

    async def _take_down(self, page: Page | None, change: Done) -> Receipt:
        assert page is not None  # there is nothing to take down otherwise, which was refused
        fields = with_note(page.post.fields, page.note.finished(change))
        post = await self._api.change(page.post.id, {"content": fields["content"], "status": "draft"})
        if post.status == "publish":
            raise Unknown(f"{self.name} took the change and left the page {page.note.piece.slug} public", hint="look at it")
        return _receipt(post, change)

    async def _terms(self, piece: ContentPiece) -> dict[str, list[int]]:
        terms = {"tags": [await self._api.term("tags", piece.kind)]}
        return {**terms, "categories": [await self._api.term("categories", self._category)]} if self._category else terms

    async def _fields(self, piece: ContentPiece) -> dict[str, str]:
        """Raises Permanent where WordPress would strip a part of it."""
        if self._structured_data and piece.json_ld and not (me := await self._api.me()).may("unfiltered_html"):
            raise _no_structured_data(me.name)
        return fields_of(piece, structured_data=self._structured_data)

    async def _shelf(self, slug: str) -> Shelf:
        """By the address, also in the trash, and by our mark, wherever the post is now."""
        found = [*await self._api.posts(slug=f"{slug},{slug}__trashed"), *await self._api.posts(search=page_mark(slug))]
        posts = {post.id: post for post in found}.values()
        noted = [(post, note_in(post.content.raw)) for post in posts]
        ours = tuple(Page(post, note) for post, note in noted if note is not None and note.piece.slug == slug)
        known = {page.post.id for page in ours}
        return Shelf(slug, ours, tuple(post for post in posts if post.id not in known and _is_at(post, slug)))

    async def _receipt(self, shelf: Shelf, action: Action, key: str) -> Receipt | None:
        """Raises Permanent where the key belongs to another action. A note that was removed by hand is in the revisions."""
        noted = [(page.post, page.note) for page in shelf.ours]
        noted += [(post, note) for post in shelf.others for note in await self._former_notes(post)]
        for post, note in noted:
            if done := note.under(key_mark(key), action.digest()):
                return _receipt(post, done)
        return None

    async def _former_notes(self, post: Post) -> Sequence[Note]:
        try:
            revisions = await self._api.revisions(post.id)
        except Permanent:  # of a post that we may not change, so we never did
            return ()
        return [note for revision in revisions if (note := note_in(revision.content.raw))]


def _begun(shelf: Shelf, change: Done) -> Page:
    page = shelf.page()
    if page is None or not page.begun_by(change):
        raise Stale(f"somebody else began the page {shelf.slug} at the same moment", hint="look at it again")
    return page


def _receipt(post: Post, change: Done) -> Receipt:
    return Receipt(reference=f"post-{post.id}", at=change.at)


def _refuse_stale(action: SiteAction, page: Page | None, expected_version: str) -> None:
    diff = _diff(action, page)
    if diff.record_version != expected_version:
        raise Stale(f"{diff.record} is not what it was when the change was shown")


def _diff(action: SiteAction, page: Page | None) -> Diff:
    return site_diff(action, page.public if page else None, page.version if page else ABSENT)


def _is_at(post: Post, slug: str) -> bool:
    return post.slug in (slug, f"{slug}__trashed")


def _by_hand(what: str) -> Permanent:
    return Permanent(f"{what}, so it is left alone", hint="move it to the trash in WordPress to let Steward publish there")


def _no_structured_data(user: str) -> Permanent:
    return Permanent(
        f"WordPress strips structured data from what {user} writes",
        hint="give the user the role Editor, or leave it out with --set structured_data=no",
    )


def _address(value: str) -> str:
    """Raises InvalidInput, also where the password would cross a network in the clear."""
    address = value.strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidInput(f"{address[:60]!r} is not the address of a site", hint="such as https://shop.example")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidInput("the password would cross the network unprotected", hint="use https")
    return address


def _open(opening: Opening) -> Opened:
    given = opening.settings
    login = httpx.BasicAuth(given["user"], opening.secret("password"))
    http = Http(given["url"], name=opening.name, auth=login, explain=explained)
    site = WordpressSite(
        WordpressApi(http), name=opening.name, category=given["category"], structured_data=given["structured_data"] == "yes"
    )
    return Opened(check=site.check, connectors={Capability.SITE: site}, close=http.close)


def _category(value: str) -> str:
    slug = value.strip()
    if slug and not all(part.isascii() and part.isalnum() and part == part.lower() for part in slug.split("-")):
        raise InvalidInput(f"{slug[:40]!r} is not a slug", hint="lower-case letters, digits and single hyphens")
    return slug


KIND = Kind(
    name="wordpress",
    title="a WordPress site: publishes pages as posts and takes them back to draft",
    settings=(
        Setting(name="url", ask="The site's address", check=_address),
        Setting(name="user", ask="The user name"),
        Setting(name="password", ask="An application password of that user (in WordPress under Users, Profile)", secret=True),
        Setting(name="category", ask="A category's slug; empty for WordPress's own", default="", check=_category),
        Setting(name="structured_data", ask="Structured data in the pages: yes or no", default="yes", check=one_of("yes", "no")),
    ),
    open=_open,
    does={Capability.SITE: "publishes pages as posts, updates them, and takes them back to draft"},
)
