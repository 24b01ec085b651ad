"""Every kind of outside system that can be connected. A new one is a module with a ``KIND`` and a line here."""

from connectors import mailbox, shopify, vendure, woocommerce
from connectors.kinds import Kind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (mailbox.KIND, shopify.KIND, vendure.KIND, woocommerce.KIND)}
