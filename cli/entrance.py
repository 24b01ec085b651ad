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
    from memory.setup_code import forget_setup_code, setup_code  # noqa: PLC0415 - as above

    home = system.settings.home
    if await system.memory.credentials.password() is None:
        return Entrance(system.endpoints.console_url, setup_code(home))
    forget_setup_code(home)  # where the password was set before codes were forgotten with it
    return Entrance(system.endpoints.console_url, None)


def directions(found: Entrance) -> list[str]:
    """What a person is told; nothing where no console runs."""
    if found.url is None:
        return []
    lines = [f"The console: {found.url}"]
    return [*lines, f"Its setup code, for the first password: {found.setup_code}"] if found.setup_code else lines
