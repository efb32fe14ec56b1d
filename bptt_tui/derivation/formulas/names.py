"""What a word with its subscripts means in the network: a name at a timestep, a use, an entry, or several names."""

from __future__ import annotations

import re

from bptt_tui.derivation.formulas.indices import Indices, Part, shortened
from bptt_tui.derivation.formulas.parts import describe
from bptt_tui.derivation.formulas.scanner import Token, plain_index
from bptt_tui.derivation.formulas.tree import Formula, Join, Moment, Multiply, Number, Time, Value
from bptt_tui.errors import FormulaError
from bptt_tui.network.network import did_you_mean

MAX_WORD = 200
# A timestep above a name: ^{(t-1)}, ^{<t>}; without brackets only one with a letter, and not the T of a transpose.
_OPENING, _CLOSING = r"(?:\\left\s*)?(?:\(|<|⟨|\\langle)", r"(?:\\right\s*)?(?:\)|>|⟩|\\rangle)"
_RAISED = re.compile(rf"\^\s*\{{\s*{_OPENING}([^(){{}}<>⟨⟩\\]+){_CLOSING}\s*(T|⊤|\\top|\\intercal)?\s*\}}")
_LETTER = re.compile(r"\^\s*\{?\s*([a-z](?:\s*[-−+]\s*\d+)?)(?![A-Za-z0-9_])()\s*\}?")
_OPEN = re.compile(r"[a-z]'*([+-]\d+)?")


class Names(Indices):
    """Settles names: the reading that makes sense in the network, an error naming both where two do."""

    def _reference(self, word: str, start: int, end: int, *, whole: bool = False) -> Formula:
        """What a word with the subscripts after it means; several names glued together are a product."""
        if word in self.variables and (self.raising or word not in self.scope.spellings):
            return Time(t=Moment(0, word), span=(start, end))
        if word == "T" and "T" not in self.scope.spellings and (self.raising or not whole):
            return Number(value=float(self.scope.steps), span=(start, end))
        self._lower_first()
        parts: list[Part] = []
        bracketed: list[list[Part]] = []
        while True:
            if self.peek.kind == "sub" and not bracketed:
                parts += self._parts(self.next())
            elif self.peek.kind == "[" and self.peek.start == self.before and self._indexes():
                bracketed.append(self._bracket())
            else:
                break
        parts += [part for group in bracketed for part in group]
        if not parts:
            parts = self._raised_index(word)
        if not parts:
            parts = self._as_argument(word)
        tail = self.before if parts else end
        found, errors = self._readings(word, parts, start, tail)
        if len(found) > 1:
            names = " or ".join(describe(formula) for formula in found[:2])
            raise self.error(
                f"{shortened(self.text[start:tail])} can be {names}", start, "write the index in brackets, as in s[1]"
            )
        if found:
            return found[0]
        if not whole:
            product = self._glued(word, parts, start, tail)
            if product is not None:
                return product
        if errors:
            raise errors[0]
        raise self._unknown(word, start)

    def _lower_first(self) -> None:
        """s^2_1 is s_1^2."""
        if self.peek.kind not in ("^", "^n"):
            return
        above = 1
        if self.peek.kind == "^":
            braced = self.ahead().kind == "{"
            if self.ahead(1 + braced).kind not in ("number", "⊤") or (braced and self.ahead(3).kind != "}"):
                return
            above = 4 if braced else 2
        if self.ahead(above).kind == "sub":
            self.tokens.insert(self.index, self.tokens.pop(self.index + above))

    def _raised_index(self, word: str) -> list[Part]:
        """h^{(t)} and h^{<t>}; h^t and h^{t-1} of a name that needs a timestep."""
        scope, name = self.scope, self.scope.spellings.get(word)
        if self.peek.kind != "^" or name is None or not scope.timed(name):
            return []
        needs = scope.kind(name) in ("node", "input") and scope.only(name) is None and not scope.is_total(name)
        match = _RAISED.match(self.text, self.peek.start)
        if match is None and needs:
            match = _LETTER.match(self.text, self.peek.start)
        text = "" if match is None else plain_index(match[1])
        if match is None or (self._moment(text) is None and not _OPEN.fullmatch(text)):
            return []
        while self.peek.start < match.end() and self.peek.kind != "end":
            self.next()
        if match[2]:
            # h^{(t)⊤} is h^{(t)} transposed.
            self.tokens.insert(self.index, Token("ᵀ", match[2], match.start(2), match.end()))
        return [Part(text, match.start(1), match.end(1), True)]

    def _as_argument(self, word: str) -> list[Part]:
        """s(t-1): brackets after a name that needs a timestep hold one."""
        scope = self.scope
        name = scope.spellings.get(word)
        if name is None or self.peek.kind != "(" or self.peek.start != self.before:
            return []
        if scope.kind(name) not in ("node", "input"):
            return []
        place = 1
        while self.ahead(place).kind in ("word", "number", "+", "-", "'"):
            place += 1
        closing = self.ahead(place)
        part = Part(plain_index(self.text[self.peek.end : closing.start]), self.peek.end, closing.start, True)
        moment = self._moment(part.text) if closing.kind == ")" else None
        if moment is None:
            return []
        if (scope.only(name) is not None or scope.is_total(name)) and not self._there(name, moment):
            return []  # a product with a name that needs no index
        self.index += place + 1
        return [part]

    def _readings(self, word: str, parts: list[Part], start: int, end: int) -> tuple[list[Formula], list[FormulaError]]:
        """The readings of a word as one name with an index that make sense, and what is wrong with the others."""
        found: list[Formula] = []
        errors: list[FormulaError] = []
        for name, index in self._candidates(word, parts, start, end):
            try:
                formula = self._indexed(name, index, start, end)
            except FormulaError as error:
                errors.append(error)
                continue
            if not found or formula != found[0]:
                found.append(formula)
        return found, errors

    def _candidates(self, word: str, parts: list[Part], start: int, end: int) -> list[tuple[str, list[Part]]]:
        spellings = self.scope.spellings
        found: list[tuple[str, list[Part]]] = []
        lowered = sum(not part.bracketed for part in parts)
        for count in range(min(lowered, 4), 0, -1):
            texts = [part.text for part in parts[:count]]
            spelled = ["_".join((word, *texts)), "_".join((word + texts[0], *texts[1:])), word + "".join(texts)]
            for name in dict.fromkeys(spelled):
                if name in spellings:
                    found.append((spellings[name], parts[count:]))
        if word in spellings:
            # s_1 is s at t = 1 before it is a name s1; only a name written just so comes first.
            exact = [
                c
                for c in found
                if parts and c[0] == "_".join((word, *(p.text for p in parts[: len(parts) - len(c[1])])))
            ]
            rest = [c for c in found if c not in exact]
            found = [*exact[:1], *([] if exact else [(spellings[word], parts), *rest])]
        elif not found and word.replace("_", "") in spellings:
            # b_h for bh, as W_{xh} for Wxh.
            found.append((spellings[word.replace("_", "")], parts))
        elif not found:
            match = re.fullmatch(r"(.*?)_?(\d+)", word) or re.fullmatch(r"(.*?)_([^\W_]+'*)", word)
            if match and match[1] in spellings:
                place = end - 0
                offset = start + (len(word) - len(match[2]))
                index = Part(match[2], offset, min(offset + len(match[2]), place))
                found.append((spellings[match[1]], [index, *parts]))
        return found

    def _indexed(self, name: str, parts: list[Part], start: int, end: int) -> Formula:
        """A name with its index: a timestep first where it has timesteps, entries after that."""
        scope = self.scope
        rest = parts
        t: Moment | None = None
        kind = scope.kind(name)
        timed = False
        if parts and scope.timed(name):
            moment = self._moment(parts[0].text)
            if moment is not None and self._there(name, moment):
                t, rest, timed = moment, parts[1:], True
            elif not self._could_be_entry(name, parts, moment):
                raise self._no_timestep(name, parts[0], moment)
        if not timed:
            t = self._bare(name, start)
        value = Value(name=name, t=t, span=(start, parts[0].start if rest and not timed else end))
        if not rest:
            return value
        shape = scope.shape(name)
        if len(rest) > len(shape) and rest[0].text in self.variables:
            raise self.error(
                f"a sum over entries is not read, and {rest[0].text} is no timestep of {name}",
                rest[0].start,
                "write it as a product of vectors, as in (o - y)^T v",
            )
        if len(rest) > len(shape):
            what = "a single number" if not shape else f"{len(shape)} index{'es' * (len(shape) > 1)} at most"
            raise self.error(
                f"{describe(value)} has no entry {rest[0].text}",
                rest[0].start,
                f"{name} is {what}" if not shape else what,
            )
        for part, size in zip(rest, shape, strict=False):
            if re.fullmatch(r"[+-]?\d+", part.text) and not 0 <= int(part.text) < size:
                raise self.error(f"{name} has no entry {part.text}", part.start, f"its entries are 0 … {size - 1}")
        _ = kind
        return self._entries(value, rest, start, end)

    def _there(self, name: str, moment: Moment) -> bool:
        return bool(moment.variable) or self.scope.exists(name, moment.offset)

    def _could_be_entry(self, name: str, parts: list[Part], moment: Moment | None) -> bool:
        """Whether an index that is no timestep of the name can be an entry of it."""
        scope = self.scope
        shape = scope.shape(name)
        if not shape or len(parts) > len(shape):
            return False
        bare = scope.kind(name) == "parameter" or scope.only(name) is not None
        if not bare:
            return False
        if moment is None:
            return self._is_index(parts[0].text) and self._names_class(parts[0].text)
        return not moment.variable and 0 <= moment.offset < shape[0]

    def _names_class(self, text: str) -> bool:
        stem = re.split(r"[\[_]", text)[0]
        return any(name in self.scope.spellings for name in (text, stem, stem.rstrip("0123456789")))

    def _no_timestep(self, name: str, part: Part, moment: Moment | None) -> FormulaError:
        scope = self.scope
        if moment is None:
            letter = re.match(r"[^\W\d_]+'*", part.text)
            if letter and part.text[: letter.end()] not in scope.spellings:
                return self.error(
                    f"{letter[0]} is not a timestep here",
                    part.start,
                    f"expected a number, or a sum over it: Σ_{letter[0]}",
                )
            return self.error(
                f"{shortened(part.text)!r} is not a timestep", part.start, f"expected a timestep, as in {name}[1]"
            )
        hint = scope.missing(name, moment.offset)
        if "T" in part.text and moment.offset >= scope.steps:
            hint = f"T is the number of timesteps, {scope.steps}, and they begin at 0: the last is T-1"
        if scope.kind(name) == "parameter":
            return self.error(f"{name} is not used at t = {moment.offset}", part.start, hint)
        return self.error(f"there is no {name}[{moment.offset}]", part.start, hint)

    def _bare(self, name: str, start: int) -> Moment | None:
        """The timestep of a name without an index."""
        scope = self.scope
        if scope.kind(name) in ("parameter", "constant") or scope.is_total(name):
            return None
        only = scope.only(name)
        if only is not None:
            return Moment(only)
        if name == scope.loss:
            return Moment(int(scope.unrolled.loss_times[0]))
        if scope.times(name) if scope.steps < 1000 else True:
            raise self.error(
                f"which {name}?", start, f"write {name}_t with a timestep: it exists at t = {self._choices(name)}"
            )
        raise self.error(f"{name} is not part of the derivation", start, scope.missing(name, 0))

    def _choices(self, name: str) -> str:
        return self.scope.choices(name) if self.scope.steps < 1000 else f"0 … {self.scope.steps - 1}"

    # --- names glued together --------------------------------------------------------------------------------------

    def _glued(self, word: str, parts: list[Part], start: int, end: int) -> Formula | None:
        """`ws_0` as w · s_0, where there is just one such way."""
        if len(word) > MAX_WORD:
            return None
        ways = self._splits(word)
        readings: list[tuple[Formula, ...]] = []
        for way in ways:
            factors: list[Formula] = []
            place = 0
            try:
                for number, piece in enumerate(way):
                    last = number == len(way) - 1
                    stop = end if last else start + place + len(piece)
                    found, errors = self._readings(piece, parts if last else [], start + place, stop)
                    if len(found) != 1:
                        raise errors[0] if errors else self._unknown(piece, start)
                    factors += found
                    place += len(piece)
            except FormulaError:
                continue
            readings.append(tuple(factors))
        if not readings:
            return None
        if len(readings) > 1:
            names = " or ".join(" · ".join(map(describe, reading)) for reading in readings[:2])
            raise self.error(f"{shortened(self.text[start:end])} can be {names}", start, "write · between factors")
        factors = list(readings[0])
        joins: tuple[Join, ...] = tuple("as it fits" for _ in factors[1:])
        return Multiply(factors=tuple(factors), joins=joins, span=(start, end))

    def _splits(self, word: str) -> list[list[str]]:
        """Ways to cut a word in two or more names, each with the digits after it; a few at most."""
        spellings = self.scope.spellings
        lengths = sorted({len(name) for name in spellings})
        ways: list[list[list[str]]] = [[] for _ in range(len(word) + 1)]
        ways[len(word)] = [[]]
        for place in range(len(word) - 1, -1, -1):
            for length in lengths:
                stop = place + length
                if stop > len(word) or word[place:stop] not in spellings:
                    continue
                index = re.compile(r"_?\d+|_[^\W\d_](?![^\W_])").match(word, stop)
                stops = [index.end()] if index else [stop]
                for after in stops:
                    ways[place] += [[word[place:after], *rest] for rest in ways[after][:3]]
            ways[place] = ways[place][:6]
        return [way for way in ways[0] if len(way) > 1]

    def _unknown(self, word: str, start: int) -> FormulaError:
        scope = self.scope
        names = list(dict.fromkeys([*scope.network.targets, *scope.spellings.values()]))
        stem = re.sub(r"_?\d+$", "", word) or word
        guess = did_you_mean(stem, [*names, *scope.functions])
        if self.peek.kind == "(" and not guess:
            guess = f"the functions are {', '.join(dict.fromkeys(scope.functions.values()))}"
        if word == "t" or word in self.variables:
            guess = "a timestep stands in an index, as in s_t"
        if stem in ("δ", "delta") and re.match(r"\s*_\{?[a-z],?[a-z]\b", self.text[start:].partition(stem)[2]):
            guess = "entries are not read one by one: write diag(o) - o o^T"
        elif stem.split("_")[0] in ("δ", "delta", "ε", "Δ"):
            node = next((name for name in scope.network.targets if name != scope.loss), scope.loss)
            guess = f"write the gradient that it stands for, such as ∂{scope.loss}/∂{node}_t"
        return FormulaError(
            f"there is no {shortened(stem)!r} in the network",
            text=self.text,
            column=start,
            hint=guess or f"the names are {', '.join(names[:20])}",
        )
