"""Any shop, form or program that can push: Steward's own records as JSON, signed as Standard Webhooks say."""

from datetime import datetime

from connectors.ahead import ahead
from connectors.importers.pushed import COLUMNS, pushed, read_pushed
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening, Setting
from connectors.reading import ReadingSource, only_new
from connectors.webhooks import check_standard, standard_keys
from domain.connections import Delivery, Page, Reading, Record, Webhook
from domain.errors import InvalidInput, Permanent
from domain.ports import State


class WebhookSource(ReadingSource):
    """There is nothing to read: it is told. ``keys`` are those that calls may be signed with. See ``ports.Source``."""

    streams = tuple(COLUMNS)

    def __init__(self, name: str, keys: tuple[bytes, ...]) -> None:
        self.name = name
        self._keys = keys

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        return Page(cursor=cursor)

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        """All records of a call or none: who sends it is told at once which of them makes no sense."""
        message_id = check_standard(request, self._keys)
        report = read_pushed(request.body, source=self.name, at=request.at)
        if report.rejected:
            first = report.rejected[0]
            raise InvalidInput(f"record {first.line}: {first.column} {first.why}", hint="nothing of this call was taken")
        return (Record(stream=report.kind, external_id=message_id, raw=request.body),)

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        if pushed(raw).type != stream:
            raise InvalidInput(f"this is not about {stream}")
        return read_pushed(raw, source=self.name, at=at)

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        """Calls overtake each other: what is behind what is known means nothing."""
        told = self.normalise(stream, delivery.raw, at=delivery.at)
        return await only_new(await ahead(told, state, at=delivery.at), state)


def _open(opening: Opening) -> Opened:
    try:
        keys = standard_keys(opening.secret("secret"))
    except InvalidInput as error:
        raise Permanent(f"{opening.name}: {error.message}", hint=error.hint) from None

    async def check() -> str:
        return "waits for calls"

    return Opened(check=check, source=WebhookSource(opening.name, keys))


def _secret(value: str) -> str:
    standard_keys(value)
    return " ".join(value.split())


KIND = Kind(
    name="webhook",
    title="anything that can push orders, sales or tickets as JSON, signed as Standard Webhooks say",
    settings=(Setting(name="secret", ask="The signing secret (whsec_...), the same as at the sender", secret=True, check=_secret),),
    open=_open,
    reads={
        "orders": "orders, and what becomes of them",
        "sales": "the sales of a day so far",
        "tickets": "messages from customers become tickets and answers",
    },
    called=True,
)
