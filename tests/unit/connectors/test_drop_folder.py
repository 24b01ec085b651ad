"""Files in a folder: taken once, whole or not at all, and put away with a word to the operator."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import memory
from activities.intake import Intake
from connectors.drop_folder import KIND, DropFolder
from connectors.dropped import KINDS, DropOptions, kind_of
from connectors.dropped_files import Box
from connectors.importers.again import content_of, file_key
from connectors.kinds import Opening
from domain.connections import FileOutcome, FileTaken, TakenFile
from domain.entities import Order, Product, Shop, Ticket
from domain.event import new_event
from domain.events import ShopDescribed
from domain.runs import Alert
from memory.fakes.shelves import InMemoryAttempts
from models.embedding import HashingEmbedder
from tests.contract.dropping import CATALOG, OPTIONS
from tests.contract.outside_cases import LATER, NOW

MAILS = "From x Mon Mar  2 09:00:00 2026\nFrom: {0}\nDate: Mon, 02 Mar 2026 09:00:00 +0000\nMessage-ID: <{0}>\n\nHello.\n\n"


@dataclass
class Folder:
    """A folder, and a worker that reads it."""

    root: Path
    kept: memory.Memory = field(default_factory=lambda: memory.in_memory(embedder=HashingEmbedder()))
    clock: Callable[[], float] = lambda: float("inf")
    options: DropOptions = OPTIONS
    still: float = 0.0
    cursor: str = ""

    def __post_init__(self) -> None:
        self.intake = Intake(inbox=self.kept.inbox, log=self.kept.log, state=self.kept.state)
        self.source = self.opened()

    def opened(self) -> DropFolder:
        return DropFolder("drop-folder", Box(self.root, parts=KINDS), self.options, still_seconds=self.still, clock=self.clock)

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    async def store(self) -> int:
        """The first half of a reading: what lies there is in the inbox."""
        page = await self.source.read("files", self.cursor, now=NOW)
        new = await self.intake.accept("drop-folder", page.records, now=NOW)
        self.cursor = page.cursor
        return new

    async def look(self) -> None:
        await self.store()
        await self.intake.understand("drop-folder", self.source, now=LATER)

    def there(self, where: str = "") -> list[str]:
        """The files in the folder; put away ones without the time and digest of their names."""
        names = sorted(path.name for path in (self.root / where).iterdir() if path.is_file())
        return [name.split("-", 4)[-1] for name in names] if where else names

    def report(self, where: str, ending: str = "txt") -> str:
        (path,) = (self.root / where).glob(f"*.report.{ending}")
        return path.read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "inbox")


async def test_a_file_is_imported_and_put_away_with_a_report(folder: Folder) -> None:
    """By people and by programs; the log says that it was taken."""
    folder.put("catalog-spring.csv", CATALOG.format("MUG"))
    await folder.look()
    assert await folder.kept.state.get(Product, "MUG") is not None
    assert folder.there() == []
    assert folder.there("done") == ["catalog-spring.csv", "catalog-spring.csv.report.json", "catalog-spring.csv.report.txt"]
    assert "Imported: 1 line read, 2 new events." in folder.report("done")
    (taken,) = await folder.kept.state.find(TakenFile)
    assert (taken.name, taken.kind, taken.outcome) == ("catalog-spring.csv", "catalog", FileOutcome.IMPORTED)
    assert json.loads(folder.report("done", "json"))["digest"] == taken.digest


async def test_a_file_with_one_bad_line_is_rejected_whole_and_told(folder: Folder) -> None:
    """Nothing of it is imported; mended under its name, it is, and the alert is over."""
    folder.put("catalog.csv", "sku,title,price\nMUG,Mug,12.50\nLAMP,Lamp,cheap\n")
    await folder.look()
    assert await folder.kept.state.find(Product) == []
    assert folder.there("rejected") == ["catalog.csv", "catalog.csv.report.json", "catalog.csv.report.txt"]
    assert "line 3: price 'cheap' is not a number" in folder.report("rejected")
    alert = await folder.kept.state.get(Alert, "file/catalog.csv")
    assert alert is not None
    assert (alert.open, "line 3: price is not a number" in alert.text, "cheap" in alert.text) == (True, True, False)
    folder.put("catalog.csv", CATALOG.format("MUG"))
    await folder.look()
    alert = await folder.kept.state.get(Alert, "file/catalog.csv")
    assert alert is not None
    assert not alert.open


async def test_the_same_content_again_does_nothing_and_says_so(folder: Folder) -> None:
    """Under another name, and although something newer came meanwhile: it would take the price back."""
    folder.put("catalog-1.csv", CATALOG.format("MUG"))
    await folder.look()
    folder.put("catalog-2.csv", "sku,title,price\nMUG,Mug,14.00\n")
    await folder.look()
    events = await folder.kept.log.read()
    folder.put("catalog-3.csv", CATALOG.format("MUG"))
    await folder.look()
    assert await folder.kept.log.read() == events
    assert folder.there() == []
    (told,) = (folder.root / "done").glob("*catalog-3.csv.report.txt")
    assert "imported before: catalog-1.csv" in told.read_text()


async def test_a_file_that_the_command_imported_does_nothing_in_the_folder(folder: Folder) -> None:
    """They are the same file, read in the same way."""
    text = CATALOG.format("MUG")
    key = file_key("catalog", content_of(text.encode()), table=OPTIONS.table)
    file = TakenFile(digest=key, delivery="import/catalog", name="mine.csv", outcome=FileOutcome.IMPORTED, at=NOW)
    await folder.kept.log.append([new_event(FileTaken(file=file), at=NOW, key=("taken",))])
    folder.put("catalog.csv", text)
    await folder.look()
    assert await folder.kept.state.find(Product) == []
    assert "imported before: mine.csv" in folder.report("done")


async def test_the_report_says_what_stock_a_changed_catalogue_lowers(folder: Folder) -> None:
    folder.put("catalog-1.csv", "sku,title,price,on_hand\nMUG,Mug,12.50,40\n")
    await folder.look()
    folder.put("catalog-2.csv", "sku,title,price,on_hand\nMUG,Mug,12.50,10\n")
    await folder.look()
    (told,) = (folder.root / "done").glob("*catalog-2.csv.report.txt")
    assert "1 stock level goes down: MUG 40 → 10" in told.read_text()


async def test_a_file_that_is_not_finished_is_left_alone(folder: Folder) -> None:
    """By its name, or because it changed just now: even if a copy claims to be old."""
    folder.still, now = 5, [0.0]
    folder.clock = lambda: now[0]
    folder.source = folder.opened()
    for name in ("catalog.csv.part", "orders.tmp", ".catalog.csv", "sales.csv~", "sales.csv.crdownload"):
        folder.put(name, CATALOG.format("MUG"))
    late = folder.put("catalog-late.csv", CATALOG.format("MUG"))
    os.utime(late, (0, 0))
    now[0] = late.stat().st_ctime + 4
    assert await folder.store() == 0
    now[0] += 1.1
    assert await folder.store() == 1
    (folder.root / "catalog.csv.part").rename(folder.root / "catalog.csv")
    now[0] = (folder.root / "catalog.csv").stat().st_ctime + 6
    assert await folder.store() == 1


async def test_only_plain_files_are_opened(folder: Folder, tmp_path: Path) -> None:
    """No link leads out of the folder, no pipe holds the worker up, and no folder is gone through."""
    secret = tmp_path / "secret.csv"
    secret.write_text(CATALOG.format("SECRET"))
    folder.put("deep/catalog.csv", CATALOG.format("DEEP"))
    folder.put("catalog/deep/catalog.csv", CATALOG.format("DEEP"))
    (folder.root / "catalog-link.csv").symlink_to(secret)
    (folder.root / "orders").symlink_to(tmp_path)
    os.mkfifo(folder.root / "catalog-pipe.csv")
    await folder.look()
    assert await folder.kept.state.find(Product) == []
    assert (folder.root / "catalog-link.csv").is_symlink()
    assert secret.exists()


async def test_a_file_in_another_folder_stays_there_and_is_told(folder: Folder) -> None:
    """One alert a folder, and again only when another file comes; where files go is in it."""
    folder.put("weird/orders-1.csv", "x")
    folder.put("weird/orders-2.csv", "x")
    await folder.look()
    await folder.look()
    (alert,) = await folder.kept.state.find(Alert)
    assert (alert.times, alert.open) == (1, True)
    assert "weird/orders-1.csv was not read" in alert.text
    assert f"put it into {folder.root}, or into a folder there called catalog, customers" in alert.what_to_do
    assert folder.there() == []
    assert len(list((folder.root / "weird").iterdir())) == 2
    folder.put("weird/orders-3.csv", "x")
    await folder.look()
    (alert,) = await folder.kept.state.find(Alert)
    assert (alert.times, "orders-3.csv" in alert.text) == (2, True)


async def test_what_an_option_would_mend_is_left_to_the_command(folder: Folder) -> None:
    """A file in a folder cannot be given one."""
    folder.put("catalog.csv", "StockCode,title,price\nMUG,Mug,12.50\n")
    await folder.look()
    (alert,) = await folder.kept.state.find(Alert)
    assert "rename the column, or import the file with --map sku=THEIRS" in alert.text
    assert "`./steward import catalog FILE` with the option" in alert.what_to_do
    assert "`./steward import catalog FILE` with the option" in folder.report("rejected")


async def test_a_huge_file_is_rejected_without_being_read(folder: Folder) -> None:
    """Two gigabytes, of which not a byte is looked at."""
    path = folder.put("sales.csv", "")
    os.truncate(path, 2 * 1024**3)
    page = await folder.source.read("files", "", now=NOW)
    assert [len(record.raw) for record in page.records] == [0]
    await folder.look()
    assert "larger than 64 MB" in folder.report("rejected")
    assert folder.there() == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.txt", b"hello", "does not say what is in it"),
        ("catalog.csv", b"", "the file is empty"),
        ("catalog.csv", b"PK\x03\x04\x00\x00", "not a text file"),
        ("catalog.csv", b"sku,title,price\nMUG,Mug,1.00\nA," + b"x" * 70_000 + b"\x00,2.00\n", "not a text file"),
        ("catalog.csv.gz", b"\x1f\x8b broken", "damaged"),
        ("orders.csv", b"sku,title\n1,2\n", "the file has no column"),
        ("tickets.mbox", b"no mail", "not an mbox file"),
    ],
    ids=["unknown", "empty", "binary", "binary inside", "damaged", "columns", "no mail"],
)
async def test_a_broken_file_is_put_away_with_the_reason(folder: Folder, name: str, content: bytes, why: str) -> None:
    """And holds up no other."""
    folder.put(name, content)
    folder.put("catalog/good.csv", CATALOG.format("MUG"))
    await folder.look()
    assert why in folder.report("rejected")
    assert await folder.kept.state.get(Product, "MUG") is not None
    assert folder.there() == []


async def test_a_crash_anywhere_loses_nothing_and_imports_nothing_twice(folder: Folder) -> None:
    """Stored and not understood; in the log and not put away; put away and not ticked off."""
    folder.put("catalog.csv", CATALOG.format("MUG"))
    await folder.store()
    folder.source = folder.opened()
    (waiting,) = await folder.kept.inbox.waiting("drop-folder/files")
    reading = await folder.source.understand(waiting, stream="files", state=folder.kept.state)
    await folder.kept.log.append(reading.events)
    folder.source, folder.cursor = folder.opened(), ""
    await folder.look()
    assert folder.there("done")[0] == "catalog.csv"
    assert "Imported: 1 line read, 2 new events." in folder.report("done")
    await folder.source.understand(waiting, stream="files", state=folder.kept.state)
    await folder.source.settle(waiting, stream="files", trouble="")
    assert len(await folder.kept.log.read()) == 3
    assert len(folder.there("done")) == 3


async def test_a_file_that_took_the_place_of_another_is_not_put_away_with_it(folder: Folder) -> None:
    """It is read in its turn."""
    folder.put("catalog.csv", CATALOG.format("MUG"))
    await folder.store()
    (folder.root / "catalog.csv").unlink()
    folder.put("catalog.csv", CATALOG.format("LAMP") + "CUP,Cup,3.00\n")
    await folder.intake.understand("drop-folder", folder.source, now=LATER)
    assert folder.there() == ["catalog.csv"]
    await folder.look()
    assert sorted(p.sku for p in await folder.kept.state.find(Product)) == ["CUP", "LAMP", "MUG"]


async def test_mails_are_tickets_but_not_our_own_and_not_old_ones(folder: Folder) -> None:
    """A mail that cannot be read is named in the report; the others are taken."""
    shop = Shop(name="Mud", email="shop@mud.example", site_url="https://mud.example", signature="Mia")
    await folder.kept.log.append([new_event(ShopDescribed(shop=shop), at=NOW, key=("1",))])
    old = MAILS.format("old@example.org").replace("2026", "2025")
    mails = [MAILS.format(who) for who in ("ada@example.org", "shop@mud.example", "nobody")]
    folder.put("from-the-old-shop.mbox", "".join([*mails, old]))
    await folder.look()
    assert [t.sender for t in await folder.kept.state.find(Ticket)] == ["ada@example.org"]
    assert "is not one e-mail address" in folder.report("done")


async def test_a_whole_business_at_once_is_taken_in_order(folder: Folder) -> None:
    """By folder or by name, gzipped or not, whatever the letters of the name."""
    header = "order_id,email,placed_at,sku,units,unit_price,line1,city,country"
    folder.put("Orders 2026.CSV", f"{header}\n1001,ada@example.org,2026-03-01,MUG,1,12.50,1 Mill Lane,Berlin,DE\n")
    folder.put("sales/week.csv", "date,sku,units\n2026-03-01,MUG,5\n")
    folder.put("catalog/all.csv", CATALOG.format("MUG"))
    await folder.look()
    assert await folder.kept.state.get(Order, "1001") is not None
    kinds = [e.post["kind"] for e in await folder.kept.log.read() if e.type == "file.taken"]
    assert kinds == ["catalog", "orders", "sales"]


async def test_a_name_made_of_anything_is_stored_and_shown(folder: Folder) -> None:
    """Bytes that are no text, and characters that write on a terminal."""
    folder.root.mkdir()
    raw = os.fsencode(folder.root) + b"/catalog-\xff\x1b[31m.csv"
    descriptor = os.open(raw, os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, CATALOG.format("MUG").encode())
    os.close(descriptor)
    await folder.look()
    (taken,) = await folder.kept.state.find(TakenFile)
    assert taken.name == "catalog-\ufffd\ufffd[31m.csv"
    assert folder.there() == []
    assert len(folder.there("done")) == 3


def test_the_name_says_what_is_in_a_file() -> None:
    names = {
        "orders.csv": "orders",
        "orders/x": "orders",
        "ORDERS-3.csv.gz": "orders",
        "ordered.csv": "",
        "x.mbox.gz": "tickets",
    }
    assert {name: kind_of(name) for name in names} == names


async def test_it_is_connected_with_nothing_to_ask(tmp_path: Path) -> None:
    """The folder is made, for its owner alone."""
    settings = KIND.checked({})
    own = tmp_path / "connections" / "drop-folder"
    opening = Opening(name="drop-folder", settings=settings, secrets={}, folder=own, attempts=InMemoryAttempts())
    assert await KIND.open(opening).check() == f"{tmp_path / 'inbox'} has 0 files to read"
    assert (tmp_path / "inbox").stat().st_mode & 0o777 == 0o700
