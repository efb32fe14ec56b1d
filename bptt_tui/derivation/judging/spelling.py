"""What parts of a formula, edges and partials are called in a verdict: ∂s₁/∂z₁, 1 − s₁², w₁; and their `goto`."""

from __future__ import annotations

from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.derivation.formulas.parts import array_text, walk
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Join,
    Matrix,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Sum,
    Time,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, moment
from bptt_tui.derivation.judging.grouping import spelled
from bptt_tui.derivation.judging.samples import Edge, Key, Samples
from bptt_tui.derivation.judging.terms import Factor, Term
from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.language import Printer
from bptt_tui.language.labels import superscript
from bptt_tui.language.printer import number_text

_SUM, _PRODUCT, _ATOM = 1, 2, 3
_SIGNS: dict[Join, str] = {"as it fits": "·", "matrix": " @ ", "elementwise": " ⊙ "}


class Spelling:
    """Names for the parts of formulas of one network."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.naming = Naming(samples.unrolled)
        self.partials = Partials(samples.traces[0], self.naming)

    # --- names ---------------------------------------------------------------------------------------------------

    def name(self, key: Key) -> str:
        """A node, input, initial value, use or whole parameter."""
        name, t = key
        if self.samples.key(name, t) == self.samples.total_key:
            return self.naming.total()
        if name in self.samples.unrolled.values.parameters:
            return name if t is None else self.naming.use(name, t)
        return self.naming.node(name, t)

    def partial(self, above: Key, below: Key) -> str:
        """∂above/∂below."""
        return self.naming.partial(self.name(above), self.name(below))

    def edge(self, edge: Edge) -> str:
        """∂s₁/∂z₁ of an edge."""
        return self.partial(*self.ends(edge))

    def ends(self, edge: Edge) -> tuple[Key, Key]:
        """What an edge leads from and to."""
        equation, t, by = edge
        return (self.samples.network.targets[equation], t), (by.name, t + (by.offset or 0))

    def formula(self, edge: Edge) -> str:
        """What an edge is: 1 − s₁²."""
        equation, t, by = edge
        return self.partials.text(equation, t, by)

    def equation(self, name: str, t: int) -> str:
        """What a node is computed from: tanh(z₁)."""
        network = self.samples.network
        expression = network.equations[network.index[name]].expression
        return Printer(NOTATIONS, "unicode", self.naming.leaf(t)).print(expression)

    def equality(self, edge: Edge) -> str:
        """∂s₁/∂z₁ = 1 − s₁²."""
        return f"{self.edge(edge)} = {self.formula(edge)}"

    def place(self, above: Key, below: Key) -> str:
        """What `goto` takes to where ∂E/∂below is computed: its inflow holds the factor ∂above/∂below."""
        name, t = below
        unrolled = self.samples.unrolled
        if t is None or t < 0 or not self.samples.exists(name, t):
            return ""
        if name not in unrolled.values.parameters and name not in self.samples.network.index:
            return ""
        if unrolled.is_pinned(name, t):
            return ""
        loss = self.samples.network.loss_name
        return f"{name}[{t}]" if name == loss else f"d{loss}/d{name}[{t}]"

    # --- formulas ------------------------------------------------------------------------------------------------

    def spell(self, formula: Formula, env: Environment = NOTHING) -> str:
        """A formula in Unicode, with its timesteps put in."""
        return self._spell(formula, env)[0]

    def factor(self, factor: Factor) -> str:
        """One factor."""
        if factor.transposed and isinstance(factor.formula, Transpose):
            return self.factor(Factor(factor.formula.operand, factor.env, False, factor.inverted))
        text, binds = self._spell(factor.formula, factor.env)
        if factor.transposed and not isinstance(factor.formula, Number):
            text, binds = f"{_bracket(text, binds, _ATOM)}ᵀ", _ATOM
        return f"1/{_bracket(text, binds, _ATOM)}" if factor.inverted else text

    def term(self, term: Term) -> str:
        """A whole product."""
        text = spelled(term.group, [self._in_product(factor) for factor in term.factors], _SIGNS)
        return f"−{text}" if term.sign < 0 else text

    def _in_product(self, factor: Factor) -> str:
        if factor.transposed or factor.inverted:
            return self.factor(factor)
        return _bracket(*self._spell(factor.formula, factor.env), _PRODUCT)

    def _spell(self, formula: Formula, env: Environment) -> tuple[str, int]:
        match formula:
            case Number(value=value):
                return number_text(value, "unicode"), _ATOM if value >= 0 else _SUM
            case Value(name=name, t=t):
                return self.name((name, None if t is None else moment(t, env))), _ATOM
            case Time(t=t):
                return str(moment(t, env)).replace("-", "−"), _ATOM
            case Partial(above=above, below=below, reading=reading):
                plus = "⁺" if reading == "immediate" else ""
                return f"∂{plus}{self._spell(above, env)[0]}/∂{self._spell(below, env)[0]}", _ATOM
            case Sum(variable=variable, body=body):
                open_env = {**env}
                open_env.pop(variable, None)
                return f"Σ_{variable} …" if _uses(body, variable) else f"Σ {self._spell(body, env)[0]}", _PRODUCT
            case Product(variable=variable):
                return f"Π_{variable} …", _PRODUCT
            case Add(terms=terms):
                text = self._spell(terms[0], env)[0]
                for term in terms[1:]:
                    negative = isinstance(term, Negate)
                    inner = self._spell(term.operand if isinstance(term, Negate) else term, env)
                    text += f" {'−' if negative else '+'} {_bracket(*inner, _PRODUCT)}"
                return text, _SUM
            case Negate(operand=operand):
                return f"−{_bracket(*self._spell(operand, env), _PRODUCT)}", _SUM
            case Multiply(factors=factors, joins=joins):
                text = _bracket(*self._spell(factors[0], env), _PRODUCT)
                for join, factor in zip(joins, factors[1:], strict=True):
                    text += _SIGNS[join] + _bracket(*self._spell(factor, env), _PRODUCT)
                return text, _PRODUCT
            case Divide(top=top, bottom=bottom):
                return (
                    f"{_bracket(*self._spell(top, env), _PRODUCT)}/{_bracket(*self._spell(bottom, env), _ATOM)}",
                    _PRODUCT,
                )
            case Power(base=base, exponent=exponent):
                raised = self._spell(exponent, env)[0]
                plain = raised.replace("−", "-")
                power = superscript(plain) if plain.lstrip("-").isdecimal() else f"^({raised})"
                return _bracket(*self._spell(base, env), _ATOM) + power, _ATOM
            case Transpose(operand=operand):
                return _bracket(*self._spell(operand, env), _ATOM) + "ᵀ", _ATOM
            case Call(function="eye"):
                return "I", _ATOM
            case Call(function="ones"):
                return "1", _ATOM
            case Call(function=function, arguments=arguments):
                name = function.replace("'", "′")
                return f"{name}({', '.join(self._spell(argument, env)[0] for argument in arguments)})", _ATOM
            case Entry(operand=operand, indices=indices):
                inside = ", ".join(self._spell(index, env)[0] for index in indices)
                return f"{_bracket(*self._spell(operand, env), _ATOM)}[{inside}]", _ATOM
            case Matrix(entries=entries, columns=columns):
                return array_text([self._spell(entry, env)[0] for entry in entries], columns), _ATOM
        return "…", _ATOM


def _bracket(text: str, binds: int, needed: int) -> str:
    return f"({text})" if binds < needed else text


def _uses(formula: Formula, variable: str) -> bool:

    return any(isinstance(part, Value) and part.t is not None and part.t.variable == variable for part in walk(formula))
