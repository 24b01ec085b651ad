"""One small shop on one stack with its worker, for all tests of the command line."""

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

import stack
from settings import Settings
from tests.cli.files import write_shop
from tests.cli.steward import steward

WITHIN = 60.0


@pytest.fixture(autouse=True, scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of this session's own, at first with nothing in it, and a terminal that is wide enough."""
    home = tmp_path_factory.mktemp("cli") / "home"
    before = dict(os.environ)
    os.environ.update(
        STEWARD_HOME=str(home), COLUMNS="200", DATABASE_URL="", TEMPORAL_ADDRESS="", CHROMA_URL="", ANTHROPIC_API_KEY=""
    )
    yield home
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a shop would import."""
    return write_shop(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def shop(environ: Path, files: Path) -> Iterator[Path]:
    """The running shop, its data imported through the command, every mail understood and asked about."""
    settings = Settings.load()
    stack.start(settings, worker=True)
    try:
        for kind in ("catalog", "sales", "orders", "customers"):
            assert steward("import", kind, str(files / f"{kind}.csv")).code == 0
        described = ("name=Mud", "email=shop@mud.example", "site_url=https://mud.example", "signature=Mia")
        assert steward("shop", *(word for pair in described for word in ("--set", pair))).code == 0
        assert steward("import", "tickets", str(files / "inbox.mbox")).code == 0
        until_asked(5)
        yield environ
    finally:
        stack.stop(settings)


def until_asked(questions: int) -> None:
    """Poll the inbox until so many wait."""
    deadline = monotonic() + WITHIN
    while len(steward("inbox", "--all", "--json").json["approvals"]) < questions:
        assert monotonic() < deadline, steward("inbox", "--all").out
        sleep(0.2)
