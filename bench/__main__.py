"""``python -m bench [NAME ...]``: every benchmark, one after the other; the exit code says whether all bars were met.

Each is a module with ``main() -> int`` and can be run on its own: ``python -m bench.NAME [--json]``.
"""

import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter

NAMES = ("learning_gate", "triage_stream", "stock_sim", "headlines", "flags", "stock_plan", "console", "simulate")


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.stderr.write(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}\n")
        return 2
    results = {name: _run(name) for name in names or NAMES}
    for name, (code, seconds) in results.items():
        sys.stdout.write(f"{name:14} {'met its bars' if code == 0 else 'MISSED'} in {seconds:.0f} s\n")
    return int(any(code for code, _ in results.values()))


def _run(name: str) -> tuple[int, float]:
    """In a process of its own, so that none warms another one up."""
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    began = perf_counter()
    code = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode
    return code, perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
