"""`print EXPR`: expressions over everything known at a position.

The equation language with timesteps as numbers: `s[0]`, `s` (at the current timestep), `w`, `x[1]`, `t`;
gradients as they are written, `dE/ds[0]`, `dE/du[1]` (a contribution), `dE/du` (the sum so far); local partials
between neighbours, `ds[1]/dz[1]`; `prod`, the running product at the current node. Functions are those of the
equations, and norm, max, min, abs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.calculus.operations import FUNCTIONS, OPERATIONS
from bptt_tui.calculus.shapes import Mismatch
from bptt_tui.debugger.looking import Look
from bptt_tui.debugger.view import Missing, Shown
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Call, Expression, Name, Number, parse_expression
from bptt_tui.network.network import did_you_mean

Array = NDArray[Any]

MEASURES: dict[str, Callable[[Array], Array]] = {
    "norm": lambda x: np.asarray(np.sqrt(np.square(x).sum())),
    "max": lambda x: np.asarray(x.max()),
    "min": lambda x: np.asarray(x.min()),
    "abs": np.abs,
}

_INDEX = r"(?:\[\s*(-?\d+)\s*\])?"
_NAME = r"([^\W\d]\w*)"
_QUANTITY = re.compile(rf"[d∂]{_NAME}{_INDEX}\s*/\s*[d∂]{_NAME}{_INDEX}|{_NAME}\[\s*(-?\d+)\s*\]")


class Inspector:
    """Evaluates expressions at one position."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._found: dict[str, Array] = {}

    def evaluate(self, text: str) -> Array:
        """The value of an expression; CommandError says what is unknown, and where it cannot be read."""
        if not text.strip():
            raise CommandError("nothing to print", hint="print s[0], print dE/dw, print norm(dE/ds[0])")
        readable = _QUANTITY.sub(self._take, text)
        try:
            return self._value(parse_expression(readable))
        except CommandError:
            raise
        except BpttError as error:
            raise CommandError(str(error)) from None
        except Mismatch as mismatch:
            raise CommandError(str(mismatch), hint=mismatch.hint) from None

    def _take(self, match: re.Match[str]) -> str:
        """Replace a quantity by a plain name of the same length, so that columns in errors stay right."""
        above, above_t, below, below_t, name, t = match.groups()
        if name is not None:
            value = self._node(name, int(t))
        elif self._is_known(f"d{above}") and self._is_known(f"d{below}"):
            return match[0]
        else:
            value = self._derivative(above, above_t, below, below_t)
        key = f"q{len(self._found)}".ljust(len(match[0]), "_")
        self._found[key] = value
        return key

    def _is_known(self, name: str) -> bool:
        return name in self._look.scene.unrolled.shapes

    def _node(self, name: str, t: int) -> Array:
        scene = self._look.scene
        if not self._is_known(name):
            raise self._unknown(name)
        if scene.unrolled.values.kind(name) in ("parameter", "constant"):
            return scene.trace.value(name)
        return self._known(self._look.value(name, t), f"{name}[{t}]")

    def _unknown(self, name: str) -> CommandError:
        names = list(self._look.scene.unrolled.shapes)
        return CommandError(
            f"there is no {name}", hint=did_you_mean(name, names) or f"the names are {', '.join(names)}"
        )

    def _known(self, value: Shown, what: str) -> Array:
        if isinstance(value, Missing):
            if value is Missing.NOT_YET:
                raise CommandError(f"{what} is not yet computed at this position", hint="step on, or goto it")
            raise CommandError(f"{what} does not exist: the loss does not depend on it")
        return value

    def _derivative(self, above: str, above_t: str | None, below: str, below_t: str | None) -> Array:
        look, scene = self._look, self._look.scene
        for name in (above, below):
            if not self._is_known(name):
                raise self._unknown(name)
        what = f"d{above}/d{below}" + (f"[{below_t}]" if below_t else "")
        total = above == scene.network.loss_name and (
            above_t is None or (not scene.unrolled.has_total and int(above_t) == scene.unrolled.loss_times[0])
        )
        parameter = scene.unrolled.values.kind(below) == "parameter"
        if total and parameter:
            if below_t is None:
                return self._known(look.so_far(below), what)
            return self._known(look.contribution(below, int(below_t)), what)
        if total:
            return self._known(look.adjoint(below, self._time(below, below_t)), what)
        return self._local(above, self._time(above, above_t), below, below_t)

    def _local(self, above: str, t: int, below: str, below_t: str | None) -> Array:
        """The Jacobian of one edge."""
        scene = self._look.scene
        what = f"d{above}[{t}]/d{below}" + (f"[{below_t}]" if below_t else "")
        if above not in scene.network.index:
            raise CommandError(f"{above} is not a node", hint="a local partial is of a node by what it reads")
        self._known(self._look.value(above, t), f"{above}[{t}]")
        equation = scene.network.index[above]
        wanted = None if below_t is None else int(below_t)
        for by in scene.network.reads[equation]:
            reads_at = t + (by.offset or 0)
            if by.name == below and wanted in (None, reads_at):
                value = scene.trace.jacobian(equation, t, by)
                return value.reshape(()) if value.size == 1 else value
        raise CommandError(
            f"{what} is no local partial", hint=f"{above}[{t}] reads {', '.join(self._read_names(equation, t))}"
        )

    def _read_names(self, equation: int, t: int) -> list[str]:
        scene = self._look.scene
        return [
            by.name
            if scene.unrolled.values.kind(by.name) in ("parameter", "constant")
            else f"{by.name}[{t + (by.offset or 0)}]"
            for by in scene.network.reads[equation]
        ]

    def _time(self, name: str, given: str | None) -> int:
        """The timestep meant: the one given, the only one there is, or the current one."""
        if given is not None:
            return int(given)
        scene = self._look.scene
        if name in scene.network.index:
            times = scene.unrolled.times[scene.network.index[name]]
            if times.count == 1:
                return times.start
        step = self._look.current_step()
        return (step.t if step is not None and step.t is not None else 0) if step else 0

    def _value(self, expression: Expression) -> Array:
        if isinstance(expression, Number):
            return np.asarray(expression.value)
        if isinstance(expression, Name):
            return self._named(expression)
        args = tuple(self._value(argument) for argument in expression.arguments)
        return self._apply(expression, args)

    def _apply(self, call: Call, args: tuple[Array, ...]) -> Array:
        with np.errstate(all="ignore"):
            if call.operation in MEASURES:
                if len(args) != 1:
                    raise CommandError(f"{call.operation} takes one argument, not {len(args)}")
                return np.asarray(MEASURES[call.operation](args[0]))
            operation = OPERATIONS.get(call.operation)
            if operation is None or not operation.written:
                known = [*FUNCTIONS, *MEASURES]
                hint = did_you_mean(call.operation, known) or f"the functions are {', '.join(known)}"
                raise CommandError(f"there is no function {call.operation!r}", hint=hint)
            if len(args) < operation.least or (operation.most is not None and len(args) > operation.most):
                raise CommandError(f"{call.operation} does not take {len(args)} arguments")
            shapes = tuple(arg.shape for arg in args)
            operation.shape(*shapes)
            return np.asarray(operation.evaluate(args, shapes))

    def _named(self, name: Name) -> Array:
        look = self._look
        if name.name in self._found:
            return self._found[name.name]
        if self._is_known(name.name):
            kind = look.scene.unrolled.values.kind(name.name)
            t = None if kind in ("parameter", "constant") else self._time(name.name, None) + (name.offset or 0)
            if kind == "node" and name.name == look.scene.network.loss_name and look.scene.unrolled.has_total:
                t = None
            return self._known(look.value(name.name, t), name.name if t is None else f"{name.name}[{t}]")
        step = look.current_step()
        if name.name == "t" and step is not None and step.t is not None:
            return np.asarray(float(step.t))
        if name.name == "prod" and step is not None:
            return self._running(step.kind, step.name, step.t)
        raise self._unknown(name.name)

    def _running(self, kind: str, name: str, t: int | None) -> Array:
        if kind == "use" and t is not None:
            return self._known(self._look.contribution(name, t), "prod")
        return self._known(self._look.adjoint(name, t), "prod")


def shown_in_full(value: Array) -> str:
    """A value with every digit: scalars on one line, arrays as nested lists."""
    if value.ndim == 0:
        return numerals.exact(float(value))
    if value.ndim == 1:
        return "[" + ", ".join(numerals.exact(float(entry)) for entry in value) + "]"
    return "[" + ",\n ".join(shown_in_full(row) for row in value) + "]"
