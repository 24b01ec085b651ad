"""Where the servers are, and the settings of a process that is to use them."""

import os
from urllib.parse import urlsplit

from settings import Settings
from stack.state import PART_NAMES, Endpoints, PartState


def all_external(settings: Settings) -> Endpoints | None:
    """The endpoints when the operator brings all three servers, else None."""
    if not (settings.database_url and settings.temporal_address and settings.chroma_url):
        return None
    return Endpoints(
        database_url=settings.database_url,
        temporal_address=settings.temporal_address,
        temporal_namespace=settings.temporal_namespace,
        chroma_url=settings.chroma_url,
        ui_url=None,
        console_url=settings.console_url,
    )


def external_parts(settings: Settings) -> tuple[PartState, ...]:
    """Every part, with the servers that the operator brings marked as such."""
    given = {"postgres": settings.database_url, "temporal": settings.temporal_address, "chroma": settings.chroma_url}
    return tuple(
        PartState(name=name, state="external", address=without_secret(address)) if address else PartState(name=name)
        for name, address in ((name, given.get(name)) for name in PART_NAMES)
    )


def connected(settings: Settings, endpoints: Endpoints) -> Settings:
    """The settings with every server named, as the worker gets them and as other programs may use them."""
    found = {"TEMPORAL_ADDRESS": endpoints.temporal_address, "TEMPORAL_NAMESPACE": endpoints.temporal_namespace}
    # The embedded server takes no key and no TLS, whatever a configuration file in the user's home says.
    given = settings.temporal_environ if settings.temporal_address else {"TEMPORAL_CONFIG_FILE": os.devnull}
    return settings.model_copy(
        update={
            "database_url": endpoints.database_url,
            "temporal_address": endpoints.temporal_address,
            "temporal_namespace": endpoints.temporal_namespace,
            "temporal_environ": {**given, **found},
            "chroma_url": endpoints.chroma_url,
            "console_url": endpoints.console_url,
        }
    )


def host_and_port(address: str) -> tuple[str, int]:
    """Of a URL, or of ``host:port``."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    usual = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432}.get(parts.scheme, 7233)
    return parts.hostname or "localhost", parts.port or usual


def without_secret(address: str) -> str:
    """An address that may be shown: no user and no password."""
    return "{}:{}".format(*host_and_port(address))
