"""The one table of operations: what each computes, its shape rule, its pullback, its partials, how it prints.

Adding an operation is adding one row to `OPERATIONS` and its test against mpmath. Every interpretation reads a
column of this table:

    shape      (shapes of the arguments) → shape of the result, or Mismatch
    evaluate   (args, shapes) → result                                       values, with an optional leading axis
    ufunc      a NumPy-like function f(*args, out), where the operation is one call; used in the loop over time
    held       (evaluate, pull) for a left factor that is the same at every timestep: factor → f(x, out), and
               factor → f(g, out) for the gradient by x; used in the loop over time
    slopes     elementwise operations: f(ans, *args) → ∂ans/∂arg, one per argument, `1.0` and `-1.0` as constants
    pulls      other operations: f(g, ans, args, shapes) → g · ∂ans/∂arg, one per argument
    totals     where it is cheaper than summing `pulls` over time: Σ_t of it, for an argument without a time axis
    jacobian   (args, shapes) → the dense Jacobian where a pullback of ordinary floats has too few digits to be shown;
               for real arguments behind any leading axes, asked for when an edge is looked at
    recalls    whether pulling back reads the result, and the arguments; what nobody recalls need not be kept
    partials   f(args, ans, shapes) → the Jacobian as an expression, one per argument; None: not differentiated
    notation   plain text, Unicode, LaTeX

An operation with any number of arguments gives a function from the argument's index to its rule instead of a tuple.
The derived operations at the end (slopes, diagonals, transposes, Kronecker products) appear in local partials only;
they cannot be written in an equation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct

from bptt_tui.calculus import kernels as k
from bptt_tui.calculus import partials as p
from bptt_tui.calculus import shapes as rule
from bptt_tui.calculus.kernels import Array
from bptt_tui.calculus.partials import Partial, Shapes
from bptt_tui.calculus.shapes import ShapeRule
from bptt_tui.language.printer import ATOM, POWER, PRODUCT, SUM, UNARY, Notation

Args = tuple[Array, ...]
Evaluate = Callable[[Args, Shapes], Array]
Slope = float | Callable[..., Array]
Pull = Callable[[Array, Array, Args, Shapes], Array]


class Held(Struct, frozen=True):
    """A product with one matrix at every timestep: the matrix gives the call that a loop over time makes."""

    evaluate: Callable[[Array], Callable[[Array, Array], Any]]
    pull: Callable[[Array], Callable[[Array, Array], Any]]


class Operation(Struct, frozen=True):
    """One row. `most` is None where any number of arguments is taken."""

    name: str
    least: int
    most: int | None
    shape: ShapeRule
    evaluate: Evaluate
    partials: tuple[Partial | None, ...] | Callable[[int], Partial]
    notation: Notation
    slopes: tuple[Slope, ...] = ()
    pulls: tuple[Pull | None, ...] | Callable[[int], Pull] = ()
    totals: tuple[Pull | None, ...] = ()
    ufunc: Callable[..., Any] | None = None
    held: Held | None = None
    jacobian: Evaluate | None = None
    recalls: tuple[bool, bool] = (True, True)
    written: bool = True
    analytic: bool = True

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def example(self) -> str:
        """How it is called: `cross_entropy(a, b)`."""
        return f"{self.name}({', '.join('ab'[: self.least])})"

    @property
    def recalls_result(self) -> bool:
        """Whether pulling back reads the result."""
        return self.recalls[0] and not self._constant

    @property
    def recalls_args(self) -> bool:
        """Whether pulling back reads the arguments."""
        return self.recalls[1] and not self._constant

    @property
    def _constant(self) -> bool:
        return bool(self.slopes) and all(isinstance(slope, float) for slope in self.slopes)

    @property
    def elementwise(self) -> bool:
        """True where every entry of the result depends on the same entry of the arguments only."""
        return bool(self.slopes)

    def differentiable(self, index: int) -> bool:
        """Whether a gradient flows to argument `index`."""
        return self.partial(index) is not None

    def partial(self, index: int) -> Partial | None:
        """The rule for the symbolic Jacobian by argument `index`."""
        return self.partials(index) if callable(self.partials) else self.partials[index]

    def evaluate_into(self, args: Args, shapes: Shapes, out: Array) -> None:
        """`evaluate` of an operation that is one call, into an array, which may be that of an argument."""
        assert self.ufunc is not None
        rank = max(len(shape) for shape in shapes)
        self.ufunc(*(k.lift(arg, shape, rank) for arg, shape in zip(args, shapes, strict=True)), out=out)

    def pull(self, index: int, g: Array, ans: Array, args: Args, shapes: Shapes) -> Array:
        """g · ∂ans/∂args[index], in the argument's shape behind g's leading axis."""
        if self.slopes:
            return self._pull_elementwise(index, g, ans, args, shapes)
        pull = self.pulls(index) if callable(self.pulls) else self.pulls[index]
        if pull is None:
            raise ValueError(f"{self.name} is not differentiable by argument {index}")
        return pull(g, ans, args, shapes)

    def _pull_elementwise(self, index: int, g: Array, ans: Array, args: Args, shapes: Shapes) -> Array:
        rank = max(len(shape) for shape in shapes)
        full = scaled(g, self.slope(index, ans, args, shapes))
        return k.total(full, rank) if rank and not shapes[index] else full

    def slope(self, index: int, ans: Array, args: Args, shapes: Shapes) -> Array | float:
        """∂ans/∂args[index] entry by entry (elementwise operations only)."""
        slope = self.slopes[index]
        if isinstance(slope, float):
            return slope
        rank = max(len(shape) for shape in shapes)
        lifted = (k.lift(arg, shape, rank) for arg, shape in zip(args, shapes, strict=True))
        # As an array always: NumPy's scalars are floats too, and a float here is a constant.
        return np.asarray(slope(ans, *lifted))

    def pull_total(self, index: int, g: Array, ans: Array, args: Args, shapes: Shapes) -> Array:
        """Σ over g's leading axis of `pull`, for an argument that is the same at every timestep."""
        summed_by = self.totals[index] if self.totals else None
        if summed_by is not None:
            summed = summed_by(g, ans, args, shapes)
            return summed if summed.ndim == len(shapes[index]) else summed.sum(axis=0)
        terms = self.pull(index, g, ans, args, shapes)
        return terms if terms.ndim == len(shapes[index]) else np.asarray(terms.sum(axis=0))


def scaled(g: Array, slope: Array | float) -> Array:
    """g · slope without a multiplication by the constant 1."""
    if isinstance(slope, float):
        return g if slope == 1.0 else -g
    return g * slope


def sequential_sum(terms: Array, rank: int) -> Array:
    """The sum over a leading axis in order, first to last, as adding on paper does; no axis, no sum."""
    if terms.ndim == rank:
        return terms
    result: Array = np.add.accumulate(terms, axis=0)[-1]
    return result


def _elementwise(function: Callable[..., Any]) -> Evaluate:
    """Evaluate by one call, with scalars that vary in time lifted to meet vectors and matrices."""

    def evaluate(args: Args, shapes: Shapes) -> Array:
        rank = max(len(shape) for shape in shapes)
        if rank:
            args = tuple(k.lift(arg, shape, rank) for arg, shape in zip(args, shapes, strict=True))
        result: Array = function(*args)
        return result

    return evaluate


def _function(name: str, latex: str | None = None) -> Notation:
    body = latex or rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"
    return Notation(f"{name}({{*}})", f"{name}({{*}})", rf"{body}\left({{*}}\right)")


def _unary(
    name: str,
    function: Callable[..., Any],
    slope: Callable[..., Array],
    partial: Partial,
    latex: str | None = None,
    *,
    analytic: bool = True,
    recalls_result: bool = False,
) -> Operation:
    """An elementwise function of one argument."""
    return Operation(
        name, 1, 1, rule.same, _elementwise(function), (partial,), _function(name, latex), slopes=(slope,), ufunc=function,
        analytic=analytic, recalls=(recalls_result, True),
    )  # fmt: skip


def _infix(
    name: str,
    ufunc: Callable[..., Any],
    slopes: tuple[Slope, ...],
    partials: tuple[Partial, ...],
    notation: Notation,
    shape: ShapeRule = rule.broadcast,
    *,
    recalls_result: bool = False,
) -> Operation:
    """An elementwise operation written with a sign."""
    count = len(slopes)
    return Operation(
        name, count, count, shape, _elementwise(ufunc), partials, notation, slopes=slopes, ufunc=ufunc,
        recalls=(recalls_result, True),
    )  # fmt: skip


def _matmul_total(index: int) -> Pull:
    """Σ_t of a matrix product's pullback to the factor that does not vary, as one matrix product over time."""

    def summed(g: Array, _ans: Array, args: Args, shapes: Shapes) -> Array:
        left, right = len(shapes[0]), len(shapes[1])
        if index == 0 and (left, right) == (2, 1):
            return k.outer_total(g, args[1])
        if index == 1 and (left, right) == (1, 2):
            return k.outer_total(args[0], g)
        if index == 0:
            return k.matmul_left(g, args[1], shapes)
        return k.matmul_right(g, args[0], shapes)

    return summed


def _row_pull(slope: Callable[[Array, Array, Shapes], Array]) -> Pull:
    """The pullback of a loss from its slope: the scalar g times a row."""

    def pull(g: Array, _ans: Array, args: Args, shapes: Shapes) -> Array:
        return k.lift(g, (), len(shapes[0])) * slope(args[0], args[1], shapes)

    return pull


def _target_pull(slope: Callable[[Array, Array, Shapes], Array]) -> Pull:
    """The same for the target; a scalar target meets every entry, so its parts add up."""

    def pull(g: Array, _ans: Array, args: Args, shapes: Shapes) -> Array:
        rank = len(shapes[0])
        full = k.lift(g, (), rank) * slope(args[0], args[1], shapes)
        return full if shapes[1] else k.total(full, rank)

    return pull


def _spread(g: Array, _ans: Array, args: Args, shapes: Shapes) -> Array:
    """sum's pullback: every entry gets g."""
    return k.lift(g, (), len(shapes[0])) * np.ones(shapes[0])


def _log_odds(o: Array, _y: Array, _shapes: Shapes) -> Array:
    result: Array = np.log1p(-o) - np.log(o)
    return result


_ROWS = [
    _infix("add", np.add, (1.0, 1.0), (p.one(0), p.one(1)),
           Notation("{0:10} + {1:11}", "{0:10} + {1:11}", "{0:10} + {1:11}", SUM)),
    _infix("sub", np.subtract, (1.0, -1.0), (p.one(0), p.minus_one(1)),
           Notation("{0:10} - {1:11}", "{0:10} − {1:11}", "{0:10} - {1:11}", SUM)),
    _infix("mul", np.multiply, (lambda ans, a, b: b, lambda ans, a, b: a), (p.factor(0, 1), p.factor(1, 0)),
           Notation("{0:20} * {1:21}", "{0:20}·{1:21}", r"{0:20} \cdot {1:21}", PRODUCT)),
    _infix("div", np.divide, (lambda ans, a, b: 1.0 / b, lambda ans, a, b: -ans / b), (p.over(0), p.under(1)),
           Notation("{0:20} / {1:21}", "{0:20}/{1:21}", r"\frac{{0}}{{1}}", PRODUCT, ATOM), recalls_result=True),
    _infix("neg", np.negative, (-1.0,), (p.minus_one(0),),
           Notation("-{0:30}", "−{0:30}", "-{0:30}", UNARY), rule.same),
    _infix("power", np.power,
           (lambda ans, a, b: k.power_slope(a, b), lambda ans, a, b: k.power_growth(a, b)), (p.power_base, p.power_exponent),
           Notation("{0:50}**{1:30}", "{0:50}{1^}", "{0:50}^{{1}}", POWER)),
    _unary("tanh", np.tanh, lambda ans, z: k.tanh_slope(z), p.tanh, r"\tanh"),
    _unary("sigmoid", k.sigmoid, lambda ans, z: k.sigmoid_slope(z), p.sigmoid),
    _unary("relu", k.relu, lambda ans, z: k.relu_slope(z), p.relu, analytic=False),
    _unary("exp", np.exp, lambda ans, z: ans, p.exp, r"\exp", recalls_result=True),
    _unary("log", np.log, lambda ans, z: 1.0 / z, p.log, r"\ln"),
    _unary("sqrt", np.sqrt, lambda ans, z: 0.5 / ans, p.sqrt, recalls_result=True),
    Operation("matmul", 2, 2, rule.product, lambda a, s: k.matmul(a[0], a[1], s), (p.matmul_left, p.matmul_right),
              Notation("{0:20} @ {1:21}", "{0:20}·{1:21}", r"{0:20} \, {1:21}", PRODUCT),
              pulls=(lambda g, ans, a, s: k.matmul_left(g, a[1], s), lambda g, ans, a, s: k.matmul_right(g, a[0], s)),
              totals=(_matmul_total(0), _matmul_total(1)), held=Held(k.product_with, k.pull_through), recalls=(False, True)),
    Operation("dot", 2, 2, rule.inner, lambda a, s: k.matmul(a[0], a[1], s), (p.row_of(1), p.row_of(0)),
              _function("dot"),
              pulls=(lambda g, ans, a, s: k.matmul_left(g, a[1], s), lambda g, ans, a, s: k.matmul_right(g, a[0], s)),
              recalls=(False, True)),
    Operation("sum", 1, 1, rule.scalar, lambda a, s: k.total(a[0], len(s[0])), (p.ones_row,), _function("sum"),
              pulls=(_spread,), recalls=(False, False)),
    Operation("concat", 1, None, rule.joined, k.join, p.block, _function("concat"),
              pulls=lambda index: lambda g, ans, a, s: k.part_of(g, index, s), recalls=(False, False)),
    Operation("softmax", 1, 1, rule.vector_or_scalar, lambda a, s: k.softmax(a[0], s[0]), (p.softmax,), _function("softmax"),
              pulls=(lambda g, ans, a, s: k.softmax_pull(g, ans, s[0]),),
              jacobian=lambda a, s: _doubled_jacobian(a[0]) if s[0] else np.zeros((1, 1))),
    Operation("cross_entropy", 2, 2, rule.class_loss, lambda a, s: k.cross_entropy(a[0], a[1], s),
              (p.loss_row("cross_entropy_slope"), None), _function("cross_entropy"),
              pulls=(_row_pull(k.cross_entropy_slope), None)),
    Operation("squared_error", 2, 2, rule.pair_loss, lambda a, s: k.squared_error(a[0], a[1], s),
              (p.difference(1.0, 0), p.difference(-1.0, 1)), _function("squared_error"),
              pulls=(_row_pull(lambda o, y, s: o - k.lift(y, s[1], len(s[0]))),
                     _target_pull(lambda o, y, s: k.lift(y, s[1], len(s[0])) - o))),
    Operation("binary_cross_entropy", 2, 2, rule.pair_loss, lambda a, s: k.binary_cross_entropy(a[0], a[1], s),
              (p.loss_row("binary_cross_entropy_slope"), p.loss_target("log_odds")), _function("binary_cross_entropy"),
              pulls=(_row_pull(k.binary_cross_entropy_slope), _target_pull(_log_odds))),
]  # fmt: skip


def _derived(name: str, arguments: int, evaluate: Evaluate, notation: Notation) -> Operation:
    return Operation(name, arguments, arguments, rule.same, evaluate, (None,), notation, written=False)


def _two(matrix: Array) -> Array:
    """A value as a 2-D Jacobian factor; what is 2-D already stays."""
    return matrix if matrix.ndim == 2 else matrix.reshape(-1, 1)


def _block_matrix(args: Args, _shapes: Shapes) -> Array:
    before, width, after = (int(arg) for arg in args)
    return np.hstack([np.zeros((width, before)), np.eye(width), np.zeros((width, after))]).T


def _doubled_jacobian(q: Array) -> Array:
    from bptt_tui.calculus.doubled import softmax_jacobian

    return softmax_jacobian(q)


def _softmax_jacobian(args: Args, _shapes: Shapes) -> Array:
    q = np.atleast_1d(args[0])
    if np.iscomplexobj(q):
        return k.softmax_pull(np.eye(len(q)), k.softmax(q, q.shape), q.shape)
    return _doubled_jacobian(q)


def _loss_slope(slope: Callable[[Array, Array, Shapes], Array]) -> Evaluate:
    def evaluate(args: Args, _shapes: Shapes) -> Array:
        o, y = args
        return slope(o, y, (o.shape, y.shape)).reshape(1, -1)

    return evaluate


def _target_slope(args: Args, _shapes: Shapes) -> Array:
    o, y = args
    full = np.broadcast_to(_log_odds(o, y, ()), o.shape)
    return (full if y.ndim else full.sum()).reshape(1, -1)


_DERIVED = [
    Operation("copy", 1, 1, rule.same, lambda a, s: a[0], (p.one(0),), Notation("{0:50}", "{0:50}", "{0:50}"), slopes=(1.0,),
              written=False),
    _derived("tanh_slope", 2, lambda a, s: k.tanh_slope(a[0]), Notation("1 - {1:50}**2", "1 − {1:50}²", "1 - {1:50}^2", SUM)),
    _derived("sigmoid_slope", 2, lambda a, s: k.sigmoid_slope(a[0]),
             Notation("{1:50}*(1 - {1:11})", "{1:50}·(1 − {1:11})", r"{1:50} \, (1 - {1:11})", PRODUCT)),
    _derived("relu_slope", 1, lambda a, s: k.relu_slope(a[0]), Notation("[{0} > 0]", "[{0} > 0]", "[{0} > 0]")),
    _derived("power_slope", 2, lambda a, s: k.power_slope(a[0], a[1]),
             Notation("{1:50}*{0:50}**({1} - 1)", "{1:50}·{0:50}^({1} − 1)", r"{1:50} \, {0:50}^{{1} - 1}", PRODUCT)),
    _derived("power_growth", 2, lambda a, s: k.power_growth(a[0], a[1]),
             Notation("{0:50}**{1:30}*log({0})", "{0:50}{1^}·ln({0})", r"{0:50}^{{1}} \ln\left({0}\right)", PRODUCT)),
    _derived("diag", 1, lambda a, s: np.diag(a[0].reshape(-1)), _function("diag")),
    _derived("column", 1, lambda a, s: a[0].reshape(-1, 1), Notation("{0:50}", "{0:50}", "{0:50}")),
    _derived("row", 1, lambda a, s: a[0].reshape(1, -1), Notation("{0:50}.T", "{0:50}ᵀ", r"{0:50}^\top")),
    _derived("transpose", 1, lambda a, s: a[0].T, Notation("{0:50}.T", "{0:50}ᵀ", r"{0:50}^\top")),
    _derived("identity", 1, lambda a, s: np.eye(int(a[0])), Notation("I", "I", "I")),
    _derived("scaled_identity", 2, lambda a, s: a[0] * np.eye(int(a[1])), Notation("{0:20}*I", "{0:20}·I", r"{0:20} \, I", PRODUCT)),
    _derived("scaled_ones", 2, lambda a, s: a[0] * np.ones((int(a[1]), 1)),
             Notation("{0:20}*ones", "{0:20}·1ₙ", r"{0:20} \, \mathbf 1", PRODUCT)),
    _derived("ones_column", 1, lambda a, s: np.ones((int(a[0]), 1)), Notation("ones", "1ₙ", r"\mathbf 1")),
    _derived("ones_row", 1, lambda a, s: np.ones((1, int(a[0]))), Notation("ones.T", "1ₙᵀ", r"\mathbf 1^\top")),
    _derived("kron", 2, lambda a, s: np.kron(_two(a[0]), _two(a[1])),
             Notation("kron({0}, {1})", "{0:21} ⊗ {1:21}", r"{0:21} \otimes {1:21}", PRODUCT, PRODUCT)),
    _derived("block", 3, _block_matrix, Notation("block", "[0 I 0]ᵀ", r"[0\;I\;0]^\top")),
    _derived("compose", 2, lambda a, s: _two(a[0]) @ _two(a[1]), Notation("{0:20} @ {1:21}", "{0:20}·{1:21}", r"{0:20} \, {1:21}", PRODUCT)),
    _derived("softmax_jacobian", 2, _softmax_jacobian,
             Notation("diag({1}) - {1:50} @ {1:50}.T", "diag({1}) − {1:50}·{1:50}ᵀ", r"\operatorname{diag}({1}) - {1:50} {1:50}^\top", SUM)),
    _derived("cross_entropy_slope", 2, _loss_slope(k.cross_entropy_slope),
             Notation("-{1:50}/{0:50}", "−{1:50}/{0:50}", r"-\frac{{1}}{{0}}", UNARY)),
    _derived("binary_cross_entropy_slope", 2, _loss_slope(k.binary_cross_entropy_slope),
             Notation("({0:10} - {1:11})/({0:50}*(1 - {0:11}))", "({0:10} − {1:11})/({0:50}·(1 − {0:11}))",
                      r"\frac{{0} - {1:11}}{{0:50} (1 - {0:11})}", PRODUCT, ATOM)),
    _derived("log_odds", 2, _target_slope,
             Notation("log((1 - {0:11})/{0:50})", "ln((1 − {0:11})/{0:50})", r"\ln\frac{1 - {0:11}}{{0}}")),
]  # fmt: skip

OPERATIONS: dict[str, Operation] = {row.name: row for row in [*_ROWS, *_DERIVED]}
NOTATIONS: dict[str, Notation] = {name: row.notation for name, row in OPERATIONS.items()}
FUNCTIONS: tuple[str, ...] = tuple(
    row.name for row in _ROWS if row.name not in ("add", "sub", "mul", "div", "neg", "power", "matmul")
)


class Fusion(Struct, frozen=True):
    """Two operations computed as one where `inner` feeds `outer`, because the product of their slopes can overflow.

    `evaluate(q, y, shapes)` is the loss straight from the inner argument, `pull(g, q, o, y, shapes)` the gradient by it;
    `product` is how that gradient is written.
    """

    evaluate: Callable[[Array, Array, Shapes], Array]
    pull: Callable[[Array, Array, Array, Array, Shapes], Array]
    product: str


FUSIONS: dict[tuple[str, str], Fusion] = {
    ("cross_entropy", "softmax"): Fusion(k.softmax_cross_entropy, k.softmax_cross_entropy_pull, "o − y"),
    ("binary_cross_entropy", "sigmoid"): Fusion(
        k.sigmoid_binary_cross_entropy, k.sigmoid_binary_cross_entropy_pull, "o − y"
    ),
}
