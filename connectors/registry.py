"""Every kind of outside system that can be connected. A new one is a module with a ``KIND`` and a line here."""

from connectors import hubspot, mailbox, mcp_tools, plausible, search_console, umami
from connectors.kinds import Kind

_KINDS = (mailbox.KIND, mcp_tools.KIND, search_console.KIND, plausible.KIND, umami.KIND, hubspot.KIND)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
