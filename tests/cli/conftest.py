"""One small shop on one stack with its worker and its console, for all tests of the command line."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

import stack
from tests.cli.files import write_shop
from tests.cli.steward import Steward

WITHIN = 60.0


@pytest.fixture
def nobody(tmp_path: Path) -> Steward:
    """The command where nothing was ever started."""
    return Steward(tmp_path / "home")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a shop would import."""
    return write_shop(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[Steward]:
    """The command of the running shop: its data imported through it, every mail understood and asked about."""
    steward = Steward(tmp_path_factory.mktemp("cli") / "home")
    stack.start(steward.settings, worker=True, console=True)
    try:
        for kind in ("catalog", "sales", "orders", "customers"):
            assert steward("import", kind, str(files / f"{kind}.csv")).code == 0
        described = ("name=Mud", "email=shop@mud.example", "site_url=https://mud.example", "signature=Mia")
        assert steward("shop", *(word for pair in described for word in ("--set", pair))).code == 0
        assert steward("import", "tickets", str(files / "inbox.mbox")).code == 0
        _until_asked(steward, questions=5)
        yield steward
    finally:
        stack.stop(steward.settings)


def _until_asked(steward: Steward, *, questions: int) -> None:
    """Poll the inbox until so many wait."""
    deadline = monotonic() + WITHIN
    while len(steward("inbox", "--all", "--json").json["approvals"]) < questions:
        assert monotonic() < deadline, steward("inbox", "--all").out
        sleep(0.2)
