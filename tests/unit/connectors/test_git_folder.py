"""A folder of pages in git: each change is one commit of one file, and nothing else there is touched."""

import shutil
from pathlib import Path

import pytest

from connectors.git_folder import GitFolder
from domain.actions import Action, UnpublishContent
from domain.errors import InvalidInput, Permanent, Retryable, Unknown
from domain.ports import Connector
from tests.contract.git_cases import commits, git, repository, site_in
from tests.contract.outside_cases import NOW, page


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def pages(root: Path) -> Path:
    return repository(root)


def markdown(folder: Path) -> list[Path]:
    return list(folder.glob("*.md"))


async def do(site: Connector, action: Action, key: str) -> None:
    seen = (await site.preview(action)).record_version
    await site.execute(action, key=key, expected_version=seen, now=NOW)


async def test_each_change_is_a_commit_that_says_what_was_done(root: Path, pages: Path) -> None:
    """By Steward, in the repository above the folder; revisions and receipts are not seen by git."""
    site = site_in(pages)
    await do(site, page(), "one")
    await do(site, page("Cups\nand more", revision=2), "two")
    await do(site, UnpublishContent(slug="mugs", reason="sold out"), "three")
    said = ["take down 'mugs' (sold out)", "publish 'mugs' (revision 2): Cups and more", "publish 'mugs' (revision 1): Mugs"]
    assert commits(root) == [*said, "begin"]
    assert git(root, "log", "-3", "--format=%an", "--name-only").split() == ["Steward", "content/guides/mugs.md"] * 3


async def test_what_somebody_else_is_doing_there_stays_as_it_is(root: Path, pages: Path) -> None:
    """Staged stays staged, untracked stays untracked."""
    before = git(root, "status", "--porcelain"), git(root, "diff", "--cached")
    site = site_in(pages)
    await do(site, page(), "one")
    await do(site, UnpublishContent(slug="mugs"), "two")
    assert (git(root, "status", "--porcelain"), git(root, "diff", "--cached")) == before


async def test_the_first_commit_of_a_new_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    await do(site_in(tmp_path), page(), "one")
    assert commits(tmp_path) == ["publish 'mugs' (revision 1): Mugs"]


async def test_a_folder_outside_of_any_repository_is_told_at_once(tmp_path: Path) -> None:
    """Before a page is written; without git it is a folder like any other."""
    for call in (site_in(tmp_path).check(), do(site_in(tmp_path), page(), "one")):
        with pytest.raises(Permanent, match="git init"):
            await call
    assert markdown(tmp_path) == []
    await do(site_in(tmp_path, commit="no"), page(), "one")
    assert await site_in(tmp_path, commit="no").check() == f"1 page in {tmp_path}"


async def test_a_machine_without_git_is_told_so(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Permanent, match="git is not installed"):
        await site_in(pages).check()


async def test_a_page_that_git_ignores_is_not_written(root: Path, pages: Path) -> None:
    (root / ".gitignore").write_text("content/guides/*\n")
    with pytest.raises(Permanent, match="git ignores"):
        await do(site_in(pages), page(), "one")
    assert not (pages / "mugs.md").exists()


async def test_a_merge_that_is_under_way_is_waited_for(root: Path, pages: Path) -> None:
    """Committing one file would end it."""
    (root / ".git" / "MERGE_HEAD").write_text(git(root, "rev-parse", "HEAD"))
    with pytest.raises(Retryable, match="under way"):
        await do(site_in(pages), page(), "one")
    assert not (pages / "mugs.md").exists()


async def test_a_commit_that_fails_is_made_by_the_next_call(root: Path, pages: Path) -> None:
    """The operator holds the index while the page is written: its fate is unknown until the commit is there."""
    site, lock = site_in(pages), root / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(Unknown, match="did not add"):
        await do(site, page(), "one")
    with pytest.raises(Retryable):
        await site.find_receipt(page(), key="one")
    lock.unlink()
    assert await site.find_receipt(page(), key="one") is not None
    assert len(commits(root)) == 2


async def test_hooks_that_check_are_skipped_and_those_that_build_run(root: Path, pages: Path) -> None:
    for name, does in (("pre-commit", "exit 1"), ("post-commit", f"touch {root}/built")):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{does}\n")
        hook.chmod(0o755)
    await do(site_in(pages), page(), "one")
    assert (root / "built").exists()


def test_what_was_never_committed_and_is_gone_needs_no_commit(root: Path, pages: Path) -> None:
    """Also where git was told of it already, as after a crash."""
    folder, file = GitFolder(pages), pages / "mugs.md"
    folder.commit(file, "nothing")
    file.write_text("x")
    git(root, "add", "--intent-to-add", str(file))
    file.unlink()
    folder.commit(file, "nothing")
    assert commits(root) == ["begin"]


async def test_a_folder_that_is_away_is_not_made_anew(tmp_path: Path, pages: Path) -> None:
    """A disk that is not mounted is no empty site."""
    site = site_in(pages)
    await do(site, page(), "one")
    shutil.move(pages, tmp_path / "away")
    with pytest.raises(Permanent, match="No such file"):
        await site.check()
    with pytest.raises(Retryable):
        await site.find_receipt(page(), key="one")
    assert markdown(pages) == []


def test_a_folder_is_named_by_its_whole_path() -> None:
    """A worker may have another working directory than the command."""
    with pytest.raises(InvalidInput, match="whole path"):
        site_in(Path("content"))
