"""Every speed and size goal of the project in one table: `python tests/benchmarks/report.py [--quick]`.

Each row is a ratio taken side by side in one process (launches: in processes of their own, in turn). Nothing here
fails: the numbers are for people. Results are compared before they are timed. PyTorch and JAX rows appear where
those are installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bptt_tui.debugger import Debugger
from bptt_tui.session import load
from bptt_tui.session.format import Loss
from bptt_tui.session.session import Session
from bptt_tui.trace import Trace
from tests.benchmarks.networks import Case, make, ours, pytorch, recurrent_gradient
from tests.benchmarks.peers import hips, jitted, products
from tests.benchmarks.timing import HEADER, Row, paired, seconds, side_by_side
from tests.benchmarks.verdict import timings

STEPS = 1000


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and no n = 512")
    parser.add_argument("--only", default="", help="sections whose name contains this")
    options = parser.parse_args()
    sections = {
        "frameworks": lambda: frameworks(options.quick),
        "peers": lambda: peers(options.quick),
        "growth": lambda: growth(options.quick),
        "memory": memory,
        "commands": commands,
        "searches": searches,
        "watches": watches,
        "repaint": repaint,
        "launch": lambda: launch(options.quick),
        "small": small,
        "verdicts": verdicts,
    }
    print(HEADER)
    for name, section in sections.items():
        if options.only in name:
            for row in section():
                print(row.text(), flush=True)


def frameworks(quick: bool) -> Iterator[Row]:
    """A full trace with gradient against PyTorch's own modules, forward and backward."""
    if find_spec("torch") is None:
        return
    for cell, goal in (("RNN", 0.35), ("LSTM", 0.5), ("GRU", 0.5)):
        for n in (16, 128) if quick else (16, 128, 512):
            case = make(cell, n, STEPS)
            run, peer = ours(case), pytorch(case)
            _same(case, run(), *peer())
            pairs = 5 if quick or n == 512 else 11
            yield side_by_side(f"{cell} n={n} T={STEPS}: torch.nn.{cell}", run, peer, goal, pairs)


def peers(quick: bool) -> Iterator[Row]:
    """The RNN against HIPS autograd and, for comparison, jitted JAX."""
    for n in (16, 128) if quick else (16, 128, 512):
        case = make("RNN", n, STEPS)
        run, peer = ours(case), hips(case)
        _same(case, run(), *peer())
        yield side_by_side(f"RNN n={n} T={STEPS}: HIPS autograd", run, peer, 0.02, 3, warm=1)
        bare = products(case)
        yield side_by_side(f"RNN n={n} T={STEPS}: its products by W alone", run, bare, None, 5)
        yield side_by_side(f"products by W alone, n={n} T={STEPS}: HIPS autograd", bare, peer, None, 3, warm=1)
        if find_spec("jax") is not None:
            compiled = jitted(case)
            _same(case, run(), *compiled())
            yield side_by_side(f"RNN n={n} T={STEPS}: JAX, compiled", run, compiled, None, 5)


def _same(case: Case, trace: Trace, loss: float, gradient: object) -> None:
    """A timing of results that differ would say nothing."""
    np.testing.assert_allclose(trace.loss, loss, rtol=1e-11)
    mine = recurrent_gradient(case, trace)
    np.testing.assert_allclose(mine, gradient, rtol=1e-8, atol=1e-11 * float(np.abs(mine).max()))


def growth(quick: bool) -> Iterator[Row]:
    """Ten times the timesteps."""
    for n in (16,) if quick else (16, 128):
        short, long = ours(make("RNN", n, STEPS)), ours(make("RNN", n, 10 * STEPS))
        row = side_by_side(f"RNN n={n}: T × 10 costs", long, short, 11.0, 3 if quick else 7)
        yield Row(row.what, row.ours, row.other, row.ratio, row.goal)


def memory() -> Iterator[Row]:
    """The peak while tracing, against the bytes of node values and adjoints."""
    for cell in ("RNN", "LSTM", "GRU"):
        case = make(cell, 128, STEPS)
        run = ours(case)
        trace = run()
        stored = 2 * 8 * sum(
            trace.unrolled.times[e].count * int(np.prod(trace.unrolled.shapes[name], dtype=int))
            for name, e in trace.unrolled.network.index.items()
        )  # fmt: skip
        del trace
        tracemalloc.start()
        kept = run()
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept
        scale = 2**20
        yield Row(f"{cell} n=128 T={STEPS}: peak memory", peak / scale, stored / scale, peak / stored, 4.0, "MB")
        yield Row(f"{cell} n=128 T={STEPS}: memory kept", after / scale, stored / scale, after / stored, 4.0, "MB")


def _long_session(steps: int) -> Session:
    """The question's network with a loss at every step, for `steps` timesteps."""
    question = load("question")
    inputs = np.sin(0.7 * np.arange(steps))
    return question.replace(inputs={"x": inputs.tolist()}, loss=Loss(at="every"), expected=None)


def commands() -> Iterator[Row]:
    """One command → new View, everything drawn at 200×50 asked for."""
    medians = {}
    for steps in (10, 100_000):
        debugger = Debugger(_long_session(steps))
        middle = (debugger.view.forward_steps + debugger.last) // 2
        debugger.do(f"goto {middle}")
        lines = ["next"] * 20 + ["rewind"] * 20
        medians[steps] = statistics.median(seconds(partial(debugger.do, line)) for line in lines * 5) * 1e3
    yield Row("command → View, T=100 000: 0.3 ms", medians[100_000], 0.3, medians[100_000] / 0.3, 1.0)
    ratio = medians[100_000] / medians[10]
    yield Row("command → View, T=100 000: the same at T=10", medians[100_000], medians[10], ratio, 1.5)


def searches() -> Iterator[Row]:
    """`continue` over everything at T = 100 000, past conditions that are met nowhere."""
    question, matrices = _long_session(100_000), _recurrent_session(100_000, 16)
    for what, session, condition in (
        ("running product", question, "abs(prod) > 1e9"),
        ("local partial", question, "abs(ds[t]/dz[t]) < 0"),
        ("softmax's partial", question, "norm(do/dq) > 9"),
        ("contribution", question, "dE/du[t] > 1e9"),
        ("16×16 partials", matrices, "norm(dh[t]/dz[t]) > 1e9"),
        ("16×16 contributions", matrices, "norm(dE/dW[t]) > 1e9"),
    ):
        debugger = Debugger(session)
        debugger.do(f"break if {condition}")
        taken = []
        for _ in range(3):
            debugger.do("start")
            taken.append(seconds(partial(debugger.do, "continue")) * 1e3)
            assert debugger.cursor.position == debugger.last
        median = statistics.median(taken)
        yield Row(f"continue, {what}, T=100 000: 1 s", median, 1000.0, median / 1000.0, 1.0)


def watches() -> Iterator[Row]:
    """A run past every change of a matrix that a timestep has, against looking at each position by itself."""
    from bptt_tui.debugger.looking import Look
    from bptt_tui.debugger.stops import is_hit, read_watch

    debugger = Debugger(_recurrent_session(300, 64).replace(initial={"h": np.full(64, 0.1)}))
    scene = debugger.look.scene
    for watched in ("dh[t]/dz[t]", "dE/dW[t]", "dE/dW", "prod", "dh/dz - dz/dh[t-1]"):
        stop = read_watch(scene, watched, 1)
        debugger.do("delete")
        debugger.do(f"watch {watched}")
        debugger.do("ignore 1 99999999")

        def run() -> None:
            debugger.do("start")
            debugger.do("continue")

        def one_by_one() -> list[int]:
            return [place for place in range(1, debugger.last + 1) if is_hit(stop, Look(scene, place))]  # noqa: B023

        debugger.do("start")
        before = debugger.view.breakpoints[0].hits
        assert debugger.do("continue").breakpoints[0].hits - before == len(one_by_one())
        debugger.do("ignore 1 99999999")
        yield side_by_side(f"watch {watched}, n=64 T=300: one by one", run, one_by_one, 0.2, 3)


def _recurrent_session(steps: int, n: int) -> Session:
    """h = tanh(W·h + U·x), with a softmax and a loss at every step."""
    rng = np.random.default_rng(0)
    return Session(
        equations=("z = W @ h[t-1] + U @ x[t]", "h = tanh(z)", "o = softmax(V @ h)", "E = cross_entropy(o, y)"),
        loss=Loss(at="every"),
        parameters={"W": rng.normal(size=(n, n)) / n, "U": rng.normal(size=(n, 2)), "V": rng.normal(size=(3, n))},
        inputs={"x": rng.normal(size=(steps, 2))}, initial={"h": np.zeros(n)}, constants={"y": 1},
    )  # fmt: skip


def repaint() -> Iterator[Row]:
    """A key → a new picture at 200×50, T = 100 000."""
    import asyncio

    from tests.benchmarks.drawing import repaint_milliseconds

    median = asyncio.run(repaint_milliseconds(_long_session(100_000)))
    yield Row("repaint after a step, 200×50, T=100 000: 15 ms", median, 15.0, median / 15.0, 1.0)


def launch(quick: bool) -> Iterator[Row]:
    """From the command to the first frame, against the smallest app that imports textual and numpy."""
    here = Path(__file__).parent
    full = [sys.executable, str(here / "first_frame.py"), "debugger"]
    least = [sys.executable, str(here / "first_frame.py"), "minimal"]

    # Compiled modules are kept, as they are after an installation.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def framed(command: list[str]) -> float:
        """Seconds from starting the interpreter to the first frame."""
        start = time.monotonic()
        shown = subprocess.run(
            command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, text=True
        )
        return float(shown.stdout.split()[-1]) - start

    pairs = 5 if quick else 11
    what = "launch → first frame: minimal textual + numpy app"
    yield paired(what, partial(framed, full), partial(framed, least), 1.2, pairs)


def small() -> Iterator[Row]:
    """Tracing the two-step question: well under a millisecond."""
    session = load("question")
    network = session.network()
    values = {"parameters": session.parameters, "inputs": session.inputs, "initial": session.initial}

    def run() -> object:
        return network.trace(**values, constants=session.constants)

    run()
    median = statistics.median(seconds(run) for _ in range(200)) * 1e3
    yield Row("trace of the question: 1 ms", median, 1.0, median, 1.0)


def verdicts() -> Iterator[Row]:
    """A verdict on a formula, the draws of all values included."""
    for network, what, first, _, goal in timings():
        yield Row(f"verdict, {network}: {what}: {goal:g} ms", first, goal, first / goal, 1.0)


if __name__ == "__main__":
    main()
