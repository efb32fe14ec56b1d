"""Subscripts and indices: timesteps, bounds of sums, entries.

s_1   s[t-1]   s_{t−1}   sₜ₋₁   Σ_{k=0}^{t}   Σ_{k≤t}   o[y]   W_{0,1}
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bptt_tui.derivation.formulas.scanner import Token, plain_index, plain_power
from bptt_tui.derivation.formulas.tokens import MAX_DEPTH, Tokens
from bptt_tui.derivation.formulas.tree import Entry, Formula, Moment, Negate, Number

_MOMENT = re.compile(r"([+-]?)(\d{1,9}|[^\W\d_]+'*)")


class Part(NamedTuple):
    """A part of a subscript: its text in plain characters, and where it stands. In brackets it is an index, no name."""

    text: str
    start: int
    end: int
    bracketed: bool = False


def shortened(text: str) -> str:
    """A text for an error, its beginning if it is long."""
    return text if len(text) <= 40 else text[:39] + "…"


class Indices(Tokens):
    """Reads what stands in subscripts and in the brackets of an index."""

    # --- subscripts ------------------------------------------------------------------------------------------------

    def _parts(self, token: Token) -> list[Part]:
        """A subscript's parts, between commas."""
        start, end = token.inner
        parts, place, depth = [], start, 0
        for at in range(start, end + 1):
            character = self.text[at] if at < end else ","
            depth += (character in "{([") - (character in "})]")
            if character == "," and depth <= 0 and not (at < end and at > 0 and self.text[at - 1] == "\\"):
                parts.append(Part(plain_index(self.text[place:at]), place, at))
                place = at + 1
        for part in parts:
            if not part.text:
                raise self.error("an empty subscript", part.start, "expected a timestep such as 1 or t-1")
        return parts

    def _indexes(self) -> bool:
        """Whether the '[' here opens an index: a timestep, or a class."""
        closing = self._matching()
        if closing is None:
            return False
        inner = plain_index(self.text[self.peek.end : closing])
        return all(self._is_index(part) for part in inner.split(",")) if inner else True

    def _is_index(self, text: str) -> bool:
        if self._moment(text) is not None or re.fullmatch(r"[+-]?\d+|t'*([+-]\d+)?", text):
            return True
        stem = re.split(r"[\[_]", text)[0].rstrip("0123456789")
        for name in (text, stem):
            own = self.scope.spellings.get(name)
            if own is not None:
                return self.scope.kind(own) in ("constant", "input") and not self.scope.shape(own)
        return bool(re.fullmatch(r"[a-z]'*([+-]\d+)?", text)) and text[0] not in self.scope.spellings

    def _matching(self) -> int | None:
        """Where the bracket that opens here closes."""
        depth = 0
        for token in self.tokens[self.index :]:
            depth += (token.kind == "[") - (token.kind == "]")
            if depth == 0:
                return token.start
        return None

    def _bracket(self) -> list[Part]:
        """The parts of an index in brackets."""
        opening = self.peek
        closing = self._matching()
        assert closing is not None
        while self.peek.start < closing:
            self.next()
        self.next()
        if not plain_index(self.text[opening.end : closing]):
            raise self.error("an empty index", opening.start, "expected a timestep such as s[1]")
        parts = self._parts(Token("sub", "", opening.start, self.before, (opening.end, closing)))
        return [part._replace(bracketed=True) for part in parts]

    # --- timesteps -------------------------------------------------------------------------------------------------

    def _upper(self) -> Part:
        """The upper bound after `^`."""
        mark = self.next()
        if mark.kind == "^n":
            return Part(plain_power(mark.text), mark.start, mark.end)
        if self.peek.kind == "{":
            opening = self.next()
            while self.peek.kind not in ("}", "end"):
                self.next()
            closing = self.take("}", "expected '}' after the upper bound")
            return Part(plain_index(self.text[opening.end : closing.start]), opening.end, closing.start)
        if self.peek.kind not in ("number", "word"):
            raise self.error(f"unexpected {self.peek}", hint="expected the last timestep, as in Σ_{t=0}^{1}")
        token = self.next()
        return Part(plain_index(token.text), token.start, token.end)

    def _bounds(self, part: Part, upper: Part | None) -> tuple[str, Moment | None, Moment | None]:
        """The variable and its bounds: `t`, `t=0`, `t=0…1`, `k≤t`, `0≤k<t`."""
        text = part.text.replace("\\leq", "≤").replace("\\le", "≤").replace("<=", "≤").replace("\\lt", "<")
        text = text.replace("\\geq", "≥").replace("\\ge", "≥").replace(">=", "≥").replace("\\gt", ">")
        text = text.replace("\\ldots", "…").replace("\\dots", "…").replace("...", "…").replace("..", "…")
        name = r"([^\W\d_]+'*)"
        last = None if upper is None else self._bound(upper.text, upper)
        if match := re.fullmatch(name, text):
            return self._variable(match[1], part), None, last
        if match := re.fullmatch(rf"{name}(?:=|∈)\{{?([^…=]+?)(?:(?:…|,…,)([^…=]+))?\}}?", text):
            variable = self._variable(match[1], part)
            end = last if match[3] is None else self._bound(match[3], part)
            return variable, self._bound(match[2], part), end
        if (match := re.fullmatch(rf"()(){name}([≤<])([^≤<]+)", text)) or (
            match := re.fullmatch(rf"([^≤<]+)([≤<]){name}(?:([≤<])([^≤<]+))?", text)
        ):
            variable = self._variable(match[3], part)
            first = self._bound(match[1], part, match[2] == "<") if match[1] else None
            end = last if match[5] is None else self._bound(match[5], part, -(match[4] == "<"))
            return variable, first, end
        if (match := re.fullmatch(rf"()(){name}([≥>])([^≥>]+)", text)) or (
            match := re.fullmatch(rf"([^≥>]+)([≥>]){name}(?:([≥>])([^≥>]+))?", text)
        ):
            # t ≥ i > k, from the latest down.
            variable = self._variable(match[3], part)
            first = self._bound(match[5], part, match[4] == ">") if match[5] else None
            end = self._bound(match[1], part, -(match[2] == ">")) if match[1] else last
            return variable, first, end
        raise self.error(f"{shortened(part.text)!r} says no timesteps", part.start, "expected t, t=0 or k≤t")

    def _variable(self, name: str, part: Part) -> str:
        if name in self.variables:
            raise self.error(f"{name} is the variable of a sum around this one", part.start, "choose another letter")
        return name

    def _bound(self, text: str, part: Part, shift: int = 0) -> Moment:
        bound = self._moment(text)
        if bound is None:
            known = f" or one of {', '.join(self.variables)}" if self.variables else ""
            raise self.error(f"{shortened(text)!r} is not a timestep", part.start, f"expected a number{known}")
        bound = Moment(bound.offset + shift, bound.variable)
        if not bound.variable and not -1 <= bound.offset < self.scope.steps:
            raise self.error(
                f"there is no timestep {bound.offset}", part.start, f"the timesteps are 0 … {self.scope.steps - 1}"
            )
        return bound

    def _moment(self, text: str) -> Moment | None:
        """A timestep: 1, t, t-1, 1+k, T-1."""
        offset, variable, place = 0, "", 0
        while place < len(text):
            match = _MOMENT.match(text, place)
            if match is None or (place > 0 and not match[1]):
                return None
            sign = -1 if match[1] == "-" else 1
            if match[2][0].isdecimal():
                offset += sign * int(match[2])
            elif match[2] in self.variables and not variable and sign == 1:
                variable = match[2]
            elif match[2] == "T" and "T" not in self.scope.spellings:
                offset += sign * self.scope.steps
            else:
                return None
            place = match.end()
        return Moment(offset, variable) if text else None

    # --- entries ---------------------------------------------------------------------------------------------------

    def _entries(self, base: Formula, parts: list[Part], start: int, end: int | None = None) -> Formula:
        indices = tuple(self._entry(part) for part in parts)
        return Entry(operand=base, indices=indices, span=(start, self.before if end is None else end))

    def _entry(self, part: Part) -> Formula:
        if re.fullmatch(r"\d{1,9}", part.text):
            return Number(value=float(part.text), span=(part.start, part.end))
        return self._sub_formula(part.start, part.end)

    def _inside(self, token: Token) -> Formula:
        """A subscript read as a formula: the y of e_y."""
        return self._sub_formula(*token.inner)

    def _sub_formula(self, start: int, end: int) -> Formula:
        if self.depth >= MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} brackets deep", start)
        inner = type(self)(self.text, self.scope, (start, end), self.variables, self.depth + 1)
        return inner.whole()

    def _raised(self, token: Token) -> Formula:
        text = plain_power(token.text)
        if not re.fullmatch(r"-?\d{1,9}", text):
            raise self.error(f"{token.text} is not a power", token.start, "expected a whole number such as ²")
        number = Number(value=float(text.lstrip("-")), span=(token.start, token.end))
        return Negate(operand=number, span=number.span) if text.startswith("-") else number
