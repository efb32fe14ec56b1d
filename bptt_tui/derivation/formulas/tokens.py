"""The tokens of a formula and a place in them: what every part of the reader stands on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from bptt_tui.derivation.formulas.scanner import Token, scan
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.derivation.formulas.tree import Formula
from bptt_tui.errors import FormulaError

# Ten calls of the reader to a bracket: deep enough for people, far from the end of Python's stack.
MAX_DEPTH = 30
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Tokens(ABC):
    """A formula's tokens, the place in them, and the variables of the sums around it.

    A subscript that is a formula, the y of e_y, is read by a reader of its own over the same text; `span` is its part.
    """

    def __init__(
        self,
        text: str,
        scope: Scope,
        span: tuple[int, int] | None = None,
        variables: tuple[str, ...] = (),
        depth: int = 0,
    ) -> None:
        self.text = text
        self.scope = scope
        start, stop = span or (0, len(text))
        self.tokens = scan(text, scope.odd_names, start, stop)
        self.index = 0
        self.depth = depth
        self.variables = variables
        # Within an exponent a letter that a sum is over is its timestep, also where a name is called so.
        self.raising = False
        self.distinguishes = "∂⁺" in (token.text for token in self.tokens)

    @property
    def peek(self) -> Token:
        return self.tokens[self.index]

    def ahead(self, count: int = 1) -> Token:
        return self.tokens[min(self.index + count, len(self.tokens) - 1)]

    @property
    def before(self) -> int:
        """Where the token before the present one ends."""
        return self.tokens[self.index - 1].end if self.index else 0

    def next(self) -> Token:
        token = self.tokens[self.index]
        if token.kind != "end":
            self.index += 1
        return token

    def error(self, reason: str, column: int | None = None, hint: str = "") -> FormulaError:
        """An error at a column, by default at the token that comes next."""
        return FormulaError(reason, text=self.text, column=self.peek.start if column is None else column, hint=hint)

    def take(self, kind: str, expected: str) -> Token:
        if self.peek.kind != kind:
            raise self.error(f"unexpected {self.peek}", hint=expected)
        return self.next()

    def deeper(self, read: Callable[[], Formula]) -> Formula:
        """`read` one level further in. Hostile depth ends here, not in Python's stack."""
        if self.depth >= MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} brackets deep", hint="judge its parts one at a time")
        self.depth += 1
        try:
            return read()
        finally:
            self.depth -= 1

    def attempt(self, read: Callable[[], Formula]) -> Formula | FormulaError:
        """What `read` gives, or its error with nothing read."""
        index, depth = self.index, self.depth
        try:
            return read()
        except FormulaError as error:
            self.index, self.depth = index, depth
            return error

    # --- what the parts of a reader need of the whole --------------------------------------------------------------

    @abstractmethod
    def whole(self) -> Formula:
        """One formula up to the end."""

    @abstractmethod
    def formula(self) -> Formula:
        """Terms joined by + and −."""

    @abstractmethod
    def term(self) -> Formula:
        """Products joined by ⊙."""

    @abstractmethod
    def power(self) -> Formula:
        """A factor and what stands above it."""

    @abstractmethod
    def primary(self) -> Formula:
        """A factor alone."""
