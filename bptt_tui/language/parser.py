"""Text → expressions, by precedence climbing; errors point at the character and say what was expected.

    equation   = NAME "=" expression
    expression = term  { ("+" | "-") term }
    term       = unary { ("*" | "/" | "@") unary }
    unary      = "-" unary | power
    power      = atom [ ("**" | "^") unary ]
    atom       = NUMBER | NAME [index] | NAME "(" expression {"," expression} ")" | "(" expression ")"
    index      = "[" "t" [ ("-" | "+") INTEGER ] "]"

Reading is only that: which functions exist, how many arguments they take and what a name stands for is decided
above, by the calculus and the network.
"""

from __future__ import annotations

import math
import re

from msgspec import Struct

from bptt_tui.errors import EquationError
from bptt_tui.language.expressions import Call, Equation, Expression, Name, Number

MAX_LENGTH = 4000
MAX_DEPTH = 100
MAX_OFFSET = 10_000

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|[-+*/@^()\[\],=])"
)
_SIGNS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "@": "matmul"}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2}


class _Token(Struct, frozen=True):
    kind: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return "end of the line" if self.kind == "end" else repr(self.text)


def parse_equation(text: str) -> Equation:
    """Read `name = expression`."""
    reader = _Reader(text)
    target = reader.take("name", "an equation starts with the name it defines, as in s = tanh(z)")
    if reader.peek.text == "[":
        reader.fail("the left side is a plain name, it stands for every timestep", hint=f"write {target.text} = …")
    reader.take("=", f"expected '=' after {target.text}")
    return Equation(target.text, reader.whole(), text)


def parse_expression(text: str) -> Expression:
    """Read an expression alone."""
    return _Reader(text).whole()


class _Reader:
    """The tokens of one line and a place in them."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_LENGTH:
            raise EquationError(
                f"the equation has {len(text)} characters",
                text=text,
                column=MAX_LENGTH,
                hint=f"at most {MAX_LENGTH}; split it in several equations",
            )
        self._tokens = list(self._scan())
        self._index = 0

    def _scan(self) -> list[_Token]:
        tokens = []
        place = 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None:
                raise EquationError(
                    f"unexpected character {self.text[place]!r}",
                    text=self.text,
                    column=place,
                    hint="expected a name, a number, a function or one of + - * / @ ** ( )",
                )
            if match.lastgroup != "space":
                kind = match.lastgroup if match.lastgroup != "sign" else match[0]
                tokens.append(_Token(str(kind), match[0], match.start(), match.end()))
            place = match.end()
        tokens.append(_Token("end", "", len(self.text), len(self.text)))
        return tokens

    @property
    def peek(self) -> _Token:
        return self._tokens[self._index]

    def next(self) -> _Token:
        token = self._tokens[self._index]
        self._index += 1
        return token

    def fail(self, reason: str, *, token: _Token | None = None, hint: str = "") -> None:
        raise EquationError(reason, text=self.text, column=(token or self.peek).start, hint=hint)

    def take(self, kind: str, expected: str) -> _Token:
        if self.peek.kind != kind:
            self.fail(f"unexpected {self.peek}", hint=expected)
        return self.next()

    def finish(self) -> None:
        token = self.peek
        if token.kind == "end":
            return
        if token.kind in ("name", "number", "("):
            before = self._tokens[self._index - 1].text
            self.fail(f"an operator is missing before {token}", hint=f"write {before} * {token.text}")
        self.fail(f"unexpected {token}", hint="expected an operator or the end of the line")

    def whole(self) -> Expression:
        """An expression up to the end of the line, shallow enough for every walk over trees to be a plain recursion."""
        expression = self.expression()
        self.finish()
        level: list[Expression] = [expression]
        for _ in range(MAX_DEPTH + 1):
            level = [child for parent in level if isinstance(parent, Call) for child in parent.arguments]
            if not level:
                return expression
        self._too_deep(level[0].start)
        raise AssertionError

    def expression(self, depth: int = 0, least: int = 1) -> Expression:
        """Operands joined by signs that bind at least so tightly; `a - b + c` and `a / b * c` group from the left."""
        left = self._unary(depth)
        while _BINDS.get(self.peek.kind, 0) >= least:
            sign = self.next()
            right = self.expression(depth, _BINDS[sign.kind] + 1)
            left = Call(_SIGNS[sign.text], (left, right), left.start, right.end)
        return left

    def _too_deep(self, column: int) -> None:
        raise EquationError(
            f"more than {MAX_DEPTH} operations deep",
            text=self.text,
            column=column,
            hint="split it in several equations",
        )

    def _unary(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            self._too_deep(self.peek.start)
        if self.peek.kind != "-":
            return self._power(depth)
        sign = self.next()
        operand = self._unary(depth + 1)
        if isinstance(operand, Number) and operand.value > 0:
            return Number(-operand.value, sign.start, operand.end)
        return Call("neg", (operand,), sign.start, operand.end)

    def _power(self, depth: int) -> Expression:
        base = self._atom(depth)
        if self.peek.kind not in ("**", "^"):
            return base
        self.next()
        exponent = self._unary(depth + 1)
        return Call("power", (base, exponent), base.start, exponent.end)

    def _atom(self, depth: int) -> Expression:
        token = self.peek
        if token.kind == "number":
            return self._number()
        if token.kind == "name":
            self.next()
            if self.peek.kind == "(":
                return self._call(token, depth)
            if self.peek.kind == "[":
                return self._indexed(token)
            return Name(token.text, None, token.start, token.end)
        if token.kind == "(":
            self.next()
            inner = self.expression(depth + 1)
            self.take(")", f"expected ')' to close the '(' in column {token.start + 1}")
            return inner
        self.fail(f"unexpected {token}", hint="expected a name, a number, a function or '('")
        raise AssertionError

    def _number(self) -> Number:
        token = self.next()
        value = float(token.text)
        if not math.isfinite(value):
            self.fail(f"the number {token.text} is too large", token=token, hint="at most about 1.8e308")
        return Number(value, token.start, token.end)

    def _call(self, function: _Token, depth: int) -> Call:
        opening = self.next()
        if self.peek.kind == ")":
            self.fail(f"{function.text}() needs an argument", hint=f"write {function.text}(…)")
        arguments = [self.expression(depth + 1)]
        while self.peek.kind == ",":
            self.next()
            arguments.append(self.expression(depth + 1))
        closing = self.take(")", f"expected ',' or ')' to close the '(' in column {opening.start + 1}")
        return Call(function.text, tuple(arguments), function.start, closing.end)

    def _indexed(self, name: _Token) -> Name:
        self.next()
        shape = "an index is [t], [t-1] or [t+1]"
        if self.peek.kind != "name" or self.peek.text != "t":
            self.fail(f"unexpected {self.peek}", hint=shape)
        self.next()
        offset = 0
        if self.peek.kind in ("+", "-"):
            sign = -1 if self.next().kind == "-" else 1
            token = self.take("number", shape)
            if not token.text.isdigit() or len(token.text) > 9 or int(token.text) > MAX_OFFSET:
                self.fail(
                    f"the offset {token.text} is not a whole number of timesteps up to {MAX_OFFSET}",
                    token=token,
                    hint=shape,
                )
            offset = sign * int(token.text)
        closing = self.take("]", shape)
        return Name(name.text, offset, name.start, closing.end)
