"""Every kind of outside system that can be connected. A new one is a module with a ``KIND`` and a line here."""

from connectors import (
    drop_folder,
    folder_site,
    hubspot,
    mailbox,
    mcp_tools,
    plausible,
    search_console,
    shopify,
    stripe,
    umami,
    vendure,
    webhook,
    woocommerce,
    wordpress,
)
from connectors.kinds import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        drop_folder.KIND,
        mailbox.KIND,
        webhook.KIND,
        folder_site.KIND,
        wordpress.KIND,
        shopify.KIND,
        woocommerce.KIND,
        vendure.KIND,
        stripe.KIND,
        hubspot.KIND,
        search_console.KIND,
        plausible.KIND,
        umami.KIND,
        mcp_tools.KIND,
    )
}
