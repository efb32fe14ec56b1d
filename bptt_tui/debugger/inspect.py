"""`print EXPR`: expressions over everything known at a position.

The equation language with timesteps as numbers: `s[0]`, s₀ or s_0, `s` (at the present one), `s[t-1]`, `w`, `x[1]`,
`t`; gradients as they are written, `dE/ds[0]`, `dE/du[1]` (a contribution), `dE/du` (the sum so far); local partials
between neighbours, `ds[1]/dz[1]`; `prod`, the running product at the present node. Functions are those of the
equations, and norm, max, min, abs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.operations import FUNCTIONS, OPERATIONS, Operation
from bptt_tui.calculus.shapes import Mismatch
from bptt_tui.debugger.looking import Look, name_at
from bptt_tui.debugger.places import (
    absent,
    implied,
    is_total,
    present,
    timestep,
    unknown,
)
from bptt_tui.debugger.references import Reference, replaced
from bptt_tui.debugger.view import HIDDEN, Missing, Shown
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Call, Expression, Name, Number, parse_expression
from bptt_tui.network.network import did_you_mean

Array = NDArray[Any]

# Of the last `rank` axes; all but abs drop them.
MEASURES: dict[str, Callable[[Array, int], Array]] = {
    "norm": norm,
    "max": lambda x, rank: np.asarray(x.max(axis=tuple(range(-rank, 0)))),
    "min": lambda x, rank: np.asarray(x.min(axis=tuple(range(-rank, 0)))),
    "abs": lambda x, rank: np.abs(x),
}

FIRST_STAND_IN = 0xAC00


class Inspector:
    """Evaluates expressions at one position. `notes` then says what is not whole about the value."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._scene = look.scene
        self._names = look.scene.unrolled.shapes
        self._quantities: dict[str, tuple[str, Array]] = {}
        self.notes: list[str] = []

    def evaluate(self, text: str) -> Array:
        """The value of an expression; CommandError says what is unknown, and where it cannot be read."""
        if not text.strip():
            raise CommandError("nothing to print", hint="print s[0], print dE/dw, print norm(dE/ds[0])")
        readable = replaced(self._names, text, self._take)
        try:
            return self._value(parse_expression(readable))
        except Mismatch as mismatch:
            raise CommandError(str(mismatch), hint=mismatch.hint) from None
        except BpttError as error:
            reason = ": ".join((*error.places, error.reason))
            raise CommandError(self._written(reason), hint=self._written(error.hint)) from None

    # --- quantities: what has an index or is a derivative --------------------------------------------------------

    def _take(self, found: Reference, _column: int) -> str:
        """The name of a quantity in the expression.

        It begins with a Hangul syllable: a letter to the parser, and in hardly any network's names.
        """
        look, below = self._look, found.below
        if found.above is None:
            value = self._node(below.name, timestep(look, below.at))
        else:
            above = found.above
            value = self._derivative(above.name, timestep(look, above.at), below.name, timestep(look, below.at))
        stand_in = chr(FIRST_STAND_IN + len(self._quantities))
        self._quantities[stand_in.ljust(len(found.text), "_")] = found.text, value
        return stand_in

    def _written(self, text: str) -> str:
        """An error's text with the quantities as they were written."""
        for stand_in, (quantity, _) in self._quantities.items():
            text = text.replace(stand_in, quantity)
        return text

    def _node(self, name: str, t: int | None) -> Array:
        """A node's, input's or initial value; `t` None for the total of several losses and what has no timestep."""
        if name not in self._names:
            raise unknown(self._scene, name)
        if self._scene.unrolled.values.kind(name) in ("parameter", "constant"):
            return self._scene.trace.value(name)
        return self._known(self._look.value(name, t), name, t, name)

    def _known(self, value: Shown, name: str, t: int | None, what: str) -> Array:
        """The value, or why there is none: `what` at `t` depends on `name` at `t`."""
        if value is Missing.ABSENT and t is not None:
            raise absent(self._scene, name, t)
        if value is HIDDEN:
            raise _hidden(what if t is None else f"{what}[{t}]")
        if isinstance(value, Missing):
            shown = what if t is None else f"{what}[{t}]"
            computed = self._scene.times(name) is not None and (t is None or t >= 0)
            hint = f"step on, or goto {shown}" if computed else "step on"
            raise CommandError(f"{shown} is not yet computed at this position", hint=hint)
        return value

    def _derivative(self, above: str, above_t: int | None, below: str, t: int | None) -> Array:
        for name in (above, below):
            if name not in self._names and not is_total(self._scene, name, None):
                raise unknown(self._scene, name)
        if is_total(self._scene, above, above_t):
            return self._gradient(above, below, t)
        return self._local(above, implied(self._look, above) if above_t is None else above_t, below, t)

    def _gradient(self, above: str, below: str, t: int | None) -> Array:
        """∂E/∂node, a contribution, or the sum of the contributions so far."""
        look, scene = self._look, self._scene
        what = f"d{above}/d{below}"
        kind = scene.unrolled.values.kind(below)
        if kind == "constant":
            names = ", ".join(scene.trace.terms)
            raise CommandError(f"{below} is a constant", hint=f"gradients are by nodes, inputs and {names}")
        if kind == "parameter" and t is None:
            taken, count = look.progress(below)
            if taken < count:
                self.notes.append(f"{what} so far: {taken} of {count} terms")
            return self._known(look.so_far(below), below, None, what)
        if kind == "parameter" and t is not None:
            return self._known(look.contribution(below, t), below, t, what)
        if t is None and is_total(scene, below, None) and scene.unrolled.has_total:
            return self._known(look.adjoint(below, None), below, None, what)
        t = implied(look, below) if t is None else t
        given = kind == "input" or t < 0
        value = look.adjoint_of_given(below, t) if given else look.adjoint(below, t)
        return self._known(value, below, t, what)

    def _local(self, above: str, t: int, below: str, below_t: int | None) -> Array:
        """The Jacobian of one edge."""
        scene = self._scene
        if above not in scene.network.index:
            raise CommandError(f"{above} is not a node", hint="a local partial is of a node by what it reads")
        self._known(self._look.value(above, t), above, t, above)
        if t < 0:
            hint = "a local partial is of a node by what it reads"
            raise CommandError(f"{above}[{t}] is an initial value, and reads nothing", hint=hint)
        if scene.unrolled.is_pinned(above, t):
            raise CommandError(f"{above}[{t}] is pinned, and reads nothing", hint=f"unset {above}[{t}] releases it")
        equation = scene.network.index[above]
        reads = scene.network.reads[equation]
        for by in reads:
            if by.name == below and below_t in (None, name_at(by, t)) and scene.partials.flows(equation, by):
                if self._look.veil.partials and self._is_asked_later(by.name, name_at(by, t)):
                    raise _hidden(f"d{above}[{t}]/d{below}")
                value = scene.jacobian(equation, t, by)
                return value.reshape(()) if value.size == 1 else value
        shown = f"d{above}[{t}]/d{below}" + ("" if below_t is None else f"[{below_t}]")
        read = ", ".join(scene.ref(by.name, name_at(by, t)).label for by in reads)
        raise CommandError(f"{shown} is no local partial", hint=f"{scene.ref(above, t).label} reads {read}")

    def _is_asked_later(self, name: str, t: int) -> bool:
        """Whether predict mode still has to ask for the edges out of a node or use: going backward they come later."""
        kind = self._scene.unrolled.values.kind(name)
        if kind == "parameter":
            return isinstance(self._look.contribution(name, t), Missing)
        return kind == "node" and t >= 0 and isinstance(self._look.adjoint(name, t), Missing)

    # --- the expression around them ------------------------------------------------------------------------------

    def _value(self, expression: Expression) -> Array:
        if isinstance(expression, Number):
            return np.asarray(expression.value)
        if isinstance(expression, Name):
            return self._named(expression.name)
        return self._apply(expression, tuple(self._value(argument) for argument in expression.arguments))

    def _named(self, name: str) -> Array:
        """A quantity taken before, a name at the timestep it implies, `t` or `prod`."""
        look = self._look
        if name in self._quantities:
            return self._quantities[name][1]
        if name in self._names:
            whole = look.scene.unrolled.has_total and name == look.scene.network.loss_name
            return self._node(name, None if whole else implied(look, name))
        if name == "t":
            return np.asarray(float(present(look)))
        if name == "prod":
            return self._running_product()
        raise unknown(look.scene, name)

    def _running_product(self) -> Array:
        """∂E/∂node or ∂E/∂use of the step just taken."""
        step = self._look.step
        if step is None or step.phase == "forward":
            raise CommandError(
                "there is no running product going forward", hint="it starts at the loss, going backward"
            )
        used = step.kind == "use" and step.t is not None
        value = self._look.contribution(step.name, step.t or 0) if used else self._look.adjoint(step.name, step.t)
        if value is HIDDEN:
            raise _hidden("the running product")
        if isinstance(value, Missing):
            raise CommandError("the running product is not whole: inflows are missing", hint="step takes the next")
        return value

    def _apply(self, call: Call, args: tuple[Array, ...]) -> Array:
        operation = called(call.operation, len(args))
        with np.errstate(all="ignore"):
            if operation is None:
                return np.asarray(MEASURES[call.operation](args[0], args[0].ndim))
            shapes = tuple(arg.shape for arg in args)
            operation.shape(*shapes)
            return np.asarray(operation.evaluate(args, shapes))


def called(name: str, count: int) -> Operation | None:
    """The operation that is called with `count` arguments, None where it is one of MEASURES.

    CommandError where there is no such function, and where it takes another number of arguments.
    """
    operation = OPERATIONS.get(name)
    if name in MEASURES:
        if count != 1:
            raise CommandError(f"{name} takes 1 argument, not {count}", hint=f"write {name}(s[0])")
        return None
    if operation is None or not operation.written:
        known = [*FUNCTIONS, *MEASURES]
        hint = did_you_mean(name, known) or f"the functions are {', '.join(known)}"
        raise CommandError(f"there is no function {name}", hint=hint)
    if not operation.takes(count):
        takes = f"{operation.least} argument{'s' * (operation.least > 1)}"
        raise CommandError(f"{name} takes {takes}, not {count}", hint=f"write {operation.example}")
    return operation


def _hidden(what: str) -> CommandError:
    """Predict mode hides it."""
    return CommandError(f"{what} is hidden until it has been predicted", hint="answer EXPR, hint, reveal, predict off")


def shown_in_full(value: Array) -> str:
    """A value with every digit: scalars on one line, arrays as nested lists."""
    if value.ndim == 0:
        return numerals.exact(float(value))
    if value.ndim == 1:
        return "[" + ", ".join(numerals.exact(float(entry)) for entry in value) + "]"
    return "[" + ",\n ".join(shown_in_full(row) for row in value) + "]"
