"""Settings: from the environment alone, refused in one line, and passed on whole."""

import tomllib
from pathlib import Path

import pytest

from domain.errors import SetupError
from settings import CHECKOUT, VERSION, Settings
from stack.endpoints import connected, without_secret
from stack.state import Endpoints


def test_an_empty_value_counts_as_not_set() -> None:
    """``DATABASE_URL=`` chooses the embedded PostgreSQL."""
    assert Settings.load({"DATABASE_URL": "", "STEWARD_LOG_LEVEL": ""}) == Settings.load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "mysql://x"), ("CHROMA_URL", "chroma:8000"), ("STEWARD_LOG_LEVEL", "loud")],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    """The message names the variable and never repeats the value, which may hold a password."""
    with pytest.raises(SetupError, match=f"^{name} is not valid") as refusal:
        Settings.load({name: value})
    assert value not in str(refusal.value)


def test_the_version_is_that_of_the_project() -> None:
    """Where the program runs in a container, the file of the project is not there."""
    assert tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_no_secret_is_shown_with_the_settings() -> None:
    """Neither the key, nor the database's password, nor Temporal's key."""
    given = {"ANTHROPIC_API_KEY": "s3cret", "DATABASE_URL": "postgresql://u:s3cret@h/d", "TEMPORAL_API_KEY": "s3cret"}
    given["STEWARD_SECRET_MAILBOX_PASSWORD"] = "s3cret"
    settings = Settings.load(given)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in without_secret(given["DATABASE_URL"])


def test_a_child_process_reads_the_same_settings(tmp_path: Path) -> None:
    """``environ`` and ``load`` are inverse, secrets and Temporal's own variables included."""
    given = {
        "STEWARD_HOME": str(tmp_path),
        "ANTHROPIC_API_KEY": "key",
        "TEMPORAL_ADDRESS": "t:7233",
        "TEMPORAL_NAMESPACE": "shop",
        "TEMPORAL_API_KEY": "key",
        "STEWARD_SECRET_MAILBOX_PASSWORD": "key",
    }
    child = Settings.load(Settings.load(given).environ())
    assert {name: str(value) for name, value in child.temporal_environ.items()} == {
        name: value for name, value in given.items() if name.startswith("TEMPORAL_")
    }
    assert child == Settings.load(given)


def test_a_temporal_profile_names_the_server(tmp_path: Path) -> None:
    """A profile chosen by the SDK's own variables replaces the embedded server, with its namespace."""
    (tmp_path / "temporal.toml").write_text('[profile.cloud]\naddress = "shop.tmprl.cloud:7233"\nnamespace = "shop"\n')
    settings = Settings.load({"TEMPORAL_CONFIG_FILE": str(tmp_path / "temporal.toml"), "TEMPORAL_PROFILE": "cloud"})
    assert (settings.temporal_address, settings.temporal_namespace) == ("shop.tmprl.cloud:7233", "shop")


def test_the_embedded_server_ignores_a_configuration_file_of_the_user() -> None:
    """Such a file may ask for TLS, which the embedded server does not speak."""
    embedded = Endpoints("postgresql://h/d", "127.0.0.1:1", "default", "http://127.0.0.1:2", None)
    environ = connected(Settings.load({}), embedded).temporal_environ
    assert environ["TEMPORAL_CONFIG_FILE"] == "/dev/null"
    assert environ["TEMPORAL_ADDRESS"] == "127.0.0.1:1"
