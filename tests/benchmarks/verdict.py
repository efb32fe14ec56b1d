"""How long a verdict takes: on the question (100 ms), and on an LSTM of 20 timesteps and 8 units (1 s).

    python -m benchmarks.verdict                    (in tests/)

Every formula is judged in a session of its own, so that the draws are made anew and count too; a second verdict in the
same session has them already.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

HEAD = "dE/do * do/dq * v * ds1/dz1"
QUESTION = {
    "right": f"dE/dw = {HEAD} * (s0 + w*ds0/dz0*s[-1])",
    "a factor missing": f"dE/dw = {HEAD} * (s0 + ds0/dz0*s[-1])",
    "both terms wrong": f"dE/dw = {HEAD} * (s1 + w*ds0/dz0*s0)",
    "no reason found": f"dE/dw = {HEAD} * (u*s0*x1 + w*u*x0)",
    "a number": "dE/dw = -0.729768",
}
LSTM = {
    "right": "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ f_t ⊙ (1 - f_t)) v_t^T",
    "index off by one": "dE/dWf = sum_t (dE/dc_t ⊙ c_t ⊙ f_t ⊙ (1 - f_t)) v_t^T",
    "slopes swapped": "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ (1 - f_t^2)) v_t^T",
    "a factor missing": "dE/dWf = sum_t (dE/dc_t ⊙ f_t ⊙ (1 - f_t)) v_t^T",
    "outer product turned": "dE/dWf = sum_t v_t (dE/dc_t ⊙ c_{t-1} ⊙ f_t ⊙ (1 - f_t))^T",
    "paths missing": "dE/dWf = sum_t dE/dh_t dh_t/dWf",
    "210 wrong terms": "dE/dbf = sum_t sum_{k=0}^t dE/dh_t",
}


def lstm(steps: int = 20, units: int = 8) -> Session:
    """The bundled LSTM's equations at a larger size."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> list[object]:
        return (0.4 * rng.normal(size=shape)).tolist()

    parameters = {f"W{gate}": drawn(units, units + 4) for gate in "ifgo"}
    parameters |= {f"b{gate}": drawn(units) for gate in "ifgo"} | {"V": drawn(5, units)}
    return load("lstm").replace(
        parameters=parameters,
        inputs={"x": drawn(steps, 4)},
        initial={"h": drawn(units), "c": drawn(units)},
        expected=None,
    )


def timings() -> Iterator[tuple[str, str, float, float, float]]:
    """Network, formula, milliseconds in a new session and in one already judged, goal; medians."""
    networks: list[tuple[str, Callable[[], Session], dict[str, str], float, int]] = [
        ("question", lambda: load("question"), QUESTION, 100.0, 9),
        ("lstm T=20 n=8", lstm, LSTM, 1000.0, 3),
    ]
    for network, make, formulas, goal, repetitions in networks:
        judge(make(), next(iter(formulas.values())))  # imports
        for what, formula in formulas.items():
            first, again = [], []
            for _ in range(repetitions):
                session = make()
                session.trace()
                for taken in (first, again):
                    start = time.perf_counter()
                    judge(session, formula)
                    taken.append(1e3 * (time.perf_counter() - start))
            yield network, what, statistics.median(first), statistics.median(again), goal


def main() -> None:
    """Print the table."""
    print(f"{'network':<16}{'formula':<24}{'first':>10}{'again':>10}{'goal':>10}  met")
    for network, what, first, again, goal in timings():
        met = "yes" if first <= goal else "NO"
        print(f"{network:<16}{what:<24}{first:>7.1f} ms{again:>7.1f} ms{goal:>7g} ms  {met}", flush=True)


if __name__ == "__main__":
    main()
