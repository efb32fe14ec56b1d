"""The pages of rows on the sums' screen: separate knobs, the build-up over time, the chains."""

from __future__ import annotations

from bptt_tui.calculus import numerals
from bptt_tui.calculus.shapes import shape_text
from bptt_tui.debugger.sums import ChainFactor, Sums
from bptt_tui.debugger.sums_text import partial_text, squeezed, summed
from bptt_tui.debugger.view import Value
from bptt_tui.tui.copying import exactly
from bptt_tui.tui.figures import figure, norm
from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.sums_page import Keys, Rows, highlighted, in_full, number_run

_NUMBER, _NARROW = 15, 13
_STATUS = {"agrees": ("✓ agrees", "good"), "differs": ("≠ differs", "error")}


class KnobsPage(Rows):
    """Every use nudged alone; a knob is turned when its row comes into sight."""

    keys: Keys = (("p", "parameter"), ("e", "entry"))

    def __init__(self, sums: Sums, loss: str, parameter: str, entry: tuple[int, ...] | None, use: int | None) -> None:
        super().__init__()
        self._knobs = sums.knobs(parameter, entry)
        self._loss = loss
        self.parameter = parameter
        self.at = self._knobs.uses.index(use) if use in self._knobs.uses else 0

    @property
    def use(self) -> int:
        """The timestep of the current knob."""
        return self._knobs.uses[self.at]

    def count(self) -> int:
        return len(self._knobs.uses)

    def ready(self, rows: range) -> None:
        self._knobs.turn(rows)

    def head(self, width: int) -> list[Line]:
        knobs = self._knobs
        step = numerals.number(knobs.row(0).step, 3)
        title = f" {knobs.name} untied: each use nudged alone, up and down by {step}"
        title = title if width >= 64 else f" {knobs.name} untied, each use ± {step}"
        words = ["loss if up", f"Δ{self._loss}/Δ{knobs.parameter}", "contribution"]
        column = _NUMBER if width >= 64 else _NARROW
        words[1] = words[1] if width_of(words[1]) < column else "slope"
        heads = "".join(word.rjust(column) for word in (words if width >= 64 else words[1:]))
        return [((fitted(title, width - 1), "title"),), ((" " * self._margin(width) + heads, "dim"),)]

    def _margin(self, width: int) -> int:
        """Cells for the names of the uses."""
        widest = max(width_of(self._knobs.use_label(row)) for row in (0, self.count() - 1)) + 2
        return min(widest, width - 2 * _NARROW - 3) if width < 64 else widest

    def row(self, number: int, width: int, lit: bool) -> Line:
        knobs = self._knobs
        knob = knobs.row(number)
        name, room = knobs.use_label(number), self._margin(width) - 2
        # Of a long name its end, where the timestep stands.
        name = name if width_of(name) <= room else f"…{name[1 - room :]}"
        label = (fitted(f" {name}", room + 2), "now-mark" if lit else "name")
        up: tuple[Run, ...] = ()
        if width >= 64:
            up = ((numerals.number(knob.up, 9).rjust(_NUMBER), "now" if lit else "plain"),)
        text, ink = _STATUS.get(knob.status, (f"? {knob.status}", "warning"))
        column = _NUMBER if width >= 64 else _NARROW
        slopes = (number_run(knob.slope, column, lit), number_run(knob.contribution, column, lit))
        return (label, *up, *slopes, (f"  {text if width >= 64 else text[0]}", ink))

    def detail(self, width: int) -> list[Line]:
        knobs = self._knobs
        knob = knobs.row(self.at)
        label = knobs.use_label(self.at)
        step, up, down = numerals.number(knob.step, 3), numerals.exact(knob.up), numerals.exact(knob.down)
        slope, contribution = f"slope {numerals.number(knob.slope, 7)}", numerals.exact(knob.contribution)
        total = numerals.exact(knobs.total)
        if width < 64:
            said = (f" {slope}", f" contribution {contribution}", f" Σ of {self.count()}: {total}")
            return [((line, "dim" if line is said[-1] else "strong"),) for line in said]
        lines: list[Line] = [
            ((f" {slope}, contribution {contribution}", "strong"),),
            ((f" {summed(self.count())} {total}", "dim"),),
        ]
        if width >= 100:
            nudged = f" {self._loss} = {numerals.exact(knob.loss)}; {label} + {step}: {up}, {label} − {step}: {down}"
            lines.insert(0, ((nudged, "plain"),))
        return lines

    def enter(self) -> str:
        return f"goto d{self._loss}/d{self.parameter}[{self.use}]"

    def copied(self) -> str:
        return numerals.exact(self._knobs.row(self.at).slope)


class BuildUpPage(Rows):
    """∂⁺s_t/∂p and ∂s_t/∂p, a row per timestep; under them the terms of the current one."""

    keys: Keys = (("p", "parameter"), ("n", "node"))

    def __init__(self, sums: Sums, parameter: str, node: str, t: int | None) -> None:
        super().__init__()
        self._built = sums.buildup(parameter, node)
        self.parameter, self.node = parameter, node
        times = self._built.times
        self.at = times.index(t) if t in times else len(times) - 1

    @property
    def t(self) -> int:
        """The current timestep."""
        return self._built.times[self.at]

    def count(self) -> int:
        return len(self._built.times)

    def head(self, width: int) -> list[Line]:
        node, p = self.node, self.parameter
        title = f" ∂{node}/∂{p} = by the use at t alone, earlier nodes held (∂⁺), + what earlier nodes bring along"
        column = self._column(width)
        whole = (f"∂⁺{node}/∂{p}", f"∂{node}/∂{p}")
        immediate, total = whole if width_of(whole[0]) < column else ("∂⁺", "both")
        words = (immediate, "brought along" if column > 13 else "earlier", total)
        heads = "".join(word.rjust(column) for word in words)
        sizes = "   ‖·‖ of matrices" if self._built.row(0).total.size > 1 and width >= 70 else ""
        cut = fitted(title, width - 1) if width >= 70 else f" ∂{node}/∂{p} over time"
        return [((cut, "title"),), ((" " * 9 + heads + sizes, "dim"),)]

    def _column(self, width: int) -> int:
        return min(_NUMBER, (width - 9) // 3)

    def row(self, number: int, width: int, lit: bool) -> Line:
        row = self._built.row(number)
        label: Run = (fitted(f" t = {row.t}", 9), "now-mark" if lit else "name")
        return (
            label,
            *(number_run(_size(v), self._column(width), lit) for v in (row.immediate, row.carried, row.total)),
        )

    def detail(self, width: int) -> list[Line]:
        row = self._built.row(self.at)
        lines: list[Line] = [((f" {row.total_label} = {partial_text(row.total)}", "strong"),)]
        lines.append(((f"   {row.immediate_label} = {partial_text(row.immediate)}", "plain"),))
        for part in row.parts[:4]:
            product = f"{partial_text(part.through)} · {partial_text(part.total)} = {partial_text(part.product)}"
            lines.append(((f"   {part.through_label} · {part.total_label} = {product}", "plain"),))
        return lines

    def enter(self) -> str:
        return f"goto {self.node}[{self.t}]"

    def copied(self) -> str:
        return exactly(self._built.row(self.at).total)


def _size(value: Value) -> float:
    """A number as it is, a matrix by its norm."""
    return float(value.reshape(())) if value.size == 1 else float(norm(value))


class ChainsPage(Rows):
    """The chains to a use or node: by loss step with their sums, or one at a time, a factor a row."""

    def __init__(
        self, sums: Sums, loss: str, name: str, t: int, through: int | None = None, number: int | None = None
    ) -> None:
        super().__init__()
        self._chains = sums.chains(name, t)
        self._loss = loss
        self.name, self.t = name, t
        self._through, self._number = through, number
        if number is None and len(self._chains.losses) == 1:
            self._through = self._chains.losses[0]
        if self._through is not None or number is not None:
            self._number = number or 0
        self._found: tuple[tuple[int | None, int], tuple[ChainFactor, ...]] | None = None

    def own_keys(self) -> Keys:
        if self._number is None:
            return (("enter", "its chains"), ("t", "next t"))
        more = (("s", "summed"),) if len(self._chains.losses) > 1 else ()
        return (("n p", "next, before"), *more, ("t", "next t"))

    @property
    def _single(self) -> bool:
        return self._number is not None

    def _many(self) -> int:
        chains = self._chains
        return chains.count if self._through is None else chains.count_through(self._through)

    def count(self) -> int:
        return len(self._factors()) if self._single else len(self._chains.losses)

    def _factors(self) -> tuple[ChainFactor, ...]:
        """The factors of the chain shown."""
        key = self._through, self._number or 0
        if self._found is None or self._found[0] != key:
            self._found = key, self._chains.factors(key[1], key[0]) if self._many() else ()
        return self._found[1]

    def head(self, width: int) -> list[Line]:
        chains = self._chains
        plural = "chain" if chains.count == 1 else "chains"
        words = f", the sum of {chains.spelled} {plural}" if width >= 60 else f", {chains.spelled} {plural}"
        total = figure(chains.total, max(width - width_of(f" {chains.title} = {words}") - 1, 8))
        title: Line = ((fitted(f" {chains.title} = {total}{words}", width - 1), "title"),)
        if not self._single:
            heads = f"{'':16}{'chains':>{self._counts(width)}}   their sum"
            return [title, ((fitted(heads, width - 1), "dim"),)]
        where = "" if self._through is None else f" through t = {self._through}"
        number = f" chain {(self._number or 0) + 1:,} of {self._spelled_many()}{where}".replace(",", " ")
        return [title, ((fitted(number, width - 1), "accent"),)]

    def _counts(self, width: int) -> int:
        """Cells for a number of chains."""
        return 24 if width >= 60 else 10

    def _spelled_many(self) -> str:
        many = self._many()
        return f"{many:,}".replace(",", " ") if many < 10**15 else self._chains.spelled

    def row(self, number: int, width: int, lit: bool) -> Line:
        if not self._single:
            group = self._chains.group(number)
            runs: Line = (
                (f" through {fitted(group.label, 7)}", "name"),
                (group.chains.rjust(self._counts(width)), "plain"),
                (f"   {figure(group.total, max(width - self._counts(width) - 20, 8))}", "plain"),
            )
            return highlighted(runs, lit)
        factor = self._factors()[number]
        wide = width >= 100
        cells = 25 if wide else 13
        value = "" if factor.value is None else figure(squeezed(factor.value), cells)
        symbol = factor.symbol if factor.symbol != value else ""
        shape = shape_text(factor.shape)
        title = fitted(f" {factor.title}", 13) + " "
        if width < 60:
            running = figure(factor.running, max(width - 28, 8))
            return highlighted(
                ((title, "name"), (fitted(symbol or value, 12) + " ", "symbol"), (running, "strong")), lit
            )
        runs = (
            (title, "name"),
            (fitted(symbol, 21 if wide else 15) + " ", "symbol"),
            (fitted(value, cells) + " ", "plain"),
            (fitted(shape, 7) + " ", "dim"),
            (figure(factor.running, width - (71 if wide else 53)), "strong"),
        )
        return highlighted(runs, lit)

    def detail(self, width: int) -> list[Line]:
        if not self._single:
            group = self._chains.group(self.at)
            said = f" sum of the chains through {group.label}: " if width >= 60 else f" through {group.label}: "
            return [((f"{said}{in_full(group.total, width - width_of(said))}", "strong"),)]
        factors = self._factors()
        if not factors:
            return [((" no chain: nothing is between them", "dim"),)]
        factor = factors[self.at]
        equated = f" {' = '.join(dict.fromkeys((factor.title, factor.symbol)))}"
        room = max(width - width_of(equated) - 3, 8)
        shown = "too large to write out" if factor.value is None else figure(squeezed(factor.value), room)
        equated += f" = {shown}" * (shown != factor.symbol)
        product = f" product from {self._chains.loss_label} down to here: " if width >= 60 else " product so far: "
        return [
            ((equated, "plain"),),
            ((f"{product}{in_full(factor.running, width - width_of(product))}", "strong"),),
        ]

    def press(self, key: str) -> bool:
        if key == "s" and len(self._chains.losses) > 1:
            self.at = self._chains.losses.index(self._through) if self._through is not None else 0
            self._number = self._through = None
        elif key in ("n", "p") and self._single:
            self._number = min(max((self._number or 0) + (1 if key == "n" else -1), 0), max(self._many() - 1, 0))
        else:
            return False
        return True

    def move(self, down: int, right: int) -> None:
        if abs(right) == 1 and self._single:
            self.press("n" if right > 0 else "p")
        super().move(down, 0)

    def enter(self) -> str:
        if not self._single:
            self._through, self._number, self.at = self._chains.losses[self.at], 0, 0
            return ""
        factors = self._factors()
        if not factors:
            return ""
        link = factors[self.at].link
        return f"goto d{self._loss}/d{link.name}[{link.t}]"

    def copied(self) -> str:
        if not self._single:
            return exactly(self._chains.group(self.at).total)
        return " · ".join(factor.title for factor in self._factors())
