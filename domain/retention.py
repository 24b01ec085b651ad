"""What memory keeps, seals, archives and sums up, and the events that say so."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.event import EventData, existing
from domain.knowledge import Head
from domain.model import Moment, Name, Text, Value
from domain.passage import Passage

Partition = Annotated[str, Field(pattern=r"^event_\d{4}_(0[1-9]|1[0-2])$")]
"""The log's table of one month of recording (UTC), for example event_2026_03."""


class Manifest(Value):
    """What a sealed month holds. ``prev_hash`` is the hash before its first event, ``last_hash`` its root: the hash of its
    last event, which covers all of them."""

    partition: Partition
    events: int = Field(ge=1)
    first_seq: int
    last_seq: int
    prev_hash: str
    last_hash: str

    @property
    def before(self) -> Head:
        return Head(seq=self.first_seq - 1, hash=self.prev_hash)

    @property
    def root(self) -> Head:
        return Head(seq=self.last_seq, hash=self.last_hash)


class Place(StrEnum):
    """Where the events of a month are."""

    DATABASE = "database"
    ARCHIVE = "archive"
    MISSING = "missing"  # archived, but the file is not where it belongs


class Segment(Value):
    """One month of the log. ``over`` means that nothing can be recorded in it any more; ``manifest`` is there once sealed."""

    partition: Partition
    place: Place
    over: bool
    empty: bool = False
    manifest: Manifest | None = None


def month_of(partition: str) -> datetime:
    """The first moment of the partition's month."""
    _, year, month = partition.split("_")
    return datetime(int(year), int(month), 1, tzinfo=UTC)


class Anchor(Value):
    """A head that was noted outside the database after it verified. ``whole`` where every event was recomputed."""

    head: Head
    at: Moment
    whole: bool


# --- archived months ---------------------------------------------------------------------------------------------


class ArchivedMonth(Value):
    """A month that was archived at least once; ``archived`` says whether it is now."""

    manifest: Manifest
    archived: bool
    at: Moment


class MonthArchived(EventData):
    """The month's events are in a file and no longer in the database."""

    type = "archive.month-archived"
    entity = ArchivedMonth
    manifest: Manifest
    at: Moment

    @property
    def stream(self) -> str:
        return f"archive/{self.manifest.partition}"

    def fold(self, state: ArchivedMonth | None) -> ArchivedMonth:
        return ArchivedMonth(manifest=self.manifest, archived=True, at=self.at)


class MonthAttached(EventData):
    """The month's events are back in the database; the file stays."""

    type = "archive.month-attached"
    entity = ArchivedMonth
    partition: Partition
    at: Moment

    @property
    def stream(self) -> str:
        return f"archive/{self.partition}"

    def fold(self, state: ArchivedMonth | None) -> ArchivedMonth:
        month: ArchivedMonth = existing(state, self.stream)
        return month.model_copy(update={"archived": False, "at": self.at})


# --- summaries ---------------------------------------------------------------------------------------------------


class Summary(Value):
    """What became of ``subject`` (a stream), in a few sentences. ``sources`` are the seqs of the events it was made from:
    every number, identifier and date of ``text`` stands in them. ``until`` is when the last of them happened."""

    subject: Name
    text: Text
    sources: tuple[int, ...] = Field(min_length=1)
    until: Moment
    engine: Name


class SummaryWritten(EventData):
    """A later summary of the same subject replaces the earlier one."""

    type = "summary.written"
    entity = Summary
    summary: Summary

    @property
    def stream(self) -> str:
        return f"summary/{self.summary.subject}"

    def fold(self, state: Summary | None) -> Summary:
        return self.summary

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        """Dated when the matter ended, so that it fades as the matter itself would."""
        summary = self.summary
        about = (summary.subject,)
        return (Passage(passage_id=self.stream, text=summary.text, entities=about, kind="summary", at=summary.until),)


# --- the recall canary -------------------------------------------------------------------------------------------


class CanaryPair(Value):
    """A query that found the passage once and has to go on finding it."""

    query: Text
    passage_id: Name


class RecallCanary(Value):
    """``at`` is when recall was checked last."""

    pairs: tuple[CanaryPair, ...] = ()
    at: Moment


class CanaryRecorded(EventData):
    """Recall was checked; the pairs that later checks ask for, the whole set of them."""

    type = "canary.recorded"
    entity = RecallCanary
    canary: RecallCanary

    @property
    def stream(self) -> str:
        return "canary/recall"

    def fold(self, state: RecallCanary | None) -> RecallCanary:
        return self.canary


# --- the nightly record ------------------------------------------------------------------------------------------


class Upkeep(Value):
    """What one night's upkeep did. ``recall_asked`` is 0 where recall was not due; ``blanked`` deliveries were understood
    long ago and have lost their bytes; ``problem`` is what went wrong.
    """

    day: Name
    at: Moment
    verified: int = 0
    whole: bool = False
    summaries: int = 0
    refused: int = 0
    archived: tuple[str, ...] = ()
    recall_found: int = 0
    recall_asked: int = 0
    reindexed: int = 0
    blanked: int = 0
    problem: str = ""

    @property
    def line(self) -> str:
        """For the digest: "memory upkeep: 412 events verified, 3 summaries, 1 month archived, recall 48/50"."""
        parts = [
            f"{_counted(self.verified, 'event')} verified{' (the whole log)' if self.whole else ''}",
            _counted(self.summaries, "summary", "summaries") if self.summaries else "",
            f"{_counted(self.refused, 'summary', 'summaries')} refused" if self.refused else "",
            f"{_counted(len(self.archived), 'month')} archived" if self.archived else "",
            f"recall {self.recall_found}/{self.recall_asked}" if self.recall_asked else "",
            f"{_counted(self.reindexed, 'text')} indexed anew" if self.reindexed else "",
            f"{_counted(self.blanked, 'delivery', 'deliveries')} forgotten byte for byte" if self.blanked else "",
            f"PROBLEM: {self.problem}" if self.problem else "",
        ]
        return f"memory upkeep: {', '.join(part for part in parts if part)}"


class UpkeepDone(EventData):
    type = "upkeep.done"
    entity = Upkeep
    upkeep: Upkeep

    @property
    def stream(self) -> str:
        return f"upkeep/{self.upkeep.day}"

    def fold(self, state: Upkeep | None) -> Upkeep:
        return self.upkeep


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
