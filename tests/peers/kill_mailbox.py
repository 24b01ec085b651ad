"""Kill the mailbox with SIGKILL before every line of its code, one child process a line, and count what is left behind.

    python -m tests.peers.kill_mailbox DATABASE_URL IMAP_PORT SMTP_PORT CUSTOMER

CUSTOMER is the folder into which the sending server puts what it delivers. Prints {"kills", "lost", "doubled", "torn",
"undecided"}; the undecided are those of which nobody can say whether they went out, and which a human is asked about.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from domain.actions import Capability, SendReply
from domain.errors import Retryable, Unknown
from domain.ports import Connector
from memory.attempts import PostgresAttempts
from memory.database import open_database
from tests.contract.mail_servers import Post
from tests.contract.outside_cases import NOW, reply

ROOT = Path(__file__).parents[2]
CODE = (str(ROOT / "connectors"), str(ROOT / "memory" / "attempts.py"))


@dataclass(frozen=True)
class World:
    database_url: str
    post: Post
    customer: Path

    def delivered(self, action: SendReply) -> int:
        return len(list(self.customer.glob(f"*{action.message_id}@*")))


def main(world: World) -> dict[str, int]:
    counts = dict.fromkeys(("kills", "lost", "doubled", "torn", "undecided"), 0)
    line, survived = 0, False
    while not survived:
        line += 1
        action = reply(f"line-{line}", ticket_id=f"T{line}")
        survived = not killed_at(line, world, action)
        for what, number in asyncio.run(inspect(world, action)).items():
            counts[what] += number
        counts["kills"] += not survived
    return counts


async def inspect(world: World, action: SendReply) -> dict[str, int]:
    """What the receipt says against what the customer has, and what the customer has after it is tried again."""
    async with open_database(world.database_url) as database:
        connector = opened(world, PostgresAttempts(database))
        undecided = torn = 0
        try:
            found = await connector.find_receipt(action, key=action.message_id)
            torn = int((found is not None) != (world.delivered(action) == 1))
        except Retryable:
            undecided = 1
        try:
            await connector.execute(action, key=action.message_id, expected_version="0", now=NOW)
        except Unknown:
            assert undecided
    mails = world.delivered(action)
    return {"lost": int(mails == 0 and not undecided), "doubled": int(mails > 1), "torn": torn, "undecided": undecided}


def opened(world: World, attempts: PostgresAttempts) -> Connector:
    return world.post.opened(attempts).connectors[Capability.HELPDESK]


def killed_at(line: int, world: World, action: SendReply) -> bool:
    """Send in a child that dies before the ``line``-th line; False where it came to its end."""
    child = os.fork()
    if child == 0:
        asyncio.run(_send(world, action, Countdown(line)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


async def _send(world: World, action: SendReply, trace: "Countdown") -> None:
    async with open_database(world.database_url) as database:
        connector = opened(world, PostgresAttempts(database))
        threading.settrace(trace)
        sys.settrace(trace)
        await connector.execute(action, key=action.message_id, expected_version="0", now=NOW)
        sys.settrace(None)


class Countdown:
    """A trace function that kills its own process."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, frame: FrameType, event: str, arg: Any) -> "Countdown | None":
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


if __name__ == "__main__":
    url, imap, smtp, customer = sys.argv[1:]
    print(json.dumps(main(World(url, Post(imap_port=int(imap), smtp_port=int(smtp)), Path(customer)))))
