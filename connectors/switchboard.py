"""Which adapter an action or a reading goes through right now. The operator may connect and switch while everything runs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from connectors.exchanges import Exchanges
from connectors.kinds import Kind, Opened, Opening
from connectors.modes import DryRunConnector, OffConnector, RecordingSource, ReplayConnector, ReplayingSource
from connectors.page_metrics import completed
from connectors.vault import Vault
from domain.actions import Action, Capability, Receipt
from domain.connections import Connection, ConnectionMode, serving
from domain.decisions import Diff
from domain.entities import ContentMetrics
from domain.errors import Permanent
from domain.ids import digest
from domain.ports import Analytics, Attempts, Bell, Connector, Source, units_in

Connections = Callable[[], Awaitable[Sequence[Connection]]]


class Switchboard:
    """Opens each connection once, and anew when its settings or secrets change. See ``ports.Sources``."""

    def __init__(
        self, *, connections: Connections, kinds: Mapping[str, Kind], vault: Vault, attempts: Attempts, home: Path
    ) -> None:
        self.connections = connections
        self._kinds = kinds
        self._vault = vault
        self._attempts = attempts
        self._home = home
        self._open: dict[str, tuple[str, Opened]] = {}
        self._replaced: list[Opened] = []

    def connector(self, capability: Capability, *, otherwise: Connector) -> Connector:
        """The connector for ``capability``, whichever that is when it is called; ``otherwise`` where nothing is connected."""
        return _Switched(self, capability, otherwise)

    def analytics(self, *, otherwise: Analytics) -> Analytics:
        return _SwitchedAnalytics(self, otherwise)

    async def source(self, connection: str) -> Source | None:
        found = next((c for c in await self.connections() if c.name == connection), None)
        if found is None or found.mode is ConnectionMode.OFF:
            return None
        source = self.opened(found).source
        if source is None or found.mode is ConnectionMode.LIVE:
            return source
        wrapper = ReplayingSource if found.mode is ConnectionMode.REPLAY else RecordingSource
        return wrapper(source, self.exchanges(found.name))

    async def bell(self, connection: str) -> Bell | None:
        found = next((c for c in await self.connections() if c.name == connection), None)
        if found is None or found.mode not in (ConnectionMode.LIVE, ConnectionMode.DRY_RUN):
            return None
        return self.opened(found).bell

    def serving(self, connection: Connection, capability: Capability) -> Connector:
        """The connector of ``connection`` in the mode it is in. Raises Permanent where it cannot be opened."""
        name = connection.name
        match connection.mode:
            case ConnectionMode.OFF:
                return OffConnector(capability, name=name)
            case ConnectionMode.REPLAY:
                return ReplayConnector(capability, self.exchanges(name), name=name)
        inner = self.opened(connection).connectors.get(capability)
        if inner is None:
            raise Permanent(f"{name} cannot do what {capability} needs", hint=f"`./steward connect {name}` says what it can do")
        return inner if connection.mode is ConnectionMode.LIVE else DryRunConnector(inner, self.exchanges(name), name=name)

    def opened(self, connection: Connection) -> Opened:
        """Its adapters, whatever its mode. Raises Permanent for a kind nobody knows and for missing secrets."""
        kind = self._kinds.get(connection.kind)
        if kind is None:
            raise Permanent(f"nothing here connects a {connection.kind}", hint="`./steward connectors` lists the kinds")
        mark = digest([connection.kind, connection.settings, self._vault.mark(connection.name)])
        known = self._open.get(connection.name)
        if known is None or known[0] != mark:
            if known:
                self._replaced.append(known[1])  # a call may be on its way through it
            self._open[connection.name] = (mark, kind.open(self._opening(kind, connection)))
        return self._open[connection.name][1]

    async def close(self) -> None:
        for opened in (*self._replaced, *(opened for _, opened in self._open.values())):
            await opened.close()

    def exchanges(self, connection: str) -> Exchanges:
        return Exchanges(self._folder(connection) / "exchanges.jsonl")

    def _opening(self, kind: Kind, connection: Connection) -> Opening:
        wanted = {setting.name: setting.default for setting in kind.settings if setting.secret}
        known = connection.settings
        unsaid = [s for s in kind.settings if not s.secret and s.name not in known]
        usual = {s.name: s.check(s.default) for s in unsaid if s.default is not None}
        return Opening(
            name=connection.name,
            settings=usual | known,  # it may have been connected before there was a setting of that name
            secrets=self._vault.secrets(connection.name, wanted),
            folder=self._folder(connection.name),
            attempts=self._attempts,
        )

    def _folder(self, connection: str) -> Path:
        return self._home / "connections" / connection


class _Switched:
    """Looks at every call. See ``ports.SwitchedConnector``; ``name`` is that of the one where nothing is connected."""

    def __init__(self, board: Switchboard, capability: Capability, otherwise: Connector) -> None:
        self.capability = capability
        self.name = otherwise.name
        self._board = board
        self._otherwise = otherwise

    async def check(self) -> str:
        return await (await self.now()).check()

    async def preview(self, action: Action) -> Diff:
        return await (await self.now(action)).preview(action)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        connector = await self.now(action)
        return await connector.execute(action, key=key, expected_version=expected_version, now=now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await (await self.now(action)).find_receipt(action, key=key)

    async def now(self, action: Action | None = None) -> Connector:
        through = action.through if action else ""
        connection = serving(list(await self._board.connections()), self.capability, through=through)
        return self._otherwise if connection is None else _Through(self._board, connection, self.capability)


class _Through:
    """The connector of one connection, which is opened when it is called: what cannot be opened has a name too."""

    def __init__(self, board: Switchboard, connection: Connection, capability: Capability) -> None:
        self.name = connection.name
        self.capability = capability
        self._board = board
        self._connection = connection

    async def check(self) -> str:
        return await self._opened().check()

    async def preview(self, action: Action) -> Diff:
        return await self._opened().preview(action)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        return await self._opened().execute(action, key=key, expected_version=expected_version, now=now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await self._opened().find_receipt(action, key=key)

    async def units(self, sku: str) -> int:
        return await units_in(self._opened(), sku)

    def _opened(self) -> Connector:
        return self._board.serving(self._connection, self.capability)


class _SwitchedAnalytics:
    """What the connections that measure pages know together; what is off measures nothing."""

    def __init__(self, board: Switchboard, otherwise: Analytics) -> None:
        self._board = board
        self._otherwise = otherwise

    async def measure(self, slug: str) -> list[ContentMetrics]:
        on = [c for c in await self._board.connections() if c.mode in (ConnectionMode.LIVE, ConnectionMode.DRY_RUN)]
        asked = [analytics for c in on if (analytics := self._board.opened(c).analytics) is not None]
        known: list[ContentMetrics] = []
        for analytics in asked or [self._otherwise]:
            known = completed(known, await analytics.measure(slug))
        return known
