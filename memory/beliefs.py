"""How statements change what is believed, in two times. No I/O.

Valid time is when a statement holds in the world, belief time is when Steward held it to be true. A belief is never
edited: it is closed at the moment of the change, and what remains of it is believed anew from then on.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.event import FactChange, FactOp
from domain.knowledge import Fact

STATUS = {FactOp.PROPOSE: "proposed", FactOp.ASSERT: "asserted", FactOp.RETRACT: "retracted"}
PROPOSED, ASSERTED, RETRACTED = STATUS.values()

NEARLY_AT_ONCE = timedelta(days=7)
"""Two sources that differ within it disagree; over a longer time, a thing has changed."""


@dataclass(frozen=True)
class Belief:
    """A row of the fact table. ``row`` is its key there, None while it is not stored. Ranges include their start only."""

    subject: str
    predicate: str
    object: str
    valid_from: datetime
    valid_to: datetime | None
    believed_from: datetime
    believed_to: datetime | None
    confidence: float
    status: str
    functional: bool
    source_event: UUID
    row: int | None = None

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        return (end is None or self.valid_from < end) and (self.valid_to is None or start < self.valid_to)

    def covers(self, start: datetime, end: datetime | None) -> bool:
        return self.valid_from <= start and (self.valid_to is None or (end is not None and end <= self.valid_to))

    def until(self, moment: datetime) -> "Belief":
        return replace(self, believed_to=moment)

    def stored_as(self, row: int) -> "Belief":
        return replace(self, row=row)

    def fact(self) -> Fact:
        return Fact(
            subject=self.subject,
            predicate=self.predicate,
            object=self.object,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            believed_from=self.believed_from,
            believed_to=self.believed_to,
            confidence=self.confidence,
            status=self.status,
            source_event=self.source_event,
        )


@dataclass(slots=True)
class Beliefs:
    """The open beliefs on some subjects, and what changes about them: ``closed`` rows and ``added`` ones."""

    closed: dict[int, datetime] = field(default_factory=dict)
    past: list[Belief] = field(default_factory=list)
    _open: dict[tuple[str, str], list[Belief]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, rows: Iterable[Belief]) -> "Beliefs":
        """From the open beliefs on every (subject, predicate) that will be changed."""
        beliefs = cls()
        for row in rows:
            beliefs._open[row.subject, row.predicate].append(row)
        return beliefs

    @property
    def added(self) -> list[Belief]:
        """What has to be stored: beliefs that began and were closed in between, and those still open."""
        return [*self.past, *(b for group in self._open.values() for b in group if b.row is None)]

    def apply(self, change: FactChange, *, source: UUID, now: datetime) -> None:
        """Take one statement in. ``now`` is the belief time, later than any before."""
        match change.op:
            case FactOp.ASSERT:
                self._assert(change, source, now)
            case FactOp.PROPOSE:
                self._propose(change, source, now)
            case FactOp.RETRACT:
                self._retract(change, source, now)

    def _assert(self, change: FactChange, source: UUID, now: datetime) -> None:
        """Until further notice means until the next change that is already known: a late arrival rewrites nothing."""
        group = self._group(change)
        rivals = [b for b in group if b.status == ASSERTED and _rival(b, change)]
        later = [b.valid_from for b in rivals if b.valid_from > change.valid_from]
        end = change.valid_to or min(later, default=None)
        settled = [b for b in group if b.object == change.object and b.status != ASSERTED]
        for belief in settled:
            self._displace(belief, change.valid_from, end, now)
        if any(_says(b, change) and b.covers(change.valid_from, end) for b in rivals):
            return
        for belief in rivals:
            self._displace(belief, change.valid_from, end, now)
        self._add(change, change.object, (change.valid_from, end), source, now)

    def _propose(self, change: FactChange, source: UUID, now: datetime) -> None:
        known = [b for b in self._group(change) if b.object == change.object and b.status != RETRACTED]
        if not any(b.covers(change.valid_from, change.valid_to) for b in known):
            self._add(change, change.object, (change.valid_from, change.valid_to), source, now)

    def _retract(self, change: FactChange, source: UUID, now: datetime) -> None:
        """Withdraw it for the stated time; an empty object withdraws whatever is said. What was withdrawn stays on record."""
        for belief in self._group(change):
            said = change.object in ("", belief.object) and belief.status != RETRACTED
            if said and belief.overlaps(change.valid_from, change.valid_to):
                start = max(belief.valid_from, change.valid_from)
                end = min((t for t in (belief.valid_to, change.valid_to) if t), default=None)
                self._displace(belief, start, end, now)
                self._add(change, belief.object, (start, end), source, now)

    def _group(self, change: FactChange) -> list[Belief]:
        return list(self._open[change.subject, change.predicate])

    def _displace(self, belief: Belief, start: datetime, end: datetime | None, now: datetime) -> None:
        """Stop believing ``belief`` between ``start`` and ``end``; go on believing what is left and right of it."""
        if not belief.overlaps(start, end):
            return
        group = self._open[belief.subject, belief.predicate]
        group.remove(belief)
        self._close(belief, now)
        rest = replace(belief, believed_from=now, row=None)
        if belief.valid_from < start:
            group.append(replace(rest, valid_to=start))
        if end is not None and (belief.valid_to is None or end < belief.valid_to):
            group.append(replace(rest, valid_from=end))

    def _close(self, belief: Belief, now: datetime) -> None:
        """A belief replaced at the moment it began was never held, so nothing of it is kept."""
        if belief.row is not None:
            self.closed[belief.row] = now
        elif belief.believed_from < now:
            self.past.append(belief.until(now))

    def _add(self, change: FactChange, object_: str, valid: tuple[datetime, datetime | None], source: UUID, now: datetime) -> None:
        start, end = valid
        belief = Belief(
            subject=change.subject,
            predicate=change.predicate,
            object=object_,
            valid_from=start,
            valid_to=end,
            believed_from=now,
            believed_to=None,
            confidence=change.confidence,
            status=STATUS[change.op],
            functional=change.functional,
            source_event=source,
        )
        self._open[change.subject, change.predicate].append(belief)


def _rival(belief: Belief, change: FactChange) -> bool:
    """Whether both cannot hold at once: of a functional predicate any two, of another one only the same statement."""
    return belief.object == change.object or (belief.functional and change.functional)


def _says(belief: Belief, change: FactChange) -> bool:
    return belief.object == change.object and belief.confidence == change.confidence
