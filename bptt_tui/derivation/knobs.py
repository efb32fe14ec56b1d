"""Separate knobs: p untied into p₀ … p_T-1, each nudged alone, beside its contribution.

    knobs = Knobs(trace, "w")
    knob = knobs.at(0)                          # nudges w₀ alone and runs forward again
    knob.slope, knob.contribution               # equal but for rounding: ∂E/∂w₀

That the gradient of a shared parameter is a sum over its uses is no rule to be believed: give every timestep a
parameter of its own, turn one of them a little, and see what the loss does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bptt_tui.calculus.shapes import size
from bptt_tui.errors import NetworkError
from bptt_tui.trace import Trace
from bptt_tui.trace.verify import LARGEST, Group, Nudge, Status, exact_steps, step_for


class Knob(NamedTuple):
    """One entry of one use, nudged up and down by `step` with everything else as it was.

    `up` and `down` are the loss then, `loss` the loss as it is; `slope` is (up − down)/(2·step), which `contribution`,
    the entry of ∂E/∂p_t, is compared with: `status` says whether they agree, and `error` how far they are apart,
    relative to the larger. Below the noise of a difference nothing is said to agree.
    """

    t: int
    entry: tuple[int, ...]
    value: float
    step: float
    loss: float
    up: float
    down: float
    slope: float
    contribution: float
    error: float
    status: Status


class Knobs:
    """The knobs of one parameter. Every one costs a few forward passes, made when it is asked for and kept.

    `entry` says which entry of an array is nudged; without one, the entry whose gradient is largest. Raises
    NetworkError for what is no parameter or no entry, and where a knob per timestep would not fit.
    """

    def __init__(self, trace: Trace, parameter: str, entry: tuple[int, ...] | None = None) -> None:
        terms = trace.terms_of(parameter)
        if size(terms.shape) * trace.steps > LARGEST:
            raise NetworkError(
                f"{trace.steps:,} knobs of {size(terms.shape):,} numbers would not fit",
                hint="contributions are there without nudging",
            )
        self.parameter = parameter
        self.entry = largest_entry(trace, parameter) if entry is None else entry
        fits = len(self.entry) == len(terms.shape)
        if not fits or not all(0 <= i < n for i, n in zip(self.entry, terms.shape, strict=True)):
            raise NetworkError(f"{list(self.entry)} is no entry of {parameter}", hint=f"its shape is {terms.shape}")
        self._trace = trace
        self._value = float(trace.unrolled.values.parameters[parameter][self.entry])
        self._nudge: Nudge | None = None
        self._made: dict[int, Knob] = {}

    @property
    def uses(self) -> list[int]:
        """The timesteps that have a knob, ascending."""
        return list(self._trace.uses(self.parameter))

    def at(self, t: int) -> Knob:
        """The knob of the use at `t`. Raises NetworkError where there is none."""
        if t not in self._made:
            contribution = float(self._trace.contribution(self.parameter, t)[self.entry])
            self._made[t] = self._turned(t, contribution)
        return self._made[t]

    def _turned(self, t: int, contribution: float) -> Knob:
        trace = self._trace
        if self._nudge is None:
            times = trace.terms[self.parameter].times
            group = Group(self.parameter, trace.terms[self.parameter].shape, times, trace.steps)
            self._nudge = Nudge(trace, "central difference", group)
        up, down = exact_steps(self._value, step_for(self._value))
        with np.errstate(all="ignore"):
            high, low = (float(self._nudge.loss(t, self.entry, step)) for step in (up, -down))
            slope = float(np.divide(high - low, up + down))
            check = self._nudge.check(t, self.entry)
        return Knob(
            t, self.entry, self._value, up, trace.loss, high, low, slope, contribution, check.error, check.status
        )


def largest_entry(trace: Trace, parameter: str) -> tuple[int, ...]:
    """The entry of a parameter whose gradient is largest; () of a scalar."""
    gradient = np.nan_to_num(np.abs(trace.gradient[parameter]), nan=0.0)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(gradient)), gradient.shape)) if gradient.shape else ()
