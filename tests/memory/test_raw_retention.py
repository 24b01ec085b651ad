"""What came in, byte for byte, in the database: for a time after it was understood, and then its digest alone."""

import hashlib
from datetime import timedelta

import psycopg

import memory
from tests.unit.domain.happenings import NOW

LOOK = "SELECT external_id, raw, digest FROM inbox ORDER BY place"


async def test_bytes_are_blanked_in_portions_and_their_digests_stay(kept: memory.Memory, database_url: str) -> None:
    """The oldest first; what waits keeps its bytes; a repeat is refused as before."""
    for number in range(5):
        await kept.inbox.receive("shop/orders", str(number), f"order {number}".encode(), at=NOW)
    for number in range(4):
        await kept.inbox.understood("shop/orders", str(number), at=NOW + timedelta(hours=number))
    later = NOW + timedelta(days=200)
    blanked = [await kept.inbox.blank(before=NOW + timedelta(hours=3), at=later, limit=2) for _ in range(3)]
    assert blanked == [2, 1, 0]
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute(LOOK)).fetchall()
    digests = [hashlib.sha256(f"order {number}".encode()).hexdigest() for number in range(3)]
    assert rows == [(str(n), b"", digests[n]) for n in range(3)] + [(str(n), f"order {n}".encode(), "") for n in (3, 4)]
    assert not await kept.inbox.receive("shop/orders", "0", b"order 0", at=later)
    assert [d.external_id for d in await kept.inbox.waiting("shop/orders")] == ["4"]
