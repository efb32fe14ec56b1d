"""A session in Python: made, traced, changed; errors that name the file and the equation; a light import."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import bptt_tui
from bptt_tui.errors import BpttError, EquationError, NetworkError, SessionError
from bptt_tui.session import Expected, Recorded, Session, load

ROOT = Path(__file__).parents[2]


def test_arrays_are_taken_and_kept_as_lists() -> None:
    """Python callers hand over arrays; the session holds what a file would."""
    session = Session(
        equations=["s = tanh(W @ s[t-1] + x[t])", "E = sum(s)"],  # type: ignore[arg-type]
        parameters={"W": np.array([[0.5, 0.25], [-0.5, 1.0]])},
        initial={"s": (np.float64(0.5), np.int64(1))},
        inputs={"x": np.zeros((2, 2))},
    )
    assert session.parameters == {"W": [[0.5, 0.25], [-0.5, 1.0]]}
    assert session.initial == {"s": [0.5, 1]}
    assert session.trace().gradient["W"].shape == (2, 2)


def test_a_trace_is_computed_once_and_kept_while_the_numbers_stay() -> None:
    """Moving the debugger costs no new trace; changing a number does."""
    session = load("question")
    trace = session.trace()
    assert session.trace() is trace
    moved = session.with_state(position=3, recording=[Recorded(at=0.0, command="goto 3")])
    assert moved.trace() is trace
    assert moved.debugger.position == 3
    changed = session.replace(parameters={**session.parameters, "u": 0.9})
    assert changed.trace() is not trace
    assert changed.trace().gradient["u"] != trace.gradient["u"]


def test_saving_and_loading_gives_the_same_trace_bit_for_bit(tmp_path: Path) -> None:
    """Numbers survive the file exactly, so the gradient does too."""
    rng = np.random.default_rng(7)
    session = load("vectors").replace(
        parameters={name: rng.normal(size=np.shape(v)) for name, v in load("vectors").parameters.items()},
        expected=None,
    )
    session.save(tmp_path / "s.json")
    again = load(tmp_path / "s.json")
    for name, total in session.trace().gradient.items():
        assert again.trace().gradient[name].tobytes() == total.tobytes()
    assert again.trace().loss == session.trace().loss


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"equations": ("E = tanh(u",)}, EquationError, "s.json: equations[0]: column"),
        ({"equations": ("z = u * x[t]", "E = sum(tamh(z))")}, EquationError, "s.json: equations[1]: column"),
        ({"initial": {}}, BpttError, "s.json: "),
        ({"parameters": {"u": 0.8}}, BpttError, "s.json: "),
        ({"parameters": {"u": [1, 2, 3], "w": 0.6, "v": [1.2, -0.7]}}, BpttError, "s.json: "),
        ({"inputs": {"x": [0.5], "y": [1, 2]}}, BpttError, "s.json: "),
        ({"inputs": {}, "steps": 10**9}, BpttError, "s.json: "),
    ],
)
def test_what_is_wrong_with_the_network_is_said_with_file_and_place(
    changes: dict[str, object], kind: type[BpttError], said: str
) -> None:
    """The equations' and values' errors arrive with the session's name in front, each time the same."""
    session = load("question").replace(name="s.json", **changes)
    for _ in range(2):
        with pytest.raises(kind) as caught:
            session.trace()
        assert str(caught.value).startswith(said)
        assert str(caught.value).count("s.json") == 1


def test_expected_names_that_do_not_exist_are_refused() -> None:
    """A typing error in `expected` is not a passed check."""
    from bptt_tui.session.totals import differences

    session = load("question")
    for gradient, place in (({"x": 1.0}, "expected.gradient.x"), ({"u": [1.0]}, "expected.gradient.u")):
        with pytest.raises(SessionError) as caught:
            differences(session.replace(expected=Expected(gradient=gradient)))
        assert caught.value.places == ("question", place)


def test_the_python_face_is_what_the_documentation_shows() -> None:
    """The example of the Python face, as it stands."""
    equations = [
        "a = u * x[t]",
        "b = w * s[t-1]",
        "z = a + b",
        "s = tanh(z)",
        "q = v * s",
        "E = cross_entropy(softmax(q), y)",
    ]
    network = bptt_tui.Network(equations, loss_at="last", reduction="sum")
    trace = network.trace(
        parameters={"u": 0.8, "w": 0.6, "v": [1.2, -0.7]},
        inputs={"x": [0.5, -1.0]},
        initial={"s": 0.3},
        constants={"y": 0},
    )
    assert isinstance(trace, bptt_tui.Trace)
    assert isinstance(trace.loss, float)
    assert round(float(trace.gradient["u"]), 10) == 0.8306764175
    assert round(float(trace.value("s", t=0)), 6) == 0.522665
    assert round(float(trace.adjoint("s", t=0)), 6) == -0.637385
    assert round(float(trace.contribution("u", t=0)), 10) == -0.2316324753


def test_every_public_name_is_there_and_no_other() -> None:
    """`dir` lists the face; each name loads; a name that does not exist is an AttributeError."""
    assert dir(bptt_tui) == sorted(bptt_tui.__all__)
    for name in bptt_tui.__all__:
        assert getattr(bptt_tui, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        bptt_tui.Nonsense  # noqa: B018
    assert bptt_tui.errors.NetworkError is NetworkError


def test_the_version_is_that_of_the_package() -> None:
    """`__version__` and pyproject.toml agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bptt_tui.__version__ == project["version"]


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import bptt_tui", ("numpy", "textual", "rich", "msgspec", "click")),
        ("import bptt_tui; dir(bptt_tui); bptt_tui.errors", ("numpy", "textual", "rich", "msgspec")),
        ("import bptt_tui; bptt_tui.load('question')", ("textual", "rich", "click", "bptt_tui.debugger")),
        ("import bptt_tui; bptt_tui.load('question').trace()", ("textual", "rich", "click")),
        ("import bptt_tui.debugger", ("textual", "rich", "click")),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(statement: str, unwanted: tuple[str, ...]) -> None:
    """Each use of the package loads what it needs, in a fresh interpreter."""
    program = f"import sys; {statement}; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "bptt_tui" in shown
    assert [name for name in unwanted if name in shown] == []
