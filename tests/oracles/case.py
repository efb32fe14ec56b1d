"""A network with its values, as a test gives it to the engine and to the oracles."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bptt_tui.language import Equation, Name, names, parse_equation


@dataclass(frozen=True)
class Case:
    """Equations as text and plain values; `steps` is T. `pins` are nodes held at a value, by (name, t)."""

    equations: tuple[str, ...]
    parameters: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)
    initial: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    loss_at: str | list[int] = "last"
    reduction: str = "sum"
    pins: dict[tuple[str, int], Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """Everything that is given, as `Network.trace` takes it."""
        return {
            "parameters": self.parameters,
            "inputs": self.inputs,
            "initial": self.initial,
            "constants": self.constants,
        }

    def trace(self):
        """The engine's trace of this case."""
        from bptt_tui.trace import Network

        network = Network(self.equations, loss_at=self.loss_at, reduction=self.reduction)
        return network.trace(
            **self.values,
            steps=None if self.inputs else self.steps,
            pins={f"{name}[{t}]": value for (name, t), value in self.pins.items()},
        )

    @cached_property
    def parsed(self) -> dict[str, Equation]:
        return {equation.target: equation for equation in map(parse_equation, self.equations)}

    @cached_property
    def T(self) -> int:
        return len(next(iter(self.inputs.values()))) if self.inputs else self.steps

    @cached_property
    def loss_name(self) -> str:
        return list(self.parsed)[-1]

    @cached_property
    def loss_times(self) -> list[int]:
        if self.loss_at == "every":
            return list(range(self.T))
        return [self.T - 1] if self.loss_at == "last" else list(self.loss_at)

    @cached_property
    def nodes(self) -> list[tuple[str, int]]:
        """Every (name, t) the loss depends on, by walking back from the losses; in an order to compute them."""
        found: set[tuple[str, int]] = set()
        waiting = [(self.loss_name, t) for t in self.loss_times]
        while waiting:
            node = waiting.pop()
            if node in found:
                continue
            found.add(node)
            waiting += [(name, t) for name, t in self._sources(*node) if t >= 0]
        ordered: list[tuple[str, int]] = []
        placed: set[tuple[str, int]] = set()

        def place(node: tuple[str, int]) -> None:
            if node not in placed:
                placed.add(node)
                for source in self._sources(*node):
                    if source[1] == node[1]:
                        place(source)
                ordered.append(node)

        for node in sorted(found, key=lambda node: (node[1], node[0])):
            place(node)
        return ordered

    def _sources(self, name: str, t: int) -> list[tuple[str, int]]:
        return [(r.name, t + (r.offset or 0)) for r in self.reads_at(name, t) if r.name in self.parsed]

    def reads(self, name: str) -> list[Name]:
        return list(names(self.parsed[name].expression))

    def reads_at(self, name: str, t: int) -> list[Name]:
        """What a node reads: nothing where it is pinned."""
        return [] if (name, t) in self.pins else self.reads(name)

    @cached_property
    def uses(self) -> dict[str, list[int]]:
        """The timesteps at which each parameter is used, ascending."""
        found: dict[str, set[int]] = {name: set() for name in self.parameters}
        for name, t in self.nodes:
            for read in self.reads_at(name, t):
                if read.name in found:
                    found[read.name].add(t)
        return {name: sorted(times) for name, times in found.items()}

    @cached_property
    def depth(self) -> dict[str, int]:
        """How far before its own timestep each name is read."""
        depths: dict[str, int] = {}
        for target in self.parsed:
            for read in self.reads(target):
                depths[read.name] = max(depths.get(read.name, 0), -(read.offset or 0))
        return depths

    def before(self, name: str, t: int) -> np.ndarray:
        """The value of a name at t < 0."""
        value = np.asarray(self.initial[name], dtype=float)
        depth = self.depth.get(name, 1)
        return value if depth <= 1 else value[depth + t]
