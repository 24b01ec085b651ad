"""``python -m demo``: what ``./steward demo`` runs."""

import argparse
import json
import os
import sys
from dataclasses import asdict

from demo.day import main
from demo.home import put_away
from domain.errors import StewardError
from settings import Settings


def run() -> int:
    parser = argparse.ArgumentParser(prog="steward demo", description="One business day of a demo shop.")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same day")
    parser.add_argument("--clear", action="store_true", help="put the demo away and make room for your own business")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    given = parser.parse_args()
    try:
        settings = Settings.load()
        if given.clear:
            done = put_away(settings)
            sys.stdout.write(f"{json.dumps(asdict(done), default=str) if given.json else done.told()}\n")
            return 0
    except StewardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return main(settings, seed=given.seed, as_json=given.json)


if __name__ == "__main__":
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
