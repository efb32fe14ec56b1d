"""Words at the head of a factor: functions and their slopes, one-hot vectors, sums and products over time, values."""

from __future__ import annotations

from bptt_tui.derivation.formulas.differentials import Differentials
from bptt_tui.derivation.formulas.indices import Part
from bptt_tui.derivation.formulas.reach import parted, reach
from bptt_tui.derivation.formulas.scanner import Token
from bptt_tui.derivation.formulas.tokens import CLOSING
from bptt_tui.derivation.formulas.tree import Call, Formula, Join, Moment, Multiply, Power, Product, Sum

# What a factor can begin with.
STARTS = frozenset({"number", "word", "∂", "(", "[", "{", "frac", "Σ", "∏", "√", "𝟏", "∇"})


class Words(Differentials):
    """Reads what a word begins."""

    def _word(self) -> Formula:
        token = self.peek
        text = token.text
        if self._differential_word():
            partial = self.attempt(self._with_d)
            if isinstance(partial, Formula):
                return partial
            if text not in self.scope.spellings:
                raise partial
        if text not in self.scope.spellings:
            word, _, variable = text.partition("_")
            if word in ("sum", "prod", "Sum", "Prod", "Σ", "Π") and (
                variable or (word not in self.scope.functions and self.ahead().kind == "sub") or self._sub_follows()
            ):
                return self._over_time()
            if text in self.scope.functions:
                return self._function()
            if text in ("array", "tensor") and self.ahead().kind == "(" and self.ahead(2).kind == "[":
                self.next()  # what prints an array puts its name before it
                return self._group()
            special = self._special()
            if special is not None:
                return special
        self.next()
        return self._reference(text, token.start, token.end)

    def _sub_follows(self) -> bool:
        return self.ahead().kind == "sub"

    def _special(self) -> Formula | None:
        """I, e_y."""
        token = self.peek
        if token.text == "I" and "I" not in self.scope.spellings:
            self.next()
            if self.peek.kind == "sub":
                self.next()
            return Call(function="eye", arguments=(), span=(token.start, self.before))
        if token.text == "e" and self.ahead().kind == "sub":
            self.next()
            argument = self._inside(self.next())
            return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        if token.text.startswith("e_"):
            name = token.text[2:]
            if name in self.scope.spellings and "e" not in self.scope.spellings:
                self.next()
                argument = self._reference(name, token.start + 2, token.end)
                return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        return None

    def _function(self) -> Formula:
        token = self.next()
        name = self.scope.functions[token.text]
        if name in ("ones", "eye") and self.peek.kind != "(":
            return Call(function=name, arguments=(), span=(token.start, token.end))
        exponent: Formula | None = None
        while True:
            if self.peek.kind == "'" or (self.peek.kind == "^" and self.ahead().kind == "'"):
                mark = self.next()
                if mark.kind == "^":
                    self.next()
                if name.endswith("'"):
                    raise self.error(
                        "second derivatives are not read", mark.start, "expected a function's slope, as in f'(z)"
                    )
                if name not in ("tanh", "sigmoid", "relu", "exp", "log", "sqrt"):
                    raise self.error(f"{name} has no slope", mark.start, "expected tanh', sigmoid' or relu'")
                name += "'"
            elif self.peek.kind == "^" and self.ahead().kind == "{" and self.ahead(2).kind == "'":
                for _ in range(3):
                    self.next()
                self.take("}", "expected '}'")
                name += "'"
            elif self.peek.kind in ("^n", "^") and exponent is None:
                raised = self.next()
                exponent = self._raised(raised) if raised.kind == "^n" else self.deeper(self.primary)
            else:
                break
        arguments = self._arguments(name)
        least, most = self.scope.arguments(name)
        if len(arguments) < least or (most is not None and len(arguments) > most):
            takes = "one argument" if least == 1 else f"{least} arguments"
            raise self.error(f"{name} takes {takes}, not {len(arguments)}", token.start, f"as in {name}(…)")
        if name == "dot":
            # As arrays are multiplied: a matrix by a vector too.
            return Multiply(factors=arguments, joins=("matrix",), span=(token.start, self.before))
        call = Call(function=name, arguments=arguments, span=(token.start, self.before))
        return call if exponent is None else Power(base=call, exponent=exponent, span=call.span)

    def _arguments(self, name: str) -> tuple[Formula, ...]:
        """What stands in brackets after a function's name; one argument may go without, as in \\tanh z."""
        if self.peek.kind not in CLOSING:
            if self.peek.kind not in STARTS:
                raise self.error(f"unexpected {self.peek}", hint=f"expected '(' after {name}")
            return (self.deeper(self.power),)
        opening = self.next()
        closing = CLOSING[opening.kind]
        arguments: list[Formula] = []
        if self.peek.kind != closing:
            arguments.append(self.deeper(self.formula))
            while self.peek.kind == ",":
                self.next()
                arguments.append(self.deeper(self.formula))
        self.take(closing, f"expected ',' or {closing!r} to close the {opening.text!r} in column {opening.start + 1}")
        return tuple(arguments)

    # --- sums over time --------------------------------------------------------------------------------------------

    def _over_time(self) -> Formula:
        """Σ_t body, Σ_{t=0}^{1} body, Σ_{k≤t} body; several variables are sums inside each other."""
        token = self.next()
        product = token.kind == "∏" or token.text.lower().startswith(("prod", "π"))
        sign = "∏" if product else "Σ"
        if token.kind == "word" and "_" in token.text:
            lower = [Part(token.text.partition("_")[2], token.start + token.text.index("_") + 1, token.end)]
        else:
            upper_first = self._upper() if self.peek.kind in ("^", "^n") else None
            if self.peek.kind != "sub":
                raise self.error(f"{sign} over what?", token.start, f"expected a timestep's variable, as in {sign}_t")
            sub = self.next()
            lower = self._parts(sub)
            if upper_first is not None:
                self.index -= 1
                return self._bounded(token, product, lower, upper_first)
        if token.kind == "word" and "_" in token.text and self.peek.kind == "sub":
            raise self.error(f"unexpected {self.peek}", hint=f"write {sign}_t")
        upper = self._upper() if self.peek.kind in ("^", "^n") else None
        return self._bounded(token, product, lower, upper)

    def _bounded(self, token: Token, product: bool, lower: list[Part], upper: Part | None) -> Formula:
        if self.peek.kind == "sub":
            self.next()
        around = self.variables
        bounds: list[tuple[str, Moment | None, Moment | None]] = []
        for place, part in enumerate(lower):
            bounds.append(self._bounds(part, upper if place == len(lower) - 1 else None))
            self.variables = (*self.variables, bounds[-1][0])
        start = self.peek.start
        body = self.deeper(self.term)
        self.variables = around
        joins: tuple[Join, ...] = body.joins if isinstance(body, Multiply) else ()
        behind: tuple[Formula, ...] = ()
        end = self.before
        if product and body.span[0] == start:  # otherwise it stands in brackets
            body, behind = parted(body, reach(body, tuple(variable for variable, _, _ in bounds)))
            end = body.span[1] if behind else end
        kind = Product if product else Sum
        for variable, first, last in reversed(bounds):
            body = kind(variable=variable, body=body, first=first, last=last, span=(token.start, end))
        if not behind:
            return body
        return Multiply(factors=(body, *behind), joins=joins[-len(behind) :], span=(token.start, self.before))
