"""Many random networks against the oracles, for hunting by hand.

    PYTHONPATH=tests python -m oracles.sweep FIRST COUNT [LONGEST]

A seed that is printed is a fault; `random_case(seed, longest)` is the network.
"""

from __future__ import annotations

import sys
import traceback

from oracles.judge import faults
from oracles.networks import random_case


def main(first: int, count: int, longest: int = 6) -> int:
    bad = 0
    for seed in range(first, first + count):
        try:
            found = faults(random_case(seed, longest))
        except Exception:
            found = [traceback.format_exc()]
        if found:
            bad += 1
            print(f"seed {seed}: " + "\n    ".join(found[:4]), flush=True)
    print(f"{count} networks, {bad} with faults")
    return bad


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
