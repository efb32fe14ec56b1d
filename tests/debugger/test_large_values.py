"""A search among values too large to be held finds the positions that stepping and looking would find."""

from __future__ import annotations

import random

import numpy as np
import pytest
from oracles.networks import pinned_case
from seen import random_session, session_of

from bptt_tui.debugger import Debugger, blocks, digests, extents, stops
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.stops import Stop, is_hit, read_breakpoint, read_watch, search
from bptt_tui.errors import CommandError
from bptt_tui.session import Loss, Session

INDICES = ("", "", "[t]", "[t-1]", "[t+1]", "[0]", "[-1]")


def quantity(chance: random.Random, scene: Scene) -> str:
    network, loss = scene.network, scene.network.loss_name
    name = chance.choice([*scene.unrolled.shapes])
    equation = chance.randrange(len(network.equations))
    edges = [
        f"d{network.equations[equation].target}{chance.choice(INDICES)}/d{by.name}{chance.choice(INDICES)}"
        for by in network.reads[equation]
    ]
    return chance.choice(
        [f"{name}{chance.choice(INDICES)}", f"d{loss}/d{name}{chance.choice(INDICES)}", f"d{loss}[t]/d{name}", "prod",
         *edges, *edges]
    )  # fmt: skip


def expression(chance: random.Random, scene: Scene) -> str:
    """Of one quantity or two, a number or as large as they are."""
    one, other = quantity(chance, scene), quantity(chance, scene)
    whole = chance.choice([one, f"{one}*2", f"tanh({one})", f"{one} - {other}", f"{one}*sum({other})", f"-{one}"])
    measure = chance.choice(["norm", "max", "abs", "sum", "", ""])
    return f"{measure}({whole})" if measure else whole


def a_stop(chance: random.Random, scene: Scene) -> Stop | None:
    text = expression(chance, scene)
    try:
        if chance.random() < 0.6:
            condition = chance.choice(["", "", f" if {expression(chance, scene)} < 0.3"])
            return read_watch(scene, text + condition, 1)
        return read_breakpoint(scene, f"if {text} {chance.choice(['<', '>=', '!='])} 0.2", 1)
    except CommandError:
        return None


def found(scene: Scene, stop: Stop, *, back: bool) -> list[int]:
    """Where a search from one end to the other would stop."""
    low, high, places = 1, scene.timeline.last, []
    while low <= high:
        place = search(scene, [stop], low, high, back=back, interrupt=None).position
        if place is None:
            break
        places.append(place)
        low, high = (low, place - 1) if back else (place + 1, high)
    return places


def assert_found_as_one_by_one(scene: Scene, stop: Stop) -> int:
    wanted = [place for place in range(1, scene.timeline.last + 1) if is_hit(stop, Look(scene, place))]
    assert found(scene, stop, back=False) == wanted, stop.text
    assert found(scene, stop, back=True) == wanted[::-1], stop.text
    return len(wanted)


@pytest.mark.parametrize("seed", range(24))
def test_a_search_with_room_for_little_finds_what_each_position_says(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is looked at as it is, and blocks and chunks hold a row or two."""
    monkeypatch.setattr(extents, "_NARROW", 0)
    monkeypatch.setattr(blocks, "ENTRIES", 64)
    monkeypatch.setattr(blocks, "_LONGEST", 2)
    monkeypatch.setattr(stops, "_FIRST_CHUNK", 5)
    session = session_of(pinned_case(seed, 4)) if seed % 4 == 3 else random_session(seed)[1]
    scene, chance = Debugger(session).look.scene, random.Random(seed)
    read = [read_watch(scene, "prod", 1), *(stop for _ in range(14) if (stop := a_stop(chance, scene)) is not None)]
    hits = sum(assert_found_as_one_by_one(scene, stop) for stop in read)
    assert hits


@pytest.mark.parametrize(
    "line", ["dz/dW", "dE/dW[t]", "dE/dW", "dh[t]/dz[t]", "dh/dz - dz/dh[t-1]", "dE/dW*2", "prod", "h", "dz[t]/dh[t-1]"]
)
def test_a_watch_of_a_matrix_stops_at_each_change(line: str) -> None:
    """The input stands still now and then, and so does what is watched."""
    rng, n, steps = np.random.default_rng(3), 9, 7
    x = np.repeat(rng.normal(size=(4, 2)), 2, axis=0)[:steps]
    session = Session(
        equations=("z = W @ h[t-1] + U @ x[t]", "h = relu(z)", "E = squared_error(h, y)"), loss=Loss(at="every"),
        parameters={"W": np.zeros((n, n)), "U": rng.normal(size=(n, 2))}, inputs={"x": x},
        initial={"h": np.zeros(n)}, constants={"y": np.ones(n)},
    )  # fmt: skip
    scene = Debugger(session).look.scene
    assert assert_found_as_one_by_one(scene, read_watch(scene, line, 1)) >= 1


def test_digests_tell_apart_what_a_comparison_tells_apart() -> None:
    """Signs of zero and kinds of nan are no difference; one bit, the order and the shape are."""
    one = np.array([[1.0, -0.0, np.nan, 3.0]])
    same = np.array([[1.0, 0.0, -np.nan, 3.0]])
    assert (digests.digests(one, 1) == digests.digests(same, 1)).all()
    rows = [one, one[:, ::-1], np.nextafter(one, 9), -one, one[:, :3], one.reshape(1, 2, 2), one.reshape(1, 1, 4)]
    found = {tuple(digests.digests(row, row.ndim - 1)[0].tolist()) for row in rows}
    assert len(found) == len(rows)
    many = np.sign(np.random.default_rng(0).normal(size=(5000, 40)))
    assert len(np.unique(digests.digests(many, 1), axis=0)) == len(np.unique(many, axis=0))
