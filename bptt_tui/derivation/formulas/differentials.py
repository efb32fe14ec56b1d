"""Fractions, and the partials among them: ∂E/∂u, dE/du, \\frac{\\partial E}{\\partial u}, ∂⁺s_t/∂w, d s_1 / d z_1."""

from __future__ import annotations

from bptt_tui.derivation.formulas.names import Names
from bptt_tui.derivation.formulas.parts import with_article
from bptt_tui.derivation.formulas.scanner import Token
from bptt_tui.derivation.formulas.tokens import CLOSING, MAX_DEPTH
from bptt_tui.derivation.formulas.tree import Divide, Entry, Formula, Meant, Partial, Value
from bptt_tui.errors import FormulaError


class Differentials(Names):
    """Reads partials. A word that begins with d is a differential where another one stands below it."""

    def _partial(self) -> Formula:
        """∂above/∂below."""
        start = self.peek.start
        mark = self.next()
        above = self._derived()
        self.take("/", f"expected '/' and what {self.text[above.span[0] : above.span[1]]} is derived by")
        below, by_d = self._below()
        return self._made(start, above, below, mark.text, by_d)

    def _below(self) -> tuple[Value, bool]:
        """∂below or dbelow, perhaps in brackets."""
        opening = self.next() if self.peek.kind in ("(", "{") and self._opens_differential() else None
        if self.peek.kind == "∂":
            self.next()
            result = self._derived(below=True), False
        elif self.peek.kind == "word" and self.peek.text.startswith("d"):
            result = self._after_d(below=True), True
        else:
            raise self.error(f"unexpected {self.peek}", hint="expected ∂ and a name, as in ∂E/∂u")
        if opening is not None:
            self.take(CLOSING[opening.kind], f"expected {CLOSING[opening.kind]!r}")
        return result

    def _opens_differential(self) -> bool:
        token = self.ahead()
        return token.kind == "∂" or (token.kind == "word" and token.text.startswith("d"))

    def _made(self, start: int, above: Value, below: Value, mark: str, by_d: bool) -> Partial:
        reading: Meant = ""
        if mark == "∂⁺":
            reading = "immediate"
        elif mark == "d" and by_d and self.distinguishes:
            reading = "total"
        if self.scope.kind(above.name) != "node":
            raise self.error(
                f"{above.name} is {with_article(self.scope.kind(above.name))}, nothing that depends on others",
                above.span[0],
                f"expected a node above: {', '.join(self.scope.network.targets)}",
            )
        if self.scope.kind(below.name) == "constant":
            raise self.error(
                f"{below.name} is a constant", below.span[0], "expected a node, an input or a parameter below"
            )
        return Partial(above=above, below=below, reading=reading, span=(start, self.before))

    def _derived(self, *, below: bool = False) -> Value:
        """The name after ∂, perhaps in brackets."""
        if self.peek.kind in ("(", "{", "["):
            opening = self.next()
            if self.depth >= MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} brackets deep")
            self.depth += 1
            value = self._derived(below=below)
            self.depth -= 1
            closing = CLOSING[opening.kind]
            self.take(closing, f"expected {closing!r} to close the {opening.text!r} in column {opening.start + 1}")
            return value
        if self.peek.kind in ("^", "^n"):
            raise self.error("higher derivatives are not read", hint="expected a name after ∂, as in ∂E/∂u")
        if self.peek.kind != "word":
            expected = "a node, an input or a parameter" if below else "a node"
            raise self.error(f"unexpected {self.peek}", hint=f"expected the name of {expected} after ∂")
        token = self.next()
        return self._settled(token, token.text, token.start)

    def _after_d(self, *, below: bool = False) -> Value:
        """The name after a d: `du_1`, `d u_1`."""
        token = self.next()
        if token.text == "d":
            return self._derived(below=below)
        return self._settled(token, token.text[1:], token.start + 1)

    def _settled(self, token: Token, word: str, start: int) -> Value:
        """One name with its index."""
        found = self._reference(word, start, token.end, whole=True)
        if isinstance(found, Entry):
            column = found.indices[0].span[0]
            name = self.text[start:column].rstrip("_[{(")
            raise self.error(
                f"a partial by or of one entry of {name} is not read", column, "put brackets around the partial"
            )
        assert isinstance(found, Value)
        return found

    def _differential_word(self) -> bool:
        """Whether a partial written with d begins here: `dE/du`, `d s_1 / d z_1`."""
        token = self.peek
        if token.kind != "word" or not token.text.startswith("d") or token.text in self.scope.functions:
            return False
        place = 1
        if token.text == "d":
            if self.ahead(place).kind not in ("word", "(", "{"):
                return False
            while self.ahead(place).kind in ("(", "{"):
                place += 1
            place += 1
        while self.ahead(place).kind in ("sub", ")", "}"):
            place += 1
        opening = self.ahead(place).kind
        if opening in ("[", "("):
            while self.ahead(place).kind not in (CLOSING[opening], "end"):
                place += 1
            place += 1
        if self.ahead(place).kind != "/":
            return False
        below = self.ahead(place + 1)
        if below.kind in ("(", "{"):
            below = self.ahead(place + 2)
        return below.kind == "∂" or (below.kind == "word" and below.text.startswith("d"))

    def _with_d(self) -> Formula:
        start = self.peek.start
        above = self._after_d()
        self.take("/", "expected '/' and what it is derived by")
        below, by_d = self._below()
        return self._made(start, above, below, "d", by_d)

    def _partial_fraction(self, start: int) -> Formula | None:
        """The partial of `\\frac{∂E}{∂u}`; None where it is another fraction."""
        if self.peek.kind != "{" or not self._opens_differential():
            return None
        index = self.index

        def inside() -> Formula:
            self.take("{", "expected '{'")
            token = self.peek
            above, mark = (self._derived_after_mark(), token.text) if token.kind == "∂" else (self._after_d(), "d")
            self.take("}", "expected '}' after what is derived")
            if self.peek.kind != "{":
                raise self.error(f"unexpected {self.peek}", hint="expected '{' and what it is derived by")
            self.next()
            below, by_d = self._below()
            self.take("}", "expected '}' after what it is derived by")
            return self._made(start, above, below, mark, by_d)

        found = self.attempt(inside)
        if isinstance(found, Formula):
            return found
        if self.tokens[index + 1].kind == "∂" and not self._has_slash(index):
            raise found
        # `\frac{dE/do}{2}` and a name that begins with d are fractions of values.
        other = self.attempt(lambda: Divide(top=self._argument(), bottom=self._argument()))
        if isinstance(other, FormulaError):
            raise found if found.column >= other.column else other
        self.index = index
        return None

    def _has_slash(self, index: int) -> bool:
        """Whether the braces that open at a token hold a '/'."""
        depth = 0
        for token in self.tokens[index:]:
            depth += (token.kind == "{") - (token.kind == "}")
            if token.kind == "/" and depth == 1:
                return True
            if depth == 0:
                return False
        return False

    def _derived_after_mark(self) -> Value:
        self.next()
        return self._derived()

    # --- fractions and brackets ------------------------------------------------------------------------------------

    def _fraction(self) -> Formula:
        """`\\frac{∂E}{∂u}` or `\\frac{a}{b}`."""
        start = self.next().start
        partial = self._partial_fraction(start)
        if partial is not None:
            return partial
        top = self._argument()
        bottom = self._argument()
        return Divide(top=top, bottom=bottom, span=(start, self.before))

    def _argument(self) -> Formula:
        """What a LaTeX command takes: a group in braces, or a single sign."""
        if self.peek.kind == "{":
            return self._group()
        if self.peek.kind in ("number", "word"):
            return self.deeper(self.primary)
        raise self.error(f"unexpected {self.peek}", hint="expected '{', as in \\frac{a}{b}")

    def _group(self) -> Formula:
        opening = self.next()
        inner = self.deeper(self.formula)
        closing = CLOSING[opening.kind]
        if self.peek.kind == "=":
            raise self.error("an '=' inside brackets", hint=f"expected {closing!r} to close column {opening.start + 1}")
        if self.peek.kind != closing:
            raise self.error(
                f"unexpected {self.peek}",
                hint=f"expected {closing!r} to close the {opening.text!r} in column {opening.start + 1}",
            )
        self.next()
        return inner
