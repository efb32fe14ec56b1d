"""Commands that say something and change nothing: where, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt_tui.calculus import numerals
from bptt_tui.debugger.command import Command, nothing
from bptt_tui.debugger.view import Missing

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_CHAIN = 12  # factors that `where` writes out


def _where(debugger: Debugger, rest: str) -> str:
    """Position, phase, timestep, what has just been computed, and the chain from E."""
    nothing(rest)
    view = debugger.view
    place = f"position {view.position} of {view.last}"
    if view.factor:
        place += f" and {view.factor} of {view.factors} factors"
    if view.pane is None:
        return f"{place}: nothing is computed yet"
    result = view.pane.adjoint if view.phase == "backward" else view.pane.value
    shown = result.value if isinstance(result, Missing) else numerals.array(result, 40)
    lines = [f"{place}, {view.phase}" + ("" if view.t is None else f", t = {view.t}"), f"{view.pane.title} = {shown}"]
    factors = [factor.title for factor in view.chain.factors(_CHAIN + 1)]
    if len(factors) > 1:
        product = " · ".join(["…", *factors[1:]] if len(factors) > _CHAIN else factors)
        note = f"  ({view.chain.note})" if view.chain.note else ""
        lines.append(f"{view.chain.title} = {product}{note}")
    return "\n".join(lines)


def _print(debugger: Debugger, rest: str) -> str:
    """`EXPR = value`, every digit, and what is not whole about it."""
    from bptt_tui.debugger.inspect import Inspector, shown_in_full

    inspector = Inspector(debugger.look)
    value = inspector.evaluate(rest)
    return "\n".join([f"{rest} = {shown_in_full(value)}", *inspector.notes])


ROWS = (
    Command("where", "where", "position, timestep and the chain from E", _where, ("bt",)),
    Command("print", "print EXPR", "the value of an expression, in full", _print, (),
            "print s[0] · print dE/dw · print norm(dE/ds[0]) · print 1 - s[0]**2 · print ds[1]/dz[1] · print prod"),
)  # fmt: skip
