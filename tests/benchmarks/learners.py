"""Networks a learner would derive by hand: small, recurrent, with one or two layers, scalars or vectors, any output."""

from __future__ import annotations

from typing import Any

import numpy as np

from bptt_tui.session import Session
from bptt_tui.session.format import Loss


def random_session(seed: int, *, vectors: bool) -> Session:
    """A network of few paths, T = 2 or 3, with numbers; the same one for the same seed."""
    return _Learner(np.random.default_rng(seed), vectors).session(seed)


class _Learner:
    def __init__(self, rng: np.random.Generator, vectors: bool) -> None:
        self.rng = rng
        self.vectors = vectors
        self.n = int(rng.integers(2, 4)) if vectors else 0
        self.steps = int(rng.integers(2, 4))
        self.parameters: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.constants: dict[str, Any] = {}
        self.equations: list[str] = []
        self.initial: dict[str, Any] = {}

    def pick(self, options: list[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def draw(self, *shape: int) -> Any:
        return (np.round(self.rng.uniform(0.3, 1.4, size=shape), 3) * self.rng.choice([-1, 1], size=shape)).tolist()

    def weight(self, name: str, rows: int, columns: int) -> str:
        """A parameter, and the sign that applies it."""
        shape = tuple(size for size in (rows, columns) if size)
        self.parameters[name] = self.draw(*shape)
        return f"{name} @" if len(shape) == 2 else f"{name} *"

    def session(self, seed: int) -> Session:
        inputs = self.n and self.pick([0, 2])
        self.inputs["x"] = self.draw(*(size for size in (self.steps, inputs) if size))
        state = self.layer(self.pick(["s", "h"]), "x[t]", inputs, self.pick(["uw", "ab"]))
        if self.rng.random() < 0.25 and self.steps == 2:
            state = self.layer("g", state, self.n, "pr")
        self.output(state)
        at = self.pick(["last", "last", "every"]) if self.steps == 2 else "last"
        return Session(
            equations=tuple(self.equations),
            loss=Loss(at=at, reduction=self.pick(["sum", "mean"]) if at == "every" else "sum"),
            parameters=self.parameters,
            inputs=self.inputs,
            constants=self.constants,
            initial=self.initial,
            name=f"{'vectors' if self.vectors else 'scalars'} {seed}",
        )

    def layer(self, name: str, source: str, width: int, letters: str) -> str:
        """A recurrent layer in one equation, in two, or with every product a node of its own."""
        f = self.pick(["tanh", "tanh", "sigmoid"])
        first, second = (letter.upper() if self.vectors else letter for letter in letters)
        into = f"{self.weight(first, self.n, width)} {source}"
        back = f"{self.weight(second, self.n, self.n)} {name}[t-1]"
        bias = ""
        if self.rng.random() < 0.4:
            self.parameters["k" + letters[0]] = self.draw(*([self.n] if self.n else []))
            bias = f" + k{letters[0]}"
        self.initial[name] = self.draw(*([self.n] if self.n else []))
        z = {"s": "z", "h": "z", "g": "m"}[name]
        kind = self.pick(["one", "two", "two", "many", "many"])
        if kind == "one":
            self.equations.append(f"{name} = {f}({into} + {back}{bias})")
        elif kind == "two":
            self.equations += [f"{z} = {into} + {back}{bias}", f"{name} = {f}({z})"]
        else:
            one, other = ("i", "j") if name == "g" else ("c", "d2")
            self.equations += [
                f"{one} = {into}",
                f"{other} = {back}",
                f"{z} = {one} + {other}{bias}",
                f"{name} = {f}({z})",
            ]
        return name

    def output(self, state: str) -> None:
        kind = self.pick(["softmax", "softmax", "squared", "binary"])
        if kind == "binary" and self.vectors:
            kind = "softmax"
        if kind == "softmax":
            classes = int(self.rng.integers(2, 4))
            self.equations += [f"q = {self.weight('v', classes, self.n)} {state}", "o = softmax(q)"]
            self.equations.append("E = cross_entropy(o, y)")
            self.constants["y"] = int(self.rng.integers(classes))
        elif kind == "squared":
            self.constants["y"] = self.draw(*([self.n] if self.n else []))
            self.equations += [f"o = {self.weight('v', self.n, self.n)} {state}", "E = squared_error(o, y)"]
        else:
            self.constants["y"] = self.pick([0, 1])
            self.equations += [f"q = {self.weight('v', 0, 0)} {state}", "o = sigmoid(q)"]
            self.equations.append("E = binary_cross_entropy(o, y)")


def redrawn(session: Session, seed: int) -> Session:
    """The same network with all values drawn anew, but for classes."""
    rng = np.random.default_rng(seed)
    classes = {
        name.name
        for equation in session.network().equations
        for name in session.network().reads[session.network().index[equation.target]]
        if "entropy" in equation.text
    }

    def new(group: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            if name in classes
            else (rng.uniform(0.3, 1.4, np.shape(value)) * rng.choice([-1, 1], np.shape(value))).tolist()
            for name, value in group.items()
        }

    return session.replace(
        parameters=new(dict(session.parameters)),
        inputs=new(dict(session.inputs)),
        initial=new(dict(session.initial)),
        constants=new(dict(session.constants)),
        expected=None,
    )
