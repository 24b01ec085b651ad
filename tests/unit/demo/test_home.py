from pathlib import Path

import pytest

from demo import home
from domain.errors import SetupError
from settings import Settings


@pytest.mark.parametrize("place", ["data/postgres", "outside/shop.json", "archive/2026-03", "anchors/2026-03-02", "cli-token"])
def test_a_home_with_real_data_is_refused(tmp_path: Path, place: str) -> None:
    """One line that says what to do, and nothing is touched. With a database elsewhere the archive is all that is here."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    with pytest.raises(SetupError, match="STEWARD_HOME"):
        home.clear(tmp_path)
    assert (tmp_path / place).exists()
    assert not (tmp_path / home.MARKER).exists()


def test_a_new_home_is_marked(tmp_path: Path) -> None:
    """The marker is what lets a later demo clear it."""
    assert not home.clear(tmp_path / "new")
    assert (tmp_path / "new" / home.MARKER).exists()


def test_the_previous_demo_is_moved_aside_and_only_one_is_kept(tmp_path: Path) -> None:
    """A second demo starts from nothing; what somebody did in the first one is still there."""
    for run in ("first", "second"):
        home.clear(tmp_path)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / run).touch()
    assert home.clear(tmp_path)
    assert [p.name for p in (tmp_path / home.PREVIOUS / "data").iterdir()] == ["second"]
    assert not (tmp_path / "data").exists()


def test_a_demo_that_is_put_away_leaves_what_belongs_to_the_operator(tmp_path: Path) -> None:
    """And says of everything what became of it."""
    home.clear(tmp_path)
    for folder in ("data", "demo", "simulation", "archive", "anchors", "secrets", "inbox"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "something").touch()
    (tmp_path / "logs").mkdir()
    for file in ("setup-code", "cli-token", "notify"):
        (tmp_path / file).touch()
    done = home.put_away(Settings(home=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inbox", "notify", home.PREVIOUS, "secrets"]
    assert (done.moved, done.removed) == (("data", "archive", "anchors", "demo", "simulation"), ("setup-code", "cli-token"))
    assert "kept: inbox, notify, secrets (which is yours" in done.told()
    assert "holds no demo" in home.put_away(Settings(home=tmp_path)).told()


def test_the_demo_uses_no_servers_of_the_operator() -> None:
    """It would fill a real database with invented orders."""
    with pytest.raises(SetupError, match="DATABASE_URL"):
        home.require_own_servers(Settings(database_url="postgresql://shop@db/shop"))
