"""Context packs: everything a decision is made from, in one fixed order, under a budget, hashed and kept."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from domain.catalogue import ENTITY_TYPES, split_stream
from domain.context import ContextPack, ContextRequest, Item, Section
from domain.errors import InvalidInput
from domain.event import Event
from domain.ids import canonical_json
from domain.knowledge import Fact
from domain.model import Moment, Value
from domain.policies import POLICY_TYPES
from domain.ports import Facts, Policies, Recall, State
from domain.runs import Lesson
from memory.database import Database, json_of
from memory.timeline import Timeline

_EVENTS_A_STREAM = 10
_LESSONS = 8
_CHARACTERS_A_TOKEN = 4  # near enough for a budget, whatever the model
_ALWAYS = datetime.max.replace(tzinfo=UTC)  # the belief time at which everything still believed is believed


class PackStore(Protocol):
    async def put(self, pack: ContextPack, *, at: Moment) -> None: ...

    async def get(self, pack_hash: str) -> ContextPack | None: ...


class PostgresPackStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, pack: ContextPack, *, at: Moment) -> None:
        await self._database.run("put_pack", hash=pack.hash, pack=json_of(pack), at=at)

    async def get(self, pack_hash: str) -> ContextPack | None:
        row = await self._database.row("get_pack", hash=pack_hash)
        return None if row is None else ContextPack.model_validate(row["pack"])


class CompiledPacks:
    """See ``ports.ContextPacks``. It reads through the other ports, so it has no fake of its own."""

    def __init__(self, *, store: PackStore, log: Timeline, state: State, facts: Facts, policies: Policies, recall: Recall) -> None:
        self._store = store
        self._log = log
        self._state = state
        self._facts = facts
        self._policies = policies
        self._recall = recall

    async def compile(self, request: ContextRequest) -> ContextPack:
        """Raises InvalidInput for a policy or a stream that cannot exist."""
        policies, versions = await self._policy_items(request)
        candidates = {
            Section.POLICIES: policies,
            Section.STATE: await self._entities(request),
            Section.FACTS: await self._statements(request),
            Section.EVENTS: await self._events(request),
            Section.RECALL: await self._recalled(request),
            Section.LESSONS: await self._lessons(request),
        }
        sections, dropped = fit(candidates, request.token_budget)
        pack = ContextPack(sections=sections, dropped=dropped, policy_versions=versions)
        await self._store.put(pack, at=request.as_of)
        return pack

    async def get(self, pack_hash: str) -> ContextPack | None:
        return await self._store.get(pack_hash)

    async def _policy_items(self, request: ContextRequest) -> tuple[list[Item], dict[str, int]]:
        items, versions = [], {}
        for name in request.policies:
            if name not in POLICY_TYPES:
                raise InvalidInput(f"there is no policy {name!r}", hint=f"there are {', '.join(POLICY_TYPES)}")
            policy = await self._policies.in_force(POLICY_TYPES[name])
            versions[name] = policy.version
            items.append(_item(f"policy/{name}@{policy.version}", policy.document))
        return items, versions

    async def _entities(self, request: ContextRequest) -> list[Item]:
        items = []
        for stream in request.streams:
            kind, key = split_stream(stream)
            entity = await self._state.get(ENTITY_TYPES[kind], key)
            items += [] if entity is None else [_item(stream, entity)]
        return items

    async def _statements(self, request: ContextRequest) -> list[Item]:
        found: list[Fact] = []
        for stream in request.streams:
            found += await self._facts.as_of(stream, world=request.as_of, belief=_ALWAYS)
        return [_item(fact.ref, fact.model_dump(mode="json", include={"object", "valid_from", "confidence"})) for fact in found]

    async def _events(self, request: ContextRequest) -> list[Item]:
        found: list[Event] = []
        for stream in request.streams:
            found += await self._log.last(stream=stream, limit=_EVENTS_A_STREAM)
        return [_item(f"event/{e.event_id}", e.model_dump(mode="json", include={"type", "stream", "at", "data"})) for e in found]

    async def _recalled(self, request: ContextRequest) -> list[Item]:
        if not request.query.strip():
            return []
        found = await self._recall.search(request.query, entities=request.streams, now=request.as_of)
        return [_item(r.passage.passage_id, r.passage.model_dump(mode="json", exclude={"passage_id"})) for r in found]

    async def _lessons(self, request: ContextRequest) -> list[Item]:
        if not request.topic:
            return []
        lessons = await self._state.find(Lesson, topic=request.topic)
        newest = sorted(lessons, key=lambda lesson: (lesson.at, lesson.lesson_id), reverse=True)[:_LESSONS]
        return [_item(f"lesson/{lesson.lesson_id}", lesson) for lesson in newest]


def fit(candidates: Mapping[Section, Sequence[Item]], budget: int) -> tuple[dict[Section, tuple[Item, ...]], tuple[str, ...]]:
    """Fill the sections in their order while the budget (in tokens) lasts; what did not fit is named, never cut."""
    sections: dict[Section, tuple[Item, ...]] = {}
    dropped: list[str] = []
    for section in Section:
        kept = []
        for item in candidates.get(section, ()):
            if item.tokens <= budget:
                kept.append(item)
                budget -= item.tokens
            else:
                dropped.append(f"{section}: {item.ref}")
        sections[section] = tuple(kept)
    return sections, tuple(dropped)


def _item(ref: str, body: Value | dict[str, Any]) -> Item:
    plain = body.model_dump(mode="json") if isinstance(body, Value) else body
    return Item(ref=ref, body=plain, tokens=-(-len(canonical_json(plain)) // _CHARACTERS_A_TOKEN))
