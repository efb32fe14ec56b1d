"""What a formula consists of: partials, values at timesteps, sums over time, products, and where each stands.

A formula is read against a network: a name in the tree is a name of that network, and its index is settled. Every
part knows its `span`, the characters of the text it was read from, so that a verdict can point at it.

    ∂E/∂w = Σ_t ∂E/∂s_t · ∂⁺s_t/∂w          Statement(members=(Partial, Sum))
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Span = tuple[int, int]

Join = Literal["as it fits", "matrix", "elementwise"]
Meant = Literal["", "immediate", "total"]  # by a partial, as far as the text says


class Moment(Struct, frozen=True):
    """A timestep: `offset` itself, or `variable + offset` inside a sum over that variable."""

    offset: int
    variable: str = ""


class Formula(Struct, frozen=True, tag=True, kw_only=True):
    """Any part of a formula; `span` is (0, 0) in a formula that was made rather than read."""

    span: Span = (0, 0)


class Number(Formula, frozen=True):
    """A number."""

    value: float


class Value(Formula, frozen=True):
    """The value of a name of the network: a node, an input, an initial value, a constant or a parameter.

    `t` is None for a constant, for the total of several losses and for a parameter as a whole; a parameter with a `t`
    is its use at that timestep. A node always has a `t`: the only one there is where the text has none.
    """

    name: str
    t: Moment | None = None


class Time(Formula, frozen=True):
    """A timestep as a number: t and k in the exponent of w^{t−k}."""

    t: Moment


class Partial(Formula, frozen=True):
    """∂above/∂below. `reading` is "immediate" for ∂⁺ and "total" for d where the text tells them apart, else "".

    `below` may be a node, an initial value, an input, a use of a parameter, or a parameter as a whole.
    """

    above: Value
    below: Value
    reading: Meant = ""


class Sum(Formula, frozen=True):
    """Σ over the timesteps `first` … `last` of `variable`; None where the text leaves a bound open: all that exist."""

    variable: str
    body: Formula
    first: Moment | None = None
    last: Moment | None = None


class Product(Formula, frozen=True):
    """Π over the timesteps `first` … `last` of `variable`, bounds as in `Sum`, the latest timestep leftmost.

    So a product of ∂s_k/∂s_{k−1} over k is the chain from the latest node down to the earliest; an empty one is 1.
    """

    variable: str
    body: Formula
    first: Moment | None = None
    last: Moment | None = None


class Add(Formula, frozen=True):
    """Terms added up; a subtracted one is a `Negate`."""

    terms: tuple[Formula, ...]


class Negate(Formula, frozen=True):
    """−operand."""

    operand: Formula


class Multiply(Formula, frozen=True):
    """Factors in the order written. `joins[i]` stands between factors i and i + 1.

    "as it fits" is `*`, `·`, `×` and juxtaposition: the matrix product where the shapes allow it, a scalar times
    anything, else elementwise. `@` is the matrix product, `⊙` and `∘` are elementwise. As `⊙` binds looser than the
    others, the joins read from a text are either all elementwise or none is.
    """

    factors: tuple[Formula, ...]
    joins: tuple[Join, ...]


class Divide(Formula, frozen=True):
    """top / bottom, elementwise where both are arrays."""

    top: Formula
    bottom: Formula


class Power(Formula, frozen=True):
    """base ** exponent, elementwise; `by` "matrix": a square matrix multiplied with itself."""

    base: Formula
    exponent: Formula
    by: Literal["entries", "matrix"] = "entries"


class Transpose(Formula, frozen=True):
    """operandᵀ; a column becomes a row."""

    operand: Formula


class Call(Formula, frozen=True):
    """A function of its arguments: the operations of the language, their slopes `tanh'` and `sigmoid'` (written
    f′(z)), `diag`, `outer`, `kron`, `onehot`, `ones`, `eye`.

    `outer` is a ⊗ b: a·bᵀ of two vectors (or of a column and a row), with a matrix the Kronecker product. `ones()` and
    `eye()`, written 𝟏 and I, have the size that fits where they stand.
    """

    function: str
    arguments: tuple[Formula, ...]


class Entry(Formula, frozen=True):
    """One entry of an array, its indices from 0; an index that is a constant of the network is a class: o[y]."""

    operand: Formula
    indices: tuple[Formula, ...]


class Matrix(Formula, frozen=True):
    """Numbers side by side, row by row, `columns` to a row: [[1, 2], [3, 4]]. A list [1, 2] is a column."""

    entries: tuple[Formula, ...]
    columns: int = 1


class Statement(Struct, frozen=True):
    """A chain of equalities: the first member is what the others are said to equal. At least two members.

    `variables` are timesteps that the left side leaves open, the t of ∂s_t/∂s_{t−1}: it is said of every one.
    """

    text: str
    members: tuple[Formula, ...]
    variables: tuple[str, ...] = ()

    def written(self, part: Formula) -> str:
        """A part as it was written, on one line; empty where it was made rather than read."""
        return " ".join(self.text[slice(*part.span)].split())
