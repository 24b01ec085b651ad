"""WordPress, as its double behaves: what becomes of a page there, and what happens when others are at work."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.http import Http, Limits
from connectors.wordpress import WordpressSite
from connectors.wordpress_api import WordpressApi, explained
from domain.actions import Action, Capability, PublishContent, UnpublishContent
from domain.errors import EffectError, InvalidInput, Permanent, Retryable, Stale, Unknown
from domain.ports import Connector
from tests.contract.http_trouble import TROUBLE
from tests.contract.outside_cases import LATER, NOW, page
from tests.contract.scripted_http import Reply, as_json, serving
from tests.contract.wordpress_cases import Blog, do, mug_at, site_of
from tests.contract.wordpress_server import MUG, PASSWORD, USER, Double, png, wordpress_double

LOST = Reply(body=b"{}" * 9, cut=True)
QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=1_000)


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
async def url(double: Double) -> AsyncIterator[str]:
    async with wordpress_double(double) as address:
        yield address


@pytest.fixture
async def site(url: str) -> AsyncIterator[Connector]:
    async with site_of(Blog(url)) as site:
        yield site


def only(double: Double) -> dict[str, Any]:
    (post,) = double.posts.values()
    return post


def shown(double: Double) -> tuple[str, ...]:
    """What readers get of the only post."""
    post = only(double)
    texts = (post[name]["raw"].partition("<!-- wp:steward")[0] for name in ("title", "excerpt", "content"))
    return (post["status"], post["slug"], *texts)


def rich(**changes: Any) -> PublishContent:
    changes = {"json_ld": {"@type": "Product", "name": "</script>[gallery]"}, **changes}
    return PublishContent(piece=page().piece.model_copy(update=changes))


async def test_a_page_is_published_taken_down_and_published_again_as_one_post(double: Double, site: Connector) -> None:
    """Taking it down makes it a draft; nothing is deleted, and its tag is made once."""
    actions: list[Action] = [page(), page("Cups", revision=2), UnpublishContent(slug="mugs"), page(revision=3)]
    for number, action in enumerate(actions):
        await do(site, action, f"k{number}")
        assert only(double)["status"] == ("draft" if isinstance(action, UnpublishContent) else "publish")
    assert (only(double)["slug"], only(double)["title"]["raw"]) == ("mugs", "Mugs")
    assert [term["slug"] for term in double.terms["tags"]] == ["product-guide"]
    assert {method for method, _ in double.requests} == {"GET", "POST"}


@pytest.mark.parametrize("action", [page("Cups", revision=2), UnpublishContent(slug="mugs")], ids=lambda a: a.kind)
async def test_the_inverse_restores_what_was_public(double: Double, site: Connector, action: Action) -> None:
    """Title, excerpt and text; and a first publication is taken back to draft."""
    await do(site, page(), "first")
    before = shown(double)
    inverse = action.inverse((await site.preview(action)).before)
    assert inverse is not None
    await do(site, action, "do")
    await do(site, inverse, "undo")
    assert shown(double) == before


async def test_every_key_that_was_used_is_found_again(site: Connector) -> None:
    """Also when the page has moved on, was taken down, or lies in the trash."""
    receipts = {key: await do(site, page(f"Mugs {key}"), key) for key in ("a", "b")}
    receipts["c"] = await do(site, UnpublishContent(slug="mugs"), "c")
    for key, action in (("a", page("Mugs a")), ("b", page("Mugs b")), ("c", UnpublishContent(slug="mugs"))):
        assert await site.find_receipt(action, key=key) == receipts[key]


@pytest.mark.parametrize("happens", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("lost", range(3), ids=["tag", "draft", "publication"])
async def test_an_answer_that_got_lost_is_found_out_about(double: Double, site: Connector, lost: int, happens: bool) -> None:
    """Whatever of it happened: Unknown at first, then one post and one receipt."""
    double.faults = [*[(None, True)] * lost, (LOST, happens)]
    seen = (await site.preview(page())).record_version
    with pytest.raises(Unknown):
        await site.execute(page(), key="k", expected_version=seen, now=NOW)
    found = await site.find_receipt(page(), key="k")
    assert (found is not None) == (happens and lost == 2)
    receipt = await site.execute(page(), key="k", expected_version=seen, now=LATER)
    assert found in (None, receipt)
    assert (only(double)["status"], only(double)["slug"]) == ("publish", "mugs")


async def test_a_draft_that_was_given_up_is_taken_by_the_next_who_is_shown_it(double: Double, site: Connector) -> None:
    """Under another key and with another text; whoever was shown that nothing is there is stale."""
    double.faults = [(None, True), (None, True), (as_json({}, status=500), False)]
    with pytest.raises(Unknown):
        await do(site, page(), "k")
    with pytest.raises(Stale):
        await site.execute(page("Cups"), key="k2", expected_version="absent", now=NOW)
    await do(site, page("Cups"), "k3")
    assert shown(double)[:3] == ("publish", "mugs", "Cups")
    assert await site.find_receipt(page(), key="k") is None


@pytest.mark.parametrize(
    "by_hand",
    [
        {"content": "<p>My own words</p>"},
        {"title": "My own title"},
        {"slug": "big-mugs"},
        {"status": "private"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_what_somebody_changed_in_wordpress_is_left_alone(double: Double, site: Connector, by_hand: dict[str, str]) -> None:
    """Neither overwritten nor taken down nor published a second time, and what was done before is still known."""
    await do(site, page(), "k")
    after = dict(double.edit(only(double)["id"], **by_hand))
    for action in (page("Cups", revision=2), UnpublishContent(slug="mugs")):
        with pytest.raises(Permanent, match="left alone"):
            await site.preview(action)
        with pytest.raises(Permanent, match="left alone"):
            await site.execute(action, key="k2", expected_version="x", now=NOW)
    assert only(double) == after
    assert await site.find_receipt(page(), key="k") is not None


async def test_a_post_in_the_trash_makes_room_and_is_remembered(double: Double, site: Connector) -> None:
    """The operator threw it away: publishing again makes a new post, and the old key is still known."""
    first = await do(site, page(), "k")
    double.edit(only(double)["id"], status="trash")
    assert await site.find_receipt(page(), key="k") == first
    await do(site, page("Cups"), "k2")
    assert [(post["status"], post["slug"]) for post in double.posts.values()] == [("trash", "mugs__trashed"), ("publish", "mugs")]


async def test_what_moved_since_it_was_shown_is_stale(double: Double, site: Connector) -> None:
    """The version names the text and the moment of the last change, so that saving it anew is enough."""
    await do(site, page(), "k")
    seen = (await site.preview(page("Cups"))).record_version
    double.edit(only(double)["id"])
    with pytest.raises(Stale):
        await site.execute(page("Cups"), key="k2", expected_version=seen, now=NOW)


async def test_a_post_of_the_operators_at_the_same_address_is_not_touched(double: Double, site: Connector) -> None:
    double._change("/wp/v2/posts", {"slug": "mugs", "status": "publish", "title": "Mine", "content": "x", "excerpt": ""})
    with pytest.raises(Permanent, match="by hand"):
        await do(site, page(), "k")
    assert only(double)["title"]["raw"] == "Mine"


async def test_two_workers_at_the_same_moment_publish_one_post(double: Double, url: str) -> None:
    """Both make a draft and then go on with the same one; the other stays a draft that nobody sees."""
    async with site_of(Blog(url)) as one, site_of(Blog(url)) as other:
        both = [site.execute(page(), key="k", expected_version="absent", now=NOW) for site in (one, other)]
        receipts = await asyncio.gather(*both)
    assert receipts[0] == receipts[1]
    assert sorted(post["status"] for post in double.posts.values()) == ["draft", "publish"]
    assert double.posts[10]["status"] == "publish"


async def test_a_worker_that_was_faster_has_done_it(double: Double, site: Connector) -> None:
    """It published while this one began its draft: then its receipt is the answer."""
    receipt = await do(site, page(), "k")
    published = double.posts.pop(10)
    double.meanwhile = lambda: double.posts.update({10: published})
    assert await site.execute(page(), key="k", expected_version="absent", now=LATER) == receipt
    assert [post["status"] for post in double.posts.values()] == ["publish", "draft"]


async def test_an_address_taken_at_the_last_moment_hides_the_page_again(double: Double, site: Connector) -> None:
    """WordPress gives it another address then; it is a draft again, and the next try finds out why."""
    await do(site, page(), "k")
    await do(site, UnpublishContent(slug="mugs"), "down")

    def take_the_address() -> None:
        double.posts[10]["slug"] = "elsewhere"
        double._change("/wp/v2/posts", {"slug": "mugs", "status": "publish", "title": "Mine", "content": "x", "excerpt": ""})
        double.posts[10]["slug"] = "mugs"

    double.meanwhile = take_the_address
    with pytest.raises(Retryable, match="taken"):
        await do(site, page("Cups"), "k2")
    assert double.posts[10]["status"] == "draft"
    with pytest.raises(Permanent, match="by hand"):
        await site.execute(page("Cups"), key="k2", expected_version="x", now=NOW)


async def test_structured_data_stands_in_the_page_or_nothing_is_published(double: Double, url: str) -> None:
    """It can close nothing and starts no shortcode; a user whose scripts are stripped is told before anything happens."""
    async with site_of(Blog(url)) as site:
        await do(site, rich(), "k")
        raw = only(double)["content"]["raw"]
        assert '"\\u003c/script\\u003e\\u005bgallery]"' in raw
        double.unfiltered_html = False
        with pytest.raises(Permanent, match="structured_data=no"):
            await do(site, rich(title="Cups"), "k2")
    async with site_of(Blog(url), structured_data="no") as site:
        await do(site, rich(title="Cups"), "k3")
    assert "<script" not in only(double)["content"]["raw"]


async def test_a_site_that_changes_what_it_stores_publishes_nothing(double: Double, url: str) -> None:
    """WordPress says that scripts are allowed, and a setting of the server strips them all the same."""
    async with site_of(Blog(url)) as site:
        double._stored = lambda html: html.replace("<script", "<s")  # type: ignore[method-assign]
        with pytest.raises(Permanent, match="by a plugin"):
            await do(site, rich(), "k")
    assert only(double)["status"] == "draft"


@pytest.mark.parametrize("readable", [True, False])
async def test_check_says_who_may_publish_where(double: Double, url: str, readable: bool) -> None:
    """With readable addresses and with plain ones."""
    double.readable = readable
    opened = Blog(url).opened()
    assert await opened.check() == "Mill & Sons: Steward may publish"
    double.publishes = False
    with pytest.raises(Permanent, match="may not publish at Mill & Sons"):
        await opened.check()
    await opened.close()


@pytest.mark.parametrize("tells", [True, False], ids=["told", "taken for nobody"])
@pytest.mark.parametrize("readable", [True, False], ids=["readable", "plain"])
async def test_a_wrong_password_is_told_and_not_repeated(double: Double, url: str, readable: bool, tells: bool) -> None:
    """Whoever WordPress takes for nobody sees no drafts: that must not look as if there were none."""
    double.readable, double.tells, double.password = readable, tells, "another"
    opened = Blog(url).opened()
    for call in (opened.check(), opened.connectors[Capability.SITE].find_receipt(page(), key="k")):
        with pytest.raises(Permanent, match="wrong or was revoked") as told:
            await call
        assert PASSWORD not in f"{told.value!r}"
    await opened.close()


def scripted(url: str) -> WordpressSite:
    http = Http(url, name="blog", auth=httpx.BasicAuth(USER, PASSWORD), limits=QUICK, explain=explained)
    return WordpressSite(WordpressApi(http), name="blog")


INDEX = as_json({"name": "Mill", "namespaces": ["wp/v2"]})
BEFORE_THE_DRAFT = [INDEX, as_json([]), as_json([]), as_json([{"id": 1, "slug": "product-guide"}])]


@pytest.mark.parametrize(("reply", "reading", "writing"), TROUBLE)
async def test_each_trouble_has_one_meaning(reply: Reply, reading: type[EffectError], writing: type[EffectError]) -> None:
    """While it is looked for, and while it is written; the password is in no error."""
    for script, expected in (([INDEX, reply], reading), ([*BEFORE_THE_DRAFT, reply], writing)):
        async with serving(*script) as server:
            with pytest.raises(expected) as told:
                await scripted(server.url).execute(page(), key="k", expected_version="absent", now=NOW)
        assert PASSWORD not in f"{told.value!r}"


@pytest.mark.parametrize("body", [b"<html>We will be back soon", b'{"name": 5}', b"[" * 900], ids=["html", "other", "deep"])
async def test_a_page_in_place_of_the_api_is_no_answer(body: bytes) -> None:
    async with serving(Reply(body=body)) as server:
        with pytest.raises(Permanent, match="proxy"):
            await scripted(server.url).preview(page())


async def test_a_redirect_is_told_and_the_password_stays(double: Double, url: str) -> None:
    """It would go to whoever the first server names."""
    async with serving(as_json({}, status=301, location=f"{url}/wp-json/")) as server:
        with pytest.raises(Permanent, match="set the address that it means"):
            await scripted(server.url).preview(page())
    assert double.requests == []


async def test_a_clock_that_is_off_changes_nothing(double: Double, site: Connector) -> None:
    """WordPress dates its posts itself: a date from us that lies in its future would only schedule the page."""
    far = NOW.replace(year=2049)
    await site.execute(page(), key="k", expected_version="absent", now=far)
    assert only(double)["status"] == "publish"
    assert not any("date" in name for name in only(double) if name != "modified_gmt")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("url", "http://mill.example"),
        ("url", "mill.example"),
        ("url", "https://me:pw@mill.example"),
        ("url", "https://mill.example/?p=1"),
        ("category", "A Category"),
        ("structured_data", "perhaps"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting: str, value: str) -> None:
    """Above all an address to which the password would go in the clear."""
    with pytest.raises(InvalidInput):
        Blog("https://mill.example").opened(**{setting: value})


def mug(url: str, title: str = "Mugs", **changes: str) -> PublishContent:
    """A page with a picture that the double has."""
    return page(title, picture=mug_at(url, **changes))


async def test_a_picture_is_uploaded_with_its_words_and_shown(double: Double, url: str, site: Connector) -> None:
    receipt = await do(site, mug(url), "k")
    (media,) = double.media
    assert (media["file"], media["type"], media["alt_text"], media["title"]) == (png(), "image/png", "A red mug", "A red mug")
    assert media["name"] == f'attachment; filename="{media["slug"]}.png"'
    assert (only(double)["featured_media"], receipt.detail) == (media["id"], {"picture": f"media-{media['id']}"})
    assert await site.find_receipt(mug(url), key="k") == receipt


async def test_the_same_picture_is_uploaded_once_for_all_pages(double: Double, url: str, site: Connector) -> None:
    """Whatever its address. Other words are another picture, since the words belong to it."""
    double.elsewhere["/elsewhere/again.png"] = double.elsewhere[MUG]
    await do(site, mug(url), "k")
    await do(site, mug(url, "Cups", path="/elsewhere/again.png"), "k2")
    assert len(double.media) == 1
    await do(site, mug(url, alt="A mug from above"), "k3")
    assert [media["alt_text"] for media in double.media] == ["A red mug", "A mug from above"]
    assert only(double)["featured_media"] == double.media[1]["id"]


@pytest.mark.parametrize("happens", [False, True], ids=["not done", "done"])
async def test_an_upload_whose_answer_got_lost_is_not_repeated_where_it_happened(
    double: Double, url: str, site: Connector, happens: bool
) -> None:
    """It is the first thing that is done, and looked for before it is done again."""
    double.faults = [(LOST, happens)]
    with pytest.raises(Retryable):
        await do(site, mug(url), "k")
    assert (len(double.media), double.posts) == (int(happens), {})
    await do(site, mug(url), "k")
    assert [only(double)["featured_media"]] == [media["id"] for media in double.media]


@pytest.mark.parametrize("step", range(1, 4), ids=["tag", "draft", "publication"])
async def test_a_picture_is_uploaded_once_whatever_breaks_after_it(double: Double, url: str, site: Connector, step: int) -> None:
    double.faults = [*[(None, True)] * step, (as_json({}, status=500), False)]
    with pytest.raises(Unknown):
        await do(site, mug(url), "k")
    await site.execute(mug(url), key="k", expected_version="absent", now=LATER)
    assert [only(double)["featured_media"]] == [media["id"] for media in double.media]


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (as_json({}, status=404), "answered 404"),
        (as_json({}, status=500), "answered 500"),
        (Reply(body=b"<html>"), "no JPEG, PNG, WebP or GIF"),
        (Reply(body=png() + b"x" * 5_300_000), "more than 5,242,880 bytes"),
        (as_json({}, status=302, location="https://10.0.0.1/"), "not public"),
    ],
    ids=["not there", "broken", "no picture", "too large", "leads inside"],
)
async def test_a_picture_that_cannot_be_had_is_left_out_and_told(
    double: Double, url: str, site: Connector, there: Reply, why: str
) -> None:
    """The page is published all the same, and the receipt is found again as it was given."""
    double.elsewhere[MUG] = there
    receipt = await do(site, mug(url), "k")
    assert (only(double)["status"], only(double)["featured_media"], double.media) == ("publish", 0, [])
    assert receipt.detail["picture"].startswith("left out: ")
    assert why in receipt.detail["picture"]
    assert await site.find_receipt(mug(url), key="k") == receipt


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "rest_upload_sideload_error"), (400, "rest_upload_file_too_big"), (413, ""), (403, "rest_cannot_create")],
)
async def test_a_picture_that_the_site_does_not_take_is_left_out_and_told(
    double: Double, url: str, site: Connector, status: int, code: str
) -> None:
    double.faults = [(as_json({"code": code}, status=status), False)]
    receipt = await do(site, mug(url), "k")
    assert (only(double)["status"], only(double)["featured_media"]) == ("publish", 0)
    assert receipt.detail["picture"].startswith(f"left out: blog answered {status}")


@pytest.mark.parametrize(
    "there", [as_json({}, status=500), as_json({}, status=404), Reply(body=b"<html>")], ids=lambda r: str(r.status)
)
async def test_a_public_page_keeps_its_picture_where_the_next_cannot_be_had(
    double: Double, url: str, site: Connector, there: Reply
) -> None:
    """It is told so, and the next that is published asks for the other one again."""
    await do(site, mug(url), "k")
    red = only(double)["featured_media"]
    double.elsewhere["/elsewhere/blue.png"] = there
    receipt = await do(site, mug(url, "Blue", path="/elsewhere/blue.png"), "k2")
    assert (shown(double)[2], only(double)["featured_media"]) == ("Blue", red)
    assert receipt.detail["picture"].startswith("kept as it was: ")
    double.elsewhere["/elsewhere/blue.png"] = Reply(body=png(9))
    await do(site, mug(url, "Still blue", path="/elsewhere/blue.png"), "k3")
    assert (only(double)["featured_media"], len(double.media)) == (double.media[1]["id"], 2)
    await do(site, page("Cups"), "k4")
    assert only(double)["featured_media"] == 0


async def test_a_public_page_keeps_its_picture_where_the_site_takes_no_other(double: Double, url: str, site: Connector) -> None:
    await do(site, mug(url), "k")
    red = only(double)["featured_media"]
    action = mug(url, alt="A mug from above")
    version = (await site.preview(action)).record_version
    double.faults = [(as_json({"code": "rest_upload_file_too_big"}, status=400), False)]
    receipt = await site.execute(action, key="k2", expected_version=version, now=LATER)
    assert only(double)["featured_media"] == red
    assert receipt.detail["picture"].startswith("kept as it was: blog answered 400")


async def test_the_same_picture_is_not_fetched_again(double: Double, url: str, site: Connector) -> None:
    """Its address may have gone since, also where another picture was meant in between and could not be had."""
    receipt = await do(site, mug(url), "k")
    double.elsewhere.clear()
    assert (await do(site, mug(url, "Cups"), "k2")).detail == receipt.detail
    assert (await do(site, mug(url, "Blue", path="/elsewhere/blue.png"), "k3")).detail["picture"].startswith("kept as it was: ")
    assert (await do(site, mug(url, "Red"), "k4")).detail == receipt.detail
    assert [only(double)["featured_media"]] == [media["id"] for media in double.media]


@pytest.mark.parametrize("reply", [as_json({}, status=503, retry_after="7"), as_json({}, status=429), as_json({}, status=502)])
async def test_a_site_that_is_away_is_tried_again(double: Double, url: str, site: Connector, reply: Reply) -> None:
    """It would not take the page either."""
    double.faults = [(reply, False)]
    with pytest.raises(Retryable):
        await do(site, mug(url), "k")
    assert double.posts == {}


async def test_undoing_sets_the_picture_back_and_leaves_it_in_the_library(double: Double, url: str, site: Connector) -> None:
    """After another picture, after none, and after the page was taken down; a first publication is undone without one."""
    double.elsewhere["/elsewhere/blue.png"] = Reply(body=png(9))
    blue = mug(url, "Blue", path="/elsewhere/blue.png")
    first = await site.preview(mug(url))
    await do(site, mug(url), "first")
    shown = only(double)["featured_media"]
    actions: list[Action] = [blue, page("Cups"), UnpublishContent(slug="mugs")]
    for number, action in enumerate(actions):
        undo = action.inverse((await site.preview(action)).before)
        assert undo is not None
        await do(site, action, f"do{number}")
        assert only(double)["featured_media"] == (double.media[1]["id"] if action is blue else 0)
        await do(site, undo, f"undo{number}")
        assert only(double)["featured_media"] == shown
    await do(site, mug(url).inverse(first.before), "back")
    assert (only(double)["status"], only(double)["featured_media"], len(double.media)) == ("draft", 0, 2)


@pytest.mark.parametrize("chosen", [77, 0], ids=["another", "none"])
async def test_a_picture_that_was_chosen_in_wordpress_stays(double: Double, url: str, site: Connector, chosen: int) -> None:
    """Neither replaced by ours nor taken away with it."""
    await do(site, mug(url), "k")
    double.edit(only(double)["id"], featured_media=chosen)
    receipt = await do(site, mug(url, "Cups"), "k2")
    assert (only(double)["featured_media"], receipt.detail) == (chosen, {"picture": "left as it was chosen in WordPress"})
    await do(site, UnpublishContent(slug="mugs"), "down")
    assert only(double)["featured_media"] == chosen


async def test_what_moved_while_the_picture_was_on_its_way_is_stale(double: Double, url: str, site: Connector) -> None:
    """Whoever wrote in WordPress in that time is not overwritten."""
    await do(site, page(), "k")
    double.meanwhile = lambda: double.posts[10]["title"].update(raw="My own title")
    with pytest.raises(Permanent, match="left alone"):
        await do(site, mug(url, "Cups"), "k2")
    assert only(double)["title"]["raw"] == "My own title"


async def test_two_workers_at_the_same_moment_publish_one_post_with_its_picture(double: Double, url: str) -> None:
    """Two pages in one process upload it once; WordPress cannot keep two processes from uploading it twice."""
    async with site_of(Blog(url)) as one, site_of(Blog(url)) as other:
        await asyncio.gather(do(one, mug(url), "k"), do(one, page(slug="cups", picture=mug_at(url)), "k2"))
        both = [
            site.execute(page("M", "m", picture=mug_at(url)), key="k3", expected_version="absent", now=NOW) for site in (one, other)
        ]
        receipts = await asyncio.gather(*both)
    assert receipts[0] == receipts[1]
    assert len(double.media) == 1
    public = [post for post in double.posts.values() if post["status"] == "publish"]
    assert [post["featured_media"] for post in public] == [double.media[0]["id"]] * 3


async def test_a_category_is_found_or_made_by_its_slug(double: Double, url: str) -> None:
    async with site_of(Blog(url), category="buying-guides") as site:
        await do(site, page(), "k")
        await do(site, page(slug="cups"), "k2")
    (category,) = double.terms["categories"]
    assert (category["slug"], category["name"]) == ("buying-guides", "Buying guides")
    assert all(post["categories"] == [category["id"]] for post in double.posts.values())
