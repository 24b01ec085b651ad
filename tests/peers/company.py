"""A whole company for tests: mail on Dovecot, a shop on Vendure, a site on WordPress, and Steward's own workers between them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper

import memory
import worker
from agents.auditor import Auditor
from connectors.registry import KINDS
from connectors.switchboard import Switchboard
from connectors.vault import Vault
from console.house import House, hosts_of
from domain.actions import Action
from domain.approvals import Approval, ApprovalStatus
from domain.connections import Connection, ConnectionDescribed, ConnectionMode
from domain.effects import Effect, EffectStatus
from domain.event import Event, EventData, new_event
from domain.runs import Alert, Run
from settings import Settings
from staff import Outside
from tests.console.door import doorkeeper
from tests.contract.mail_servers import PASSWORD, Post
from tests.contract.wordpress_cases import Blog
from tests.peers import vendure_peer
from tests.peers.vendure_peer import VendurePeer
from tests.workflow.conftest import wish
from tests.workflow.waiting import until
from workflows.deciding import Decider
from workflows.gateway import Gateway
from workflows.relay import Relay

URL = "http://127.0.0.1:8400"
PATIENCE = 120
"""Seconds for anything to happen: servers, workers and other tests share two cores."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Company:
    """``post``, ``shop`` and ``blog`` are the outside systems, ``kept`` is what Steward knows."""

    skipper: TimeSkipper
    gateway: Gateway
    kept: memory.Memory
    house: House
    post: Post
    shop: VendurePeer
    blog: Blog

    async def record(self, *events: EventData) -> None:
        await self.kept.log.append([new_event(data, at=datetime.now(UTC), key=(str(uuid4()),)) for data in events])

    async def known(self, entity: type[T], key: str, fact: Callable[[T], Any] = bool) -> T:
        """The entity, once it is known and ``fact`` holds of it."""

        async def look() -> T | None:
            found: T | None = await self.kept.state.get(entity, key)  # type: ignore[type-var]
            return found if found is not None and fact(found) else None

        return await until(look, seconds=PATIENCE)

    async def read(self, connection: str, *, after: timedelta = timedelta(0)) -> None:
        """The connection is read now, or so much later."""
        if after:
            await self.skipper.fast_forward(self.run(f"poll/{connection}"), after)
        else:
            await self.gateway.look(connection)

    def run(self, run_id: str) -> WorkflowHandle[Any, Any]:
        return self.skipper.client.get_workflow_handle(run_id)

    async def run_begun(self, run_id: str) -> None:
        """Once the wake-up has started it."""

        async def look() -> Run | None:
            return await self.kept.state.get(Run, run_id)

        await until(look, seconds=PATIENCE)

    async def asked(self, kind: str, about: str) -> Approval:
        """The question that waits: about an action of ``kind`` in which ``about`` stands."""

        async def look() -> Approval | None:
            found = await self.kept.state.find(Approval, status=ApprovalStatus.PENDING)
            return next((a for a in found if _is_about(a.proposal.action, kind, about)), None)

        try:
            return await until(look, seconds=PATIENCE)
        except TimeoutError as late:
            raise AssertionError(f"{kind} about {about} was not asked; there are {await self._affairs()}") from late

    async def _affairs(self) -> str:
        """What goes on instead."""
        waiting = [a.proposal.action.summary() for a in await self.kept.state.find(Approval, status=ApprovalStatus.PENDING)]
        runs = [f"{run.run_id}: {run.status} {run.result}" for run in await self.kept.state.find(Run)]
        alerts = [f"{alert.key}: {alert.text}" for alert in await self.kept.state.find(Alert)]
        return f"questions {waiting}, runs {runs}, alerts {alerts}"

    async def approve(self, kind: str, about: str) -> Action:
        """What was approved, by the one door, once it is done."""
        approval = await self.asked(kind, about)
        await self.house.decider.decide(wish(approval))

        async def done() -> Effect | None:
            found = await self.kept.ledger.effects(status=EffectStatus.COMMITTED)
            return next((effect for effect in found if effect.approval_id == approval.approval_id), None)

        return (await until(done, seconds=PATIENCE)).action

    async def told(self, kind: str, stream: str) -> list[Event]:
        """The events of this kind in the log of a stream."""
        return [event for event in await self.kept.log.last(stream=stream, limit=100) if event.type == kind]


def _is_about(action: Action, kind: str, about: str) -> bool:
    return action.kind == kind and about in action.model_dump_json()


@asynccontextmanager
async def opened(
    kept: memory.Memory, client: Client, *, skipper: TimeSkipper, home: Path, post: Post, shop: VendurePeer, blog: Blog
) -> AsyncIterator[Company]:
    """Everything connected live, with the workers and the relay of ``worker.run``."""
    settings, gateway, post.taking = Settings.load({"STEWARD_HOME": str(home)}), Gateway(client), post.deliver
    outside = await worker.outside_of(settings, kept)
    assert isinstance(outside.sources, Switchboard)
    async with AsyncExitStack() as running:
        running.push_async_callback(outside.sources.close)
        for one in worker.workers(client, kept, outside):
            await running.enter_async_context(one)
        relay = Relay(outbox=kept.outbox, gateway=gateway, policies=kept.policies)
        running.callback(asyncio.create_task(relay.run()).cancel)
        house = _house(kept, client, gateway, outside, home)
        company = Company(skipper=skipper, gateway=gateway, kept=kept, house=house, post=post, shop=shop, blog=blog)
        await _connect(company, home)
        yield company


def _house(kept: memory.Memory, client: Client, gateway: Gateway, outside: Outside, home: Path) -> House:
    def clock() -> datetime:
        return datetime.now(UTC)

    async def call(connection: Connection) -> str:
        return connection.name

    return House(
        memory=kept,
        client=client,
        gateway=gateway,
        connectors=outside.connectors,
        call=call,
        sources=outside.sources,
        decider=Decider(
            gateway=gateway, auditor=Auditor(state=kept.state, policies=kept.policies), state=kept.state, log=kept.log, clock=clock
        ),
        doorkeeper=doorkeeper(kept),
        clock=clock,
        hosts=hosts_of(8400, URL),
        public_url=URL,
        home=home,
    )


async def _connect(company: Company, home: Path) -> None:
    """As ``./steward connect`` and ``--mode live`` do it."""
    shop, blog, vault = company.shop, company.blog, Vault(home, {})
    given: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
        "mail": ("mailbox", company.post.settings(), {"password": PASSWORD}),
        "shop": ("vendure", {"url": shop.url, "username": vendure_peer.USER}, {"password": vendure_peer.PASSWORD}),
        "blog": ("wordpress", {"url": blog.url, "user": blog.user}, {"password": blog.password}),
    }
    for name, (kind, settings, secrets) in given.items():
        vault.keep(name, secrets)
        checked = KINDS[kind].checked({**settings, **secrets})
        connection = Connection(
            name=name,
            kind=kind,
            mode=ConnectionMode.LIVE,
            settings={setting: value for setting, value in checked.items() if setting not in secrets},
            serves=tuple(KINDS[kind].does),
            poll_seconds=1 if kind == "mailbox" else 300,
        )
        await company.record(ConnectionDescribed(connection=connection, by="operator"))
