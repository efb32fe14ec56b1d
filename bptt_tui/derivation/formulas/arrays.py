r"""Numbers in brackets: a vector, a matrix, or what a network's concat puts together.

    [0.367, -0.367]  [0.367 -0.367]  (0.3, 0.7)  [1; 2]  [[1, 2], [3, 4]]  \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}

A list is a column. Brackets around one formula are brackets.
"""

from __future__ import annotations

import re
from typing import Any

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.scanner import Token
from bptt_tui.derivation.formulas.tokens import CLOSING
from bptt_tui.derivation.formulas.tree import Call, Formula, Matrix, Negate, Number, Partial, Value
from bptt_tui.derivation.formulas.words import Words
from bptt_tui.language import Call as Operation

_NUMBER = r"[+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+\-−]?\d+)?"
_SPACED = re.compile(rf"\s*{_NUMBER}(?:\s+{_NUMBER})+\s*")


class Arrays(Words):
    """Reads what stands in brackets, where it is more than one formula."""

    def _opens_array(self) -> bool:
        """Whether the bracket here holds several entries, or rows of them."""
        if _is_latex(self.peek) or self._has_several():
            return True
        return self.peek.kind == "[" and self.ahead().kind == "[" and not _is_latex(self.ahead()) and self._has_rows()

    def _has_several(self) -> bool:
        """Whether entries stand in the bracket itself."""
        if self.peek.kind == "[" and self._spaced() is not None:
            return True
        open_brackets: list[str] = []
        for token in self.tokens[self.index :]:
            if token.kind in CLOSING:
                open_brackets.append(token.kind)
            elif token.kind in CLOSING.values():
                open_brackets.pop()
                if not open_brackets:
                    break
            elif token.kind in (",", ";") and len(open_brackets) == 1:
                return True
        return False

    def _has_rows(self) -> bool:
        """Whether what stands in the bracket here is rows, and one of them holds several entries."""
        index, several = self.index, False
        try:
            self.index += 1
            while self.peek.kind == "[":
                end = self._matching()
                if end is None:
                    return False
                several |= self._has_several()
                self._skip_to(end)
            return several and self.peek.kind == "]"
        finally:
            self.index = index

    def _skip_to(self, end: int) -> None:
        while self.peek.kind != "end" and self.peek.start <= end:
            self.next()

    def _spaced(self) -> list[re.Match[str]] | None:
        """Numbers with nothing but space between them, as they are printed: [0.367 -0.367]."""
        closing = self._matching()
        if closing is None or _SPACED.fullmatch(self.text, self.peek.end, closing) is None:
            return None
        return list(re.compile(_NUMBER).finditer(self.text, self.peek.end, closing))

    def _array(self) -> Formula:
        """The whole array; a concatenation where it is one of vectors of a network that concatenates."""
        start = self.peek.start
        spaced = None if _is_latex(self.peek) or self.peek.kind == "(" else self._spaced()
        if spaced is not None:
            rows = [[_number(match)] for match in spaced]
            closing = self._matching()
            assert closing is not None
            self._skip_to(closing)
        else:
            rows = self._rows()
        span = (start, self.before)
        uneven = next((row for row in rows if len(row) != len(rows[0])), None)
        if uneven is not None:
            place = uneven[0].span[0] if uneven else start
            raise self.error(
                f"a row of {len(uneven)} below one of {len(rows[0])}", place, "expected rows of one length"
            )
        entries = tuple(entry for row in rows for entry in row)
        if len(rows[0]) == 1 and self._concatenates() and any(_is_named(entry) for entry in entries):
            return Call(function="concat", arguments=entries, span=span)
        return Matrix(entries=entries, columns=len(rows[0]), span=span)

    def _rows(self) -> list[list[Formula]]:
        """The entries, row by row."""
        opening = self.next()
        closing = CLOSING[opening.kind]
        lines: list[list[Formula]] = [[]]
        rows: list[list[Formula]] = []
        while True:
            if opening.kind == "[" and not _is_latex(opening) and self._is_row():
                rows.append(self._row())
            else:
                lines[-1].append(self.deeper(self.formula))
            if self.peek.kind == ";":
                self.next()
                if self.peek.kind != closing and not rows:
                    lines.append([])
            elif self.peek.kind == ",":
                self.next()
            elif not (rows and self.peek.kind == "["):
                break
            if self.peek.kind == closing:
                break
        self._close(opening)
        if rows and lines[0]:
            raise self.error("rows and single entries side by side", opening.start, "expected [[1, 2], [3, 4]]")
        if rows:
            return rows
        return [[entry] for entry in lines[0]] if len(lines) == 1 and not _is_latex(opening) else lines

    def _close(self, opening: Token) -> None:
        if self.peek.kind != CLOSING[opening.kind]:
            closing = opening.text.replace("begin", "end") if _is_latex(opening) else CLOSING[opening.kind]
            hint = f"expected ',' or {closing!r} to close the {opening.text!r} in column {opening.start + 1}"
            raise self.error(f"unexpected {self.peek}", hint=hint)
        self.next()

    def _is_row(self) -> bool:
        """Whether a bracket opens here that is a row: after it comes the next one, or the end."""
        if self.peek.kind != "[" or _is_latex(self.peek):
            return False
        end, index = self._matching(), self.index
        if end is None:
            return False
        self._skip_to(end)
        after = self.peek.kind
        self.index = index
        return after in (",", ";", "]", "[")

    def _row(self) -> list[Formula]:
        opening = self.peek
        if not self._opens_array():
            return [self._group()]
        inner = self.deeper(self._array)
        entries: Any = inner.arguments if isinstance(inner, Call) else inner.entries  # type: ignore[attr-defined]
        if isinstance(inner, Matrix) and 1 not in (inner.columns, len(entries) // inner.columns):
            raise self.error("an array has rows and columns only", opening.start, "expected [[1, 2], [3, 4]]")
        return list(entries)

    def _concatenates(self) -> bool:
        """Whether an equation of the network has concat."""

        def look(expression: object) -> bool:
            if not isinstance(expression, Operation):
                return False
            return expression.operation == "concat" or any(map(look, expression.arguments))

        return any(look(equation.expression) for equation in self.scope.network.equations)


def _is_latex(token: Token) -> bool:
    """Whether a bracket is \\begin{pmatrix}."""
    return token.text.startswith("\\begin")


def _is_named(formula: Formula) -> bool:
    return any(isinstance(part, Value | Partial) for part in walk(formula))


def _number(match: re.Match[str]) -> Formula:
    text = match[0].replace("−", "-")
    span = match.span()
    number = Number(value=float(text.lstrip("+-")), span=(span[0] + text.startswith(("+", "-")), span[1]))
    return Negate(operand=number, span=span) if text.startswith("-") else number
