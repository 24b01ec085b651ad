"""Audit: who did what through which door, the files of it, and the proof."""

import csv
import io
import json

import psycopg
from psycopg.conninfo import make_conninfo

from console.audit import TOPICS, defused
from console.house import House
from domain.approvals import ApprovalDecided, ApprovalDecisionRefused, Decision, Verb, Via
from domain.catalogue import EVENT_TYPES
from domain.event import new_event
from domain.events import NoteTaken
from domain.passage import Passage
from tests.console.browser import Browser
from tests.console.furnish import approval, questions
from tests.workflow.waiting import until


async def _decided(house: House) -> None:
    now = house.clock()
    (action, topic, reason) = questions(now)[0]
    asked = approval(0, action, "support/x", topic=topic, reason=reason, now=now)
    decision = Decision(
        decision_id="d", approval_id=asked.approval_id, verb=Verb.REJECT, digest=asked.proposal.digest, by="kim", via=Via.MAIL_LINK
    )
    refused = ApprovalDecisionRefused(approval_id=asked.approval_id, by="eve", reason="it is not yours", via=Via.CLI)
    events = [ApprovalDecided(approval_id=asked.approval_id, decision=decision, at=now), refused]
    await house.memory.log.append([new_event(e, at=now, key=(str(n),)) for n, e in enumerate(events)])


def test_every_heading_has_types_that_there_are() -> None:
    """A type that was renamed would fall out of the trail in silence."""
    assert all(types and set(types) <= set(EVENT_TYPES) for types in TOPICS.values())


async def test_the_trail_says_who_and_through_which_door(furnished: House, browser: Browser) -> None:
    """Decisions and what did not count, under their headings; log-ins too."""
    await _decided(furnished)
    page = await browser.page("/audit?topic=decisions")
    assert "<td>kim</td><td>mail-link</td>" in page
    assert "<td>eve</td><td>cli</td>" in await browser.page("/audit?topic=refused")
    assert "logged in" in await browser.page("/audit?topic=access")
    assert "logged in" not in page


async def test_the_files_carry_the_hash_of_each_event(furnished: House, browser: Browser) -> None:
    """Both formats, the same events, filtered as the page is."""
    rows = list(csv.DictReader(io.StringIO((await browser.get("/audit/export.csv?topic=everything")).text)))
    whole = json.loads((await browser.get("/audit/export.json?topic=everything")).text)
    logged = await furnished.memory.log.read(limit=10_000)
    assert [int(row["seq"]) for row in rows] == [event.seq for event in reversed(logged)]
    assert [row["hash"] for row in rows] == [event["hash"] for event in whole] == [event.hash for event in reversed(logged)]
    steered = csv.DictReader(io.StringIO((await browser.get("/audit/export.csv?topic=controls")).text))
    assert [row["seq"] for row in steered] == [row["seq"] for row in rows if row["type"].startswith("controls.")]


async def test_a_file_of_nothing_is_one(house: House, browser: Browser) -> None:
    """An empty array, and a line of headings."""
    assert (await browser.get("/audit/export.json?actor=nobody")).json() == []
    answer = await browser.get("/audit/export.csv?actor=nobody")
    assert (answer.text.count("\n"), "attachment" in answer.headers["content-disposition"]) == (1, True)


async def test_no_cell_is_a_formula(house: House, browser: Browser) -> None:
    """A stranger's text that a spreadsheet would run begins with an apostrophe."""
    assert [defused(text) for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r", "1=1", "")] == [
        *("'=1+1", "'+1", "'-1", "'@x", "'\t=1", "'\r", "1=1", "")
    ]
    now = house.clock()
    note = NoteTaken(note=Passage(passage_id="n", text="x", at=now))
    await house.memory.log.append([new_event(note, at=now, key=("1",), actor='=HYPERLINK("//evil.example")')])
    text = (await browser.get("/audit/export.csv?topic=everything")).text
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in csv.reader(io.StringIO(text)) for cell in row)


async def test_the_log_is_proved(furnished: House, browser: Browser) -> None:
    """Beside the page, which says the result when it is there."""
    answer = await browser.post("/audit/verify")
    assert answer.headers["location"] == "/audit/verify"

    async def told() -> str | None:
        page = await browser.page("/audit/verify")
        return page if "events verified" in page and "every hash is computed" not in page.lower() else None

    assert "nothing was changed" in await until(told)


async def test_a_log_that_was_tampered_with_is_found_out(furnished: House, browser: Browser, database_url: str) -> None:
    """And what to do is said."""
    async with await psycopg.AsyncConnection.connect(make_conninfo(database_url), autocommit=True) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE event SET actor = 'nobody' WHERE seq = 5")
    await browser.post("/audit/verify")

    async def told() -> str | None:
        page = await browser.page("/audit/verify")
        return page if 'class="bad"' in page else None

    assert "compare it with a backup" in await until(told)


async def test_no_such_part_of_the_trail(browser: Browser) -> None:
    """In words."""
    for path in ("/audit?topic=gossip", "/audit/export.csv?topic=gossip", "/audit/export.json?from=x"):
        assert (await browser.get(path)).status_code == 422
