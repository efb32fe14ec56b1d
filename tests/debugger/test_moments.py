"""Expressions over many positions have the values and the gaps that they have position by position."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from oracles.networks import pinned_case
from seen import make, random_session, session_of

from bptt_tui.debugger import Debugger, blocks
from bptt_tui.debugger.conditions import SIGNS, Condition, holds, read_condition
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moments import Over, Unknown
from bptt_tui.debugger.patterns import all_kinds
from bptt_tui.debugger.quantities import Operand, read_operand
from bptt_tui.debugger.sweep import Sweep
from bptt_tui.errors import CommandError
from bptt_tui.session import Session

INDICES = ("", "[t]", "[t-1]", "[t+1]", "[t-2]", "[0]", "[1]", "[-1]")


def expressions(chance: random.Random, scene: Scene, most: int = 80) -> list[str]:
    """Local partials of every edge at moving and fixed timesteps, gradients, contributions, sums, values."""
    network, loss = scene.network, scene.network.loss_name
    found = []
    for equation, reads in zip(network.equations, network.reads, strict=True):
        for by in reads:
            found += [f"d{equation.target}{chance.choice(INDICES)}/d{by.name}{chance.choice(INDICES)}" for _ in "12"]
            found.append(f"d{equation.target}[t]/d{by.name}")
    for name in scene.unrolled.shapes:
        found += [f"{name}{chance.choice(INDICES)}", f"d{loss}/d{name}{chance.choice(INDICES)}"]
        found.append(f"d{loss}[t]/d{name}")
    measured = [f"{chance.choice(['norm', 'max', 'abs', 'tanh', '-', 'sum', 'norm(abs'])}({text}" for text in found]
    found += [text + ")" * text.count("(") for text in measured]
    return [*chance.sample(found, min(len(found), most)), "prod", "norm(prod)", "max(prod) + t"]


def one_by_one(operand: Operand, scene: Scene, position: int) -> np.ndarray | None:
    try:
        return Inspector(Look(scene, position)).evaluate(operand.text)
    except CommandError:
        return None


def assert_same(scene: Scene, texts: list[str]) -> Counter[tuple[str, bool]]:
    """Over every stretch: known where it is known one by one, with the same value; how many are so to the last bit."""
    sweep = Sweep(scene)
    exact: Counter[tuple[str, bool]] = Counter()
    local = [f"d{name}" for name in scene.network.targets if name != scene.network.loss_name]
    for text in texts:
        try:
            operand = read_operand(scene, text)
        except CommandError:
            continue
        for kind, name, phase in all_kinds(scene):
            stretch = sweep.stretch(kind, name, phase)
            if not len(stretch.positions):
                continue
            count = len(stretch.positions)
            try:
                over = sweep.over(operand, stretch)
            except Unknown:
                over = Over(np.zeros(()), (), known=False)
            values = np.broadcast_to(over.value, (count, *over.shape))
            known = np.broadcast_to(np.asarray(over.known), (count,))
            for row, position in enumerate(stretch.positions.tolist()):
                wanted = one_by_one(operand, scene, position)
                assert (wanted is not None) == bool(known[row]), (text, kind, name, phase, position)
                if wanted is not None:
                    assert wanted.shape == over.shape, text
                    np.testing.assert_allclose(values[row], wanted, rtol=1e-13, atol=1e-300, err_msg=text)
                    kind_of = "partial" if text.startswith(tuple(local)) else "other"
                    exact[kind_of, values[row].tobytes() == wanted.tobytes()] += 1
    return exact


@pytest.mark.parametrize("seed", range(12))
def test_a_sweep_says_what_each_position_says(seed: int) -> None:
    """Random networks: which node, which timestep, known or not, initial values and losses at listed steps."""
    swept(random_session(seed)[1], seed)


@pytest.mark.parametrize("seed", range(100, 106))
def test_a_sweep_beside_pinned_nodes(seed: int) -> None:
    """A pinned node has a value and a gradient, and no partials."""
    swept(session_of(pinned_case(seed, 4)), seed)


@pytest.mark.parametrize("seed", range(200, 204))
def test_a_sweep_with_room_for_little(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a row or two, of which a few are kept, say the same."""
    monkeypatch.setattr(blocks, "ENTRIES", 64)
    monkeypatch.setattr(blocks, "_LONGEST", 2)
    swept(random_session(seed)[1], seed)


@pytest.mark.parametrize("seed", range(300, 306))
def test_a_comparison_with_a_number_holds_where_it_does_one_by_one(seed: int) -> None:
    """The number is one of the values, on either side of the sign, so that every sign can hold and fail."""
    chance = random.Random(seed)
    scene = Debugger(random_session(seed)[1]).look.scene
    sweep, met = Sweep(scene), Counter[bool]()
    for text in expressions(chance, scene, 20):
        try:
            value = one_by_one(read_operand(scene, text), scene, chance.randint(1, scene.timeline.last))
        except CommandError:
            continue
        number = "0.1" if value is None else repr(float(chance.choice(value.ravel())))
        for sign in chance.sample([*SIGNS], 2):
            for line in (f"{text} {sign} {number}", f"{number} {sign} {text}"):
                met += holding(scene, sweep, read_condition(scene, line))
    assert met[True] and met[False]


def holding(scene: Scene, sweep: Sweep, condition: Condition) -> Counter[bool]:
    """At how many positions a condition holds, which is where it does one by one."""
    met = Counter[bool]()
    for kind, name, phase in all_kinds(scene):
        stretch = sweep.stretch(kind, name, phase)
        found = sweep.met(condition, stretch) if len(stretch.positions) else []
        wanted = [holds(condition, Look(scene, position)) for position in stretch.positions[: len(found)].tolist()]
        assert list(found) == wanted, (condition, kind, name, phase)
        met.update(wanted)
    return met


def test_the_gradient_of_an_input_is_known_where_all_its_readers_are() -> None:
    """x is read at once by one equation and a timestep later by two others."""
    debugger = make("b = v * x[t-1]", "a = u * x + b", "c = a * x[t-1]", "s = tanh(a + c + s[t-1])", "E = s * s",
                    at="every", parameters={"u": 0.5, "v": 2.0}, inputs={"x": [0.5, -1.0, 2.0, 0.3]},
                    initial={"s": 0.1, "x": 0.7})  # fmt: skip
    texts = ["dE/dx[t]", "dE/dx[t-1]", "dE/dx[t+2]", "dE/dx", "norm(dE/dx[t-1])", "dE/dx[t-2]"]
    assert assert_same(debugger.look.scene, texts).total() == 50


def test_blocks_give_the_rows_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, each made once while there is room."""
    monkeypatch.setattr(blocks, "ENTRIES", 64)
    made: list[tuple[int, int]] = []

    def make_rows(rows: slice) -> np.ndarray:
        made.append((rows.start, rows.stop))
        return np.arange(rows.start, rows.stop) * 10.0

    few = blocks.RowBlocks(11, 1, make_rows)
    asked = np.array([0, 3, 3, 4, 10, 9, 1])
    assert few.at(asked).tolist() == (asked * 10.0).tolist()
    assert few.at(asked).tolist() == (asked * 10.0).tolist()
    assert made == [(0, 4), (4, 8), (8, 11)]
    wide = blocks.RowBlocks(11, 32, make_rows)
    assert wide.at(asked).tolist() == (asked * 10.0).tolist()
    assert made[3:] == [(row, row + 1) for row in (0, 3, 4, 10, 9, 1)]


def swept(session: Session, seed: int) -> None:
    """Local partials are the same bit for bit; sums and what is made of matrices may add up in another order."""
    scene = Debugger(session).look.scene
    exact = assert_same(scene, expressions(random.Random(seed), scene))
    assert exact and not exact["partial", False]
