"""Every operation's value and partial against mpmath at 50 digits: within 4 ulp, also where it saturates.

The grids hold ±0, subnormals, the smallest normal numbers, both sides of every saturation and the largest numbers. An
ulp is the distance between neighbouring floats at the true value; in the subnormal range that is 5e-324.
"""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

from bptt_tui.calculus.operations import FUSIONS, OPERATIONS
from bptt_tui.trace import Network

mpmath.mp.dps = 50
mp = mpmath.mpf
LARGEST = np.finfo(float).max
TINY = np.finfo(float).tiny

MAGNITUDES = [
    0.0,
    5e-324,
    1e-310,
    TINY,
    1e-300,
    1e-154,
    1e-17,
    1e-8,
    0.1,
    0.5,
    0.7071,
    1.0,
    1.5,
    2.5,
    5.0,
    9.9,
    18.4,
    19.1,
    20.0,
    36.7,
    37.5,
    100.0,
    300.0,
    354.0,
    371.0,
    372.6,
    373.5,
    400.0,
    700.0,
    709.7,
    710.0,
    744.0,
    745.2,
    746.0,
    800.0,
    1e10,
    1e154,
    1e300,
    LARGEST,
]
EVERYWHERE = [sign * x for x in MAGNITUDES for sign in (1.0, -1.0)]
POSITIVE = [x for x in MAGNITUDES if x > 0]


def ulps(got, want) -> float:
    """How many units in the last place lie between a float and the true value."""
    got = float(got)
    if abs(want) > mp(LARGEST) * (1 + mp(2) ** -54):
        return 0.0 if got == float(mpmath.sign(want)) * np.inf else np.inf
    if not np.isfinite(got):
        return np.inf
    return float(abs(mp(got) - want) / mp(float(np.spacing(min(abs(float(want)), np.nextafter(LARGEST, 0))))))


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def logistic_slope(z):
    return 1 / (2 + mpmath.exp(z) + mpmath.exp(-z))


UNARY = {
    "neg": (lambda z: -z, lambda z: mp(-1), EVERYWHERE),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2, EVERYWHERE),
    "sigmoid": (sigmoid, logistic_slope, EVERYWHERE),
    "relu": (lambda z: max(z, mp(0)), lambda z: mp(z > 0), EVERYWHERE),
    "exp": (mpmath.exp, mpmath.exp, EVERYWHERE),
    "log": (mpmath.log, lambda z: 1 / z, POSITIVE),
    "sqrt": (mpmath.sqrt, lambda z: 1 / (2 * mpmath.sqrt(z)), POSITIVE),
    "copy": (lambda z: z, lambda z: mp(1), EVERYWHERE),
}
PAIRS = list(itertools.product([s * x for x in MAGNITUDES[::2] for s in (1.0, -1.0)], repeat=2))
BINARY = {
    "add": (lambda a, b: a + b, (lambda a, b: mp(1), lambda a, b: mp(1)), PAIRS),
    "sub": (lambda a, b: a - b, (lambda a, b: mp(1), lambda a, b: mp(-1)), PAIRS),
    "mul": (lambda a, b: a * b, (lambda a, b: b, lambda a, b: a), PAIRS),
    "div": (lambda a, b: a / b, (lambda a, b: 1 / b, lambda a, b: -a / b**2), [(a, b) for a, b in PAIRS if b]),
    "power": (
        lambda a, b: a**b,
        (lambda a, b: b * a ** (b - 1), lambda a, b: a**b * mpmath.log(a)),
        list(itertools.product(POSITIVE, [-3.0, -1.0, -0.5, 1e-10, 0.5, 1.0, 2.0, 2.5, 3.0, 10.0])),
    ),
}


def test_every_elementwise_operation_is_in_the_grid():
    """A new row of the table needs its mpmath counterpart here."""
    rows = {name for name, operation in OPERATIONS.items() if operation.elementwise}
    assert rows == {*UNARY, *BINARY}


@pytest.mark.parametrize("name", UNARY)
def test_a_function_and_its_slope(name):
    """Value and ∂ans/∂z over the whole grid."""
    operation = OPERATIONS[name]
    value, slope, grid = UNARY[name]
    z = np.array(grid)
    with np.errstate(all="ignore"):
        ans = operation.evaluate((z,), ((),))
        slopes = np.broadcast_to(operation.slope(0, ans, (z,), ((),)), z.shape)
    worst_value = max((ulps(got, value(mp(x))), x) for got, x in zip(ans, grid, strict=True))
    worst_slope = max((ulps(got, slope(mp(x))), x) for got, x in zip(slopes, grid, strict=True))
    assert worst_value[0] <= 4, worst_value
    assert worst_slope[0] <= 4, worst_slope


@pytest.mark.parametrize("z", [-745.0, -720.0, -709.0, -37.0, -1.0, 0.0, 1.0, 37.0, 709.0, 720.0, 1e300])
def test_sigmoid_of_complex_numbers(z):
    """The value of the real part and, as the imaginary part, the slope: a complex step works in both tails."""
    step = 1e-10
    got = OPERATIONS["sigmoid"].evaluate((np.array(complex(z, step)),), ((),))
    assert ulps(got.real, sigmoid(mp(z))) <= 4
    assert abs(mp(float(got.imag)) - mp(step) * logistic_slope(mp(z))) <= mp(2) ** -50 * mp(step) * logistic_slope(
        mp(z)
    ) + mp(5e-324)


def test_sigmoid_in_place():
    """The loop over time writes into a given array, and nothing else changes."""
    z = np.array([-745.0, -1.0, 0.0, 800.0, np.nan])
    out = np.empty_like(z)
    assert OPERATIONS["sigmoid"].ufunc(z, out=out) is out
    np.testing.assert_array_equal(out, OPERATIONS["sigmoid"].evaluate((z,), ((5,),)))
    assert z[0] == -745.0


@pytest.mark.parametrize("name", BINARY)
def test_a_sign_and_its_slopes(name):
    """Value and both partials over pairs from the grid."""
    operation = OPERATIONS[name]
    value, slopes, grid = BINARY[name]
    a, b = np.array(grid).T
    with np.errstate(all="ignore"):
        ans = operation.evaluate((a, b), ((), ()))
        got = [np.broadcast_to(operation.slope(i, ans, (a, b), ((), ())), a.shape) for i in range(2)]
    for answers, true in ((ans, value), (got[0], slopes[0]), (got[1], slopes[1])):
        worst = max((ulps(x, true(mp(p), mp(q))), p, q) for x, (p, q) in zip(answers, grid, strict=True))
        assert worst[0] <= 4, worst


@pytest.mark.parametrize("base", [-3.0, -0.5, -1e-300, 0.0, -0.0])
@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_whole_powers_of_numbers_that_are_not_positive(base, exponent):
    """b·a^(b−1) needs no logarithm; at 0 the growth by the exponent is 0."""
    operation = OPERATIONS["power"]
    a, b = np.array([base]), np.array([exponent])
    with np.errstate(all="ignore"):
        ans = operation.evaluate((a, b), ((), ()))
        slope = operation.slope(0, ans, (a, b), ((), ()))
        growth = operation.slope(1, ans, (a, b), ((), ()))
    assert ulps(ans[0], mp(base) ** int(exponent)) <= 4
    assert ulps(slope[0], mp(exponent) * mp(base) ** int(exponent - 1)) <= 4
    if base == 0:
        assert growth[0] == 0


LOGITS = [
    [0.3, -1.2, 2.0],
    [0.0, -0.0, 5e-324],
    [800.0, 0.0, -800.0],
    [40.0, 0.0, 0.0],
    [1000.0, 1000.0, 999.0],
    [-745.0, 0.0, -1e-300],
    [1e300, -1e300, 0.0],
    [710.0, 709.0, 0.5],
    [18.0, -18.0, 1.0],
    [123.4567, -331.7, 17.3],
    [0.1, 300.30003, -0.7],
]


def true_softmax(logits):
    top = max(logits)
    powers = [mpmath.exp(mp(q) - mp(top)) for q in logits]
    return [power / mpmath.fsum(powers) for power in powers]


def true_losses(logits):
    """−ln o, also where o is nearer to 1 than 50 digits can tell."""
    top = mp(max(logits))
    rest = mpmath.fsum(mpmath.exp(mp(q) - top) for i, q in enumerate(logits) if i != int(np.argmax(logits)))
    return [mpmath.log1p(rest) - (mp(q) - top) for q in logits]


def true_jacobian(logits):
    want = true_softmax(logits)
    n = len(logits)
    others = [mpmath.fsum(want[k] for k in range(n) if k != i) for i in range(n)]
    return [[want[i] * others[i] if i == j else -want[i] * want[j] for j in range(n)] for i in range(n)]


def worst_entry(matrix, want):
    n = len(want)
    return max((ulps(matrix[i, j], want[i][j]), i, j) for i in range(n) for j in range(n))


@pytest.mark.parametrize("logits", LOGITS)
def test_softmax_and_its_jacobian(logits):
    """Every probability, and every entry of diag(o) − o·oᵀ as it is shown, on and off the diagonal.

    A history's pullback multiplies two probabilities as they are, and has the rounding of both.
    """
    operation = OPERATIONS["softmax"]
    q = np.array(logits)
    o = operation.evaluate((q,), ((3,),))
    assert max(ulps(got, want) for got, want in zip(o, true_softmax(logits), strict=True)) <= 4
    want = true_jacobian(logits)
    assert worst_entry(operation.jacobian((q,), ((3,),)), want)[0] <= 4
    assert worst_entry(OPERATIONS["softmax_jacobian"].evaluate((q, o), ((3,), (3,))), want)[0] <= 4
    assert worst_entry(operation.pull(0, np.eye(3), o, (q,), ((3,),)), want)[0] <= 8


def drawn_logits():
    """Logits of every spread, and some whose probabilities, or products of two, are subnormal."""
    rng = np.random.default_rng(11)
    for spread in (1e-3, 0.1, 1.0, 3.0, 10.0, 50.0, 300.0):
        for n in (1, 2, 3, 5, 8):
            yield rng.normal(size=n) * spread
    for low, high in ((-745.5, -700.0), (-375.0, -340.0)):
        for n in (2, 3, 6):
            yield np.append(rng.uniform(low, high, n), 0.0)
            yield np.append(rng.uniform(low, high, n), [0.0, 0.0])
    yield np.zeros(40)
    yield np.append(rng.normal(size=60), 4.0)


@pytest.mark.parametrize("logits", list(drawn_logits()), ids=lambda q: f"{len(q)} logits within {np.ptp(q):.3g}")
def test_softmax_jacobians_of_drawn_logits(logits):
    """The entries that are shown, as `Trace.jacobian` has them, keep within 4 ulp whatever the logits."""
    trace = Network(["k = x * q", "o = softmax(k)", "E = sum(o)"]).trace(parameters={"q": logits}, inputs={"x": [1.0]})
    shown = trace.partial("o", 0, "k")
    assert worst_entry(shown, true_jacobian(logits.tolist()))[0] <= 4


@pytest.mark.parametrize("n", [3, 8, 64])
def test_softmax_pulls_back_to_equal_logits(n):
    """A gradient on one of n equally likely classes: −1/n² for each of the others, without cancelling."""
    operation, q = OPERATIONS["softmax"], np.zeros(n)
    o = operation.evaluate((q,), ((n,),))
    pulled = operation.pull(0, np.eye(n), o, (q,), ((n,),))
    assert worst_entry(pulled, true_jacobian([0.0] * n))[0] <= 8


@pytest.mark.parametrize("logits", [[np.inf, 1.0], [np.nan, 1.0], [-np.inf, 1.0]])
def test_a_softmax_jacobian_without_finite_logits(logits):
    """NaN where there is no probability, 0 beside a logit of −inf; nothing is raised."""
    jacobian = OPERATIONS["softmax"].jacobian((np.array(logits),), ((2,),))
    assert np.all(jacobian == 0) if logits[0] == -np.inf else np.isnan(jacobian).all()


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize("target", [0, 1, 2])
def test_softmax_cross_entropy(logits, target):
    """The loss from the logits, and o − y with the class's own entry as minus the sum of the others."""
    fusion = FUSIONS["cross_entropy", "softmax"]
    q, y, shapes = np.array(logits), np.array(float(target)), ((3,), ())
    o = OPERATIONS["softmax"].evaluate((q,), ((3,),))
    with np.errstate(all="ignore"):
        loss = fusion.evaluate(q, y, shapes)
        row = fusion.pull(np.array(1.0), q, o, y, shapes)
        hot = fusion.pull(np.array(1.0), q, o, np.eye(3)[target], ((3,), (3,)))
    want = true_softmax(logits)
    assert ulps(loss, true_losses(logits)[target]) <= 4
    for i in range(3):
        true = want[i] if i != target else -mpmath.fsum(want[k] for k in range(3) if k != target)
        assert ulps(row[i], true) <= 4
        assert ulps(hot[i], true) <= 4


DISTRIBUTIONS = [
    [0.2, 0.5, 0.3],
    [1 / 3, 1 / 3, 1 / 3],
    [0.0, 0.5, 0.5],
    [0.0, 1.0, 0.0],
    [1.0, 1e-17, 0.0],
    [1e-300, 0.0, 1 - 2.0**-53],
    [2.0, 0.0, 0.5],
]


def off_by(got, parts):
    """A difference of two parts in ulps of the larger one: what they have in common cannot leave more."""
    size = max(parts)
    return (
        0.0
        if got == parts[0] - parts[1]
        else abs(mp(float(got)) - (parts[0] - parts[1])) / mp(float(np.spacing(float(size))))
    )


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize("target", DISTRIBUTIONS)
def test_softmax_cross_entropy_of_a_distribution(logits, target):
    """Σy·o − y, entry by entry oᵢ·(Σ other y) − yᵢ·(Σ other o): where a target is 0 or certain, purely relative."""
    fusion, shapes = FUSIONS["cross_entropy", "softmax"], ((3,), (3,))
    q, y = np.array(logits), np.array(target)
    o = OPERATIONS["softmax"].evaluate((q,), ((3,),))
    with np.errstate(all="ignore"):
        loss = fusion.evaluate(q, y, shapes)
        row = fusion.pull(np.array(1.0), q, o, y, shapes)
    want, exact = true_softmax(logits), [mp(part) for part in target]
    logs = true_losses(logits)
    assert ulps(loss, mpmath.fsum(part * log for part, log in zip(exact, logs, strict=True) if part)) <= 4
    for i in range(3):
        others = [k for k in range(3) if k != i]
        parts = want[i] * mpmath.fsum(exact[k] for k in others), exact[i] * mpmath.fsum(want[k] for k in others)
        assert off_by(row[i], parts) <= 4


@pytest.mark.parametrize("gap", [800.0, 710.0, 745.0, 37.0])
def test_a_remote_class_with_a_small_share_keeps_its_gradient(gap):
    """At a gap of 800 the certain class's row is the others' share of the target, however small."""
    fusion, shapes = FUSIONS["cross_entropy", "softmax"], ((2,), (2,))
    q, y = np.array([gap, 0.0]), np.array([1.0, 1e-17])
    o = OPERATIONS["softmax"].evaluate((q,), ((2,),))
    row = fusion.pull(np.array(1.0), q, o, y, shapes)
    share = 1 / (1 + mpmath.exp(mp(gap)))
    assert off_by(row[0], ((1 - share) * mp(1e-17), share)) <= 4
    assert off_by(row[1], (share, (1 - share) * mp(1e-17))) <= 4


PROBABILITIES = [5e-324, 1e-310, 1e-300, 1e-17, 1e-8, 0.1, 0.3, 0.5, 0.9, 1 - 1e-8, 1 - 2.0**-53]


@pytest.mark.parametrize("o", PROBABILITIES)
def test_cross_entropy_row(o):
    """−y/o, for a class index and for a distribution; 0 where y is 0."""
    operation = OPERATIONS["cross_entropy"]
    for y, shapes in ((np.array(1.0), ((2,), ())), (np.array([0.0, 0.75]), ((2,), (2,)))):
        probabilities = np.array([0.25, o])
        share = 1.0 if y.ndim == 0 else 0.75
        with np.errstate(all="ignore"):
            loss = operation.evaluate((probabilities, y), shapes)
            row = operation.pull(0, np.array(1.0), loss, (probabilities, y), shapes)
        assert ulps(loss, -mp(share) * mpmath.log(mp(o))) <= 4
        assert row[0] == 0
        assert ulps(row[1], -mp(share) / mp(o)) <= 4


@pytest.mark.parametrize("o", PROBABILITIES)
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_rows(o, y):
    """(o − y)/(o(1 − o)) for the prediction and ln((1 − o)/o) for the target.

    Where y is neither 0 nor 1 the row is a difference; it is compared with the size of its two parts.
    """
    operation = OPERATIONS["binary_cross_entropy"]
    args, shapes = (np.array(o), np.array(y)), ((), ())
    with np.errstate(all="ignore"):
        loss = operation.evaluate(args, shapes)
        row = operation.pull(0, np.array(1.0), loss, args, shapes)
        target = operation.pull(1, np.array(1.0), loss, args, shapes)
    p, t = mp(o), mp(y)
    parts = (t / p, (1 - t) / (1 - p))
    want = parts[1] - parts[0]
    if y in (0.0, 1.0):
        assert ulps(row, want) <= 4
    elif abs(want) < mp(LARGEST):
        assert abs(mp(float(row)) - want) <= mp(2) ** -51 * max(parts)
    assert ulps(loss, -(t * mpmath.log(p) + (1 - t) * mpmath.log1p(-p))) <= 4
    odds = mpmath.log1p(-p) - mpmath.log(p)
    assert abs(mp(float(target)) - odds) <= mp(2) ** -51 * max(abs(mpmath.log(p)), abs(mpmath.log1p(-p)))


@pytest.mark.parametrize("q", [-800.0, -37.0, -1e-300, 0.0, 1e-8, 0.3, 20.0, 37.0, 745.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_sigmoid_binary_cross_entropy(q, y):
    """The loss from the logit, without a probability that rounds to 1."""
    fusion = FUSIONS["binary_cross_entropy", "sigmoid"]
    with np.errstate(all="ignore"):
        loss = fusion.evaluate(np.array(q), np.array(y), ((), ()))
        o = OPERATIONS["sigmoid"].evaluate((np.array(q),), ((),))
        row = fusion.pull(np.array(1.0), np.array(q), o, np.array(y), ((), ()))
    signed = mp(q) if y == 0.0 else -mp(q)
    assert ulps(loss, mpmath.log1p(mpmath.exp(signed))) <= 4
    want = sigmoid(mp(q)) if y == 0.0 else -sigmoid(-mp(q))
    assert ulps(row, want) <= 4


@pytest.mark.parametrize("q", [-800.0, -720.0, -37.0, -1e-300, 0.0, 1e-8, 0.3, 20.0, 37.0, 720.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1e-300, 1e-17, 0.1, 0.3, 0.5, 0.9, 1 - 2.0**-53, 1.0])
def test_sigmoid_binary_cross_entropy_of_a_share(q, y):
    """Targets between 0 and 1: the loss is a sum of what is not negative, the row (1 − y)·σ(q) − y·σ(−q)."""
    fusion = FUSIONS["binary_cross_entropy", "sigmoid"]
    with np.errstate(all="ignore"):
        loss = fusion.evaluate(np.array(q), np.array(y), ((), ()))
        o = OPERATIONS["sigmoid"].evaluate((np.array(q),), ((),))
        row = fusion.pull(np.array(1.0), np.array(q), o, np.array(y), ((), ()))
    z, share = mp(q), mp(y)
    want = share * mpmath.log1p(mpmath.exp(-z)) + (1 - share) * mpmath.log1p(mpmath.exp(z))
    assert ulps(loss, want) <= 4
    assert off_by(row, ((1 - share) * sigmoid(z), share * sigmoid(-z))) <= 4


@pytest.mark.parametrize("y", [0.0, 1.5, -3.0, 1e300])
@pytest.mark.parametrize("o", [0.0, 1.5, 2.5, -1e-300])
def test_squared_error(o, y):
    """½(o − y)² and its rows o − y, y − o."""
    operation = OPERATIONS["squared_error"]
    args, shapes = (np.array(o), np.array(y)), ((), ())
    with np.errstate(all="ignore"):
        loss = operation.evaluate(args, shapes)
    rows = [operation.pull(i, np.array(1.0), loss, args, shapes) for i in range(2)]
    assert ulps(loss, (mp(o) - mp(y)) ** 2 / 2) <= 4
    assert ulps(rows[0], mp(o) - mp(y)) <= 1
    assert ulps(rows[1], mp(y) - mp(o)) <= 1


def test_products_and_sums_have_their_arguments_as_partials():
    """∂(a@b), ∂dot, ∂sum and ∂concat hold entries of the arguments, 0 and 1: no rounding at all."""
    a, b = np.array([[1.5, -1e300, 5e-324], [0.1, -0.0, 3.0]]), np.array([0.1, 1e-310, -2.5])
    shapes = ((2, 3), (3,))
    matmul = OPERATIONS["matmul"]
    result = matmul.evaluate((a, b), shapes)
    assert (matmul.pull(1, np.eye(2), result, (a, b), shapes) == a).all()
    by_a = matmul.pull(0, np.eye(2), result, (a, b), shapes)
    assert (by_a[0] == [b, np.zeros(3)]).all() and (by_a[1] == [np.zeros(3), b]).all()
    dot = OPERATIONS["dot"]
    assert (dot.pull(0, np.array(1.0), result, (b, a[0]), ((3,), (3,))) == a[0]).all()
    assert (dot.pull(1, np.array(1.0), result, (b, a[0]), ((3,), (3,))) == b).all()
    assert (OPERATIONS["sum"].pull(0, np.array(1.0), result, (), ((2, 3),)) == np.ones((2, 3))).all()
    joined = OPERATIONS["concat"].pull(1, np.eye(4), result, (), ((1,), (3,)))
    assert (joined == np.eye(4)[:, 1:]).all()
