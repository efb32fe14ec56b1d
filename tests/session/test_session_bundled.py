"""The bundled sessions: their networks are those of the question, their totals those of an independent oracle."""

from __future__ import annotations

import importlib.util
import math
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hips import LOSSES, loss_and_gradient

from bptt_tui.session import Session, bundled, load
from bptt_tui.session.encode import encode
from bptt_tui.session.totals import differences

ROOT = Path(__file__).parents[2]
NAMES = bundled.names()


def oracle(session: Session) -> tuple[float, dict[str, np.ndarray]]:
    loss, gradient = loss_and_gradient(
        session.name, session.parameters, session.inputs, session.initial, session.constants
    )
    return float(loss), gradient


def close(got: object, want: object) -> bool:
    """Every entry within 1e-12, purely relative: an exact zero is only like an exact zero."""
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    return got.shape == want.shape and bool(np.all(np.abs(got - want) <= 1e-12 * np.abs(want)))


def test_the_oracle_knows_every_bundled_session() -> None:
    """No session ships without an independent gradient to compare with."""
    assert set(LOSSES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_expected_totals_are_those_of_hips_autograd(name: str) -> None:
    """`expected` in the file was not made by the engine it checks."""
    session = load(name)
    loss, gradient = oracle(session)
    assert session.expected is not None
    assert close(session.expected.loss, loss)
    assert list(session.expected.gradient) == list(session.parameters)
    for parameter, total in gradient.items():
        assert close(session.expected.gradient[parameter], total), parameter


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_agrees_with_hips_autograd(name: str) -> None:
    """Loss and every entry of every gradient agree to 1e-12, relative."""
    session = load(name)
    loss, gradient = oracle(session)
    trace = session.trace()
    assert close(trace.loss, loss)
    for parameter, total in gradient.items():
        assert close(trace.gradient[parameter], total), parameter
    assert differences(session) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_file_is_as_the_program_writes_it(name: str) -> None:
    """Loading and saving a bundled session changes no byte."""
    assert encode(load(name).document()) == bundled.path_of(name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_bundled_numbers_hide_nothing(name: str) -> None:
    """No initial value is 0 (it would hide w's first term), and weights are of a size where slips are visible."""
    session = load(name)
    assert all(np.all(np.asarray(value) != 0) for value in session.initial.values())
    assert all(
        np.all((np.abs(value) >= 0.3) & (np.abs(value) <= 1.5))
        for value in map(np.asarray, session.parameters.values())
    )
    assert session.title and session.title.isprintable()


def test_the_question_has_the_numbers_of_the_question() -> None:
    """The table of the question, to all ten digits it gives."""
    trace = load("question").trace()
    table = {"u": (-0.2316324753, 1.0623088928, 0.8306764175), "w": (-0.1389794852, -0.5552321339, -0.6942116191)}
    for name, (first, second, total) in table.items():
        assert round(float(trace.contribution(name, 0)), 10) == first
        assert round(float(trace.contribution(name, 1)), 10) == second
        assert round(float(trace.gradient[name]), 10) == total
    assert trace.uses("v") == [1]
    assert np.round(trace.gradient["v"], 7).tolist() == [0.3169206, -0.3169206]


def test_one_logit_has_a_gradient_of_exactly_zero() -> None:
    """softmax of a single logit is the constant 1: the loss and every derivative of it are 0, not merely small."""
    trace = load("one-logit").trace()
    assert trace.loss == 0
    assert all(np.all(total == 0) for total in trace.gradient.values())


def test_the_sessions_differ_where_their_titles_say() -> None:
    """Shapes, loss steps and activations are those the titles speak of."""
    assert load("many-to-many").loss.at == "every"
    assert len(load("many-to-many").inputs["x"]) == 3
    assert any("sigmoid" in equation for equation in load("question-sigmoid").equations)
    assert "z = a * b" in load("product-slip").equations
    assert load("answer").equations[0] == "z = u * x[t] + w * s[t-1] + k"
    shapes = {name: np.shape(value) for name, value in load("vectors").parameters.items()}
    assert shapes == {"U": (3, 2), "W": (3, 3), "k": (3,), "V": (3, 3), "c": (3,)}
    assert len(load("one-logit").parameters["v"]) == 1
    assert len(load("min-char-rnn").parameters["bh"]) == 8
    assert len(load("two-layers").initial) == len(load("lstm").initial) == 2


@pytest.mark.parametrize(("name", "smallest", "largest"), [("vanishing", 0.3, 1.0), ("exploding", 1.0, 1.2)])
def test_sixty_factors_vanish_and_explode(name: str, smallest: float, largest: float) -> None:
    """Every factor w·(1 − s²) lies on its side of 1, so ‖∂E/∂s_t‖ rises or falls at every one of 60 timesteps."""
    trace = load(name).trace()
    assert trace.steps == 60
    w = float(trace.value("w"))
    factors = [w * (1 - float(trace.value("s", t)) ** 2) for t in range(1, 60)]
    assert smallest < min(factors) and max(factors) <= largest
    norms = trace.norms("s")
    assert np.all(np.diff(norms) > 0 if name == "vanishing" else np.diff(norms) < 0)
    assert norms[0] / norms[-1] < 1e-8 if name == "vanishing" else norms[0] / norms[-1] > 1e3
    assert max(abs(float(trace.value("s", t))) for t in range(60)) < (1.0 if name == "vanishing" else 0.5)


def test_the_forget_gate_is_the_only_factor_along_c() -> None:
    """∂c_t/∂c_{t−1} is diag(f_t) in the LSTM, as its title says."""
    trace = load("lstm").trace()
    network = trace.unrolled.network
    equation = network.index["c"]
    (by,) = (name for name in network.reads[equation] if name.name == "c")
    for t in range(trace.steps):
        assert np.array_equal(trace.jacobian(equation, t, by), np.diag(trace.value("f", t)))


def test_min_char_rnn_reads_hell_and_predicts_ello() -> None:
    """One-hot characters over the vocabulary h, e, l, o; the weights of o, which is never read, get no gradient."""
    session = load("min-char-rnn")
    characters = "helo"
    assert "".join(characters[row.index(1)] for row in session.inputs["x"]) == "hell"
    assert "".join(characters[k] for k in session.inputs["target"]) == "ello"
    assert not session.trace().gradient["Wxh"][:, characters.index("o")].any()


def test_a_planted_error_in_the_totals_is_found() -> None:
    """A relative error of 1e-8 in one entry of the totals is a difference; 1e-10 is within the tolerance."""
    session = load("vectors")
    assert session.expected is not None
    for factor, found in ((1 + 1e-8, 1), (1 + 1e-10, 0), (-1, 1), (0, 1)):
        wrong = {name: np.array(value) for name, value in session.expected.gradient.items()}
        wrong["W"][1, 2] *= factor
        spoilt = session.replace(expected=type(session.expected)(gradient=wrong))
        lines = differences(spoilt)
        assert len(lines) == found
        assert all(line.startswith("∂E/∂W[1][2] is -0.48") for line in lines)


def test_a_nan_never_passes_as_expected() -> None:
    """A trace that overflowed differs from any expectation."""
    session = load("question").replace(parameters={"u": 1e308, "w": 1e308, "v": [1e308, -1e308]})
    if all(math.isfinite(value) for value in np.ravel(list(session.trace().gradient["v"]))):
        session = session.replace(inputs={"x": [1e308, -1e308]})
    assert differences(session)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    source = directory / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("bptt_tui", "sessions"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    with_hatchling = importlib.util.find_spec("hatchling") is not None
    build = (
        ["hatchling", "build", "-t", "wheel", "-d"]
        if with_hatchling
        else ["pip", "wheel", "--no-deps", "-q", ".", "-w"]
    )
    built = subprocess.run(
        [sys.executable, "-m", *build, str(directory)], cwd=source, capture_output=True, text=True, check=False
    )
    if built.returncode and not with_hatchling:
        pytest.skip("a wheel cannot be built: hatchling is not installed, and pip cannot fetch it")
    assert built.returncode == 0, built.stderr
    return next(directory.glob("*.whl"))


def test_a_wheel_carries_the_sessions(wheel: Path, tmp_path: Path) -> None:
    """Unpacked somewhere else, the package finds its sessions, and says it is typed."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert {f"bptt_tui/bundled/{name}.json" for name in NAMES} <= set(names)
    assert "bptt_tui/py.typed" in names
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import bptt_tui; print(bptt_tui.load('answer').title, bptt_tui.__file__)"
    )
    shown = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert shown == f"{load('answer').title} {tmp_path}/bptt_tui/__init__.py\n"
