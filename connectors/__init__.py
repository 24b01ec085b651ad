"""Connectors: one module an outside system. Those here need no account: mail, orders and pages live in a folder."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from connectors.fakes import InMemoryCrm, InMemoryHelpdesk, InMemoryShop, InMemorySite, InMemorySuppliers, InMemoryTools
from connectors.folder_site import FolderSite
from connectors.local_shop import LocalShop, OrderOf
from connectors.maildir import MaildirHelpdesk, MaildirSuppliers
from connectors.nothing import Nothing
from connectors.outgoing import Outgoing
from connectors.registry import KINDS
from connectors.switchboard import Connections, Switchboard
from connectors.vault import Vault
from domain.actions import Capability
from domain.ports import Attempts, Connector


def open_local(home: Path, *, order_of: OrderOf | None = None) -> dict[Capability, Connector]:
    """Mail, order book and site under ``home/outside``; ``order_of`` gives orders the book lacks. Nothing is touched yet."""
    outside = home / "outside"
    mail = Outgoing(outside / "mail" / "outgoing")
    shop = LocalShop(outside / "shop.db", order_of=order_of)
    return {
        Capability.HELPDESK: MaildirHelpdesk(mail),
        Capability.SUPPLIERS: MaildirSuppliers(mail),
        Capability.SHOP: shop,
        Capability.PAYMENTS: shop,  # its refunds are a line in the order book: who moves the money is not connected
        Capability.SITE: FolderSite(outside / "site"),
        Capability.TOOLS: Nothing(Capability.TOOLS, hint="`./steward connect NAME --kind mcp`"),
        Capability.CRM: Nothing(Capability.CRM, hint="`./steward connect hubspot`"),
    }


def open_switchboard(home: Path, *, connections: Connections, secrets: Mapping[str, SecretStr], attempts: Attempts) -> Switchboard:
    """What the operator has connected, by the kinds that are registered. Nothing is called yet."""
    return Switchboard(connections=connections, kinds=KINDS, vault=Vault(home, secrets), attempts=attempts, home=home)


def in_memory() -> dict[Capability, Connector]:
    """The same in memory, empty."""
    shop = InMemoryShop()
    return {
        Capability.HELPDESK: InMemoryHelpdesk(),
        Capability.SUPPLIERS: InMemorySuppliers(),
        Capability.SHOP: shop,
        Capability.PAYMENTS: shop,
        Capability.SITE: InMemorySite(),
        Capability.TOOLS: InMemoryTools(),
        Capability.CRM: InMemoryCrm(),
    }
