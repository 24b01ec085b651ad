"""The folder site writes what generators read, keeps revisions, and leaves the work of human hands alone."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.files import after_the_fact, file_errors
from connectors.folder_site import FolderSite
from domain.actions import Action, PublishContent, UnpublishContent
from domain.entities import ContentStatus
from domain.errors import Permanent, Retryable, Unknown
from tests.contract.outside_cases import LATER, NOW, PICTURE, page


async def do(site: FolderSite, action: Action, key: str, now: Any = NOW) -> None:
    seen = (await site.preview(action)).record_version
    await site.execute(action, key=key, expected_version=seen, now=now)


def pages(root: Path) -> list[Path]:
    return [*root.rglob("*.md")]


def front_matter(path: Path) -> dict[str, Any]:
    _, matter, _ = path.read_text().split("---\n", 2)
    loaded = yaml.safe_load(matter)
    assert isinstance(loaded, dict)
    return loaded


async def test_front_matter(tmp_path: Path) -> None:
    """The page opens with YAML that says what a generator needs; the first date stays when it is revised."""
    site = FolderSite(tmp_path)
    await do(site, page(), "one")
    await do(site, page('Mugs: "new" --- # and old', revision=2), "two", LATER)
    matter = front_matter(tmp_path / "content/mugs.md")
    assert matter["title"] == 'Mugs: "new" --- # and old'
    assert (matter["date"], matter["lastmod"]) == (NOW.isoformat(), LATER.isoformat())
    assert (matter["slug"], matter["revision"], matter["draft"]) == ("mugs", 2, False)


async def test_a_file_is_no_folder_for_pages(tmp_path: Path) -> None:
    """It says so, and not that nothing is there."""
    (tmp_path / "page.md").write_text("x")
    for pages_, why in ((tmp_path / "page.md", "that is a file"), (tmp_path / "nowhere", "make that folder first")):
        with pytest.raises(Permanent, match=why):
            await FolderSite(pages_ / ".steward", pages=pages_).check()


async def test_structured_data_is_one_text(tmp_path: Path) -> None:
    """The structured data is JSON text that cannot close the script element it will stand in."""
    data: dict[str, object] = {"@type": "Product", "name": "</script>"}
    piece = page().piece.model_copy(update={"json_ld": data})
    await do(FolderSite(tmp_path), PublishContent(piece=piece), "one")
    text = front_matter(tmp_path / "content/mugs.md")["json_ld"]
    assert json.loads(text) == data
    assert "<" not in text


async def test_a_picture_stands_in_the_front_matter(tmp_path: Path) -> None:
    """Its address and its words; a page without one says nothing of it."""
    site = FolderSite(tmp_path)
    await do(site, page(picture=PICTURE), "one")
    matter = front_matter(tmp_path / "content/mugs.md")
    assert (matter["image"], matter["image_alt"]) == ("https://mill.example/mug.png", "A red mug")
    await do(site, page(revision=2), "two")
    assert "image" not in front_matter(tmp_path / "content/mugs.md")


async def test_unpublished_piece_is_a_draft(tmp_path: Path) -> None:
    """A piece that is not published is written as a draft, which generators leave out."""
    action = page()
    piece = action.piece.model_copy(update={"status": ContentStatus.UNPUBLISHED})
    await do(FolderSite(tmp_path), PublishContent(piece=piece), "one")
    assert front_matter(tmp_path / "content/mugs.md")["draft"] is True


async def test_revisions_are_kept(tmp_path: Path) -> None:
    """Every version that was published is kept, also after the page was taken down."""
    site = FolderSite(tmp_path)
    await do(site, page(), "one")
    first = (tmp_path / "content/mugs.md").read_bytes()
    await do(site, page("Better mugs"), "two", LATER)
    await do(site, UnpublishContent(slug="mugs"), "three", LATER)
    assert not (tmp_path / "content/mugs.md").exists()
    assert (tmp_path / ".revisions/mugs/1.md").read_bytes() == first
    assert (tmp_path / ".revisions/mugs/2.md").exists()


@pytest.mark.parametrize("slug", ["../evil", "a/b", "/etc/passwd", "..", "A", "a--b", "a\nb", "index.md"])
async def test_slugs_stay_inside(tmp_path: Path, slug: str) -> None:
    """A slug that is no slug is refused before any path is made of it."""
    piece = page().piece.model_copy(update={"slug": slug})
    for action in (UnpublishContent(slug=slug), PublishContent.model_construct(piece=piece)):
        with pytest.raises(Permanent, match="not a slug"):
            await FolderSite(tmp_path / "site").execute(action, key="k", expected_version="absent", now=NOW)
    assert pages(tmp_path) == []


@pytest.mark.parametrize("action", [page("Better mugs"), UnpublishContent(slug="mugs")], ids=lambda a: a.kind)
async def test_hand_work_is_left_alone(tmp_path: Path, action: Action) -> None:
    """A page changed by hand is neither overwritten nor removed."""
    site = FolderSite(tmp_path)
    await do(site, page(), "one")
    (tmp_path / "content/mugs.md").write_text("my own words")
    with pytest.raises(Permanent, match="by hand"):
        await do(site, action, "two")
    assert (tmp_path / "content/mugs.md").read_text() == "my own words"


async def test_full_disk(tmp_path: Path) -> None:
    """A full disk is worth another try; a missing permission is not; after the change its fate counts as unknown."""
    full, denied = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError(errno.EACCES, os.strerror(errno.EACCES))
    for guard, error, expected in (
        (file_errors, full, Retryable),
        (file_errors, denied, Permanent),
        (after_the_fact, full, Unknown),
    ):
        with pytest.raises(expected), guard("write"):
            raise error


async def test_site_under_a_file(tmp_path: Path) -> None:
    """Where the folder cannot be made, the error names the path."""
    (tmp_path / "site").write_text("a file in the way")
    with pytest.raises(Permanent, match="site"):
        await FolderSite(tmp_path / "site").check()
    with pytest.raises(Retryable):
        await FolderSite(tmp_path / "site").find_receipt(page(), key="k")
