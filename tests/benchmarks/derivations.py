"""True derivations of a network's gradients, from its own local partials, written the many ways people write them.

`derivations(session, seed)` gives trees, each checked by dense Jacobians at draws of all values before it is given out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from benchmarks.learners import redrawn
from oracles.formula_values import LOOSE, Misfit, Worth, agree

from bptt_tui.calculus.differentiation import differentiate
from bptt_tui.derivation.formulas import tree as f
from bptt_tui.derivation.formulas.parts import rebuilt
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.derivation.formulas.writing import Writer
from bptt_tui.language import Call, Expression, Name, Number
from bptt_tui.language.labels import Style
from bptt_tui.session import Session

DRAWS = 3
MOST_CHAINS = 8
Place = tuple[str, int | None]


@dataclass(frozen=True)
class Link:
    """One factor of a chain: from a node to what it reads; `by` is None from the total loss to one step's."""

    above: Place
    below: Place
    by: Name | None


Chain = tuple[Link, ...]


@dataclass(frozen=True)
class Derivation:
    """∂E/∂target = member, true; `dialect` is how it is written."""

    left: f.Partial
    member: f.Formula
    dialect: str


class Known:
    """A network at its own numbers and at draws of all values: what is true of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.scope = Scope.of(session)
        traces = [session.trace(), *(redrawn(session, seed).trace() for seed in range(DRAWS))]
        self._writers: dict[Style, Writer] = {}
        self._worths = [[Worth(trace, local=local) for trace in traces] for local in (True, False)]
        self._loose = [
            [Worth(trace, local=local, loose=loose) for trace in traces[:2]]
            for loose in LOOSE
            for local in (True, False)
        ]

    def holds(self, left: f.Partial, member: f.Formula) -> bool:
        """Whether an equality is true in either reading of its partials."""
        return any(self._holds(worths, left, member) for worths in self._worths)

    def holds_loosely(self, left: f.Partial, member: f.Formula) -> bool:
        """Whether it is true in another layout, or where rows are taken for columns as they fit."""
        return any(self._holds(worths, left, member) for worths in self._loose)

    def _holds(self, worths: list[Worth], left: f.Partial, member: f.Formula) -> bool:
        shape = self.scope.shape(left.below.name)
        above, below = (_place(value) for value in (left.above, left.below))
        try:
            # The session's own numbers, first in the list, may make a coincidence; the draws decide.
            return all(
                agree(worth.value(member), worth.total(above, below), shape, loose=worth.loose) for worth in worths[1:]
            )
        except Misfit:
            return False

    def writer(self, style: Style) -> Writer:
        """What writes about the network; its names are spelled once."""
        return self._writers.setdefault(style, Writer(self.scope, style))


def _place(value: f.Value) -> Place:
    return value.name, None if value.t is None else value.t.offset


def named(place: Place) -> f.Value:
    return f.Value(name=place[0], t=None if place[1] is None else f.Moment(place[1]))


def product(factors: list[f.Formula]) -> f.Formula:
    if len(factors) == 1:
        return factors[0]
    return f.Multiply(factors=tuple(factors), joins=("as it fits",) * (len(factors) - 1))


def added(terms: list[f.Formula]) -> f.Formula:
    return terms[0] if len(terms) == 1 else f.Add(terms=tuple(terms))


# --- chains ----------------------------------------------------------------------------------------------------------


def chains(scope: Scope, start: Place, target: Place) -> list[Chain] | None:
    """Every path from the loss to a use, a parameter, an input or a node; None where there are too many."""
    found: list[Chain] = []
    waiting: list[tuple[Place, Chain]] = [(start, ())]
    visited = 0
    while waiting:
        (name, t), chain = waiting.pop()
        visited += 1
        if visited > 2000 or len(found) > MOST_CHAINS:
            return None
        if (name, t) == target and chain:
            found.append(chain)
            continue
        for link in _links(scope, (name, t)):
            below = link.below
            if scope.kind(below[0]) == "parameter":
                if below[0] == target[0] and target[1] in (None, below[1]):
                    found.append((*chain, link))
            elif scope.kind(below[0]) == "node" or below == target:
                waiting.append((below, (*chain, link)))
    return found


def _links(scope: Scope, place: Place) -> Iterator[Link]:
    name, t = place
    if t is None:
        for step in scope.unrolled.loss_times:
            yield Link(place, (name, int(step)), None)
    elif scope.kind(name) == "node" and t >= 0:
        for by in scope.network.reads[scope.network.index[name]]:
            if scope.kind(by.name) != "constant":
                yield Link(place, (by.name, t + (by.offset or 0)), by)


# --- formulas of links -----------------------------------------------------------------------------------------------


class Substitute:
    """Local partials as formulas: 1 − s₁², w, x₁, diag(o) − o·oᵀ."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def formula(self, link: Link) -> f.Formula | None:
        """The formula of a link; None where formulas have no word for it."""
        if link.by is None or link.above[1] is None:
            return None
        equation = self.scope.network.equations[self.scope.network.index[link.above[0]]]
        whole = differentiate(equation.expression, link.by, Name(equation.target, 0), self.scope.unrolled.shape_of)
        return None if whole is None else self._of(whole, link.above[1])

    def _of(self, expression: Expression, t: int) -> f.Formula | None:
        if isinstance(expression, Number):
            number = f.Number(value=abs(expression.value))
            return f.Negate(operand=number) if expression.value < 0 else number
        if isinstance(expression, Name):
            timed = self.scope.kind(expression.name) in ("node", "input")
            return named((expression.name, t + (expression.offset or 0) if timed else None))
        rule = _RULES.get(expression.operation)
        if rule is None:
            return None
        if expression.operation == "mul" and not any(map(self._is_scalar, expression.arguments)):
            rule = _elementwise
        arguments = [self._of(argument, t) for argument in expression.arguments]
        if any(argument is None for argument in arguments):
            return None
        return rule(*arguments)

    def _is_scalar(self, expression: Expression) -> bool:
        if isinstance(expression, Call):
            return all(map(self._is_scalar, expression.arguments))
        return isinstance(expression, Number) or not self.scope.shape(expression.name)


def _elementwise(a: f.Formula, b: f.Formula) -> f.Formula:
    return f.Multiply(factors=(a, b), joins=("elementwise",))


def _one_minus(a: f.Formula) -> f.Formula:
    return f.Add(terms=(f.Number(value=1.0), f.Negate(operand=a)))


def _tanh_slope(z: f.Formula, s: f.Formula) -> f.Formula:
    if not isinstance(s, f.Value):
        return f.Call(function="tanh'", arguments=(z,))
    return _one_minus(f.Power(base=s, exponent=f.Number(value=2.0)))


def _sigmoid_slope(z: f.Formula, s: f.Formula) -> f.Formula:
    if not isinstance(s, f.Value):
        return f.Call(function="sigmoid'", arguments=(z,))
    return f.Multiply(factors=(s, _one_minus(s)), joins=("elementwise",))


def _softmax(_q: f.Formula, o: f.Formula) -> f.Formula:
    outer = product([o, f.Transpose(operand=o)])
    return f.Add(terms=(f.Call(function="diag", arguments=(o,)), f.Negate(operand=outer)))


def _cross_entropy(o: f.Formula, y: f.Formula) -> f.Formula:
    share = f.Divide(top=f.Call(function="onehot", arguments=(y,)), bottom=o)
    return f.Negate(operand=f.Transpose(operand=share))


def _binary(o: f.Formula, y: f.Formula) -> f.Formula:
    return f.Divide(top=f.Add(terms=(o, f.Negate(operand=y))), bottom=product([o, _one_minus(o)]))


_RULES: dict[str, Callable[..., f.Formula]] = {
    "add": lambda a, b: f.Add(terms=(a, b)),
    "sub": lambda a, b: f.Add(terms=(a, f.Negate(operand=b))),
    "mul": lambda a, b: product([a, b]),
    "neg": lambda a: f.Negate(operand=a),
    "power": lambda a, b: f.Power(base=a, exponent=b),
    "compose": lambda a, b: product([a, b]),
    "matmul": lambda a, b: product([a, b]),
    "tanh_slope": _tanh_slope,
    "sigmoid_slope": _sigmoid_slope,
    "diag": lambda a: f.Call(function="diag", arguments=(a,)),
    "row": lambda a: f.Transpose(operand=a),
    "transpose": lambda a: f.Transpose(operand=a),
    "column": lambda a: a,
    "scaled_identity": lambda a, n: a,
    "softmax_jacobian": _softmax,
    "cross_entropy_slope": _cross_entropy,
    "binary_cross_entropy_slope": _binary,
}


def partial(link: Link) -> f.Partial:
    return f.Partial(above=named(link.above), below=named(link.below))


# --- dialects --------------------------------------------------------------------------------------------------------


class Dialects:
    """The ways to write ∂E/∂target for one network; a way that does not apply gives None."""

    def __init__(self, scope: Scope, rng: np.random.Generator) -> None:
        self.scope = scope
        self.rng = rng
        self.substitute = Substitute(scope)
        self.scalar = all(not shape for name, shape in scope.unrolled.shapes.items() if scope.kind(name) == "node")
        self.start: Place = (scope.loss, None if scope.unrolled.has_total else int(scope.unrolled.loss_times[0]))

    def factors(self, chain: Chain, share: float) -> list[f.Formula]:
        """The factors of a chain, about a `share` of them with their formulas put in."""
        found: list[f.Formula] = []
        for link in chain:
            formula = self.substitute.formula(link) if self.rng.random() < share else None
            if formula is None:
                found.append(partial(link))
            elif isinstance(formula, f.Multiply) and "elementwise" not in formula.joins:
                found += formula.factors
            elif formula != f.Number(value=1.0):
                found.append(formula)
        return found or [partial(chain[0])]

    def symbols(self, _target: Place, paths: list[Chain]) -> f.Formula | None:
        return added([product(self.factors(path, 0.0)) for path in paths])

    def substituted(self, _target: Place, paths: list[Chain]) -> f.Formula | None:
        return added([product(self.factors(path, float(self.rng.choice([0.4, 0.8, 1.0])))) for path in paths])

    def whole_steps(self, _target: Place, paths: list[Chain]) -> f.Formula | None:
        """∂E/∂o·∂o/∂s₁·∂s₁/∂s₀·∂s₀/∂u₀: from state to state."""
        ahead = {name for name, depth in self.scope.unrolled.ahead.items() if depth and self.scope.kind(name) == "node"}
        kept = ahead | ({"o"} if self.rng.random() < 0.5 else set())
        terms: list[list[f.Formula]] = []
        for path in paths:
            stops = [path[0].above, *(link.below for link in path[:-1] if link.below[0] in kept or link.by is None)]
            stops.append(path[-1].below)
            factors: list[f.Formula] = [f.Partial(above=named(a), below=named(b)) for a, b in pairwise(stops)]
            if factors not in terms:
                terms.append(factors)
        return added([product(factors) for factors in terms])

    def factored(self, _target: Place, paths: list[Chain]) -> f.Formula | None:
        """∂E/∂o·∂o/∂q·v·∂s₁/∂z₁·(x₁ + w·∂s₀/∂z₀·x₀)."""
        if len(paths) < 2:
            return None
        share = float(self.rng.choice([0.0, 0.5, 1.0]))
        written: dict[Link, list[f.Formula]] = {}

        def spell(link: Link) -> list[f.Formula]:
            if link not in written:
                written[link] = [g for g in self.factors((link,), share) if not self._is_one(link)]
            return written[link]

        def collect(rest: list[Chain]) -> f.Formula | None:
            common: list[f.Formula] = []
            while all(rest) and len({path[0] for path in rest}) == 1:
                common += spell(rest[0][0])
                rest = [path[1:] for path in rest]
            if len(rest) == 1 and not rest[0]:
                return product(common) if common else f.Number(value=1.0)
            if not all(rest):
                return None
            groups: dict[Link, list[Chain]] = {}
            for path in rest:
                groups.setdefault(path[0], []).append(path)
            branches = [collect(group) for group in groups.values()]
            if any(branch is None for branch in branches):
                return None
            whole = f.Add(terms=tuple(b for b in branches if b is not None))
            return product([*common, whole]) if common else whole

        return collect(paths)

    def _is_one(self, link: Link) -> bool:
        return self.substitute.formula(link) == f.Number(value=1.0)

    def reordered(self, _target: Place, paths: list[Chain]) -> f.Formula | None:
        """Scalars may stand in any order."""
        sizes = {
            place: int(np.prod(self.scope.shape(place[0])))
            for path in paths
            for ln in path
            for place in (ln.above, ln.below)
        }
        terms = []
        for path in paths:
            head = [link for link in path if sizes[link.above] > 1 or sizes[link.below] > 1]
            tail = [link for link in path if link not in head]
            pieces: list[list[f.Formula]] = [[g] for link in tail for g in self.factors((link,), 0.5)]
            if head:
                pieces.append(self.factors(tuple(head), 0.3))
            self.rng.shuffle(pieces)  # type: ignore[arg-type]
            terms.append(product([g for piece in pieces for g in piece]))
        self.rng.shuffle(terms)  # type: ignore[arg-type]
        return added(terms)

    def per_use(self, target: Place, paths: list[Chain]) -> f.Formula | None:
        """∂E/∂z₁·∂z₁/∂w + ∂E/∂z₀·∂z₀/∂w: the last link of every chain, and all before it as one."""
        lasts = list(dict.fromkeys(path[-1] for path in paths))
        share = float(self.rng.choice([0.0, 1.0]))
        start = named(self.start)
        if any(link.above == self.start for link in lasts):
            return None
        return added(
            [product([f.Partial(above=start, below=named(ln.above)), *self.factors((ln,), share)]) for ln in lasts]
        )

    def sum_over_time(self, target: Place, paths: list[Chain]) -> f.Formula | None:
        """Σ_t ∂E/∂z_t · ∂⁺z_t/∂w."""
        lasts = list(dict.fromkeys(path[-1] for path in paths))
        names = {link.above[0] for link in lasts}
        if target[1] is not None or len(names) != 1 or len(lasts) < 2 or self.scope.kind(target[0]) != "parameter":
            return None
        node = f.Value(name=names.pop(), t=f.Moment(0, "t"))
        first = f.Partial(above=named(self.start), below=node)
        formula = self.substitute.formula(lasts[0])
        if self.rng.random() < 0.5 and formula is not None:
            last = _in_time(formula, lasts[0].above[1] or 0)
        else:
            below = f.Value(name=target[0], t=self.pick([None, f.Moment(0, "t")]))
            last = f.Partial(above=node, below=below, reading="immediate")
        bounds = self.pick([(None, None), (f.Moment(0), f.Moment(self.scope.steps - 1))])
        return f.Sum(variable="t", body=product([first, last]), first=bounds[0], last=bounds[1])

    def expanded(self, target: Place, paths: list[Chain]) -> f.Formula | None:
        """(1 − s²)·w written out as w − s²·w."""
        terms: list[f.Formula] = []
        opened = False
        for path in paths:
            factors = self.factors(path, 1.0)
            place = next(
                (i for i, g in enumerate(factors) if isinstance(g, f.Add) and isinstance(g.terms[0], f.Number)), None
            )
            if place is None or opened:
                terms.append(product(factors))
                continue
            opened = True
            second = factors[place].terms[1]  # type: ignore[attr-defined]
            rest = [*factors[:place], *factors[place + 1 :]]
            square = second.operand
            terms.append(product(rest) if rest else f.Number(value=1.0))
            terms.append(f.Negate(operand=product([*factors[:place], square, *factors[place + 1 :]])))
        return added(terms) if opened else None

    def outer(self, target: Place, paths: list[Chain]) -> f.Formula | None:
        """(∂E/∂z₁)ᵀ·s₀ᵀ: a weight matrix's gradient in the matrix's shape."""
        if len(self.scope.shape(target[0])) != 2 or self.scope.kind(target[0]) != "parameter":
            return None
        terms: list[f.Formula] = []
        for path in paths:
            read = self._multiplied(path[-1])
            if read is None:
                return None
            row = product(self.factors(path[:-1], float(self.rng.choice([0.0, 0.6]))))
            if self.rng.random() < 0.5:
                terms.append(f.Call(function="outer", arguments=(f.Transpose(operand=row), read)))
            else:
                terms.append(product([f.Transpose(operand=row), f.Transpose(operand=read)]))
        return added(terms)

    def _multiplied(self, link: Link) -> f.Formula | None:
        """The vector a matrix is multiplied with where the link's node reads it."""
        found: list[Expression] = []

        def look(expression: Expression) -> None:
            if isinstance(expression, Call):
                if expression.operation == "matmul" and expression.arguments[0] == Name(link.below[0]):
                    found.append(expression.arguments[1])
                elif expression.operation == "add":
                    for argument in expression.arguments:
                        look(argument)

        look(self.scope.network.equations[self.scope.network.index[link.above[0]]].expression)
        if len(found) != 1 or not isinstance(found[0], Name) or link.above[1] is None:
            return None
        return named((found[0].name, link.above[1] + (found[0].offset or 0)))

    def pick(self, options: list[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]


def _in_time(formula: f.Formula, t: int) -> f.Formula:
    """A formula of timestep `t` with the variable t in its place."""
    if isinstance(formula, f.Value) and formula.t is not None:
        return f.Value(name=formula.name, t=f.Moment(formula.t.offset - t, "t"))
    return rebuilt(formula, lambda part: _in_time(part, t))


DIALECTS = (
    "symbols", "substituted", "whole_steps", "factored", "reordered", "per_use", "sum_over_time", "expanded", "outer",
)  # fmt: skip


def targets(scope: Scope, rng: np.random.Generator) -> list[Place]:
    """What to derive by: every parameter, and for a few their uses and nodes."""
    found: list[Place] = []
    for name in scope.unrolled.values.parameters:
        found.append((name, None))
        times = scope.times(name)
        if len(times) > 1:
            found.append((name, times[int(rng.integers(len(times)))]))
    nodes = [(name, t) for name in scope.network.targets for t in scope.times(name) if name != scope.loss]
    found.append(nodes[int(rng.integers(len(nodes)))])
    return found


def derivations(session: Session, seed: int = 0, known: Known | None = None) -> Iterator[Derivation]:
    """True derivations of a session's network, one per target and dialect that applies."""
    known = known or Known(session)
    rng = np.random.default_rng(seed)
    dialects = Dialects(known.scope, rng)
    for target in targets(known.scope, rng):
        paths = chains(known.scope, dialects.start, target)
        if not paths:
            continue
        left = f.Partial(above=named(dialects.start), below=named(target))
        for dialect in DIALECTS:
            member = getattr(dialects, dialect)(target, paths)
            if member is not None and member != left and known.holds(left, member):
                yield Derivation(left, member, dialect)
