"""What names mean in formulas about one network: which there are, at which timesteps, and what else they are called.

A learner's page differs from the session's file in its names: the loss is E, L or J, σ is written \\sigma, f stands for
the activation. `Scope` settles that once, so that the reader only asks.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from bptt_tui.calculus.operations import FUNCTIONS, OPERATIONS
from bptt_tui.calculus.shapes import Shape
from bptt_tui.language import calls
from bptt_tui.language.labels import listed
from bptt_tui.network import Unrolled

if TYPE_CHECKING:
    from bptt_tui.session import Session

LOSS_ALIASES = ("E", "L", "J", "C", "loss", "Loss", "ℓ", "ℒ")
ACTIVATIONS = ("tanh", "sigmoid", "relu")
ACTIVATION_ALIASES = ("f", "φ", "phi", "ϕ", "varphi")
# Functions of formulas that equations do not have, with the numbers of arguments they take.
FORMULA_FUNCTIONS: dict[str, tuple[int, ...]] = {
    "diag": (1,),
    "outer": (2,),
    "kron": (2,),
    "onehot": (1,),
    "ones": (0,),
    "sech": (1,),
    "eye": (0,),
}
FUNCTION_ALIASES = {"ln": "log", "σ": "sigmoid", "sigma": "sigmoid", "one_hot": "onehot", "matmul": "dot"}
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "varepsilon": "ε", "vartheta": "ϑ", "varphi": "ϕ", "varrho": "ϱ", "varsigma": "ς",
}  # fmt: skip


class Traced(Protocol):
    """A trace, or anything else that knows its unrolled network."""

    @property
    def unrolled(self) -> Unrolled: ...


class Scope:
    """The names of one unrolled network, as formulas may write them."""

    def __init__(self, unrolled: Unrolled) -> None:
        self.unrolled = unrolled
        self.network = unrolled.network
        self.steps = unrolled.steps
        self.loss = unrolled.network.loss_name
        self._kinds = {name: unrolled.values.kind(name) for name in unrolled.shapes}
        self._single: dict[str, int | None] = {}

    @classmethod
    def of(cls, network: Unrolled | Session | Traced | Scope) -> Scope:
        """The scope of an unrolled network, of a trace, or of a session."""
        if isinstance(network, Scope):
            return network
        if isinstance(network, Unrolled):
            return cls(network)
        trace = getattr(network, "trace", None)
        return cls(trace().unrolled if callable(trace) else network.unrolled)  # type: ignore[union-attr]

    # --- names -----------------------------------------------------------------------------------------------------

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Every spelling of a name → the network's own: aliases of the loss, Greek letters by letter or by word."""
        own = list(self._kinds)
        found = {name: name for name in own}
        for word, letter in GREEK.items():
            for name in own:
                # \theta for θ, θ1 and θ_h, and θ for theta.
                for one, other in ((letter, word), (word, letter)):
                    tail = name.removeprefix(one)
                    if tail != name and (not tail or not tail[0].isalpha()):
                        found.setdefault(other + tail, name)
        for alias in LOSS_ALIASES:
            found.setdefault(alias, self.loss)
        return found

    @cached_property
    def odd_names(self) -> tuple[str, ...]:
        """Names with raised or lowered characters of their own, longest first; the scanner takes them whole."""
        odd = [name for name in self._kinds if any(unicodedata.category(c) in ("Lm", "No") for c in name)]
        return tuple(sorted(odd, key=len, reverse=True))

    def kind(self, name: str) -> str:
        """ "node", "input", "parameter" or "constant"."""
        return self._kinds[name]

    def shape(self, name: str) -> Shape:
        """The shape of a name's value."""
        return self.unrolled.shapes[name]

    # --- timesteps -------------------------------------------------------------------------------------------------

    def timed(self, name: str) -> bool:
        """Whether a name has an index for its timestep; a parameter has one for its uses."""
        return self._kinds[name] != "constant"

    def exists(self, name: str, t: int) -> bool:
        """Whether there is a node, an initial value, an input or a use at `t`."""
        kind = self._kinds[name]
        if kind == "constant":
            return False
        if kind == "parameter":
            return any(self.unrolled.times[e].row(t) is not None for e in self._readers(name))
        if t < 0:
            before = self.unrolled.before.get(name)
            return before is not None and -t <= len(before)
        if kind == "input":
            return t < self.steps
        return self.unrolled.present[self.network.index[name]].row(t) is not None

    def _readers(self, name: str) -> tuple[int, ...]:
        if name not in self._read_by:
            reads = enumerate(self.network.reads)
            self._read_by[name] = tuple(e for e, own in reads if any(read.name == name for read in own))
        return self._read_by[name]

    @cached_property
    def _read_by(self) -> dict[str, tuple[int, ...]]:
        return {}

    def only(self, name: str) -> int | None:
        """The timestep of a node or input that exists once, apart from initial values; None where there are several."""
        if name not in self._single:
            if self._kinds[name] == "node":
                times = self.unrolled.present[self.network.index[name]]
                self._single[name] = times.start if times.count == 1 else None
            else:
                self._single[name] = 0 if self._kinds[name] == "input" and self.steps == 1 else None
        return self._single[name]

    def times(self, name: str) -> tuple[int, ...]:
        """The timesteps of a node, input or parameter from t = 0 on, ascending."""
        return tuple(t for t in range(self.steps) if self.exists(name, t))

    def is_total(self, name: str) -> bool:
        """Whether the bare name is the total of several losses."""
        return name == self.loss and self.unrolled.has_total

    def missing(self, name: str, t: int) -> str:
        """Why there is no `name` at `t`: `the last timestep is 1`."""
        kind = self._kinds[name]
        if kind == "constant":
            return f"{name} is a constant, the same at every timestep"
        if t >= self.steps:
            return f"the last timestep is {self.steps - 1}"
        if kind != "parameter" and t < 0:
            before = len(self.unrolled.before.get(name, ()))
            if not before:
                return f"{name} has no initial value"
            return f"its {'initial value is' if before == 1 else 'first initial value is'} {name}[{-before}]"
        times = _listed(self.times(name))
        if kind == "parameter":
            return f"{name} is used at t = {times}" if times else f"{name} has no use"
        return f"it exists at t = {times}" if times else f"the loss does not depend on {name}"

    def choices(self, name: str) -> str:
        """The timesteps a bare name could mean, in words."""
        return _listed(self.times(name))

    # --- functions -------------------------------------------------------------------------------------------------

    @cached_property
    def functions(self) -> dict[str, str]:
        """Every spelling of a function → its name in the tree."""
        found = {name: name for name in (*FUNCTIONS, *FORMULA_FUNCTIONS)}
        for alias, name in FUNCTION_ALIASES.items():
            found.setdefault(alias, name)
        if self.activation:
            for alias in ACTIVATION_ALIASES:
                found.setdefault(alias, self.activation)
        return {spelling: name for spelling, name in found.items() if spelling not in self._kinds}

    @cached_property
    def activation(self) -> str | None:
        """The network's activation where it has just one."""
        used = {call.operation for equation in self.network.equations for call in calls(equation.expression)}
        found = [name for name in ACTIVATIONS if name in used]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def arguments(function: str) -> tuple[int, int | None]:
        """How few and how many arguments a function takes."""
        own = FORMULA_FUNCTIONS.get(function)
        if own is not None:
            return own[0], own[-1]
        operation = OPERATIONS[function.removesuffix("'")]
        return operation.least, operation.most


def _listed(times: tuple[int, ...]) -> str:
    """0, 1 and 2; 0 … 9."""
    if len(times) > 4:
        whole = times[-1] - times[0] + 1 == len(times)
        return f"{times[0]} … {times[-1]}" if whole else f"{times[0]}, {times[1]} … {times[-1]}"
    return listed(times)
