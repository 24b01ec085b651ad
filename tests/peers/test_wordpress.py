"""The real WordPress: the same contract as its double, and what only it can show."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from connectors.wordpress_page import page_mark
from domain.actions import PublishContent, Receipt, UnpublishContent
from domain.errors import Permanent, Retryable, Stale
from tests.contract.every_connector import EveryConnector
from tests.contract.outside_cases import NOW, Case, page
from tests.contract.scripted_http import Reply, Server, serving
from tests.contract.wordpress_cases import Blog, case_on, do, mug_at, site_of
from tests.contract.wordpress_server import png
from tests.peers.wordpress import Wordpress, wordpress

BODY = """# Mugs

A mug & a cup: [gallery] "quoted", 5 < 6, ü and 😀.
The next line -- with dashes.

| size | price |
|:-----|------:|
| S    | 5     |

- one
- [two](https://mill.example/two/?a=1&b=2)

```python
x = "[caption]"
```
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Wordpress]:
    with wordpress() as running:
        yield running


@pytest.fixture
async def site_of_the_test(server: Wordpress) -> Wordpress:
    await server.empty()
    return server


@pytest.fixture
async def blog(site_of_the_test: Wordpress) -> Blog:
    return site_of_the_test.blog()


@pytest.fixture
async def shop() -> AsyncIterator[Server]:
    """Where pictures are: whatever is asked for, it is the same one."""
    async with serving(Reply(body=png())) as server:
        yield server


@pytest.fixture
async def case(blog: Blog, shop: Server) -> AsyncIterator[Case]:
    async with case_on(blog, mug_at(shop.url)) as opened:
        yield opened


class TestWordpress(EveryConnector):
    """Pages as posts."""


def rich(**changes: Any) -> PublishContent:
    data = {"@context": "https://schema.org", "@type": "Product", "name": "</script> & [gallery]"}
    return PublishContent(piece=page().piece.model_copy(update={"body": BODY, "json_ld": data, **changes}))


async def only(blog: Blog) -> dict[str, Any]:
    (post,) = await blog.posts()
    return post


async def seen_by_readers(post: dict[str, Any]) -> str:
    async with httpx.AsyncClient(timeout=20) as client:
        return (await client.get(post["link"])).text


async def test_readers_see_the_page_and_nothing_of_our_note(blog: Blog) -> None:
    """Text, structured data and tag; no shortcode runs, and the note is in no page and no feed."""
    async with site_of(blog, category="guides") as site:
        await do(site, rich(), "k")
    post = await only(blog)
    html = await seen_by_readers(post)
    assert "<td" in html
    assert "[gallery]" in html.replace("&#x5b;", "[").replace("&#091;", "[")
    data = html.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    assert json.loads(data)["name"] == "</script> & [gallery]"
    assert len(post["categories"]) == len(post["tags"]) == 1
    for text in (html, post["content"]["rendered"], await seen_by_readers({"link": f"{blog.url}/feed/"})):
        assert page_mark("mugs") not in text
        assert "steward/page" not in text
    assert page_mark("mugs") in post["content"]["raw"]


@pytest.mark.parametrize("role", ["editor", "author", "administrator"])
async def test_a_publication_is_edited_restored_and_taken_back(site_of_the_test: Wordpress, role: str) -> None:
    """What WordPress stores for each role is still known as ours, and the inverse brings back what was public."""
    blog = site_of_the_test.blog(role)
    async with site_of(blog, structured_data="no" if role == "author" else "yes") as site:
        await do(site, rich(), "one")
        first = await only(blog)
        second = rich(title="Cups & <more>", body="Else.")
        before = (await site.preview(second)).before
        await do(site, second, "two")
        await do(site, second.inverse(before), "back")
        restored = await only(blog)
        for name in ("title", "excerpt", "content"):
            assert restored[name]["raw"].partition("<!-- wp:st")[0] == first[name]["raw"].partition("<!-- wp:st")[0]
        await do(site, UnpublishContent(slug="mugs"), "down")
        assert (await only(blog))["status"] == "draft"
        await do(site, rich(), "again")
        assert ((await only(blog))["id"], (await only(blog))["status"]) == (first["id"], "publish")


@pytest.mark.parametrize("role", ["editor", "author"])
async def test_a_picture_is_uploaded_once_shown_and_taken_back(site_of_the_test: Wordpress, shop: Server, role: str) -> None:
    """Its bytes and its words as they were given; readers see it, undoing hides it, and it stays in the library."""
    blog, pictured = site_of_the_test.blog(role), page(picture=mug_at(shop.url))
    async with site_of(blog, structured_data="no") as site:
        await do(site, page(), "plain")
        before = (await site.preview(pictured)).before
        receipt = await do(site, pictured, "k")
        (media,) = await blog.call("GET", "media")
        post = await only(blog)
        assert (post["featured_media"], receipt.detail) == (media["id"], {"picture": f"media-{media['id']}"})
        assert (media["alt_text"], media["title"]["rendered"], media["mime_type"]) == ("A red mug", "A red mug", "image/png")
        async with httpx.AsyncClient(timeout=20) as client:
            assert (await client.get(media["source_url"])).content == png()
        html = await seen_by_readers(post)
        assert media["source_url"] in html
        assert 'alt="A red mug"' in html
        await do(site, pictured.inverse(before), "back")
        assert (await only(blog))["featured_media"] == 0
        await do(site, page("Cups", picture=mug_at(shop.url, path="/cups.png")), "again")
        assert (await only(blog))["featured_media"] == media["id"]
        await do(site, UnpublishContent(slug="mugs"), "down")
        assert [one["id"] for one in await blog.call("GET", "media")] == [media["id"]]


async def test_what_the_operator_does_in_wordpress_wins(blog: Blog, site_of_the_test: Wordpress) -> None:
    """A changed text stays, a saved one is stale, a removed note is found in the revisions, the trash makes room."""
    admin = site_of_the_test.blog("administrator")
    async with site_of(blog) as site:
        receipt = await do(site, page(), "k")
        post, version = await only(blog), (await site.preview(page("Cups"))).record_version
        await admin.call("POST", f"posts/{post['id']}", {"categories": [1], "title": post["title"]["raw"] + " "})
        await admin.call("POST", f"posts/{post['id']}", {"content": "<p>My own words</p>"})
        with pytest.raises((Permanent, Stale), match="left alone"):
            await site.execute(page("Cups"), key="k2", expected_version=version, now=NOW)
        assert await site.find_receipt(page(), key="k") == receipt
        await admin.call("DELETE", f"posts/{post['id']}")
        assert await site.find_receipt(page(), key="k") == receipt
        await do(site, page("Cups"), "k3")
    assert [(p["slug"], p["status"]) for p in await blog.posts()] == [("mugs__trashed", "trash"), ("mugs", "publish")]


async def test_check_says_what_the_user_may_do(site_of_the_test: Wordpress) -> None:
    """An author may not write scripts, a contributor not publish; a wrong password and a revoked one let nobody in."""
    expected = {"editor": None, "author": "structured_data=no", "contributor": "may not publish at Mill & Sons"}
    for role, problem in expected.items():
        opened = site_of_the_test.blog(role).opened()
        if problem is None:
            assert await opened.check() == "Mill & Sons: Editor may publish"
        else:
            with pytest.raises(Permanent, match=problem):
                await opened.check()
        await opened.close()


async def test_a_wrong_password_and_a_revoked_one_are_told(site_of_the_test: Wordpress) -> None:
    """The revoked one is told while it is in use."""
    admin = site_of_the_test.blog("administrator")
    made = await admin.call("POST", "users/me/application-passwords", {"name": "short-lived"})
    short_lived = Blog(admin.url, admin.user, made["password"])
    async with site_of(short_lived) as site:
        await do(site, page(), "k")
        await admin.call("DELETE", f"users/me/application-passwords/{made['uuid']}")
        with pytest.raises(Permanent, match="wrong or was revoked"):
            await do(site, page("Cups"), "k2")
    wrong = admin.opened(password="abcd efgh ijkl mnop qrst uvwx")
    with pytest.raises(Permanent, match="wrong or was revoked"):
        await wrong.check()
    await wrong.close()


async def test_a_site_with_plain_addresses_is_found_too(site_of_the_test: Wordpress) -> None:
    """Its API is then behind a parameter only."""
    admin = site_of_the_test.blog("administrator")
    with site_of_the_test.plain_addresses():
        async with httpx.AsyncClient() as client:
            assert "application/json" not in (await client.get(f"{admin.url}/wp-json/")).headers["content-type"]
        async with site_of(admin) as site:
            await do(site, page(), "k")
    assert (await only(admin))["status"] == "publish"


async def test_an_address_of_somebody_elses_draft_is_not_taken(site_of_the_test: Wordpress) -> None:
    """An author does not see it; WordPress would give the page another address, and so it is not published."""
    await site_of_the_test.blog("administrator").call("POST", "posts", {"title": "Mine", "slug": "mugs", "status": "draft"})
    async with site_of(site_of_the_test.blog("author"), structured_data="no") as site:
        for _ in range(2):
            with pytest.raises(Permanent, match="is taken by a post"):
                await do(site, page(), "k")
    assert {p["status"] for p in await site_of_the_test.blog("administrator").posts()} == {"draft"}


async def test_two_workers_at_the_same_moment_publish_one_post(blog: Blog) -> None:
    """Whoever comes second at whatever step goes on with the same post, or tries again; what is begun twice stays hidden."""
    async with site_of(blog) as one, site_of(blog) as other:
        for number in range(5):
            action, key = page(slug=f"mugs-for-{number}"), f"k{number}"
            both = [site.execute(action, key=key, expected_version="absent", now=NOW) for site in (one, other)]
            tried = await asyncio.gather(*both, return_exceptions=True)
            assert all(isinstance(end, Receipt | Retryable) for end in tried), tried
            receipt = await one.execute(action, key=key, expected_version="absent", now=NOW)
            assert receipt == await other.find_receipt(action, key=key)
    public = [post["slug"] for post in await blog.posts() if post["status"] == "publish"]
    assert public == [f"mugs-for-{number}" for number in range(5)]
