"""``python -m bench.flags [--json]``: how long one evaluation of a flag takes, through the OpenFeature client.

No data is needed. The bar is 100 microseconds for the median of an evaluation with the flags already in process.
"""

import argparse
import json
import sys
from statistics import median
from time import perf_counter

from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from rich.console import Console
from rich.table import Table

from domain.flags import Flag
from memory.fakes import in_memory
from models.embedding import HashingEmbedder

_BAR = 100.0  # microseconds
_FLAGS, _EVALUATIONS, _ROUNDS = 100, 2_000, 15


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.flags", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    rounds = measured()
    result = {"median_microseconds": median(rounds), "slowest_round_microseconds": max(rounds), "bar": _BAR}
    if asked.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        table = Table("flag evaluation", "microseconds", "bar", title=f"{_FLAGS} flags, half of the units get the variant")
        table.add_row("median of rounds", f"{result['median_microseconds']:.1f}", f"{_BAR:.0f}")
        table.add_row("slowest round", f"{result['slowest_round_microseconds']:.1f}", "")
        Console().print(table)
    return int(result["median_microseconds"] >= _BAR)


def measured() -> list[float]:
    """Microseconds an evaluation, the mean of each round."""
    flags = in_memory(embedder=HashingEmbedder()).flags
    flags.provider.flags = {f"flag-{n}": Flag(key=f"flag-{n}", share=0.5) for n in range(_FLAGS)}
    return [_round(flags.client) for _ in range(_ROUNDS)]


def _round(client: OpenFeatureClient) -> float:
    contexts = [EvaluationContext(targeting_key=f"support/mail/{n}") for n in range(_EVALUATIONS)]
    began = perf_counter()
    for n, context in enumerate(contexts):
        client.get_boolean_details(f"flag-{n % _FLAGS}", False, context)
    return (perf_counter() - began) / _EVALUATIONS * 1e6


if __name__ == "__main__":
    raise SystemExit(main())
