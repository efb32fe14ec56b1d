"""Random recurrent networks: equations as text with values that keep every operation inside its domain.

`random_case(seed)` always gives the same network for the same seed. The networks have 1–6 recurrent equations of
scalars, vectors and matrices that read each other 0–3 timesteps back, compound expressions as well as chains of small
ones, parameters used in several places, inputs read at t, t-1 and (where that exists) t+1, constants, and every
operation of the language.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from oracles.case import Case
from oracles.evaluate import leaves_of, node_values, total

Shape = tuple[int, ...]
LARGEST = 1e4
# The network of the question: two steps, many to one.
QUESTION = Case(
    ("a = u * x[t]", "b = w * s[t-1]", "z = a + b", "s = tanh(z)", "q = v * s", "o = softmax(q)",
     "E = cross_entropy(o, y)"),
    {"u": 0.8, "w": 0.6, "v": [1.2, -0.7]}, {"x": [0.5, -1.0]}, {"s": 0.3}, {"y": 0},
)  # fmt: skip


def random_case(seed: int, longest: int = 6) -> Case:
    """A network from a seed, T ≤ `longest`; one whose values leave ±1e4 is drawn again from the same stream."""
    rng = np.random.default_rng(seed)
    while True:
        case = _Builder(rng, longest).case()
        if _tame(case):
            return case


def pinned_case(seed: int, longest: int = 6) -> Case:
    """A random network with one to four of its nodes pinned, near the values that they would have."""
    case = random_case(seed, longest)
    rng = np.random.default_rng([seed, 1])
    nodes = [node for node in case.nodes if node[0] != case.loss_name]
    chosen = [nodes[i] for i in rng.permutation(len(nodes))[: int(rng.integers(1, 5))]]
    with np.errstate(all="ignore"):
        values = node_values(case, leaves_of(case))
    return replace(
        case,
        pins={node: np.asarray(values[node] * (1 + 0.1 * rng.normal(size=np.shape(values[node])))) for node in chosen},
    )


def _tame(case: Case) -> bool:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        values = node_values(case, leaves_of(case))
        numbers = np.concatenate([np.ravel(value) for value in values.values()])
        return bool(np.isfinite(numbers).all() and np.abs(numbers).max() < LARGEST and total(case, values) != 0)


class _Builder:
    def __init__(self, rng: np.random.Generator, longest: int) -> None:
        self.rng = rng
        self.steps = int(rng.integers(1, longest + 1))
        sizes = [int(n) for n in rng.permutation([1, 2, 3])]
        self.sizes = sizes[: int(rng.integers(1, 3))]
        self.scale = rng.uniform(0.3, 1.5)
        self.loss_at, self.reduction = self._losses()
        last = self.steps - 1 if isinstance(self.loss_at, str) else max(self.loss_at)
        self.may_read_ahead = last < self.steps - 1
        self.with_inputs = self.may_read_ahead or rng.random() < 0.9
        self.equations: list[str] = []
        self.ready: dict[str, Shape] = {}
        self.core: dict[str, Shape] = {}
        self.parameters: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.constants: dict[str, Any] = {}
        self.count = 0

    def _losses(self) -> tuple[str | list[int], str]:
        rng = self.rng
        kind = rng.choice(["last", "every", "listed"])
        at: str | list[int] = str(kind)
        if kind == "listed":
            wanted = rng.integers(1, self.steps + 1)
            at = sorted(int(t) for t in rng.choice(self.steps, size=wanted, replace=False))
        return at, str(rng.choice(["sum", "mean"]))

    # --- small choices -----------------------------------------------------------------------------------------

    def pick(self, options: list[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def any_shape(self) -> Shape:
        n, m = self.pick(self.sizes), self.pick(self.sizes)
        return self.pick([(), (), (n,), (n,), (m, n)])

    # --- leaves --------------------------------------------------------------------------------------------------

    def given(self, group: dict[str, Any], letter: str, shape: Shape, lead: Shape = (), reuse: float = 0.5) -> str:
        """A name from a group of values, an old one of that shape or a new one."""
        old = [name for name, value in group.items() if np.shape(value)[len(lead) :] == shape]
        if old and self.chance(reuse):
            return self.pick(old)
        name = self.fresh(letter)
        group[name] = np.asarray(self.scale * self.rng.normal(size=(*lead, *shape)))
        return name

    def parameter(self, shape: Shape) -> str:
        return self.given(self.parameters, self.pick(["u", "w", "W", "b_", "θ"]), shape)

    def constant(self, shape: Shape) -> str:
        return self.given(self.constants, "c", shape)

    def input(self, shape: Shape) -> str:
        if not self.with_inputs:
            return self.parameter(shape)
        name = self.given(self.inputs, "x", shape, (self.steps,))
        return name + self.pick(["", "[t]", "[t]", "[t-1]", "[t-2]", *(["[t+1]"] if self.may_read_ahead else [])])

    def state(self, shape: Shape) -> str | None:
        """A node of this shape, now or earlier."""
        now = [name for name, other in self.ready.items() if other == shape]
        ever = [name for name, other in {**self.ready, **self.core}.items() if other == shape]
        if now and self.chance(0.6):
            return self.pick(now) + self.pick(["", "[t]"])
        return f"{self.pick(ever)}[t-{self.pick([1, 1, 1, 2, 3])}]" if ever else None

    def leaf(self, shape: Shape) -> str:
        kind = self.pick(["state"] * 4 + ["parameter"] * 3 + ["input"] * 2 + ["constant"] + ["number"])
        if kind == "state":
            found = self.state(shape)
            if found is not None:
                return found
        if kind == "constant":
            return self.constant(shape)
        if kind == "input":
            return self.input(shape)
        if kind == "number" and not shape:
            return f"{self.rng.uniform(-1.5, 1.5):.3g}"
        return self.parameter(shape)

    # --- expressions ---------------------------------------------------------------------------------------------

    def expression(self, shape: Shape, depth: int) -> str:
        """An expression of this shape; sometimes it becomes an equation of its own."""
        text = self.leaf(shape) if depth <= 0 else self.pick(self._forms(shape))(shape, depth - 1)
        if self.chance(0.25):
            return self.equation(self.fresh("z"), text, shape)
        return text if depth <= 0 else f"({text})"

    def equation(self, name: str, text: str, shape: Shape) -> str:
        self.equations.append(f"{name} = {text}")
        self.ready[name] = shape
        return name

    def _forms(self, shape: Shape) -> list[Any]:
        common = [self._sum, self._product, self._product, self._quotient, self._unary, self._unary, self._power]
        special = {0: [self._to_scalar] * 3, 1: [self._to_vector] * 4, 2: [self._to_matrix] * 3}
        return common + special[len(shape)]

    def _two(self, shape: Shape, depth: int) -> tuple[str, str]:
        """Two arguments for an elementwise operation, sometimes one of them a scalar."""
        scalars = self.pick([(shape, shape), (shape, shape), (shape, ()), ((), shape)])
        return self.expression(scalars[0], depth), self.expression(scalars[1], depth)

    def _sum(self, shape: Shape, depth: int) -> str:
        a, b = self._two(shape, depth)
        return f"{a} {self.pick('+-')} {b}"

    def _product(self, shape: Shape, depth: int) -> str:
        a, b = self._two(shape, depth)
        return f"{a} * {b}"

    def _quotient(self, shape: Shape, depth: int) -> str:
        a, b = self._two(shape, depth)
        return f"{a} / (1.5 + {b} * {b})" if self.chance(0.5) else f"{a} / (2 - tanh({b}))"

    def _unary(self, shape: Shape, depth: int) -> str:
        form = self.pick(
            [
                "tanh({})",
                "sigmoid({})",
                "relu({})",
                "-{}",
                "exp(tanh({}))",
                "log(1.5 + {}**2)",
                "sqrt(0.3 + {}**2)",
                "{}**2",
                "tanh({})^3",
                "exp(-relu({}))",
            ]
        )
        return form.format(self.expression(shape, depth))

    def _power(self, shape: Shape, depth: int) -> str:
        a, b = self._two(shape, depth)
        return self.pick([f"(1.5 + tanh({a})) ** tanh({b})", f"2 ** tanh({a} + {b})", f"exp(tanh({a})) ** {b}"])

    def _to_scalar(self, _shape: Shape, depth: int) -> str:
        n, m = self.pick(self.sizes), self.pick(self.sizes)
        wide = self.pick([(n,), (m, n)])
        kind = self.pick(["sum", "dot", "@", "squared", "binary", "softmax"])
        if kind == "sum":
            return f"sum({self.expression(wide, depth)})"
        if kind in ("dot", "@"):
            a, b = self.expression((n,), depth), self.expression((n,), depth)
            return f"dot({a}, {b})" if kind == "dot" else f"{a} @ {b}"
        if kind == "squared":
            return f"squared_error({self.expression(wide, depth)}, {self.expression(self.pick([wide, ()]), depth)})"
        if kind == "binary":
            y = self.expression(self.pick([wide, ()]), depth)
            return f"binary_cross_entropy(sigmoid({self.expression(wide, depth)}), sigmoid({y}))"
        return f"softmax({self.expression((), depth)})"

    def _to_vector(self, shape: Shape, depth: int) -> str:
        (n,), m = shape, self.pick(self.sizes)
        kind = self.pick(["Mv", "Mv", "vM", "concat", "softmax"])
        if kind == "Mv":
            return f"{self.expression((n, m), depth)} @ {self.expression((m,), depth)}"
        if kind == "vM":
            return f"{self.expression((m,), depth)} @ {self.expression((m, n), depth)}"
        if kind == "concat":
            return f"concat({', '.join(self._parts(n, depth))})"
        return f"softmax({self.expression(shape, depth)})"

    def _parts(self, n: int, depth: int) -> list[str]:
        parts = []
        while n:
            first = int(self.rng.integers(1, n + 1))
            parts.append(self.expression(() if first == 1 and self.chance(0.5) else (first,), depth))
            n -= first
        return parts

    def _to_matrix(self, shape: Shape, depth: int) -> str:
        k = self.pick(self.sizes)
        return f"{self.expression((shape[0], k), depth)} @ {self.expression((k, shape[1]), depth)}"

    # --- the recurrent core, the output, the loss ------------------------------------------------------------------

    def case(self) -> Case:
        self.core = {self.fresh(self.pick("shc")): self.any_shape() for _ in range(self.rng.integers(1, 7))}
        members = list(self.core)
        for i, name in enumerate(members):
            feeder = members[(i + 1) % len(members)]
            if i and self.chance(0.3):
                feeder = members[i - 1]
            lag = self.pick([0, 1, 1, 2, 3] if feeder in self.ready else [1, 1, 1, 2, 3])
            self._member(name, f"{feeder}[t-{lag}]" if lag else feeder, self.core[feeder])
        for _ in range(self.rng.integers(0, 3)):
            shape = self.any_shape()
            self.equation(self.fresh("q"), self.expression(shape, 2), shape)
        loss = self._loss()
        order = (
            [int(i) for i in self.rng.permutation(len(self.equations))]
            if self.chance(0.3)
            else range(len(self.equations))
        )
        equations = (*(self.equations[i] for i in order), f"E = {loss}")
        return self._with_values(equations)

    def _member(self, name: str, source: str, source_shape: Shape) -> None:
        shape = self.core[name]
        carried = self._carried(source, source_shape, shape)
        rest = self.expression(shape, int(self.rng.integers(0, 3)))
        forms = [
            "tanh({0} + {1})",
            "tanh({0} + {1})",
            "tanh({1} - {0})",
            "sigmoid({0} + {1})",
            "tanh({0} * {1})",
            "sigmoid({1}) * tanh({0}) + (1 - sigmoid({1})) * tanh({0} + 0.3)",
            "relu(tanh({0} + {1})) + 0.1 * tanh({0})",
        ]
        if len(shape) == 1:
            forms.append("softmax({0} + {1})")
        self.equation(name, self.pick(forms).format(carried, rest), shape)

    def _carried(self, text: str, source: Shape, shape: Shape) -> str:
        """A state made to fit another's shape, through a parameter."""
        ranks = (len(source), len(shape))
        if ranks == (0, 0) or (ranks[0] == 0 and shape):
            return f"{self.parameter(shape)} * {text}"
        if ranks == (1, 0):
            return f"dot({self.parameter(source)}, {text})"
        if ranks == (1, 1):
            if source == shape and self.chance(0.2):
                return f"{self.parameter(self.pick([(), shape]))} * {text}"
            return f"{self.parameter((*shape, *source))} @ {text}"
        if ranks == (1, 2):
            return f"{self.parameter(shape)} * sum({text})"
        if ranks == (2, 0):
            return f"sum({self.parameter(source)} * {text})"
        if ranks == (2, 1):
            inner = f"({text} @ {self.parameter((source[1],))})"
            return f"({self.parameter((shape[0], source[0]))} @ {inner})"
        left = self.parameter((shape[0], source[0]))
        return f"(({left} @ {text}) @ {self.parameter((source[1], shape[1]))})"

    def _loss(self) -> str:
        classes = self.pick(self.sizes)
        first = self.pick(list(self.core))
        q = f"({self._carried(first, self.core[first], (classes,))} + {self.expression((classes,), 1)})"
        kind = self.pick(["softmax"] * 4 + ["plain", "squared", "squared", "binary", "binary", "scalar", "one logit"])
        loss = getattr(self, f"_loss_{kind.replace(' ', '_')}")(first, q, classes)
        if self.chance(0.2):
            loss += f" + 0.1 * {self.expression((), 2)}"
        return loss

    def _named(self, text: str, shape: Shape) -> str:
        """The text, or a node that has it."""
        return self.equation(self.fresh("o"), text, shape) if self.chance(0.6) else text

    def _loss_softmax(self, _first: str, q: str, classes: int) -> str:
        o = self._named(f"softmax({self._named(q, (classes,))})", (classes,))
        loss = f"cross_entropy({o}, {self._target(classes)})"
        if o in self.ready and self.chance(0.3):
            loss += f" + {self.pick(['0.5 * ', ''])}cross_entropy({o}, {self._target(classes)}) * {self.parameter(())}"
        if o in self.ready and self.chance(0.3):
            loss += f" + dot({o}, {self.parameter((classes,))})"
        return loss

    def _target(self, classes: int) -> str:
        if self.chance(0.5):
            name = self.fresh("y")
            group, lead = self.pick(
                [(self.constants, ()), *([(self.inputs, (self.steps,))] if self.with_inputs else [])]
            )
            group[name] = np.asarray(self.rng.integers(0, classes, size=lead))
            return name
        name = self.fresh("y")
        share = self.rng.random(size=classes) + 0.1
        self.constants[name] = share / share.sum() if self.chance(0.7) else share
        return name

    def _loss_plain(self, _first: str, q: str, classes: int) -> str:
        return f"cross_entropy({self._named(f'sigmoid({q})', (classes,))}, {self._target(classes)})"

    def _loss_squared(self, _first: str, q: str, classes: int) -> str:
        return f"squared_error({self._named(q, (classes,))}, {self.expression(self.pick([(), (classes,)]), 0)})"

    def _loss_binary(self, _first: str, q: str, classes: int) -> str:
        o = self._named(f"sigmoid({q})", (classes,))
        shape = self.pick([(), (classes,)])
        if self.chance(0.5):
            y = self._named(f"sigmoid({self.expression(shape, 1)})", shape)
        else:
            y = self.fresh("y")
            self.constants[y] = self.rng.random(size=shape).round(int(self.rng.integers(0, 3)))
        return f"binary_cross_entropy({o}, {y})"

    def _loss_scalar(self, first: str, _q: str, _classes: int) -> str:
        return f"{self._carried(first, self.core[first], ())} + {self.expression((), 1)}"

    def _loss_one_logit(self, first: str, _q: str, _classes: int) -> str:
        self.constants["y0"] = 0
        o = self._named(f"softmax({self._carried(first, self.core[first], ())})", ())
        return f"cross_entropy({o}, y0) + {self._loss_scalar(first, '', 0)}"

    def _with_values(self, equations: tuple[str, ...]) -> Case:
        case = Case(
            equations, self.parameters, self.inputs, {}, self.constants, self.steps, self.loss_at, self.reduction
        )
        read = {name.name for target in case.parsed for name in case.reads(target)}
        groups = [
            {k: v for k, v in group.items() if k in read} for group in (self.parameters, self.inputs, self.constants)
        ]
        initial = {}
        for name, depth in case.depth.items():
            shape = {**self.core, **self.ready}.get(
                name, np.shape(self.inputs[name])[1:] if name in self.inputs else None
            )
            if depth and shape is not None:
                lead = (depth,) if depth > 1 else ()
                initial[name] = np.asarray(0.5 * self.rng.normal(size=(*lead, *shape)))
        return Case(equations, groups[0], groups[1], initial, groups[2], self.steps, self.loss_at, self.reduction)
