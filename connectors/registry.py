"""Every kind of outside system that can be connected. A new one is a module with a ``KIND`` and a line here."""

from connectors import drop_folder, mailbox, stripe, webhook
from connectors.kinds import Kind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (drop_folder.KIND, mailbox.KIND, stripe.KIND, webhook.KIND)}
