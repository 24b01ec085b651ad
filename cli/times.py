"""Moments as commands show them: in the zone of the approval policy, as the console does, with the zone beside each.

JSON has them in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.policies import ApprovalPolicy
from domain.ports import Policies
from domain.wording import clock


@dataclass(frozen=True)
class Times:
    """``zone`` is an IANA name."""

    zone: str

    def clock(self, moment: datetime) -> str:
        """``Mon 3 Mar 08:15 CET``."""
        return f"{clock(moment, self.zone)} {self._local(moment):%Z}"

    def stamp(self, moment: datetime) -> str:
        """``2026-03-03 08:15:00 CET``."""
        return f"{self._local(moment):%Y-%m-%d %H:%M:%S %Z}"

    def day(self, moment: datetime) -> str:
        return self._local(moment).date().isoformat()

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))


async def operators_times(policies: Policies) -> Times:
    return Times((await policies.in_force(ApprovalPolicy)).document.timezone)
