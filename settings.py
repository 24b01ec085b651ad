"""The settings: the only reader of the environment.

A value comes from the process environment, else from the file ``.env`` beside this file, else from the default here.
An empty value counts as not set, so ``DATABASE_URL=`` switches a line of ``.env`` off.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from domain.errors import SetupError
from domain.problems import first_problem

CHECKOUT = Path(__file__).absolute().parent
"""Where the code lives: ``worker.py`` is started from here, and the default home is here."""

VERSION = "0.1.0"
"""Of the program, as in ``pyproject.toml``, which is not where the program runs."""

PostgresUrl = Annotated[str, StringConstraints(pattern=r"^postgres(ql)?://.+")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/]+")]

_OF_CONNECTIONS = "STEWARD_SECRET_"
_VARIABLES = {
    "home": "STEWARD_HOME",
    "log_level": "STEWARD_LOG_LEVEL",
    "ready_file": "STEWARD_READY_FILE",
    "database_url": "DATABASE_URL",
    "temporal_address": "TEMPORAL_ADDRESS",
    "temporal_namespace": "TEMPORAL_NAMESPACE",
    "chroma_url": "CHROMA_URL",
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "token": "STEWARD_TOKEN",
    "console_host": "STEWARD_CONSOLE_HOST",
    "console_port": "STEWARD_CONSOLE_PORT",
    "console_url": "STEWARD_CONSOLE_URL",
    "temporal_ui_url": "STEWARD_TEMPORAL_UI_URL",
    "notify_urls": "STEWARD_NOTIFY_URLS",
}


class Settings(BaseModel):
    """Everything that can be set from outside. Frozen: read once at the start, then passed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = CHECKOUT / ".steward"
    """Data, logs and the state of the embedded stack. Absolute."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    ready_file: Path | None = None
    """The worker writes this file when it is ready to work."""
    database_url: PostgresUrl | None = Field(default=None, repr=False)
    """A PostgreSQL server of your own in place of the embedded one."""
    temporal_address: str | None = None
    """A Temporal server of your own, ``host:port``, in place of the embedded one."""
    temporal_namespace: str = "default"
    temporal_environ: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """Every ``TEMPORAL_*`` variable, as ``temporalio.envconfig`` wants them (TLS, API key, profile)."""
    chroma_url: HttpUrl | None = None
    """A Chroma server of your own in place of the embedded one."""
    anthropic_api_key: SecretStr | None = None
    token: SecretStr | None = None
    """A token of the operator's, for an agent that is to decide over standard input and output (``steward mcp``)."""
    console_host: str = "127.0.0.1"
    """Where the console listens. Beyond loopback it wants a password first."""
    console_port: int = Field(default=8400, ge=1, le=65_535)
    """The port it listens on, or where that is taken another one."""
    console_url: HttpUrl | None = None
    """The address under which the operator finds it, as the proxy in front of it has it; links are made of it."""
    temporal_ui_url: HttpUrl | None = None
    """The Temporal Web UI, for links, where it is not the embedded one."""
    connection_secrets: Mapping[str, SecretStr] = Field(default_factory=dict, repr=False)
    """Every ``STEWARD_SECRET_*`` variable: passwords and tokens of connected systems (see ``connectors.vault``)."""
    notify_urls: SecretStr | None = None
    """Where messages to the operator go, as apprise writes addresses. Else they are in the file ``notify`` in the home."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of this process, or of ``environ`` alone (then no file is read). Raises SetupError."""
        given = _environment() if environ is None else environ
        given = {name: value for name, value in given.items() if value}
        temporal = {name: value for name, value in given.items() if name.startswith("TEMPORAL_")}
        values: dict[str, object] = {f: given[name] for f, name in _VARIABLES.items() if name in given}
        secrets = {name: value for name, value in given.items() if name.startswith(_OF_CONNECTIONS)}
        values.update(_temporal_profile(temporal), temporal_environ=temporal, connection_secrets=secrets)
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise _refusal(error) from None
        return settings.model_copy(update={"home": settings.home.expanduser().absolute()})

    def environ(self) -> dict[str, str]:
        """The environment for a child process in which ``Settings.load()`` gives these settings again."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        own = {name: _plain(getattr(self, f)) for f, name in _VARIABLES.items()}
        secrets = {name: _plain(secret) for name, secret in self.connection_secrets.items()}
        return kept | dict(self.temporal_environ) | secrets | own

    @staticmethod
    def foreign_environ() -> dict[str, str]:
        """The environment for a server that is none of ours: without our variables, among them every key and password."""
        ours, prefixes = {*_VARIABLES.values()}, ("TEMPORAL_", _OF_CONNECTIONS)
        return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith(prefixes)}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")


def _environment() -> dict[str, str]:
    from_file = {name: value for name, value in dotenv_values(CHECKOUT / ".env", interpolate=False).items() if value}
    return from_file | dict(os.environ)


def _temporal_profile(temporal: Mapping[str, str]) -> dict[str, str]:
    """Address and namespace from a Temporal profile, where one was chosen and no address was set."""
    if "TEMPORAL_ADDRESS" in temporal or not temporal.keys() & {"TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"}:
        return {}
    from temporalio.envconfig import ClientConfig  # noqa: PLC0415 - half a second, and few use a profile

    try:
        connect = ClientConfig.load_client_connect_config(override_env_vars=temporal)
    except RuntimeError as error:
        raise SetupError(f"the Temporal profile cannot be read: {error}", hint="mend TEMPORAL_CONFIG_FILE") from error
    found = {"temporal_address": connect.get("target_host"), "temporal_namespace": connect.get("namespace")}
    return {name: value for name, value in found.items() if value}


def _refusal(error: ValidationError) -> SetupError:
    field, problem = first_problem(error)
    name = _VARIABLES.get(field, field)
    return SetupError(f"{name} is not valid: {problem}", hint=f"mend {name} in the environment or in .env")
