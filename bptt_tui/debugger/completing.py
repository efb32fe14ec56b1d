"""What a half-written command line can go on with: commands, names with their timesteps, numbers of stops and notes.

    complete(debugger, "goto dE/ds[").options   →   dE/ds[1], dE/ds[0]
    complete(debugger, "disa").options          →   disable

What can follow a command is one row of `_ARGUMENTS`. Names are offered before their timesteps, and of many timesteps
only those near the present one and the ends, so a list stays short at any length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from bptt_tui.debugger.command import first_word
from bptt_tui.debugger.commands import COMMANDS, read
from bptt_tui.debugger.inspect import MEASURES
from bptt_tui.debugger.predict import KINDS
from bptt_tui.errors import CommandError

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

MOST = 60  # options
_FEW = 12  # timesteps that are all offered
_NAME = r"∂?[^\W\d]\w*"
_TOKEN = re.compile(rf"(?:{_NAME}/)?(?:{_NAME}[₋₀-₉]*(?:\[[^\]\s]*|\{{[^}}\s]*)?|∂)?$|\*(?:\[[^\]\s]*)?$|\d+$")


class Option(NamedTuple):
    """A text that can stand there, and what it is."""

    text: str
    about: str = ""


class Completion(NamedTuple):
    """`options` for what the line has from `start` on."""

    start: int
    options: tuple[Option, ...]

    @property
    def common(self) -> str:
        """What all options begin with."""
        texts = [option.text for option in self.options]
        first, last = min(texts, default=""), max(texts, default="")  # what these two share, all of them share
        length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        return first[:length]


def complete(debugger: Debugger, line: str) -> Completion:
    """The options at the end of a line; none where anything can stand."""
    text = line.lstrip()
    word = text.split(maxsplit=1)[0] if text else ""
    begin = len(line) - len(text)
    if text == word:
        return Completion(begin, _starting(word, _commands()))
    try:
        command, _ = read(text)
    except CommandError:
        return Completion(len(line), ())
    find = _ARGUMENTS.get(command.name)
    if find is None:
        return Completion(len(line), ())
    rest = text[len(word) :].lstrip()
    return find(debugger, line, rest)


def _commands() -> Iterator[Option]:
    for command in COMMANDS.values():
        takes = command.usage.removeprefix(command.name).strip()
        yield Option(command.name + " " * bool(takes), command.summary)


def _starting(prefix: str, options: Iterable[Option]) -> tuple[Option, ...]:
    """Those that begin with `prefix`, at most `MOST`; none if the only one is there already."""
    found = []
    for option in options:
        if option.text.startswith(prefix) and option.text != prefix:
            found.append(option)
            if len(found) == MOST:
                break
    return tuple(found)


# --- names ---------------------------------------------------------------------------------------------------------


def _names(debugger: Debugger, kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names with their kinds, in the network's order."""
    unrolled = debugger.look.scene.unrolled
    for name in unrolled.shapes:
        kind = unrolled.values.kind(name)
        if kind in kinds:
            yield name, kind


def _times(debugger: Debugger, name: str, kind: str, *, initial: bool) -> Iterator[int]:
    """Timesteps at which a name is something, the present one first where there are many."""
    look = debugger.look
    steps = look.scene.trace.steps
    if initial and kind == "node":
        yield from range(debugger.view.graph.first, 0)
    here = (look.step.t if look.step is not None else 0) or 0
    near = (here, here + 1, here - 1, 0, 1, steps - 2, steps - 1)
    offered = range(steps) if steps <= _FEW else dict.fromkeys(near)
    yield from (t for t in offered if 0 <= t < steps and _exists(debugger, name, t))


def _exists(debugger: Debugger, name: str, t: int) -> bool:
    """Whether a node is computed or a parameter is used at `t`; an input always is there."""
    times = debugger.look.scene.times(name)
    return times is None or times.row(t) is not None


def _typed_times(debugger: Debugger, digits: str, name: str, kind: str, *, initial: bool) -> Iterator[int]:
    """The timesteps that begin with the digits typed."""
    steps = debugger.look.scene.trace.steps
    yield from (t for t in _times(debugger, name, kind, initial=initial) if str(t).startswith(digits))
    if digits.isdecimal() and len(digits) < 10 and steps > _FEW:
        low, high = int(digits), int(digits) + 1
        while low < steps:
            yield from (t for t in range(low, min(high, low + _FEW, steps)))
            low, high = low * 10, high * 10
            if low == 0:
                return


def _named(
    debugger: Debugger, token: str, kinds: tuple[str, ...], *, indexed: bool = True, initial: bool = False
) -> Iterator[Option]:
    """Names that begin with `token`; of the one that is written already, its timesteps, as s[1], s_1 or s_{1}."""
    bare, bracket, digits = token.partition("[")
    below = re.fullmatch(r"(.+)_(\{?)(-?\d*)", token)
    for name, kind in _names(debugger, kinds):
        varies = kind in ("node", "input") or (kind == "parameter" and indexed)
        if not bracket and (name != token or not varies):
            yield Option(name, kind)
        if varies and name == bare:
            seen = dict.fromkeys(_typed_times(debugger, digits, name, kind, initial=initial))
            yield from (Option(f"{name}[{t}]", _about(kind, t)) for t in seen)
        elif varies and below is not None and name == below[1]:
            seen = dict.fromkeys(_typed_times(debugger, below[3], name, kind, initial=initial))
            before, behind = ("{", "}") if below[2] else ("", "")
            options = (Option(f"{name}_{before}{t}{behind}", _about(kind, t)) for t in seen if t >= 0 or before)
            yield from options


def _about(kind: str, t: int) -> str:
    return "initial value" if kind == "node" and t < 0 else f"{'use' if kind == 'parameter' else kind} at t = {t}"


def _gradients(debugger: Debugger, token: str, *, parameters_at: bool) -> Iterator[Option]:
    """`dE/d` and what can stand behind it."""
    mark = "∂" if token.startswith("∂") else "d"
    head = f"{mark}{debugger.look.scene.network.loss_name}/{mark}"
    if len(token) < len(head):
        yield Option(head, "a gradient of the loss")
    elif token.startswith(head):
        below = token.removeprefix(head)
        for option in _named(debugger, below, ("node", "parameter"), indexed=parameters_at):
            yield Option(head + option.text, f"gradient by the {option.about}")


def _token(line: str) -> tuple[int, str]:
    match = _TOKEN.search(line)
    return (match.start(), match[0]) if match else (len(line), "")


def _found(debugger: Debugger, line: str, options: Callable[[str], Iterable[Option]]) -> Completion:
    """Options for the last token of the line; of a quotient, for what is below its line."""
    start, token = _token(line)
    if start and (line[start - 1].isalnum() or line[start - 1] in "])"):
        return Completion(len(line), ())
    found = _starting(token, options(token))
    if not found and "/" in token:
        start, token = start + token.index("/") + 1, token.partition("/")[2]
        found = _starting(token, options(token))
    return Completion(start, found)


def _expression(debugger: Debugger, line: str, _rest: str) -> Completion:
    def options(token: str) -> Iterator[Option]:
        yield from _named(debugger, token, ("node", "parameter", "input", "constant"), indexed=False)
        yield from _gradients(debugger, token, parameters_at=True)
        yield Option("prod", "the running product")
        yield from (Option(f"{name}(", "a measure of an array") for name in MEASURES)

    return _found(debugger, line, options)


def _condition(debugger: Debugger, line: str, rest: str) -> Completion:
    found = _expression(debugger, line, rest)
    words = (Option("phase", "forward or backward"), Option("backward"), Option("forward"), Option("and"), Option("or"))
    start, token = _token(line)
    more = _starting(token, words) if token and start == found.start else ()
    return Completion(found.start, (*found.options, *more))


def _place(debugger: Debugger, line: str, _rest: str) -> Completion:
    def options(token: str) -> Iterator[Option]:
        yield from _named(debugger, token, ("node", "parameter"))
        yield from _gradients(debugger, token, parameters_at=False)

    return _found(debugger, line, options)


def _pattern(debugger: Debugger, line: str, rest: str) -> Completion:
    """A node or pattern; behind `if`, a condition."""
    if re.search(r"(^|\s)if\s", rest):
        return _condition(debugger, line, rest)

    def options(token: str) -> Iterator[Option]:
        for found in (
            _named(debugger, token, ("node", "parameter")),
            _gradients(debugger, token, parameters_at=False),
        ):
            yield from found
        bare, bracket, _ = token.partition("[")
        if bracket:
            yield Option(f"{bare}[*]", "at every t")
        if not token or (rest != token and "if".startswith(token)):
            yield Option("if ", "where a condition holds")

    return _found(debugger, line, options)


def _target(debugger: Debugger, line: str, rest: str) -> Completion:
    """What `set` can set; behind the name, a value."""
    if re.match(r"\S+\s*=|\S+\s", rest):
        return _expression(debugger, line, rest)
    kinds = ("parameter", "input", "constant", "node")
    return _found(debugger, line, lambda token: _named(debugger, token, kinds, indexed=False, initial=True))


# --- numbers and words ---------------------------------------------------------------------------------------------


def _last_word(line: str, options: Iterable[Option]) -> Completion:
    word = (line[len(line.rstrip()) :] and "") or line.rsplit(" ", maxsplit=1)[-1]
    return Completion(len(line) - len(word), _starting(word, options))


def _stops(debugger: Debugger, line: str, rest: str) -> Completion:
    if " " in rest:
        return _condition(debugger, line, rest) if line.lstrip().startswith("cond") else Completion(len(line), ())
    stops = debugger.state.stopping.stops
    return _last_word(line, (Option(str(stop.number), f"{stop.kind} {stop.text}") for stop in stops))


def _displays(debugger: Debugger, line: str, rest: str) -> Completion:
    shown = debugger.state.stopping.displays
    return (
        Completion(len(line), ())
        if " " in rest
        else _last_word(line, (Option(str(display.number), display.text) for display in shown))
    )


def _words(*words: str) -> Callable[[Debugger, str, str], Completion]:
    """One word of a few, at the first place."""

    def find(_debugger: Debugger, line: str, rest: str) -> Completion:
        return Completion(len(line), ()) if " " in rest else _last_word(line, map(Option, words))

    return find


def _predict(_debugger: Debugger, line: str, rest: str) -> Completion:
    word, _more = first_word(rest)
    if " " not in rest:
        return _last_word(line, (Option("on", "ask"), Option("off", "no longer")))
    return _last_word(line, map(Option, KINDS)) if word == "on" else Completion(len(line), ())


def _note(debugger: Debugger, line: str, rest: str) -> Completion:
    word, more = first_word(rest)
    if " " not in rest:
        return _last_word(line, (Option("edit ", "change note N"), Option("delete ", "delete note N")))
    notes = debugger.state.notes
    if word not in ("edit", "delete") or " " in more:
        return Completion(len(line), ())
    return _last_word(line, (Option(str(n), note.text.split("\n")[0][:40]) for n, note in enumerate(notes, 1)))


def _chapter(debugger: Debugger, line: str, rest: str) -> Completion:
    word, more = first_word(rest)
    numbers = [Option(str(n), chapter.title) for n, chapter in enumerate(debugger.state.chapters, 1)]
    if " " not in rest:
        return _last_word(line, (Option("next"), Option("previous"), Option("delete "), *numbers))
    return _last_word(line, numbers) if word == "delete" and " " not in more else Completion(len(line), ())


def _equation(debugger: Debugger, line: str, rest: str) -> Completion:
    """An equation as it is now, to be changed."""
    equations = debugger.state.session.equations
    if rest.startswith("delete "):
        return _last_word(line, (Option(text.partition("=")[0].strip(), text) for text in equations))
    start = len(line) - len(rest)
    return Completion(start, _starting(rest, (*map(Option, equations), Option("delete ", "delete an equation"))))


def _parameter(debugger: Debugger, line: str, rest: str) -> Completion:
    if " " in rest:
        return Completion(len(line), ())
    return _last_word(line, (Option(name, kind) for name, kind in _names(debugger, ("parameter",))))


def _pinned(debugger: Debugger, line: str, _rest: str) -> Completion:
    return _last_word(line, (Option(name, "pinned") for name in debugger.state.session.pins))


def _help(_debugger: Debugger, line: str, _rest: str) -> Completion:
    return _last_word(line, (Option(command.name, command.summary) for command in COMMANDS.values()))


_ARGUMENTS: dict[str, Callable[[Debugger, str, str], Completion]] = {
    "goto": _place,
    "find": _pattern,
    "break": _pattern,
    "tbreak": _pattern,
    "until": _pattern,
    "reverse-until": _pattern,
    "watch": _expression,
    "display": _expression,
    "print": _expression,
    "answer": _expression,
    "set": _target,
    "unset": _pinned,
    "equation": _equation,
    "condition": _stops,
    "ignore": _stops,
    "enable": _stops,
    "disable": _stops,
    "delete": _stops,
    "undisplay": _displays,
    "info": _words("breakpoints"),
    "step": _words("back"),
    "finish": _words("back"),
    "predict": _predict,
    "note": _note,
    "chapter": _chapter,
    "help": _help,
    "table": _parameter,
    "knobs": _parameter,
    "buildup": _parameter,
    "chains": _place,
    "check": _expression,
}
