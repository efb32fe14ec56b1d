"""What makes no network is said with its place, both shapes where there are two, the reason and what would be right."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
import pytest
from oracles.networks import QUESTION

from bptt_tui.errors import BpttError, EquationError, NetworkError, ShapeError
from bptt_tui.trace import Network


def said(function, *args, **kwargs):
    """The one line an error is."""
    with pytest.raises(BpttError) as caught:
        function(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return caught.type, message


EQUATIONS = [
    (
        ["s = tanh(z", "E = s"],
        EquationError,
        "equation 1: column 11: unexpected end of the line; expected ',' or ')'",
    ),
    (
        ["E = 1", "s = __import__(os)", "L = s"],
        EquationError,
        "equation 2: column 5: there is no function '__import__'",
    ),
    (
        ["s = tanhh(z)", "E = s"],
        EquationError,
        "equation 1: column 5: there is no function 'tanhh'; did you mean 'tanh'?",
    ),
    (["s = foo(z)", "E = s"], EquationError, "there is no function 'foo'; the functions are tanh, sigmoid, relu,"),
    (["s = diag(z)", "E = s"], EquationError, "there is no function 'diag'"),
    (
        ["s = 1 + tanh(a, b)", "E = s"],
        EquationError,
        "equation 1: column 9: tanh takes one argument, not 2; write tanh(a)",
    ),
    (
        ["E = cross_entropy(o)"],
        EquationError,
        "equation 1: column 5: cross_entropy takes 2 arguments, not 1; write cross_ent",
    ),
    (
        ["a = b", "b = a + 1", "E = b"],
        NetworkError,
        "a and b need each other at the same timestep; one of them must read",
    ),
    (
        ["s = s + 1", "E = s"],
        NetworkError,
        "s needs itself at the same timestep; one of them must read an earlier timestep, [t-1]",
    ),
    (
        ["s = q[t+1]", "q = 1", "E = s"],
        EquationError,
        "equation 1: column 5: q[t+1] is computed later than s; only inputs",
    ),
    (
        ["s = 1", "s = 2", "E = s"],
        NetworkError,
        "equation 2: s is already defined by 's = 1'; give each equation its",
    ),
    (["tanh = 1", "E = tanh"], EquationError, "equation 1: column 1: tanh is a function; choose another name"),
    (["t = 1", "E = t"], EquationError, "equation 1: column 1: t is the timestep; choose another name"),
    ([], NetworkError, "no equations; give a list such as"),
    ("E = 1", NetworkError, "no equations; give a list such as"),
]


@pytest.mark.parametrize(("equations", "kind", "start"), EQUATIONS, ids=range(len(EQUATIONS)))
def test_equations_that_make_no_network(equations, kind, start):
    """The equation by its number, the character by its column."""
    caught, message = said(Network, equations)
    assert caught is kind
    assert start in message


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("first", 'loss.at: \'first\' is no choice of loss steps; use "last", "every" or a list'),
        (3, "loss.at: 3 is no choice of loss steps"),
        ([], "loss.at: no loss step is listed"),
        ([0, -1], "loss.at: -1 is not a timestep"),
        ([0, True], "loss.at: True is not a timestep"),
        ([1, 1], "loss.at: a loss step is listed twice"),
    ],
)
def test_loss_steps_that_are_none(at, words):
    """The field of the session, what it says and what it may say."""
    assert words in said(Network, QUESTION.equations, loss_at=at)[1]


def test_a_reduction_that_is_none():
    """sum or mean."""
    assert (
        said(Network, QUESTION.equations, reduction="max")[1]
        == 'loss.reduction: \'max\' is not a reduction; use "sum" or "mean"'
    )


def with_(**changes):
    """The question's values with some of them changed; None removes one."""
    values = {group: dict(given) for group, given in QUESTION.values.items()}
    for path, value in changes.items():
        group, _, name = path.partition("__")
        if value is None:
            del values[group][name]
        else:
            values[group][name] = value
    return values


GIVEN = [
    (with_(parameters__u=None), EquationError, "equation 1: column 5: u is never defined; give it under parameters"),
    (with_(inputs__x=None), EquationError, "equation 1: column 9: x is never defined; give it under inputs"),
    (
        with_(initial__s=None),
        NetworkError,
        "equation 2: 'b = w * s[t-1]' reads s before t = 0, where it has no value; give initial.s",
    ),
    (with_(parameters__x=1.0), NetworkError, "inputs.x: x is also given in parameters; give it once"),
    (with_(parameters__s=1.0), NetworkError, "parameters.s: s is already defined by 's = tanh(z)'; give it once"),
    (with_(parameters__W=1.0), NetworkError, "parameters.W: no equation reads W; did you mean 'w'?"),
    (with_(parameters__K=1.0), NetworkError, "parameters.K: no equation reads K; remove it, or use it in an equation"),
    (with_(parameters__uu=1.0), NetworkError, "parameters.uu: no equation reads uu; did you mean 'u'?"),
    (with_(initial__S=1.0), NetworkError, "initial.S: S is no node and no input; "),
    (
        with_(constants__y=2),
        NetworkError,
        "constants.y: y is not a class index of 2 classes; give a whole number from 0 to 1",
    ),
    (with_(constants__y=0.5), NetworkError, "constants.y: y is not a class index of 2 classes"),
    (with_(constants__y=-1), NetworkError, "constants.y: y is not a class index of 2 classes"),
    (
        with_(constants__y=[0.2, 0.3, 0.5]),
        ShapeError,
        "equation 7: column 5: cross_entropy of a vector (2,) and a vector (3,); it takes",
    ),
    (
        with_(parameters__w=[1.0, 2.0, 3.0]),
        ShapeError,
        "equation 4: 's = tanh(z)' makes s a vector (3,), but its initial value is a scalar;",
    ),
    (
        with_(initial__s=[0.1, 0.2, 0.3]),
        ShapeError,
        "equation 5: column 5: a vector (2,) and a vector (3,) cannot be combined elementwise",
    ),
    (
        with_(parameters__u=float("nan")),
        NetworkError,
        "parameters.u: not finite; nan and inf cannot be given as values",
    ),
    (with_(inputs__x=[0.5, float("inf")]), NetworkError, "inputs.x: not finite"),
    (with_(parameters__u="0.8"), NetworkError, "parameters.u: not a number; give a number or nested lists of numbers"),
    (with_(parameters__u=True), NetworkError, "parameters.u: not a number"),
    (with_(parameters__v=[1.0, None]), NetworkError, "parameters.v: not numbers only"),
    (
        with_(parameters__v=[[1.0], [1.0, 2.0]]),
        ShapeError,
        "parameters.v: rows of different lengths; a matrix is a list of equally",
    ),
    (with_(parameters__v=[]), ShapeError, "parameters.v: a value of shape (0,); give a scalar, a vector or a matrix"),
    (with_(parameters__v=np.zeros((2, 2, 2))), ShapeError, "parameters.v: a value of shape (2, 2, 2)"),
    (with_(inputs__x=0.5), ShapeError, "inputs.x: a single number; an input is a sequence, one value per timestep"),
    (with_(inputs__x=[]), ShapeError, "inputs.x: a value of shape (0,)"),
]


@pytest.mark.parametrize(("values", "kind", "start"), GIVEN, ids=range(len(GIVEN)))
def test_values_that_do_not_fit(values, kind, start):
    """The field of the session and its name, the equation that cannot use it, and what would."""
    caught, message = said(Network(QUESTION.equations).trace, **values)
    assert start in message
    assert caught is kind


SHAPES = [
    (
        "W @ x",
        {"W": np.ones((3, 2)), "x": np.ones(3)},
        "a matrix (3, 2) @ a vector (3,): 2 meets 3; 3 stands first on the left: give that matrix transposed",
    ),
    (
        "W @ x",
        {"W": np.ones((4, 2)), "x": np.ones(3)},
        "a matrix (4, 2) @ a vector (3,): 2 meets 3; the inner sizes must be equal",
    ),
    (
        "W @ x",
        {"W": 2.0, "x": np.ones(3)},
        "a scalar @ a vector (3,): a matrix product needs a vector or matrix on both sides; use *",
    ),
    (
        "W + x",
        {"W": np.ones((3, 3)), "x": np.ones(3)},
        "a matrix (3, 3) and a vector (3,) cannot be combined elementwise; both must have one shape",
    ),
    (
        "dot(W, x)",
        {"W": np.ones(2), "x": np.ones(3)},
        "dot of a vector (2,) and a vector (3,); dot takes two vectors of one length",
    ),
    (
        "softmax(W) * x",
        {"W": np.ones((2, 2)), "x": 1.0},
        "softmax of a matrix (2, 2); softmax takes a vector of logits",
    ),
    ("concat(W, x)", {"W": np.ones((2, 2)), "x": 1.0}, "concat of a matrix (2, 2); concat takes vectors and scalars"),
    (
        "squared_error(W, x)",
        {"W": 1.0, "x": np.ones(2)},
        "a scalar compared with a vector (2,); both must have one shape",
    ),
]


@pytest.mark.parametrize(("expression", "parameters", "reason"), SHAPES)
def test_shapes_that_do_not_fit(expression, parameters, reason):
    """The equation, the column of the operation, both shapes and why."""
    caught, message = said(Network([f"z = 1 + {expression}", "E = sum(z)"]).trace, parameters=parameters, steps=2)
    assert caught is ShapeError
    assert message.startswith(f"equation 1: column {5 if expression == 'W + x' else 9}: ")
    assert reason in message


def test_a_loss_that_is_not_scalar():
    """The last equation is the loss."""
    _, message = said(Network(["E = 2 * v"]).trace, parameters={"v": [1.0, 2.0]}, steps=1)
    assert message.startswith("equation 1: the loss E is a vector (2,); the last equation must be a scalar")


def test_inputs_of_unequal_lengths():
    """Both names and both lengths."""
    _, message = said(Network(["E = x * y"]).trace, inputs={"x": [1.0, 2.0], "y": [1.0]})
    assert message == "inputs.y: 1 timestep, but x has 2; all inputs have one length"


def test_initial_values_of_a_longer_delay():
    """s[t-2] needs two values before t = 0, and the message says in which order."""
    network = Network(["s = tanh(w * s[t-2])", "E = s"])
    _, message = said(network.trace, parameters={"w": 1.0}, initial={"s": [0.1, 0.2, 0.3]}, steps=3)
    assert message == "initial.s: shape (3,), but s is a scalar; give 2 values in time order, each a scalar"


def test_reading_past_the_end_of_an_input():
    """x[t+1] at the last timestep."""
    _, message = said(Network(["E = x[t+1] * w"]).trace, parameters={"w": 1.0}, inputs={"x": [1.0, 2.0]})
    assert (
        message
        == "equation 1: column 5: x[t+1] is read at t = 1, past the end of the sequence; the timesteps are 0 … 1"
    )


def test_a_loss_step_after_the_end():
    """loss.at may not go past the last timestep."""
    _, message = said(Network(QUESTION.equations, loss_at=[0, 2]).trace, **QUESTION.values)
    assert message == "loss.at: there is no timestep 2; the timesteps are 0 … 1"


def test_a_target_that_would_need_a_gradient():
    """cross_entropy's target is data."""
    equations = ["o = softmax(v)", "E = cross_entropy(o, w)"]
    _, message = said(Network(equations).trace, parameters={"v": [1.0, 2.0], "w": 0.0}, steps=1)
    assert message.startswith(
        "equation 2: column 22: the target of cross_entropy is not a constant or an input; no gradient"
    )


def test_an_index_on_a_parameter():
    """A parameter is shared by all timesteps, also where it is read without its index first."""
    _, message = said(Network(["E = w * w[t-1]"]).trace, parameters={"w": 1.0}, steps=2)
    assert (
        message == "equation 1: column 9: w is a parameter, shared by all timesteps; write w, or give it under inputs"
    )
    _, message = said(Network(["E = w * w[t]"]).trace, constants={"w": 1.0}, steps=2)
    assert message == "equation 1: column 9: w is a constant, given once; write w, or give it under inputs"


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "3"])
def test_numbers_of_timesteps_that_are_none(steps):
    """Without inputs, `steps` says how long."""
    _, message = said(Network(["E = w"]).trace, parameters={"w": 1.0}, steps=steps)
    assert message == f"steps: {steps!r} is not a number of timesteps; give 1 or more"


def test_no_number_of_timesteps():
    """Neither inputs nor steps."""
    _, message = said(Network(["E = w"]).trace, parameters={"w": 1.0})
    assert message == "steps: the number of timesteps is unknown; give inputs, or steps where there are none"


@pytest.mark.parametrize("loss_at", ["last", "every", [0, 999_999_999]])
def test_absurd_lengths_are_refused_at_once(loss_at):
    """T = 10⁹ with its estimate, before anything of that size is allocated."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    network = Network(["s = tanh(w * s[t-1])", "E = s * s"], loss_at=loss_at)
    _, message = said(network.trace, parameters={"w": 1.0}, initial={"s": 0.1}, steps=10**9)
    assert (
        message
        == "steps: 1,000,000,000 timesteps of 2 numbers would take about 29.8 GB; at most 8 GB and 20,000,000 timesteps"
    )
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_absurd_lengths_under_a_memory_limit():
    """The same in a process that may not allocate a gigabyte."""
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "from bptt_tui.trace import Network\n"
        "try:\n"
        "    Network(['s = W @ s[t-1]', 'E = sum(s)']).trace("
        "parameters={'W': [[1.0] * 100] * 100}, initial={'s': [0.0] * 100}, steps=10**8)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("NetworkError steps: 100,000,000 timesteps of 101 numbers would take about 151 GB;")
