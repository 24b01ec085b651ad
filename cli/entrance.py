"""The way into the console: its address, and the setup code until there is a password."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from settings import Settings

if TYPE_CHECKING:
    from cli.context import System


@dataclass(frozen=True)
class Entrance:
    """``url`` is None where no console runs; ``setup_code`` is None once a password is set."""

    url: str | None
    setup_code: str | None


async def look_for_entrance(settings: Settings) -> Entrance:
    """Raises SetupError where Steward does not run."""
    from cli.context import open_system  # noqa: PLC0415 - it imports the memory, which takes longer than the rest of `status`

    async with open_system(settings) as system:
        return await entrance(system)


async def entrance(system: "System") -> Entrance:
    from memory.setup_code import setup_code  # noqa: PLC0415 - as above

    needs_password = await system.memory.credentials.password() is None
    return Entrance(system.endpoints.console_url, setup_code(system.settings.home) if needs_password else None)


def directions(found: Entrance) -> list[str]:
    """What a person is told; nothing where no console runs."""
    if found.url is None:
        return []
    lines = [f"The console: {found.url}"]
    return [*lines, f"Its setup code, for the first password: {found.setup_code}"] if found.setup_code else lines
