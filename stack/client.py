"""A Temporal client, configured as every Temporal tool is."""

import asyncio

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig

from domain.errors import SetupError
from settings import Settings

_PAUSE = 0.2  # seconds between attempts


async def connect(settings: Settings, *, attempts: int = 1) -> Client:
    """Connected, or SetupError after so many attempts."""
    config = ClientConfig.load_client_connect_config(override_env_vars=dict(settings.temporal_environ))
    config.setdefault("target_host", "localhost:7233")
    for left in reversed(range(attempts)):
        try:
            return await Client.connect(**config, data_converter=pydantic_data_converter)
        except RuntimeError as error:
            if not left:
                where = config["target_host"]
                raise SetupError(f"no Temporal server answers at {where}: {error}", hint="see `./steward status`") from error
            await asyncio.sleep(_PAUSE)
    raise AssertionError("unreachable: the last attempt returns or raises")
