"""What happens, as it happens: server-sent events whose ids are places in the log.

A page asks for what comes ``after`` it was made, since its stream begins later; a browser that comes back sends
``Last-Event-ID`` and gets what it missed (WHATWG HTML, server-sent events). An event names the kind of entity that changed, so
that the parts of a page which show it load themselves anew; it says nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from console.visit import Here
from domain.errors import Retryable
from domain.event import Event
from memory.memory import Memory

router = APIRouter()
MOST_MISSED = 500
"""Further behind than so many events, the page loads itself anew as a whole."""
_PAUSE = 1.0  # seconds before Postgres is asked again
HEARTBEAT = 15.0  # seconds; keeps proxies from closing a quiet stream


class Feed:
    """One reader of the log for all streams of this process. Stopped, every stream ends; a server that waits for its streams
    before it stops the application (uvicorn) ends them itself, when its grace is over."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._seen = 0
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.stopped = False

    async def start(self) -> None:
        self._seen = (await self._memory.log.head()).seq
        self._task = asyncio.create_task(self._run(), name="feed")

    async def stop(self) -> None:
        self.stopped = True
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        async with self._news:
            self._news.notify_all()

    async def after(self, seq: int, seconds: float) -> int:
        """The head of the log once it is beyond ``seq``, or what it is after ``seconds``, or when the feed stops."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: self.stopped or self._seen > seq), seconds)
            except TimeoutError:
                return self._seen
        return self._seen

    @property
    def seen(self) -> int:
        return self._seen

    async def _run(self) -> None:
        while not self.stopped:  # a cancellation can be lost in asyncio.wait_for (CPython before 3.12)
            await self._memory.log.news(HEARTBEAT)
            try:
                await self._look()
            except Retryable:  # Postgres is away: its listener says when it is back, and nothing is missed by then
                await asyncio.sleep(_PAUSE)

    async def _look(self) -> None:
        head = (await self._memory.log.head()).seq
        async with self._news:
            self._seen = head
            self._news.notify_all()


@router.get("/live")
async def live(visit: Here, request: Request) -> StreamingResponse:
    feed: Feed = request.app.state.feed
    start = beginning(request.headers.get("last-event-id", ""), request.query_params.get("after", ""), feed.seen)
    return StreamingResponse(stream(feed, visit.house.memory, start, visit.still_open), media_type="text/event-stream")


def beginning(last_event_id: str, after: str, seen: int) -> int:
    """The place in the log after which a stream begins: what the browser saw last, else what its page was made with."""
    places = (int(place) for place in (last_event_id, after) if place.isdecimal() and len(place) < 19)
    return next(places, seen)


async def stream(feed: Feed, memory: Memory, seq: int, open_still: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """Until the feed stops or the session is over."""
    yield f"retry: 1000\nid: {seq}\n\n"
    head = (await memory.log.head()).seq
    if seq > head:  # of a log that was longer: the database was put back from a backup
        seq = head
        yield _message("everything", seq)
    while not feed.stopped:
        head = await feed.after(seq, HEARTBEAT)
        if not await open_still():
            return
        if head <= seq:
            yield ": quiet\n\n"
        elif head - seq > MOST_MISSED:
            seq = head
            yield _message("everything", seq)
        else:
            news = await memory.log.read(after=seq, limit=MOST_MISSED)
            seq = news[-1].seq if news else head
            for kind in _kinds(news):
                yield _message(kind, seq)


def _kinds(news: list[Event]) -> list[str]:
    """``approval``, ``ticket``, …: each once, in the order of their first event."""
    return list(dict.fromkeys(event.stream.partition("/")[0] for event in news))


def _message(kind: str, seq: int) -> str:
    return f"event: steward:{kind}\nid: {seq}\ndata: {seq}\n\n"
