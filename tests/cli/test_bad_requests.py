"""Wrong requests against a running shop: a clear line, exit code 2, and the log is as it was."""

from pathlib import Path

import pytest

from tests.cli.steward import Steward

WRONG = (
    ["show", "nothing"],
    ["approve", "nothing"],
    ["approve", ""],
    ["edit", "nothing", "--set", "body=x"],
    ["reject", "nothing", "--reason", "no"],
    ["snooze", "nothing"],
    ["settle", "nothing", "--happened"],
    ["alerts", "--close", "nothing"],
    ["run", "replenish", "--supplier", "nobody"],
    ["run", "content", "--supplier", "kiln"],
    ["mode", "nothing", "auto"],
    ["mode", "support/dance", "auto"],
    ["mode", "support/", "auto"],
    ["rollback", "nothing", "--yes"],
    ["cancel", "nothing"],
    ["policies", "show", "nothing"],
    ["policies", "show", "support", "nothing"],
    ["policies", "set", "nothing", "--set", "a=1"],
    ["policies", "set", "support", "--set", "nothing=1"],
    ["policies", "set", "support", "--set", "refund_limit=lots"],
    ["policies", "set", "support", "--set", "refund_window_days=soon"],
    ["policies", "set", "stock", "--set", "service_level=2"],
    ["policies", "set", "stock", "--set", "service_level"],
    ["policies", "set", "approval", "--set", "deciders=anna"],
    ["policies", "history", "nothing"],
    ["policies", "activate", "support", "99"],
    ["schedule", "pause", "nothing"],
    ["schedule", "trigger", "nothing"],
    ["shop", "--set", "nothing=1"],
    ["shop", "--set", "currency=euros"],
    ["shop", "--set", "email=nowhere"],
    ["received", "nothing"],
    ["relabel", "nothing", "late"],
    ["relabel", "mail/", "late"],
    ["relabel", "mail/", "nonsense"],
    ["log", "tail", "--stream", "nothing"],
    ["log", "verify", "--anchor", "nothing"],
    ["state", "show", "nothing"],
    ["state", "show", "order/nothing"],
    ["state", "list", "nothing"],
    ["state", "list", "order", "--where", "nothing=1"],
    ["memory", "facts", "product/MUG-01", "--world", "someday"],
)

BAD_FILES = {
    "catalog": "sku,title,price\nA1,Cup,free\n",
    "sales": "date,sku,units\nyesterday,MUG-01,1\n",
    "orders": "order_id,email,placed_at,sku,units,unit_price,line1,city,country\n1,a@b.example,2026-01-01,MUG-01,none,1,x,y,GB\n",
    "customers": "email,name\nnobody,\n",
    "tickets": "From x Mon Jan  1 00:00:00 2026\nSubject: no sender\n\nhello\n",
}


def head(shop: Steward) -> dict[str, object]:
    return dict(shop("log", "verify", "--json").json["head"])


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_request_changes_nothing(shop: Steward, words: list[str]) -> None:
    """It says what is wrong and what to do."""
    before = head(shop)
    said = shop(*words, "--json")
    assert said.code == 2, said
    assert said.json["error"]
    assert said.json["hint"]
    assert head(shop) == before


@pytest.mark.parametrize("kind", BAD_FILES)
def test_one_bad_line_keeps_the_whole_file_out(shop: Steward, tmp_path: Path, kind: str) -> None:
    """Also the good lines before it; the report names the line."""
    before, file = head(shop), tmp_path / "bad"
    file.write_text(BAD_FILES[kind])
    strict = ["--strict"] if kind == "tickets" else []  # of mails, the others are imported unless one says so
    said = shop("import", kind, str(file), *strict, "--json")
    assert said.code == 2, said
    assert said.json["imported"] is None
    assert said.json["rejected"]
    assert head(shop) == before


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff\xfe", b"a,b\n1,2\n"], ids=["empty", "binary", "other columns"])
def test_a_file_of_another_kind_is_refused_or_has_nothing_to_say(shop: Steward, tmp_path: Path, kind: str, content: bytes) -> None:
    """No traceback, and nothing half-done."""
    before, file = head(shop), tmp_path / "bad"
    file.write_bytes(content)
    said = shop("import", kind, str(file), "--json")
    assert said.code == 2 or said.json["imported"] == 0, said
    assert head(shop) == before


def test_importing_again_changes_nothing(shop: Steward, files: Path) -> None:
    """Every kind: known lines are said to be known."""
    before = head(shop)
    for file in files.iterdir():
        kind = "tickets" if file.suffix == ".mbox" else file.stem
        said = shop("import", kind, str(file), "--json")
        assert (said.code, said.json["imported"]) == (0, 0), said
    assert head(shop) == before
