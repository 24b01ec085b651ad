"""A small shop to write about: a state made of entities, and the local engine behind the Model port."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Self, TypeVar, cast

from agents.content_planner import ContentPlanner
from domain.context import ContextPack, ContextRequest
from domain.entities import ContentPiece, Direction, Message, Product, Shop, Stock, Ticket
from domain.event import SalesRow
from domain.knowledge import InForce
from domain.model import Moment, Value
from domain.money import Money
from domain.policies import Policy
from domain.tasks import CONTENT, Answer, ContentDraft, Question
from models.local.content import draft

E = TypeVar("E", bound=Value)
P = TypeVar("P", bound=Policy)
T = TypeVar("T", bound=Value)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHOP = Shop(name="Mill Shop", email="hello@mill.example", site_url="https://mill.example", signature="Ada, Mill Shop")
ATTRIBUTES = {
    "material": "stoneware",
    "dimensions": "9 x 9.5 cm",
    "weight": "380 g",
    "care": "dishwasher safe",
    "origin": "Germany",
}


def product(sku: str = "MUG", title: str = "Moss mug", **changes: object) -> Product:
    given = {
        "description": "A mug with a wide handle.",
        "price": Money.of("19.50"),
        "unit_cost": Money.of(8),
        "attributes": ATTRIBUTES,
    }
    return Product.model_validate({"sku": sku, "title": title, "supplier_id": "S1", **given, **changes})


def stock(sku: str = "MUG", on_hand: int = 5, reserved: int = 0) -> Stock:
    return Stock(sku=sku, on_hand=on_hand, reserved=reserved)


def ticket(number: int, body: str = "How heavy is the Moss mug?", *, intent: str = "product-question", days_ago: int = 1) -> Ticket:
    at = NOW - timedelta(days=days_ago)
    sender = f"c{number}@post.example"
    message = Message(message_id=f"m{number}", direction=Direction.INBOUND, sender=sender, at=at, body=body)
    return Ticket(ticket_id=f"T{number}", source="mail", sender=sender, subject="A question", messages=(message,), intent=intent)


class KnownState:
    """The State port over given entities, without a log behind it."""

    def __init__(self, *entities: Value, sales: Sequence[SalesRow] = ()) -> None:
        self._entities = entities
        self._sales = sales

    async def get(self, entity: type[E], key: str) -> E | None:
        return next((e for e in await self.find(entity) if key in {"self", _key(e)}), None)

    async def find(self, entity: type[E], **equals: str) -> list[E]:
        found = [e for e in self._entities if isinstance(e, entity)]
        return [e for e in found if all(str(getattr(e, name)) == value for name, value in equals.items())]

    async def since(self, entity: type[E], moment: Moment, **equals: str) -> list[E]:
        """Everything here is of today."""
        return await self.find(entity, **equals)

    async def version(self, entity: type[Value], key: str) -> int:
        return 1

    async def sales(self, *, since: date, until: date, skus: Sequence[str] = ()) -> list[SalesRow]:
        return [row for row in self._sales if since <= row.day <= until]


def _key(entity: Value) -> str:
    names = ("sku", "slug", "ticket_id")
    return next((str(getattr(entity, name)) for name in names if hasattr(entity, name)), "")


class DefaultPolicies:
    async def in_force(self, policy: type[P]) -> InForce[P]:
        return InForce(name=policy.__name__, version=0, document=policy())

    async def versions(self) -> dict[str, int]:
        return {}

    async def arms(self) -> dict[str, str]:
        return {}

    def of(self, run_id: str) -> Self:
        return self


class EmptyPacks:
    async def compile(self, request: ContextRequest) -> ContextPack:
        return ContextPack(sections={})

    async def get(self, pack_hash: str) -> ContextPack | None:
        return None


class LocalWriter:
    """The local engine, or a script of drafts where one is given; it remembers what it was asked."""

    def __init__(self, *script: ContentDraft) -> None:
        self._script = list(script)
        self.asked: list[Question[ContentDraft]] = []

    async def answer(self, question: Question[T]) -> Answer[T]:
        assert question.task.name == CONTENT.name
        mine = cast("Question[ContentDraft]", question)
        self.asked.append(mine)
        if not self._script:
            return cast("Answer[T]", draft(mine))
        return cast("Answer[T]", Answer(value=self._script.pop(0), confidence=1.0, engine="script", model="script"))


def planner(*entities: Value, writer: LocalWriter | None = None, sales: Sequence[SalesRow] = ()) -> ContentPlanner:
    state = KnownState(SHOP, *entities, sales=sales)
    return ContentPlanner(state=state, packs=EmptyPacks(), policies=DefaultPolicies(), model=writer or LocalWriter())


async def written_page(*entities: Value) -> ContentPiece:
    """The page that the local engine writes for the first topic of the given shop."""
    at_work = planner(*entities)
    written = await at_work.write((await at_work.topics(now=NOW))[0], now=NOW)
    assert written.planned is not None
    piece = getattr(written.planned.action, "piece", None)
    assert isinstance(piece, ContentPiece)
    return piece
