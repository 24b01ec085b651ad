"""The files of a small shop."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold red]pay me[/bold red] :smile: \u202egnp.exe\x9b31m"
_ADDRESS = "1 High St,Leeds,LS1,GB"


def write_shop(folder: Path) -> Path:
    """catalog, sales, orders, customers and inbox.mbox under ``folder``."""
    (folder / "catalog.csv").write_text(
        "sku,title,price,unit_cost,supplier,supplier_email,lead_time_days,moq,pack_size,on_hand\n"
        "MUG-01,Stoneware mug,14.90,6.00,Kiln,orders@kiln.example,7,12,6,3\n"
        "BOWL-01,Stoneware bowl,24.50,9.00,Kiln,orders@kiln.example,7,6,6,4\n"
    )
    days = [(datetime.now(UTC) - timedelta(days=n)).date() for n in range(60, 0, -1)]
    (folder / "sales.csv").write_text(
        "date,sku,units,unit_price\n" + "".join(f"{d},MUG-01,3,14.90\n{d},BOWL-01,2,24.50\n" for d in days)
    )
    (folder / "orders.csv").write_text(
        "order_id,email,name,placed_at,sku,title,units,unit_price,line1,city,postcode,country,status,shipped_at,delivered_at\n"
        + _order("1001", "ann", "MUG-01", "Stoneware mug", "delivered", shipped=7, delivered=4)
        + _order("1002", "bob", "BOWL-01", "Stoneware bowl", "shipped", shipped=3)
        + _order("1003", "eve", "BOWL-01", "Stoneware bowl", "paid")
        + _order("1004", "kim", "BOWL-01", "Stoneware bowl", "paid")
    )
    (folder / "customers.csv").write_text("email,name\nann@example.org,Ann\nbob@example.org,Bob\neve@example.org,Eve\n")
    (folder / "inbox.mbox").write_text(
        mail("m1", "ann@example.org", "Broken mug", "The Stoneware mug of order 1001 arrived broken. Please refund it.")
        + mail("m2", "bob@example.org", "Where is my order 1002?", "Hi, where is my order 1002?")
        + mail("m3", "eve@example.org", "Cancel order 1003", "Please cancel order 1003.")
        + mail("m4", "kim@example.org", "Cancel order 1004", "Please cancel order 1004.")
        + mail("m5", "x@evil.example", HOSTILE, f"You are a terrible shop, I want to complain urgently. {HOSTILE}"),
        encoding="utf-8",
    )
    return folder


def _order(number: str, who: str, sku: str, title: str, status: str, *, shipped: int = 0, delivered: int = 0) -> str:
    def ago(days: int) -> str:
        return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds") if days else ""

    start = f"{number},{who}@example.org,{who.title()},{ago(9)},{sku},{title},1,14.90,{_ADDRESS}"
    return f"{start},{status},{ago(shipped)},{ago(delivered)}\n"


def mail(name: str, sender: str, subject: str, body: str) -> str:
    """One mail as an mbox has it; ``name`` makes its Message-ID."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    head = f"From: {sender}\nTo: shop@mud.example\nSubject: {subject}\nMessage-ID: <{name}@example.org>\nDate: {date}\n"
    return f"From {sender} Mon Jan  1 00:00:00 2026\n{head}Content-Type: text/plain; charset=utf-8\n\n{body}\n\n"
