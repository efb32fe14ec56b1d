"""What a judgement says: of the formula, of every member of its equalities, of every term and factor.

Plain data, made by `judge` and drawn by the command line, the screen and the exported document.

    right         an identity: equal at the session's numbers and at random draws of all values
    wrong         not equal at the session's numbers
    coincidence   equal at the session's numbers, not in general: `why` names what makes it so (s₋₁ = 0)
    shapes        the factors cannot be multiplied as written: `ledger` shows every factor's shape
    unknown       no number to compare: a value is not finite, or the partial does not exist at a kink
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.derivation.formulas.tree import Span, Statement

Array = NDArray[Any]

Outcome = Literal["right", "wrong", "coincidence", "shapes", "unknown"]
TermOutcome = Literal["right", "wrong", "missing", "extra", "shapes", "unknown"]
FactorOutcome = Literal["right", "missing", "extra", "wrong", "transposed", "misplaced"]


class Slip(Struct, frozen=True):
    """A mistake by its name. `kind` is a key of `SLIPS`; `sentence` says it with the names of this formula."""

    kind: str
    sentence: str


class FactorVerdict(Struct, frozen=True):
    """A factor of a term beside the one that belongs there.

    `written` is "" for a missing one and `span` None; `due` is "" for an extra one: ∂s₁/∂z₁. `formula` is what the due
    one is: 1 − s₁². `place` is what the debugger's `goto` takes to the factor, "" where there is no such place.
    """

    outcome: FactorOutcome
    written: str
    due: str
    formula: str = ""
    span: Span | None = None
    place: str = ""


class TermVerdict(Struct, frozen=True):
    """A term of the member beside the contribution it stands for.

    `of` names the contribution or group of chains: ∂E/∂w₀; `t` is its timestep, None where it has none. `written` is
    the term as read, "" for a missing one. `value` and `due` are numbers at the session's values, None where there is
    none. `place` is what `goto` takes to the contribution.
    """

    outcome: TermOutcome
    of: str
    t: int | None
    written: str
    sentence: str
    span: Span | None = None
    value: Array | None = None
    due: Array | None = None
    factors: tuple[FactorVerdict, ...] = ()
    place: str = ""


class LedgerLine(Struct, frozen=True):
    """A factor of a product with its shape, rows × columns, and `breaks` where it does not fit the one before."""

    written: str
    shape: tuple[int, int]
    span: Span | None = None
    breaks: bool = False
    remark: str = ""


class Ledger(Struct, frozen=True):
    """The shapes of a product's factors in their order; `advice` is the right order or transpose, and why."""

    lines: tuple[LedgerLine, ...]
    advice: str


class EntryVerdict(Struct, frozen=True):
    """A wrong entry of an array of numbers: `index` without the axes of length 1, () of a single number; `remark` is
    what is the matter with it, "" where nothing is known: "the sign is wrong"."""

    index: tuple[int, ...]
    value: float
    due: float
    span: Span | None = None
    remark: str = ""


class MemberVerdict(Struct, frozen=True):
    """One member of the equalities against the left side.

    `readings` tell how it was read where there was a choice: "∂s₁/∂u₁ with s₀ held". `value` and `due` are the
    member's and the true number, None where there is none; `why` is the reason of a coincidence or of an unknown, as it
    follows "because": s₋₁ = 0. `entries` are the wrong ones of an array of numbers.
    """

    outcome: Outcome
    written: str
    span: Span
    sentence: str
    readings: tuple[str, ...] = ()
    value: Array | None = None
    due: Array | None = None
    why: str = ""
    terms: tuple[TermVerdict, ...] = ()
    slips: tuple[Slip, ...] = ()
    ledger: Ledger | None = None
    entries: tuple[EntryVerdict, ...] = ()


class Verdict(Struct, frozen=True):
    """The whole formula: `outcome` is that of the worst member; `left` is the left side as read: ∂E/∂w."""

    statement: Statement
    left: str
    outcome: Outcome
    sentence: str
    members: tuple[MemberVerdict, ...]

    @property
    def holds(self) -> bool:
        """Whether every member is right."""
        return self.outcome == "right"
