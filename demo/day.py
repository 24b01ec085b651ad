"""One business day of the demo shop, from the first mail to the report."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import stack
from demo import business, collect, home, integrity
from demo.crash import kill_worker
from demo.data import load
from demo.narrator import Narrator
from demo.opening import open_shop
from demo.operator import SimulatedOperator
from demo.page import render
from demo.report import DemoReport, Kill
from demo.rest import all_at_rest, until
from demo.running import Running, opened
from demo.tables import show
from demo.tickets import MORNING, NOON
from domain.entities import Shop, Supplier, Ticket, TicketStatus
from domain.errors import StewardError
from domain.wording import counted
from memory.migrations import migrate
from settings import Settings

OPERATOR = "operator"
_ROUNDS = 6  # of decisions: an answer can lead to another question


def main(settings: Settings, *, seed: int, as_json: bool) -> int:
    """Run the day and print its report. Returns the exit code: 0 when nothing was lost, doubled or broken."""
    console = Console(stderr=as_json, highlight=False)
    try:
        report = asyncio.run(run_day(settings, seed=seed, narrator=Narrator(console)))
    except StewardError as error:
        console.print(f"[red]{escape(error.message)}[/red]\n  {escape(error.hint)}")
        return 1
    files = _write(report, settings.home / "demo")
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        show(report, console, files=files)
    return 0 if report.integrity.ok else 1


async def run_day(settings: Settings, *, seed: int, narrator: Narrator) -> DemoReport:
    """Start the stack, live through the day, read it back, stop everything. Raises StewardError."""
    home.require_own_servers(settings)
    home.require_demo_home(settings.home)
    await asyncio.to_thread(stack.stop, settings)
    if home.clear(settings.home):
        narrator.say(f"moved the previous demo to {settings.home / home.PREVIOUS}")
    try:
        return await _Day(settings, seed=seed, narrator=narrator).live()
    finally:
        with narrator.busy("stopping everything"):
            await asyncio.to_thread(stack.stop, settings)


class _Day:
    """The day's course. Each method is one stretch of it."""

    def __init__(self, settings: Settings, *, seed: int, narrator: Narrator) -> None:
        self._settings = settings
        self._seed = seed
        self._narrator = narrator
        self._shop = Shop.model_validate(load("shop")["shop"])
        answers = {to: text.replace("{signature}", self._shop.signature) for to, text in load("answers").items()}
        self._operator = SimulatedOperator(name=OPERATOR, answers=answers)
        self._today = datetime.now(UTC).date()

    async def live(self) -> DemoReport:
        endpoints = await self._start(worker=False)
        await migrate(endpoints.database_url)
        async with opened(self._settings, endpoints) as running:
            self._narrator.say(await open_shop(running, today=self._today, seed=self._seed))
            await self._start(worker=True)
            kill = await self._morning(running)
            await self._afternoon(running)
            await self._evening(running)
            return await self._report(running, kill)

    async def _start(self, *, worker: bool) -> stack.Endpoints:
        with self._narrator.busy("starting the worker" if worker else "starting PostgreSQL, Temporal and Chroma"):
            endpoints = await asyncio.to_thread(stack.start, self._settings, worker=worker)
        self._narrator.say("the worker is ready" if worker else "PostgreSQL, Temporal and Chroma are up")
        return endpoints

    async def _morning(self, running: Running) -> Kill:
        """The plan of the day, then the mails; in the middle of them the worker is killed, and more mails come."""
        await running.gateway.start_replenishment(now=datetime.now(UTC))
        await self._rest(running, "the day's purchase orders are planned")
        count = await business.deliver_mails(running, MORNING, self._shop, self._narrator.started_at)
        self._narrator.say(f"{counted(count, 'mail')} in the box")
        with self._narrator.busy("Steward works"):
            kill = await kill_worker(running, meanwhile=lambda: self._noon_mails(running))
        self._narrator.say(kill.told())
        return kill

    async def _noon_mails(self, running: Running) -> int:
        return await business.deliver_mails(running, NOON, self._shop, self._narrator.started_at)

    async def _afternoon(self, running: Running) -> None:
        """What was interrupted is finished; pages are written; a sale crosses a reorder point; the operator decides."""
        await self._rest(running, "every mail is dealt with")
        await running.gateway.start_content(now=datetime.now(UTC))
        self._narrator.say(await business.sell_across_reorder_point(running))
        await self._rest(running, "pages are written and the crossing is dealt with")
        for _ in range(_ROUNDS):
            decided = await business.decide(running, self._operator)
            if not decided:
                break
            self._narrator.say(f"the operator decides {counted(decided, 'approval')}")
            await self._rest(running, "the decisions are carried out")

    async def _evening(self, running: Running) -> None:
        self._narrator.say(await business.roll_back_a_page(running, by=OPERATOR))
        self._narrator.say(f"{counted(await business.import_metrics(running), 'day')} of page metrics imported")
        await running.gateway.start_digest(now=datetime.now(UTC))
        await self._rest(running, "the digest is written")

    async def _rest(self, running: Running, what: str) -> None:
        with self._narrator.busy(f"until {what}"):
            await until(lambda: self._at_rest(running), what=what)
        self._narrator.say(what)

    async def _at_rest(self, running: Running) -> bool:
        """Nothing is to be delivered, every mail is understood, and no run is being worked on."""
        if await running.memory.outbox.pending(limit=1):
            return False
        tickets = await running.memory.state.find(Ticket)
        if any(t.status is TicketStatus.OPEN and t.intent is None for t in tickets):
            return False
        today = self._today.isoformat()
        suppliers = await running.memory.state.find(Supplier)
        known = [f"support/{t.ticket_id}" for t in tickets] + [f"replenish/{s.supplier_id}" for s in suppliers]
        known += [f"replenish/{today}", f"content-plan/{today}", f"digest/{today}", *await business.run_ids(running)]
        return await all_at_rest(running.client, dict.fromkeys(known))

    async def _report(self, running: Running, kill: Kill) -> DemoReport:
        with self._narrator.busy("checking the log, the state and every effect"):
            checked = await integrity.check(running)
            day = await collect.read_day(running.memory, self._today)
        self._narrator.say("checked the log, the state and every effect")
        approvals = collect.approval_rows(day)
        return DemoReport(
            shop=self._shop.name,
            day=self._today.isoformat(),
            currency=self._shop.currency,
            seed=self._seed,
            started_at=self._narrator.started_at,
            finished_at=datetime.now(UTC),
            engines=collect.engines(day),
            tickets=collect.ticket_rows(day),
            purchases=collect.purchase_rows(day),
            content=collect.content_rows(day),
            approvals=approvals,
            effects=collect.effect_rows(day),
            stock=collect.stock_rows(day),
            measured=sum(e.type == "content.measured" for e in day.events),
            kill=kill,
            integrity=checked,
            steps=tuple(self._narrator.steps),
            open_approvals=tuple(a.approval_id for a in approvals if a.answer == "open"),
            ui_url=running.endpoints.ui_url or "",
        )


def _write(report: DemoReport, folder: Path) -> tuple[str, ...]:
    """Write report.json and report.html. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = {folder / "report.json": report.model_dump_json(indent=2) + "\n", folder / "report.html": render(report)}
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return tuple(map(str, written))
