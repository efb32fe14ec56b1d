"""Which slip a wrong factor shows: the change that makes a term right, called by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import children
from bptt_tui.derivation.formulas.tree import Add, Formula, Negate, Number, Partial, Power, Sum, Transpose, Value
from bptt_tui.derivation.formulas.tree import Product as ProductOverTime
from bptt_tui.derivation.formulas.writing import write
from bptt_tui.derivation.judging.candidates import Candidate, differences, of_edge, slope_of
from bptt_tui.derivation.judging.edits import Edit, Measured, moments_of
from bptt_tui.derivation.judging.samples import Edge, Key, Samples, Stack
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import same
from bptt_tui.derivation.judging.terms import Factor
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import Slip
from bptt_tui.language import Call as Operation
from bptt_tui.language import Name
from bptt_tui.language.labels import few, superscript


class Named(NamedTuple):
    """A change of one factor as a slip, and the factor's part in it."""

    slip: Slip
    outcome: str
    written: str
    due: str
    formula: str
    factor: int | None
    place: str
    # Of several: the others that are missing, and the other factors that show the slip.
    missing: tuple[Candidate, ...] = ()
    factors: Sequence[int] = ()


def name_of(edit: Edit, product: Measured, truth: Truth, where: str) -> Named:
    """Which slip a change shows, and how it is said."""
    return _Naming(edit, product, truth, where).named()


def place_of(product: Measured, index: int, spelling: Spelling) -> str:
    """What `goto` takes to a partial that is written as a factor; "" for other factors and where there is none."""
    factor = product.term.factors[index]
    if not isinstance(factor.formula, Partial):
        return ""
    key = product.evaluator.key
    return spelling.place(key(factor.formula.above, factor.env), key(factor.formula.below, factor.env))


class _Naming:
    def __init__(self, edit: Edit, product: Measured, truth: Truth, where: str) -> None:
        self.edit = edit
        self.product = product
        self.truth = truth
        self.where = where
        self.samples = truth.samples
        self.spelling = truth.spelling

    def written(self, index: int) -> str:
        """The factor as spelled in a verdict."""
        return self.spelling.factor(self.product.term.factors[index])

    def named(self) -> Named:
        """By the kind of change."""
        rules = {
            "missing": self._missing, "missing two": self._missing_two,
            "extra": self._extra, "extra two": self._extra_two,
            "doubled": self._doubled, "replaced": self._replaced, "shifted": self._shifted, "sign": self._sign,
            "scale": self._scale, "transposed": self._transposed, "order": self._order, "turned": self._turned,
            "join": self._join, "diagonal": self._diagonal, "every step": self._every_step, "power": self._power,
        }  # fmt: skip
        found = rules[self.edit.change]()
        if self.edit.change == "replaced" and self.edit.run:
            return found._replace(factors=[index for index in self.edit.run if index != self.edit.index], due="")
        return found

    def _result(self, kind: str, outcome: str, index: int | None, due: Candidate | None = None, **names: str) -> Named:
        written = "" if index is None else self.written(index)
        given = {"where": self.where, "written": written, "due": due.equality if due else "", **names}
        place = due.place if due else self._place(index)
        text, formula = (due.text, due.formula) if due else (names.get("due", ""), "")
        return Named(slip(kind, **given), outcome, written, text, formula, index, place)

    def _place(self, index: int | None) -> str:
        return "" if index is None else place_of(self.product, index, self.spelling)

    # --- one rule per change -------------------------------------------------------------------------------------

    def _missing(self) -> Named:
        due = self.edit.due
        assert due is not None
        if due.edge is not None and due.above is not None and due.below is not None:
            ends = self._ends(due, due.above, due.below)
            if due.function:
                return self._result("slope missing", "missing", None, due, **ends)
            if is_recurrent_weight(self.samples, due):
                return self._result("weight missing", "missing", None, due, **ends)
        return self._result("factor missing", "missing", None, due)

    def _ends(self, due: Candidate, above: Key, below: Key) -> dict[str, str]:
        """What a partial is of and by, and the function between, for a slip's sentence."""
        function, own = due.function, self.spelling.name(below)
        whole = not function or (due.edge is not None and due.kind == "edge" and is_slope(self.samples, due.edge))
        inside = own if whole else f"what {function} is of"
        shown = own if whole else "…"
        return {"above": self.spelling.name(above), "below": shown, "inside": inside, "function": function}

    def _missing_two(self) -> Named:
        assert self.edit.due is not None and self.edit.second is not None
        return self._result("factors missing", "missing", None, self.edit.due, second=self.edit.second.equality)

    def _extra(self) -> Named:
        index = self.edit.index
        factor = self.product.term.factors[index]
        gaps = [i for i, f in enumerate(self.product.term.factors) if self._is_gap(f.formula)]
        squashing = self._squashing(index) if gaps else None
        if squashing is not None:
            logits = self.spelling.ends(squashing)[1]
            above = self.spelling.name(self.truth.above) if self.truth.above else "E"
            function = _operation(self.samples, squashing)
            whole = self.spelling.naming.partial(above, self.spelling.name(logits))
            if not _is_plain(self.samples, squashing):
                whole = f"the gradient by what {function} is of"
            gap = self.written(gaps[0])
            return self._result("softmax twice", "extra", index, gap=gap, whole=whole, function=function)
        if self._is_bias() and not isinstance(factor.formula, Partial):
            return self._result("bias", "extra", index)
        return self._result("factor extra", "extra", index)

    def _extra_two(self) -> Named:
        other = self.written(int(self.edit.ratio))
        return self._result("factors extra", "extra", self.edit.index, second=other)

    def _doubled(self) -> Named:
        return self._result("factor doubled", "extra", self.edit.index)

    def _replaced(self) -> Named:
        due, index = self.edit.due, self.edit.index
        assert due is not None
        factor, stack = self.product.term.factors[index], self.product.stacks[index]
        if due.edge is not None and due.above is not None and due.below is not None:
            if due.function:
                kind, other = self._wrong_slope(due, stack, due.function)
                if kind:
                    ends = self._ends(due, due.above, due.below)
                    return self._result(kind, "wrong", index, due, other=other, **ends)
            if _operation(self.samples, due.edge) == "softmax" and (
                _is_diagonal_of(stack, due.value) or _fits(stack, self.samples.value(*due.above))
            ):
                return self._result("softmax diagonal", "wrong", index, due)
        if _fits(-stack, due.value):
            of_loss = due.above is not None and due.above[0] == self.samples.network.loss_name
            kind = "loss sign" if of_loss else "sign"
            return self._result(kind, "wrong", index, due)
        ts = moments_of(factor)
        if ts and _about(factor.formula) & _due_names(due) and due.below is not None and due.below[1] not in ts:
            if isinstance(factor.formula, Value):
                if not _is_plainly(due, factor.formula.name):
                    return self._result("factor wrong", "wrong", index, due)
                return self._result("index off by one", "misplaced", index, due, shift="one")
            return self._result("other timestep", "misplaced", index, due)
        return self._result("factor wrong", "wrong", index, due)

    def _wrong_slope(self, due: Candidate, stack: Stack, function: str) -> tuple[str, str]:
        """Which wrong slope a factor is: of another function, at the wrong value, or no slope at all."""
        after, before = due.after, due.before
        assert after is not None and before is not None
        for other, slope in _SLOPES.items():
            at_z = slope(_FUNCTIONS[other](before))
            if other != function and (_fits(stack, slope(after)) or _fits(stack, at_z)):
                return "slopes swapped", other
        if function in _SLOPES and _fits(stack, _SLOPES[function](before)):
            return "slope at z", ""
        if function in _SLOPES and _fits(stack, _SLOPES[function](_FUNCTIONS[function](after))):
            return "slope at s", ""
        if _fits(stack, after) or _fits(stack, before):
            return "slope for value", ""
        return "", ""

    def _shifted(self) -> Named:
        index, moved = self.edit.index, self.edit.factor
        assert moved is not None
        factor = self.product.term.factors[index]
        due = self.spelling.factor(moved)
        if isinstance(factor.formula, Sum | ProductOverTime):
            return self._shifted_whole(index, factor, moved)
        gap = abs(min(moments_of(moved), default=0) - min(moments_of(factor), default=0))
        kind = "index off by one" if isinstance(factor.formula, Value) and gap <= 1 else "other timestep"
        result = self._result(kind, "misplaced", index, due=None, shift="one" if gap <= 1 else str(gap))
        sentence = slip(kind, where=self.where, written=result.written, due=due, shift="one" if gap <= 1 else str(gap))
        return result._replace(slip=sentence, due=due)

    def _shifted_whole(self, index: int, factor: Factor, moved: Factor) -> Named:
        """A sum or product over time of which every timestep is another."""
        written, due = (write(one.formula, self.samples.unrolled) for one in (factor, moved))
        result = self._result("other timestep", "misplaced", index)
        sentence = slip("other timestep", where=self.where, written=written, due=due)
        return result._replace(slip=sentence, written=written, due=due)

    def _sign(self) -> Named:
        for index, stack in enumerate(self.product.stacks):
            for loss in [*self._loss_edges(), *differences(self.truth)]:
                if _fits(-stack, loss.value):
                    return self._result("loss sign", "wrong", index, loss)
        return self._result("sign", "wrong", None)

    def _loss_edges(self) -> list[Candidate]:
        """What the loss reads, as far as it is on the way down."""
        below = self.truth.parts[-1].below
        if self.truth.above is None or below is None:
            return []
        loss = self.samples.network.loss
        return [of_edge(self.truth, edge) for edge in self.truth.edges(below) if edge[0] == loss]

    def _scale(self) -> Named:
        # `ratio` is what the term must be multiplied by.
        ratio = self.edit.ratio
        steps, losses = self.samples.unrolled.steps, len(self.samples.unrolled.loss_times)
        if ratio > 1 and round(ratio, 4) in (steps, losses) and self._divides(ratio):
            return self._result("mean for sum", "wrong", None, count=str(round(ratio)))
        if self.samples.network.reduction == "mean" and losses > 1 and abs(ratio * losses - 1) < 1e-4:
            return self._result("sum for mean", "wrong", None, count=str(losses))
        return self._result("doubled", "wrong", None, ratio=_times(1 / ratio))

    def _divides(self, ratio: float) -> bool:
        return any(isinstance(f.formula, Number) for f in self.product.term.factors) or ratio > 2

    def _transposed(self) -> Named:
        return self._result("transposed", "transposed", self.edit.index)

    def _order(self) -> Named:
        i, j = self.edit.index, int(self.edit.ratio)
        return self._result("order", "misplaced", i, second=self.written(min(j, len(self.product.stacks) - 1)))

    def _turned(self) -> Named:
        whole = self.truth.below
        if whole is None or 1 in self.samples.shape(whole[0]):
            return self._order()
        rows, columns = self.samples.shape(whole[0])
        shape, name = f"{rows}×{columns}", self.spelling.name(whole)
        return self._result("outer product turned", "misplaced", self.edit.index, shape=shape, whole=name)

    def _diagonal(self) -> Named:
        index = self.edit.index
        due = f"diag({self.written(index)})"
        found = self._result("diagonal", "wrong", index)
        return found._replace(slip=slip("diagonal", where=self.where, written=found.written, due=due), due=due)

    def _power(self) -> Named:
        index, due = self.edit.index, round(self.edit.ratio)
        power = self.product.term.factors[index].formula
        assert isinstance(power, Power)
        base = self.spelling.factor(replace(self.product.term.factors[index], formula=power.base))
        base = f"({base})" if " " in base or "·" in base else base
        written = float(self.product.evaluator.value(power.exponent, self.product.term.factors[index].env)[0, 0, 0])
        side = f"{_count(abs(round(written) - due))} too {'high' if written > due else 'low'}"
        text = "1" if due == 0 else base if due == 1 else f"{base}{superscript(str(due))}"
        found = self._result("power", "wrong", index, side=side)
        return found._replace(
            slip=slip("power", where=self.where, written=found.written, due=text, side=side), due=text
        )

    def _join(self) -> Named:
        index = self.edit.index
        elementwise = self.product.term.group.by_entries
        right = "entry by entry, where the matrix product belongs"
        manner = right if elementwise else "as matrices, where entry by entry is meant"
        return self._result(
            "elementwise",
            "wrong",
            index,
            second=self.written(min(index + 1, len(self.product.stacks) - 1)),
            manner=manner,
        )

    def _every_step(self) -> Named:
        """The same slip at every step of a chain."""
        edit, due = self.edit, self.edit.due
        assert due is not None and due.above is not None and due.below is not None
        slopes = [slope.equality for slope in edit.slopes]
        lowest = self.truth.below
        if lowest is None or lowest[1] is None or lowest[1] <= (due.below[1] or 0):
            lowest = due.below
        ends = {"above": self.spelling.name(due.above), "below": self.spelling.name(lowest)}
        missing = {"due": few(slopes), **ends}
        step = {"due": self._one_step(due.above), **ends}
        last, first = (edit.slopes[0], edit.slopes[-1]) if slopes else (due, due)
        of_it = {"due": f"{last.equality}, … {first.equality}" if len(slopes) > 1 else due.text, **ends}
        kind, names, outcome = {
            "slopes": ("slopes missing", missing, "missing"),
            "both": ("steps bare", missing, "missing"),
            "weights": ("weights missing", step, "missing"),
            "transposed": ("steps transposed", step, "transposed"),
            "order": ("steps turned", step, "misplaced"),
            "frozen": ("one step for all", missing, "misplaced"),
            "shifted": ("steps shifted", {"side": "before" if edit.ratio < 0 else "after", **of_it}, "misplaced"),
            "swapped": ("slopes swapped", self._other_slope(last, ends), "wrong"),
        }[edit.kind]
        found = slip(kind, **{"where": self.where, **names})
        if outcome == "missing":
            lacking = edit.slopes if kind != "weights missing" else (due,)
            return Named(found, outcome, "", lacking[0].text, lacking[0].formula, None, lacking[0].place, lacking[1:])
        concerned = [i for i in edit.run if self._concerned(i, outcome)] or list(edit.run)
        return Named(found, outcome, self.written(edit.run[0]), "", "", concerned[0], due.place, (), concerned[1:])

    def _concerned(self, index: int, outcome: str) -> bool:
        """Whether a factor of a run shows the slip: a weight that is not transposed, a slope of another timestep."""
        factor = self.product.term.factors[index]
        if outcome == "transposed":
            return not moments_of(factor)
        states = {slope.above[0] for slope in self.edit.slopes if slope.above is not None}
        return bool(moments_of(factor)) and bool(_about(factor.formula) & states)

    def _one_step(self, above: Key) -> str:
        """∂h₃/∂h₂ = diag(1 − h₃²) · Whh, as an example."""
        name, t = above
        for edge, below in self.samples.reads(name, t or 0):
            if below == (name, (t or 0) - 1):
                return self.spelling.equality(edge)
        below = (name, (t or 0) - 1)
        edges = [e for e in self.truth.edges_at([t or 0]) if self.spelling.ends(e)[1][0] in self.samples.network.index]
        inside = [
            e
            for e in edges
            if np.any(self.samples.partial(above, self.spelling.ends(e)[0]))
            and np.any(self.samples.partial(self.spelling.ends(e)[1], below))
        ]
        formulas = [f for e in inside if (f := self.spelling.formula(e)) not in ("1", "I")]
        return f"{self.spelling.partial(above, below)} = {'·'.join(f'({f})' if ' ' in f else f for f in formulas)}"

    def _other_slope(self, slope: Candidate, ends: dict[str, str]) -> dict[str, str]:
        function = slope.function
        other = {"tanh": "sigmoid", "sigmoid": "tanh"}.get(function, "another function")
        when = slope.above[1] if slope.above is not None else None
        concerned = [i for i in self.edit.run if self._concerned(i, "wrong")]
        own = [i for i in concerned if when in moments_of(self.product.term.factors[i])]
        index = (own or concerned or [self.edit.run[0]])[0]
        return {
            "written": self.written(index), "other": other, "function": function, "due": slope.equality,
            "above": self.spelling.name(slope.above) if slope.above else ends["above"], "below": "…",
        }  # fmt: skip

    # --- what a factor is ----------------------------------------------------------------------------------------

    def _squashing(self, index: int) -> Edge | None:
        """The edge of softmax, or of the sigmoid before a loss, whose derivative a factor is."""
        below = self.truth.parts[-1].below
        if self.truth.above is None or below is None:
            return None
        stack = self.product.stacks[index]
        read = {by.name for by in self.samples.network.reads[self.samples.network.loss]}
        for edge in self.truth.edges(below):
            above = self.samples.network.targets[edge[0]]
            if above in read and _operation(self.samples, edge) in ("softmax", "sigmoid"):
                jacobian, o = self.samples.jacobian(edge), self.samples.value(above, edge[1])
                slope = _operation(self.samples, edge) == "sigmoid" and _fits(stack, o * (1 - o))
                if slope or _fits(stack, jacobian) or _is_diagonal_of(stack, jacobian):
                    return edge
        return None

    @staticmethod
    def _is_gap(formula: Formula) -> bool:
        """o − y."""
        if isinstance(formula, Transpose):
            formula = formula.operand
        return isinstance(formula, Add) and any(isinstance(term, Negate) for term in formula.terms)

    def _is_bias(self) -> bool:
        below = self.truth.below
        if below is None or below[0] not in self.samples.unrolled.values.parameters or not self.samples.uses(below[0]):
            return False
        use = (below[0], self.samples.uses(below[0])[-1])
        ends = [edge for edge in self.truth.edges(use) if edge[2].name == below[0]]
        return any(_is_one(self.samples.jacobian(edge)) for edge in ends)


_SLOPES: dict[str, Callable[[Stack], Stack]] = {
    "tanh": lambda s: 1 - s**2,
    "sigmoid": lambda s: s * (1 - s),
}
_FUNCTIONS: dict[str, Callable[[Stack], Stack]] = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


def _is_one(value: Stack) -> bool:
    return value.shape[1] == value.shape[2] and bool(np.allclose(value, np.eye(value.shape[1])))


def _fits(stack: Stack, entries: Stack) -> bool:
    """Whether a factor is these entries, as a vector or on a diagonal."""
    if stack.shape == entries.shape:
        return same(stack, entries)
    if stack.shape[1:] == entries.shape[:0:-1]:
        return same(stack.transpose(0, 2, 1), entries)
    n = entries.shape[1]
    return entries.shape[2] == 1 and stack.shape[1:] == (n, n) and same(stack, entries * np.eye(n))


def _is_diagonal_of(stack: Stack, jacobian: Stack) -> bool:
    diagonal = np.diagonal(jacobian, axis1=1, axis2=2)[:, :, None]
    return _fits(stack, diagonal)


def _count(number: int) -> str:
    return {1: "one", 2: "two", 3: "three"}.get(number, str(number))


def _times(ratio: float) -> str:
    if ratio < 0:
        return f"−{_times(-ratio)}"
    if abs(ratio - 2) < 1e-4:
        return "twice"
    return f"{ratio:g} times" if ratio > 1 else f"1/{1 / ratio:g} of"


def _operation(samples: Samples, edge: Edge) -> str:
    expression = samples.network.equations[edge[0]].expression
    return expression.operation if isinstance(expression, Operation) else ""


def _is_plain(samples: Samples, edge: Edge) -> bool:
    """Whether the equation is a function of a name and nothing else."""
    expression = samples.network.equations[edge[0]].expression
    return isinstance(expression, Operation) and isinstance(expression.arguments[0], Name)


def is_slope(samples: Samples, edge: Edge) -> bool:
    """Whether an edge is f′."""
    return bool(slope_of(samples, edge))


def is_recurrent_weight(samples: Samples, due: Candidate) -> bool:
    """Whether an edge leads into the timestep before and is a parameter's value."""
    if due.above is None or due.below is None or due.above[1] is None or due.below[1] is None or due.kind != "edge":
        return False
    return due.below[1] < due.above[1] and due.formula in samples.unrolled.values.parameters


def _about(formula: Formula) -> set[str]:
    """The names in a factor."""
    if isinstance(formula, Value):
        return {formula.name}
    if isinstance(formula, Partial):
        return {formula.above.name, formula.below.name}
    return set().union(*(_about(child) for child in children(formula))) if children(formula) else set()


def _is_plainly(due: Candidate, name: str) -> bool:
    """Whether what is due is that name at some timestep and nothing more: s₀, diag(c₋₁), not diag(h₁) − diag(n₂)."""
    plain = (due.formula or due.text).removesuffix("ᵀ").removeprefix("diag(").removesuffix(")")
    return plain.rstrip("₀₁₂₃₄₅₆₇₈₉₋") == name


def _due_names(due: Candidate) -> set[str]:
    found = {key[0] for key in (due.above, due.below) if key is not None}
    if due.formula:
        stem = due.formula.rstrip("₀₁₂₃₄₅₆₇₈₉₋ᵀ")
        found.add(stem)
    return found
