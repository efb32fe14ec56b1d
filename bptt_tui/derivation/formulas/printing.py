"""A formula as it was understood, in clean Unicode: ∂E/∂w = Σₜ ∂E/∂sₜ·∂⁺sₜ/∂w.

One way of writing for every part, whatever way it was typed in, so that a learner sees what was read.
"""

from __future__ import annotations

import re

from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Statement,
    Sum,
    Transpose,
    Value,
)
from bptt_tui.derivation.naming import Naming
from bptt_tui.language.labels import subscript, superscript
from bptt_tui.language.printer import number_text

_SUM, _PRODUCT, _UNARY, _ATOM = 1, 2, 3, 4
_SIGNS = {"as it fits": "·", "matrix": " @ ", "elementwise": " ⊙ "}
_LETTERS = str.maketrans("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LOWERED = frozenset("aehijklmnoprstuvx")


def statement_text(statement: Statement, naming: Naming) -> str:
    """All members, with equals signs between them."""
    return " = ".join(formula_text(member, naming) for member in statement.members)


def formula_text(formula: Formula, naming: Naming) -> str:
    """A formula in the names of its network."""
    return _Writer(naming).write(formula, 0)


class _Writer:
    """Writes parts in brackets where they bind less than `needed`."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming

    def write(self, formula: Formula, needed: int) -> str:
        text, binds = self._written(formula)
        return f"({text})" if binds < needed else text

    def _written(self, formula: Formula) -> tuple[str, int]:
        match formula:
            case Number(value=value):
                return number_text(value, "unicode"), _ATOM if value >= 0 else _SUM
            case Value(name=name, t=t):
                return self._value(name, t), _ATOM
            case Partial(above=above, below=below, reading=reading):
                return self._partial(above, below, reading), _ATOM
            case Sum(variable=variable, body=body, first=first, last=last):
                return f"Σ{_bounds(variable, first, last)} {self.write(body, _PRODUCT)}", _SUM
            case Product(variable=variable, body=body, first=first, last=last):
                return f"Π{_bounds(variable, first, last)} {self.write(body, _PRODUCT)}", _SUM
            case Add(terms=terms):
                return self._added(terms), _SUM
            case Negate(operand=operand):
                return f"−{self.write(operand, _PRODUCT)}", _SUM
            case Multiply(factors=factors, joins=joins):
                # ⊙ binds looser than the other signs where it is read, so its operands may be products.
                loose = "elementwise" in joins
                parts = [self.write(factor, _UNARY if not loose else _PRODUCT) for factor in factors]
                signs = ["", *(_SIGNS[join] for join in joins)]
                return "".join(sign + part for sign, part in zip(signs, parts, strict=True)), _PRODUCT
            case Divide(top=top, bottom=bottom):
                return f"{self.write(top, _UNARY)}/{self.write(bottom, _ATOM)}", _PRODUCT
            case Power(base=base, exponent=exponent):
                return self._power(base, exponent), _ATOM
            case Transpose(operand=operand):
                # ∂a/∂bᵀ would read as a partial by bᵀ.
                inner = self.write(operand, _ATOM)
                return f"({inner})ᵀ" if isinstance(operand, Partial) else f"{inner}ᵀ", _ATOM
            case Call(function=function, arguments=arguments):
                return self._call(function, arguments), _PRODUCT if _is_outer(formula) else _ATOM
            case Entry(operand=operand, indices=indices):
                return f"{self.write(operand, _ATOM)}[{', '.join(self.write(index, 0) for index in indices)}]", _ATOM
        raise TypeError(f"no way to write {type(formula).__name__}")

    def _value(self, name: str, t: Moment | None) -> str:
        if t is None:
            return name
        if t.variable:
            return name + _moment_below(t)
        naming = self._naming
        return naming.use(name, t.offset) if naming.is_parameter(name) else naming.node(name, t.offset)

    def _partial(self, above: Value, below: Value, reading: str) -> str:
        plus = "⁺" if reading == "immediate" else ""
        d = "d" if reading == "total" else "∂"
        return f"{d}{plus}{self.write(above, _ATOM)}/{d}{self.write(below, _ATOM)}"

    def _added(self, terms: tuple[Formula, ...]) -> str:
        texts: list[str] = []
        for at, term in enumerate(terms):
            negative = isinstance(term, Negate)
            inner = term.operand if isinstance(term, Negate) else term
            # A sum over time takes in everything behind it, so only the last term goes without brackets.
            last = isinstance(inner, Sum | Product) and at == len(terms) - 1
            text = self.write(inner, _SUM if last else _PRODUCT)
            texts.append((f" {'−' if negative else '+'} " if at else "−" if negative else "") + text)
        return "".join(texts)

    def _power(self, base: Formula, exponent: Formula) -> str:
        raised = self.write(exponent, 0).replace("−", "-")
        power = superscript(raised) if re.fullmatch(r"-?\d+", raised) else f"^({self.write(exponent, 0)})"
        inner = self.write(base, _ATOM)
        return f"({inner}){power}" if isinstance(base, Partial) else f"{inner}{power}"

    def _call(self, function: str, arguments: tuple[Formula, ...]) -> str:
        if function in ("eye", "ones") and not arguments:
            return "I" if function == "eye" else "𝟏"
        if function == "outer" and len(arguments) == 2:
            return f"{self.write(arguments[0], _UNARY)} ⊗ {self.write(arguments[1], _UNARY)}"
        inside = ", ".join(self.write(argument, 0) for argument in arguments)
        return f"{function.replace(chr(39), '′')}({inside})"


def _is_outer(formula: Formula) -> bool:
    return isinstance(formula, Call) and formula.function == "outer" and len(formula.arguments) == 2


def _bounds(variable: str, first: Moment | None, last: Moment | None) -> str:
    """ₜ, ₜ₌₀¹, or (t = 0 … k − 1) where a bound is no number."""
    if first is None and last is None:
        return _below(variable)
    if all(bound is None or not bound.variable for bound in (first, last)):
        begin = f"₌{subscript(first.offset)}" if first is not None else ""
        return _below(variable) + begin + (superscript(str(last.offset)) if last is not None else "")
    ends = ["" if bound is None else _moment(bound) for bound in (first, last)]
    return f"({variable} = {ends[0]} … {ends[1]})"


def _moment(t: Moment) -> str:
    if not t.variable:
        return str(t.offset).replace("-", "−")
    sign = "+" if t.offset > 0 else "−"
    return f"{t.variable} {sign} {abs(t.offset)}" if t.offset else t.variable


def _moment_below(t: Moment) -> str:
    """ₜ₋₁ behind a name."""
    shift = "" if not t.offset else ("₊" if t.offset > 0 else "") + subscript(t.offset)
    lowered = _below(t.variable)
    return lowered + (shift if not lowered.startswith("_") else f"{t.offset:+d}" if t.offset else "")


def _below(variable: str) -> str:
    return variable.translate(_LETTERS) if set(variable) <= _LOWERED else f"_{variable}"
