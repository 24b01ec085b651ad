"""A double of WordPress's REST API on loopback: posts with revisions, tags and categories, pictures, one user.

It keeps what matters to a connector: a slug is unique among the posts of any status once it is made over REST, and gets
"-2" where it is not; drafts can be found by their slug; what is in the trash has another; a change makes a revision.
"""

import base64
import re
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.contract.scripted_http import Call, Reply, as_json, serving

USER, PASSWORD = "steward", "abcd efgh ijkl mnop qrst uvwx"
MUG = "/elsewhere/mug.png"
"""Where the double has a picture that is none of WordPress's, to be fetched by anybody."""


def png(red: int = 200) -> bytes:
    """A picture of one pixel."""
    parts = {b"IHDR": struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0), b"IDAT": zlib.compress(bytes([0, red, 0, 0])), b"IEND": b""}
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@dataclass
class Double:
    """``faults`` are answers for the next writes, and whether each happens all the same; ``meanwhile`` happens before one.
    ``elsewhere`` are pictures by their paths.
    """

    readable: bool = True  # addresses, and so /wp-json
    unfiltered_html: bool = True
    publishes: bool = True
    password: str = PASSWORD
    tells: bool = True  # that a password is wrong; else whoever gives it is nobody
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    terms: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"tags": [], "categories": []})
    media: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: dict[str, Reply] = field(default_factory=lambda: {MUG: Reply(body=png())})
    faults: list[tuple[Reply | None, bool]] = field(default_factory=list)
    meanwhile: Callable[[], None] | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    ticks: int = 0

    def answer(self, call: Call) -> Reply:
        if call.path in self.elsewhere:
            assert "authorization" not in call.headers
            return self.elsewhere[call.path]
        params = dict(call.query)
        route = params.pop("rest_route", "")
        if not route and not (self.readable and call.path.startswith("/wp-json")):
            return Reply(status=404, body=b"<html>Not found</html>")
        route = route or call.path.removeprefix("/wp-json")
        self.requests.append((call.method, route))
        if not self._knows(call.headers.get("authorization", "")):
            return self._refuse(route)
        if call.method != "POST":
            return self._read(route, params)
        return self._write(route, _file(call, params) if isinstance(call.body, bytes) else call.body)

    def edit(self, post_id: int, **changes: Any) -> dict[str, Any]:
        """What the operator does in WordPress."""
        post, self.ticks = self.posts[post_id], self.ticks + 1
        texts = {name: {"raw": self._stored(changes.pop(name))} for name in ("title", "excerpt", "content") if name in changes}
        post.update(changes | texts, modified_gmt=f"2026-03-02T09:{self.ticks // 60:02}:{self.ticks % 60:02}")
        if post["status"] == "trash" and not post["slug"].endswith("__trashed"):
            post["slug"] += "__trashed"
        if "slug" in changes or post["status"] == "publish":
            post["slug"] = self._unique(post["slug"], post_id)
        self.revisions[post_id].append({"id": self.ticks, "content": post["content"]})
        return post

    def _read(self, route: str, params: dict[str, str]) -> Reply:
        match route.strip("/").split("/"):
            case [""]:
                return as_json({"name": "Mill &amp; Sons", "namespaces": ["oembed/1.0", "wp/v2"]})
            case ["wp", "v2", "users", "me"]:
                may = {"edit_posts": True, "publish_posts": self.publishes, "unfiltered_html": self.unfiltered_html}
                return as_json({"name": "Steward", "capabilities": may})
            case ["wp", "v2", "posts"]:
                return as_json([post for post in self.posts.values() if _asked_for(post, params)])
            case ["wp", "v2", "posts", number, "revisions"]:
                return as_json(self.revisions.get(int(number), []))
            case ["wp", "v2", ("tags" | "categories" | "media") as collection]:
                found = {**self.terms, "media": self.media}[collection]
                return as_json([_told(one) for one in found if one["slug"] == params["slug"]])
        return as_json({"code": "rest_no_route"}, status=404)

    def _refuse(self, route: str) -> Reply:
        if self.tells:
            return as_json({"code": "incorrect_password", "message": "no"}, status=401)
        if route == "/":
            return self._read(route, {})
        if route.endswith("/posts"):
            forbidden = {"status": {"code": "rest_forbidden_status"}}
            return as_json({"code": "rest_invalid_param", "data": {"details": forbidden}}, status=400)
        return as_json({"code": "rest_not_logged_in"}, status=401)

    def _write(self, route: str, body: dict[str, Any]) -> Reply:
        if work := self.meanwhile:
            self.meanwhile = None
            work()
        fault, happens = self.faults.pop(0) if self.faults else (None, True)
        said = self._change(route, body) if happens else as_json({})
        return fault or said

    def _change(self, route: str, body: dict[str, Any]) -> Reply:
        match route.strip("/").split("/"):
            case ["wp", "v2", "posts"]:
                return as_json(self.edit(self._new(), **{"status": "draft", **body}), status=201)
            case ["wp", "v2", "posts", number]:
                return as_json(self.edit(int(number), **body))
            case ["wp", "v2", ("tags" | "categories") as taxonomy]:
                self.ticks += 1
                self.terms[taxonomy].append({"id": self.ticks, **body})
                return as_json(self.terms[taxonomy][-1], status=201)
            case ["wp", "v2", "media"]:
                self.ticks += 1
                self.media.append({**body, "id": self.ticks})
                return as_json(_told(self.media[-1]), status=201)
        return as_json({"code": "rest_no_route"}, status=404)

    def _new(self) -> int:
        number = len(self.posts) + 10
        texts = {name: {"raw": ""} for name in ("title", "excerpt", "content")}
        link = f"http://mill.example/?p={number}"
        self.posts[number] = {"id": number, "slug": "", "link": link, "featured_media": 0, **texts}
        self.revisions[number] = []
        return number

    def _unique(self, slug: str, post_id: int) -> str:
        taken = {post["slug"] for number, post in self.posts.items() if number != post_id}
        return next(name for name in (slug, *(f"{slug}-{n}" for n in range(2, 99))) if name not in taken)

    def _stored(self, html: str) -> str:
        """Users without the right lose their scripts, and their tags are written in WordPress's way."""
        return html if self.unfiltered_html else re.sub(r"</?script[^>]*>", "", html).replace("<br>", "<br />")

    def _knows(self, authorization: str) -> bool:
        given = authorization.removeprefix("Basic ")
        return given != authorization and base64.b64decode(given).decode() == f"{USER}:{self.password}"


def _file(call: Call, said: dict[str, str]) -> dict[str, Any]:
    """As WordPress takes one whose body is the file: the words come with the address."""
    return {**said, "file": call.body, "type": call.headers["content-type"], "name": call.headers["content-disposition"]}


def _told(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "file"}


def _asked_for(post: dict[str, Any], params: dict[str, str]) -> bool:
    texts = " ".join(post[name]["raw"] for name in ("title", "excerpt", "content"))
    slugs = params.get("slug", post["slug"]).split(",")
    return post["slug"] in slugs and params.get("search", "") in texts and post["status"] in params["status"].split(",")


@asynccontextmanager
async def wordpress_double(double: Double) -> AsyncIterator[str]:
    """Its address."""
    async with serving(answer=double.answer) as server:
        yield server.url
