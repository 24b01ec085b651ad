"""WordPress's REST API, as much of it as a site needs (developer.wordpress.org/rest-api/reference).

``/wp-json`` is there where addresses are readable; ``?rest_route=`` where they are not.
"""

from collections.abc import Mapping
from html import unescape
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from connectors.http import Http, Reply
from domain.errors import Permanent, Retryable

T = TypeVar("T")
_STATUSES = "publish,future,draft,pending,private,trash"
_NOT_TAKEN = "rest_upload_sideload_error"
_NOT_KNOWN = "the password is wrong or was revoked or did not arrive"
_WORDS = {
    # who comes with a password that is not known is told so by some WordPress, and is nobody to others
    "rest_not_logged_in": _NOT_KNOWN,
    "rest_forbidden_status": _NOT_KNOWN,
    "incorrect_password": "the password is wrong or was revoked",
    "invalid_username": "there is no such user",
    "invalid_email": "there is no such user",
    "application_passwords_disabled": "application passwords are turned off",
    "application_passwords_disabled_for_user": "application passwords are turned off for this user",
    "rest_cannot_create": "the user has not the right to make this",
    "rest_cannot_publish": "the user has not the right to publish",
    "rest_cannot_edit": "the user has not the right to change this",
}


class Text(BaseModel):
    raw: str


class Post(BaseModel):
    """As somebody who may edit it sees it. ``status`` is publish, draft, pending, private, future, trash or a plugin's own."""

    id: int
    status: str
    slug: str
    link: str = ""
    modified_gmt: str | None = None
    featured_media: int = 0
    title: Text
    excerpt: Text
    content: Text

    @property
    def fields(self) -> dict[str, str]:
        return {"title": self.title.raw, "excerpt": self.excerpt.raw, "content": self.content.raw}


class Revision(BaseModel):
    content: Text


class Numbered(BaseModel):
    """A tag, a category or a picture."""

    id: int
    slug: str


class Me(BaseModel):
    name: str
    capabilities: dict[str, Any] = Field(default_factory=dict)

    def may(self, capability: str) -> bool:
        return bool(self.capabilities.get(capability))


class Index(BaseModel):
    name: str
    namespaces: list[str]

    @property
    def title(self) -> str:
        return " ".join(unescape(self.name).split())[:80]


class WordpressApi:
    """Calls of one site. Raises as ``connectors.http`` says."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._readable: bool | None = None  # whether /wp-json is there; unknown until the first call

    async def index(self) -> Index:
        return await self._get("/", Index, _fields="name,namespaces")

    async def me(self) -> Me:
        return await self._get("/wp/v2/users/me", Me, context="edit", _fields="name,capabilities")

    async def posts(self, **which: str) -> list[Post]:
        """Those that ``slug`` or ``search`` finds, whatever their status."""
        return await self._get("/wp/v2/posts", list[Post], context="edit", status=_STATUSES, per_page="100", **which)

    async def revisions(self, post_id: int) -> list[Revision]:
        return await self._get(f"/wp/v2/posts/{post_id}/revisions", list[Revision], context="edit", per_page="100")

    async def create(self, fields: Mapping[str, Any]) -> Post:
        return (await self._post("/wp/v2/posts", fields)).parse(Post)

    async def change(self, post_id: int, fields: Mapping[str, Any]) -> Post:
        return (await self._post(f"/wp/v2/posts/{post_id}", fields)).parse(Post)

    async def term(self, taxonomy: str, slug: str) -> int:
        """The id of the category or tag ``slug``, which is made where it is not there. ``taxonomy`` is categories or tags."""
        if (known := await self.numbered(taxonomy, slug)) is not None:
            return known
        name = slug.replace("-", " ").capitalize()
        try:
            return (await self._post(f"/wp/v2/{taxonomy}", {"slug": slug, "name": name})).parse(Numbered).id
        except Permanent:  # one of this name may be there, or have been made at this moment
            if (known := await self.numbered(taxonomy, slug)) is not None:
                return known
            raise

    async def numbered(self, collection: str, slug: str) -> int | None:
        """The id of what is at ``slug`` in a collection: categories, tags or media."""
        found = await self._get(f"/wp/v2/{collection}", list[Numbered], slug=slug, context="view")
        return next((one.id for one in found if one.slug == slug), None)

    async def upload(self, content: bytes, media_type: str, *, name: str, slug: str, alt: str) -> int:
        """The id of a new picture. ``name`` is its file's. May be repeated by who looks for ``slug`` before each time.

        The body is the file alone, so that what is said of it goes with the address.
        """
        path, place = await self._place("/wp/v2/media")
        headers = {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
        said = {**place, "slug": slug, "title": alt, "alt_text": alt}
        try:
            reply = await self._http.send("POST", path, params=said, content=content, headers=headers, repeatable=True)
        except Retryable as error:
            if _NOT_TAKEN in error.message:  # comes with a status as if the site were broken
                raise Permanent(error.message, hint="look at what WordPress takes as a picture") from None
            raise
        return reply.parse(Numbered).id

    async def _get(self, route: str, wanted: type[T], **params: str) -> T:
        path, place = await self._place(route)
        return (await self._http.get(path, params={**place, **params})).parse(wanted)

    async def _post(self, route: str, body: Mapping[str, Any]) -> Reply:
        path, place = await self._place(route)
        return await self._http.send("POST", path, params=place, body=dict(body))

    async def _place(self, route: str) -> tuple[str, dict[str, str]]:
        if self._readable is None:
            self._readable = await self._finds_index()
        return _placed(route, readable=self._readable)

    async def _finds_index(self) -> bool:
        """Raises what the second address answers where the API is at neither."""
        try:
            await self._call_index(readable=True)
        except Permanent:
            await self._call_index(readable=False)
            return False
        return True

    async def _call_index(self, *, readable: bool) -> None:
        path, place = _placed("/", readable=readable)
        (await self._http.get(path, params={**place, "_fields": "name,namespaces"})).parse(Index)


def explained(body: Any) -> str:
    """The code of an error, with words for it; what is wrong with a parameter has a code of its own."""
    code = str(body["code"])
    if code == "rest_invalid_param":
        code = next((str(detail["code"]) for detail in body["data"]["details"].values()), code)
    return f"{code} - {_WORDS[code]}" if code in _WORDS else code


def _placed(route: str, *, readable: bool) -> tuple[str, dict[str, str]]:
    return (f"/wp-json{route}", {}) if readable else ("/", {"rest_route": route})
