"""A WordPress site: pages are its posts, changed over the REST API with an application password.

WordPress has neither idempotency keys nor conditional changes, so everything is searched before it is written. A new page
is a draft first, which nobody sees and of which a second does no harm; publishing it is a change of that draft, which
may be repeated. What was done under which key stands in the post itself (``connectors.wordpress_page``). Nothing is ever
deleted: taking a page down makes it a draft again, without its picture, and the picture stays in the media library.

A page's picture becomes the post's featured one. A post whose picture was chosen in WordPress keeps that one, and a post whose
next picture cannot be had keeps the one it has.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx

from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting, one_of
from connectors.site_rules import ABSENT, SiteAction, site_action, site_diff, slug_of
from connectors.wordpress_api import Post, WordpressApi, explained
from connectors.wordpress_media import MediaLibrary, Shown
from connectors.wordpress_page import Done, Note, fields_of, key_mark, note_in, page_mark, seal_of, with_note
from connectors.wordpress_shelf import Page, Shelf, shelf_of
from domain.actions import Action, Capability, Receipt, UnpublishContent
from domain.decisions import Diff
from domain.entities import LOOPBACK, ContentPiece, ContentStatus
from domain.errors import EffectError, InvalidInput, Permanent, Retryable, Stale, Unknown


class WordpressSite:
    """Publishes pages and takes them down. See ``ports.Connector``."""

    capability = Capability.SITE

    def __init__(
        self, api: WordpressApi, *, name: str, category: str = "", structured_data: bool = True, loopback: bool = False
    ) -> None:
        self.name = name
        self._api = api
        self._category = category
        self._structured_data = structured_data
        self._library = MediaLibrary(api, loopback=loopback)
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
            page = await self._look(wanted, key, change, expected_version)
            if isinstance(page, Receipt):
                return page
            if isinstance(wanted, UnpublishContent):
                return await self._take_down(page, change)
            piece = wanted.piece.model_copy(update={"published_at": wanted.piece.published_at or now})
            picture = await self._picture(piece, page)
            if piece.picture:  # that took a while, in which somebody may have been at work
                page = await self._look(wanted, key, change, expected_version)
            if page is None:
                page = await self._begun(wanted, key, piece, change)
            if isinstance(page, Receipt):
                return page
            return await self._publish(piece, page, picture, change)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        shelf = await self._shelf(slug_of(site_action(action)))
        return await self._receipt(shelf, action, key)

    async def _look(self, action: SiteAction, key: str, change: Done, expected_version: str) -> Receipt | Page | None:
        """The page as it stands, or the receipt where it is done. Raises Stale where it is another than was shown."""
        shelf = await self._shelf(slug_of(action))
        if receipt := await self._receipt(shelf, action, key):
            return receipt
        page = shelf.page()
        if page is None or not page.begun_by(change):
            _refuse_stale(action, page, expected_version)
        return page

    async def _picture(self, piece: ContentPiece, page: Page | None) -> Shown:
        if piece.picture and page and not page.picture_is_ours:
            return Shown(said="left as it was chosen in WordPress")
        return await self._library.shown(piece.picture, before=page.given if page else Shown())

    async def _begun(self, action: SiteAction, key: str, piece: ContentPiece, change: Done) -> Receipt | Page:
        shelf = await self._begin(piece, change)
        if receipt := await self._receipt(shelf, action, key):
            return receipt  # another worker was faster
        page = shelf.page()
        if page is None or not page.begun_by(change):
            raise Stale(f"somebody else began the page {shelf.slug} at the same moment", hint="look at it again")
        return page

    async def _begin(self, piece: ContentPiece, change: Done) -> Shelf:
        """Make the draft of a new page. Of drafts that were begun at the same moment, all go on with the same one."""
        fields = await self._fields(piece)
        note = with_note(fields, Note(piece=piece, seal=seal_of(fields), begun=change))
        await self._api.create({**note, "slug": piece.slug, "status": "draft", **await self._terms(piece)})
        return await self._shelf(piece.slug)

    async def _publish(self, piece: ContentPiece, page: Page, picture: Shown, change: Done) -> Receipt:
        fields, page = await self._fields(piece), await self._at_its_address(page, piece.slug)
        pictured, featured = page.showing(picture)
        change = change.model_copy(update={"picture": picture.said})
        note = page.note.model_copy(update={"piece": piece, "seal": seal_of(fields), **pictured})
        status = "publish" if piece.status is ContentStatus.PUBLISHED else "draft"
        placed = {"slug": piece.slug, "status": status, **featured, **(await self._terms(piece) if page.note.begun else {})}
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
        pictured, featured = page.showing(Shown())
        note = page.note.model_copy(update=pictured)
        fields = with_note(page.post.fields, note.finished(change))
        post = await self._api.change(page.post.id, {"content": fields["content"], "status": "draft", **featured})
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
        return shelf_of(slug, found)

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


def _receipt(post: Post, change: Done) -> Receipt:
    detail = {"picture": change.picture} if change.picture else {}
    return Receipt(reference=f"post-{post.id}", at=change.at, detail=detail)


def _refuse_stale(action: SiteAction, page: Page | None, expected_version: str) -> None:
    diff = _diff(action, page)
    if diff.record_version != expected_version:
        raise Stale(f"{diff.record} is not what it was when the change was shown")


def _diff(action: SiteAction, page: Page | None) -> Diff:
    return site_diff(action, page.public if page else None, page.version if page else ABSENT)


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
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InvalidInput("the password would cross the network unprotected", hint="use https")
    return address


def _open(opening: Opening) -> Opened:
    given = opening.settings
    login = httpx.BasicAuth(given["user"], opening.secret("password"))
    http = Http(given["url"], name=opening.name, auth=login, explain=explained)
    site = WordpressSite(
        WordpressApi(http),
        name=opening.name,
        category=given["category"],
        structured_data=given["structured_data"] == "yes",
        loopback=urlsplit(given["url"]).hostname in LOOPBACK,
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
