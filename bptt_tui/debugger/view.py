"""Everything one screen shows at one position, as immutable data.

A `View` is made by `Debugger` for every position and drawn by anybody: the Textual screens, the headless runner,
the snapshot exporter. It is cheap: the small parts (the node pane) are built at once, the parts that grow with
the number of timesteps (`Graph`, `Contributions`, `Chain`) answer for one cell, one row or one factor at a time,
from the trace that they share. Two rules hold everywhere:

- **Unknown is not zero.** What has not been computed at this position is `NOT_YET`; what does not exist at all (a
  node the loss does not depend on, a parameter not used at this timestep) is `ABSENT`. What predict mode asks for is
  `HIDDEN`, with everything that would give it away.
- **Names are text.** Labels and remarks are plain strings with nothing escaped; whoever draws them sanitises them
  and never reads them as markup.

Values are floats or float arrays of the shape of what they are: `()`, `(n,)` or `(m, n)`. Jacobians are 2-D, rows ×
columns, numerator layout.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Shape
from bptt_tui.session.format import Chapter, Note
from bptt_tui.trace.health import Phase

if TYPE_CHECKING:
    from bptt_tui.derivation.judging.verdict import Verdict

Value = NDArray[np.float64]
Scale = Literal["ok", "zero", "subnormal", "underflow", "saturated", "overflow", "nan"]


class Missing(enum.Enum):
    """Why there is no value to show."""

    NOT_YET = "not yet"
    ABSENT = "–"
    HIDDEN = "?"


NOT_YET = Missing.NOT_YET
ABSENT = Missing.ABSENT
HIDDEN = Missing.HIDDEN
Shown = Value | Missing


class Ref(Struct, frozen=True):
    """A node `s[1]`, an initial value `s[-1]`, an input `x[0]`, a constant or a use `u[1]`, as read at one timestep.

    `t` is the timestep, or None for the total of several loss steps. `label` is what the screen prints: `s₁`, and
    plain `q` for a node that exists at one timestep only.
    """

    name: str
    t: int | None
    label: str
    kind: Literal["node", "total", "use", "initial", "input", "constant"]


class Factor(Struct, frozen=True):
    """One local partial, ∂consumer/∂source.

    `symbol` is the derivative as a formula with timesteps put in (`1 − s₁²`, `w`, `diag(o) − o·oᵀ`). `shape` is
    the Jacobian's, rows × columns: the sizes of consumer and source. `value` is the dense Jacobian of that shape,
    or None where it would have more than `DENSE_LIMIT` entries. `running` is ∂E/∂consumer · this factor, in the
    source's shape: NOT_YET until this position has taken the factor. `branches` counts the consumers of
    `consumer`: above 1, the running product starts again from their sum.
    """

    title: str
    consumer: Ref
    source: Ref
    symbol: str
    latex: str
    shape: tuple[int, int]
    value: Value | None
    running: Shown
    current: bool
    branches: int = 1


DENSE_LIMIT = 4096


class Inflow(Struct, frozen=True):
    """One edge's arrival at a node going backward: ∂E/∂consumer · local partial, number `number` of `of`."""

    number: int
    of: int
    adjoint: Shown
    factor: Factor
    product: Shown


class Pane(Struct, frozen=True):
    """The node (or use) that the last step computed, with everything that went into it.

    Forward: `equation` with timesteps (`s₀ = tanh(z₀)`), `substituted` with numbers put in
    (`s₀ = tanh(0.58) = 0.522665`), `value`, and `partials`, the local partials by everything it reads. Backward:
    `title` is `∂E/∂s₀`; the `inflows` that sum to `adjoint` (NOT_YET while an inflow is missing), and `prediction`, a
    sentence saying what nudging it by a small step does to the loss. For a use, `adjoint` is the contribution and
    `so_far` the sum of the contributions taken, with `of_total` as "1 of 2".
    """

    ref: Ref
    title: str
    equation: str
    substituted: str
    value: Shown
    shape: Shape
    partials: tuple[Factor, ...]
    inflows: tuple[Inflow, ...]
    adjoint: Shown
    so_far: Shown
    of_total: str
    prediction: str
    remarks: tuple[str, ...]


class Cell(Struct, frozen=True):
    """One node of the unrolled graph: its value and ∂E/∂node as far as known here. `flag` marks trouble.

    `pinned`: it is held at its value, its equation is not evaluated. `stop`: an enabled breakpoint names it
    and may stop there, as far as its condition speaks of the timestep and the phase.
    """

    ref: Ref
    value: Shown
    adjoint: Shown
    current: bool
    flag: Scale
    pinned: bool = False
    stop: bool = False


class Edge(Struct, frozen=True):
    """`source` feeds `consumer`; `lag` timesteps lie between them. `taken`: the backward pass has used it."""

    source: Ref
    consumer: Ref
    lag: int
    taken: bool


class Graph(Protocol):
    """The unrolled network: one row per equation (loss first), one column per timestep `first` … `last`.

    `first` is negative where initial values are read: columns -1, -2 … hold cells of kind "initial".
    """

    @property
    def rows(self) -> tuple[str, ...]:
        """Equation names, the loss on top; the total of several loss steps, if there is one, comes first of all."""

    @property
    def first(self) -> int: ...

    @property
    def last(self) -> int: ...

    def cell(self, row: int, t: int) -> Cell | Missing:
        """The node of `rows[row]` at `t`; ABSENT where the loss does not depend on it."""

    def edges(self) -> tuple[Edge, ...]:
        """The current node's edges: to its sources, and to its consumers."""

    def links(self) -> tuple[tuple[int, int, int], ...]:
        """The edges between timesteps as (source row, consumer row, lag ≥ 1): s → b with lag 1."""


class Chain(Protocol):
    """The factors from E down to the current node or use, along one path. Empty in the forward phase."""

    @property
    def title(self) -> str:
        """`∂E/∂s₀`."""

    @property
    def note(self) -> str:
        """Which of several paths this is, or an empty string."""

    @property
    def complete(self) -> bool:
        """False where the path is longer than `factors` ever gives (256)."""

    def factors(self, limit: int) -> Sequence[Factor]:
        """The last `limit` factors, in order from E; the current one is last."""


class Contribution(Struct, frozen=True):
    """One use's term ∂E/∂u_t. `current`: the step just taken computed it."""

    ref: Ref
    value: Shown
    current: bool


class Contributions(Protocol):
    """The table ∂E/∂p_t: one row per parameter, one column per timestep, and the sum of the terms taken so far."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Parameter names, in the order of the session."""

    @property
    def steps(self) -> int:
        """T; columns are 0 … T-1."""

    def label(self, row: int) -> str:
        """`∂E/∂u`."""

    def parameter(self, row: int) -> Value:
        """The parameter's own value."""

    def cell(self, row: int, t: int) -> Contribution | Missing:
        """ABSENT where the parameter is not used at t."""

    def so_far(self, row: int) -> Shown:
        """The sum of the terms taken at this position, in the order taken; NOT_YET before the first, ABSENT where
        there is none to take."""

    def progress(self, row: int) -> tuple[int, int]:
        """(terms taken, terms there are)."""


class Strip(Struct, frozen=True):
    """‖∂E/∂node_t‖ over time for the recurrent node `name`; entries before `known_from` are not yet computed.

    The node exists from `first` to before `stop`; elsewhere its norms are nan.
    """

    name: str
    label: str
    norms: Value
    known_from: int
    first: int
    stop: int


class Question(Struct, frozen=True):
    """What predict mode asks at this position: `text` is `∂s₁/∂z₁ = ?`, `tries` counts the wrong answers to it.

    `shape` is that of the answer.
    """

    text: str
    kind: Literal["value", "factor", "contribution"]
    tries: int
    shape: Shape


class Compared(Struct, frozen=True):
    """The loss or one ∂E/∂p, before an edit and after it; ABSENT where there is no such parameter.

    `relative` is the difference by the size of what was before: (after − before)/|before| of a number,
    ‖after − before‖/‖before‖ of an array; None where nothing can be said.
    """

    label: str
    before: Shown
    after: Shown
    difference: Shown
    relative: float | None = None


class Comparison(Struct, frozen=True):
    """What edits have done to the loss and the whole gradient; `edit` says in words what was changed."""

    edit: str
    loss: Compared
    rows: tuple[Compared, ...]


class BreakpointRow(Struct, frozen=True):
    """A breakpoint or watch: its number, its text as given, and how often it was hit. `here`: it is met here."""

    number: int
    kind: Literal["breakpoint", "watch", "until"]
    text: str
    enabled: bool
    hits: int
    here: bool


class Exhibit(Struct, frozen=True):
    """What the last command asked to see in full: a part of `Debugger.sums`, as the command named it.

    `mask` is ("window", k) or ("chunks", k); `node` and `t` say what a build-up is of, and where chains lead to (a
    parameter for a use); `loss` and `number` (from 0) which of the chains.
    """

    part: Literal["table", "knobs", "buildup", "chains"]
    parameter: str = ""
    entry: tuple[int, ...] | None = None
    mask: tuple[str, int] | None = None
    node: str = ""
    t: int | None = None
    loss: int | None = None
    number: int | None = None


class View(Struct, frozen=True):
    """One position, all there is to draw.

    `position` counts the steps taken, of `last`; `factor` the inflows taken of the next step, of `factors`. With
    factors taken, `phase`, `t`, `pane` and `chain` are of that next step. `notes` are those pinned to this position,
    Markdown; `chapter` is the one it lies in; `all_notes` and `chapters` are the whole lesson's.
    `question` is what predict mode asks here. `stopped` is why
    a run ended here: `breakpoint 2 at ∂E/∂s₃: abs(prod) = 3.1e-07`; `displays` are the lines of displayed expressions.
    `strips` are of all recurrent nodes, in the network's order. `verdict` is of the formula that the command judged.
    """

    title: str
    phase: Phase
    position: int
    factor: int
    factors: int
    last: int
    forward_steps: int
    t: int | None
    steps: int
    pane: Pane | None
    graph: Graph
    chain: Chain
    contributions: Contributions
    strips: tuple[Strip, ...]
    loss: Shown
    remarks: tuple[str, ...]
    message: str
    recording: int
    notes: tuple[str, ...] = ()
    chapter: str = ""
    all_notes: tuple[Note, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    question: Question | None = None
    comparison: Comparison | None = None
    stopped: str = ""
    displays: tuple[str, ...] = ()
    breakpoints: tuple[BreakpointRow, ...] = ()
    exhibit: Exhibit | None = None
    verdict: Verdict | None = None

    @property
    def has_notes(self) -> bool:
        """Whether the session has any note or chapter."""
        return bool(self.all_notes or self.chapters)

    @property
    def strip(self) -> Strip | None:
        """The strip of the node that carries the recurrence, as h in an LSTM with h and c; None without one."""
        return self.strips[-1] if self.strips else None
