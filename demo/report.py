"""What one demo day came to. Every figure is read back from memory after the day, none is kept along the way."""

from datetime import datetime
from decimal import Decimal

from domain.model import Moment, Value
from domain.wording import counted


class TicketRow(Value):
    """``outcome`` is one of OUTCOMES; ``seconds`` from the mail's arrival in Steward to the first answer, if there was one."""

    ticket_id: str
    sender: str
    subject: str
    intent: str
    language: str
    engine: str
    outcome: str
    seconds: float | None
    actions: tuple[str, ...]


class PurchaseRow(Value):
    """A purchase order, placed or waiting. ``trigger`` says what started the run."""

    supplier: str
    lines: int
    units: int
    total: Decimal
    currency: str
    outcome: str
    trigger: str
    why: tuple[str, ...]


class ContentRow(Value):
    slug: str
    title: str
    words: int
    outcome: str
    why: str


class ApprovalRow(Value):
    approval_id: str
    workflow: str
    summary: str
    reasons: tuple[str, ...]
    answer: str
    by: str
    note: str


class EffectRow(Value):
    at: Moment
    kind: str
    summary: str
    status: str
    compensates: bool


class StockRow(Value):
    """Days of cover: units over mean daily sales, None for what does not sell. ``after`` counts what is on order."""

    sku: str
    title: str
    supplier: str
    units: int
    ordered: int
    daily: float
    before: float | None
    after: float | None


class Kill(Value):
    """The worker's end and return. ``mails`` arrived while it was down; ``begun`` effects had neither failed nor finished."""

    pid: int
    new_pid: int
    at: Moment
    back_at: Moment
    mails: int
    begun: int

    def told(self) -> str:
        gap = (self.back_at - self.at).total_seconds()
        return (
            f"Worker {self.pid} got SIGKILL at {self.at:%H:%M:%S} with {counted(self.begun, 'effect')} begun; "
            f"worker {self.new_pid} took over {gap:.1f} s later. {counted(self.mails, 'mail')} arrived meanwhile."
        )


class Integrity(Value):
    """``missing``: committed effects the outside knows nothing of; ``doubled``: outside records more than committed effects."""

    events: int
    head: str
    chain: str
    rows_compared: int
    differences: tuple[str, ...]
    effects_checked: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not (self.chain or self.differences or self.missing or self.doubled)


class Step(Value):
    """One thing the demo did, and when."""

    at: Moment
    text: str


class DemoReport(Value):
    shop: str
    day: str
    currency: str
    seed: int
    started_at: Moment
    finished_at: Moment
    engines: dict[str, int]
    tickets: tuple[TicketRow, ...]
    purchases: tuple[PurchaseRow, ...]
    content: tuple[ContentRow, ...]
    approvals: tuple[ApprovalRow, ...]
    effects: tuple[EffectRow, ...]
    stock: tuple[StockRow, ...]
    measured: int
    kill: Kill
    integrity: Integrity
    steps: tuple[Step, ...]
    open_approvals: tuple[str, ...]
    ui_url: str

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    def since_start(self, moment: datetime) -> float:
        """Seconds from the start of the day to ``moment``."""
        return (moment - self.started_at).total_seconds()


ALONE, APPROVED, WAITING, SILENT, OPERATOR, UNDONE = (
    "done alone",
    "done after approval",
    "waits for you",
    "closed without an answer",
    "with the operator",
    "rolled back",
)
OUTCOMES = (ALONE, APPROVED, WAITING, OPERATOR, SILENT)
