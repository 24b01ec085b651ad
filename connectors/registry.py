"""Every kind of outside system that can be connected. A new one is a module with a ``KIND`` and a line here."""

from connectors import drop_folder, folder_site, mailbox, shopify, webhook, woocommerce, wordpress
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
    )
}
