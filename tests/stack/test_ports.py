"""Ports are chosen before anybody listens on them, and stay chosen."""

import json
import subprocess
import sys
from pathlib import Path

from stack.ports import PortBook

ANOTHER = """
import sys
from pathlib import Path
from stack.ports import PortBook

print(PortBook(Path(sys.argv[1]), say=lambda _: None).claim("console", preferred=int(sys.argv[2])))
"""


def another(path: Path, preferred: int) -> int:
    """What the stack of another home chooses, in a process of its own."""
    command = [sys.executable, "-c", ANOTHER, str(path), str(preferred)]
    return int(subprocess.check_output(command, cwd=Path(__file__).parents[2], timeout=60))


def test_a_port_that_was_chosen_is_no_other_stacks(tmp_path: Path) -> None:
    """Though nobody listens on it yet; and it is free again when the stack has ended."""
    said: list[str] = []
    book = PortBook(tmp_path / "one.json", say=said.append)
    port = book.claim("console")
    assert another(tmp_path / "two.json", port) != port
    del book
    assert another(tmp_path / "three.json", port) == port


def test_the_same_stack_gets_its_port_again(tmp_path: Path) -> None:
    """A part that is started anew keeps its address, in this process and in the next."""
    book = PortBook(tmp_path / "ports.json", say=lambda _: None)
    port = book.claim("postgres")
    assert book.claim("postgres") == port
    assert json.loads((tmp_path / "ports.json").read_text()) == {"postgres": port}
    del book
    assert PortBook(tmp_path / "ports.json", say=lambda _: None).claim("postgres") == port
