"""The table of operations has every column in every row."""

from __future__ import annotations

import re

import numpy as np
import pytest
from oracles.evaluate import FUNCTIONS as ORACLE

from bptt_tui.calculus.operations import FUNCTIONS, FUSIONS, NOTATIONS, OPERATIONS
from bptt_tui.calculus.shapes import Mismatch
from bptt_tui.language import Call, Name, Printer

WRITTEN = [name for name, operation in OPERATIONS.items() if operation.written]


def count(operation):
    return operation.least if operation.most is None else operation.most


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("style", ["plain", "unicode", "latex"])
def test_every_operation_prints_in_every_style(name, style):
    """Written or derived: each has a template per style that leaves no slot and shows every argument it should."""
    operation = OPERATIONS[name]
    arguments = tuple(Name(letter) for letter in "abc"[: count(operation)])
    text = Printer(NOTATIONS, style).print(Call(name, arguments))
    assert text.strip()
    assert not re.search(r"\{[0-9*]\}|\{[0-9]:|None", text)
    if operation.written:
        assert all(letter.name in text for letter in arguments)


@pytest.mark.parametrize("name", [*WRITTEN, "copy"])
def test_every_operation_computes_and_differentiates(name):
    """Shape, evaluate, and for every differentiable argument a partial and a pullback of that argument's shape."""
    operation = OPERATIONS[name]
    shapes = next(s for s in candidates(operation) if fits(operation, s))
    rng = np.random.default_rng(0)
    args = tuple(np.asarray(rng.uniform(0.2, 0.8, shape)) for shape in shapes)
    if name == "cross_entropy" and not shapes[1]:
        args = (args[0], np.asarray(0.0))
    ans = np.asarray(operation.evaluate(args, shapes))
    assert ans.shape == operation.shape(*shapes)
    for index, shape in enumerate(shapes):
        if operation.differentiable(index):
            assert callable(operation.partial(index))
            pulled = operation.pull(index, np.ones(ans.shape), ans, args, shapes)
            assert np.shape(pulled) == shape
        elif operation.pulls:
            with pytest.raises(ValueError, match="not differentiable"):
                operation.pull(index, np.ones(ans.shape), ans, args, shapes)


def candidates(operation):
    pool = [(2,), (2, 2), ()]
    for first in pool:
        if count(operation) == 1:
            yield (first,)
        else:
            yield from ((first, second) for second in pool)


def fits(operation, shapes):
    try:
        operation.shape(*shapes)
    except Mismatch:
        return False
    return True


@pytest.mark.parametrize("name", [*WRITTEN, "copy"])
def test_a_time_axis_changes_nothing(name):
    """Five timesteps at once are five single ones: values, pullbacks, sums; also where one argument is fixed."""
    operation = OPERATIONS[name]
    rng = np.random.default_rng(1)
    for shapes in filter(lambda s: fits(operation, s), candidates(operation)):
        for fixed in [None, *range(len(shapes))] if len(shapes) > 1 else [None]:
            args = [np.asarray(rng.uniform(0.2, 0.8, (5, *shape))) for shape in shapes]
            if name == "cross_entropy" and not shapes[1]:
                args[1] = np.zeros(5)
            if fixed is not None:
                args[fixed] = args[fixed][0]

            def row(t, args=args, fixed=fixed):
                return tuple(arg if i == fixed else arg[t] for i, arg in enumerate(args))

            whole = operation.evaluate(tuple(args), shapes)
            single = [operation.evaluate(row(t), shapes) for t in range(5)]
            np.testing.assert_allclose(whole, single, rtol=1e-14)
            g = rng.normal(size=np.shape(whole))
            for index in range(len(shapes)):
                if not operation.differentiable(index):
                    continue
                pulled = operation.pull(index, g, whole, tuple(args), shapes)
                rows = [operation.pull(index, g[t], np.asarray(single[t]), row(t), shapes) for t in range(5)]
                np.testing.assert_allclose(np.broadcast_to(pulled, np.shape(rows)), rows, rtol=1e-13, atol=1e-15)
                if index == fixed or fixed is None:
                    total = operation.pull_total(index, g, whole, tuple(args), shapes)
                    np.testing.assert_allclose(total, np.sum(rows, axis=0), rtol=1e-12, atol=1e-14)


def test_the_oracle_knows_every_operation():
    """A new operation needs its second definition in the oracle's own table."""
    assert set(ORACLE) == set(WRITTEN)


def test_functions_are_what_can_be_called_by_name():
    """The list an error offers holds written operations only, no signs."""
    assert set(FUNCTIONS) < set(WRITTEN)
    assert not {"add", "neg", "matmul"} & set(FUNCTIONS)


def test_fusions_name_rows_of_the_table():
    """What is computed in one piece are two operations of the table, a loss and what feeds it."""
    for loss, inner in FUSIONS:
        assert OPERATIONS[loss].least == 2
        assert OPERATIONS[inner].least == 1


@pytest.mark.parametrize("steps", [1, 3, 2000])
def test_a_long_history_in_blocks_changes_no_bit(steps):
    """Kernels of several passes run over some rows at a time, also where one argument is the same at every row."""
    rng = np.random.default_rng(3)
    q, g, y = rng.normal(size=(steps, 40)) * 9, rng.normal(size=(steps, 40)), rng.integers(0, 40, steps).astype(float)
    fusion, softmax = FUSIONS["cross_entropy", "softmax"], OPERATIONS["softmax"]
    o = softmax.evaluate((q,), ((40,),))
    shares = softmax.evaluate((g,), ((40,),))
    whole = {
        "softmax": o,
        "its pullback": softmax.pull(0, g, o, (q,), ((40,),)),
        "loss of classes": fusion.evaluate(q, y, ((40,), ())),
        "loss of one class": fusion.evaluate(q, np.array(7.0), ((40,), ())),
        "row of classes": fusion.pull(g[:, 0], q, o, y, ((40,), ())),
        "row of shares": fusion.pull(g[:, 0], q, o, shares[0], ((40,), (40,))),
    }
    for t in {0, steps // 2, steps - 1}:
        single = {
            "softmax": softmax.evaluate((q[t],), ((40,),)),
            "its pullback": softmax.pull(0, g[t], o[t], (q[t],), ((40,),)),
            "loss of classes": fusion.evaluate(q[t], y[t], ((40,), ())),
            "loss of one class": fusion.evaluate(q[t], np.array(7.0), ((40,), ())),
            "row of classes": fusion.pull(g[t, 0], q[t], o[t], y[t], ((40,), ())),
            "row of shares": fusion.pull(g[t, 0], q[t], o[t], shares[0], ((40,), (40,))),
        }
        for what, value in single.items():
            assert np.array_equal(whole[what][t], value), what
    slopes = OPERATIONS["tanh"].slope(0, q, (q,), ((40,),))
    assert np.array_equal(slopes[-1], OPERATIONS["tanh"].slope(0, q[-1], (q[-1],), ((40,),)))
