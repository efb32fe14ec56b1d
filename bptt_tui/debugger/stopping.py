"""Commands that set stops and run to them: break, watch, display, continue, until, and their reverses.

Reading a stop and searching for the next is the work of `stops`, loaded when a stop is first set or run to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.calculus import numerals
from bptt_tui.debugger.command import Command, MisuseError, count, first_word, nothing
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.view import BreakpointRow
from bptt_tui.errors import BpttError, CommandError, SessionError
from bptt_tui.session.format import DebuggerState

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.debugger.stops import Stop

_COMPARES = r"[<>=!]|\bnot\b"


class Display(Struct, frozen=True):
    """An expression shown after every command."""

    number: int
    text: str


class Stopping(Struct, frozen=True):
    """The stops and displays there are; `numbered` and `displayed` count those ever made, for the next one's number.

    `stopped` is why the debugger stands where it does, until it moves.
    """

    stops: tuple[Stop, ...] = ()
    displays: tuple[Display, ...] = ()
    numbered: int = 0
    displayed: int = 0
    stopped: str = ""


# --- setting and listing -----------------------------------------------------------------------------------------


def _change(debugger: Debugger, **fields: object) -> None:
    state = debugger.state
    debugger.change(replace(state, stopping=replace(state.stopping, **fields)))


def _add(debugger: Debugger, stop: Stop) -> str:
    now = debugger.state.stopping
    _change(debugger, stops=(*now.stops, stop), numbered=stop.number)
    return f"{stop.kind} {stop.number}: {stop.text}"


def _break(debugger: Debugger, rest: str, *, temporary: bool = False) -> str:
    from bptt_tui.debugger.stops import read_breakpoint

    number = debugger.state.stopping.numbered + 1
    look = debugger.look
    if not rest:
        if look.step is None:
            raise CommandError("nothing is computed here to stop at", hint="break s[3], break if t == 3")
        name, t = look.step.name, look.step.t
        place = name if t is None else f"{name}[{t}]"
        rest = place if look.step.phase == "forward" else f"d{look.scene.network.loss_name}/d{place}"
        already = next((stop for stop in debugger.state.stopping.stops if stop.text == rest), None)
        if already is not None:
            return _delete(debugger, str(already.number))
    return _add(debugger, read_breakpoint(look.scene, rest, number, temporary=temporary))


def _tbreak(debugger: Debugger, rest: str) -> str:
    return _break(debugger, rest, temporary=True) + " (once)"


def _watch(debugger: Debugger, rest: str) -> str:
    from bptt_tui.debugger.stops import read_watch

    return _add(debugger, read_watch(debugger.look.scene, rest, debugger.state.stopping.numbered + 1))


def _numbered(debugger: Debugger, word: str) -> Stop:
    """The stop of that number."""
    stops = debugger.state.stopping.stops
    if not re.fullmatch(r"[0-9]{1,18}", word):
        raise MisuseError(f"{word!r} is not a number" if word else "which one?")
    for stop in stops:
        if stop.number == int(word):
            return stop
    known = ", ".join(str(stop.number) for stop in stops)
    raise CommandError(f"there is no stop {int(word)}", hint=f"there are {known}" if known else "break s[3] sets one")


def _put(debugger: Debugger, changed: Stop) -> None:
    stops = debugger.state.stopping.stops
    _change(debugger, stops=tuple(changed if stop.number == changed.number else stop for stop in stops))


def _condition(debugger: Debugger, rest: str) -> str:
    word, text = first_word(rest)
    stop = _numbered(debugger, word).conditioned(debugger.look.scene, text)
    _put(debugger, stop)
    return f"{stop.kind} {stop.number}: {stop.text}"


def _ignore(debugger: Debugger, rest: str) -> str:
    word, more = first_word(rest)
    stop = _numbered(debugger, word)
    times = 0 if more == "0" else count(more)
    _put(debugger, replace(stop, ignore=times))
    return f"{stop.kind} {stop.number} passes over its next {times} hits" if times else _named(stop, "stops again")


def _enable(debugger: Debugger, rest: str) -> str:
    stop = _numbered(debugger, rest)
    _put(debugger, replace(stop, enabled=True))
    return _named(stop, "is on")


def _disable(debugger: Debugger, rest: str) -> str:
    stop = _numbered(debugger, rest)
    _put(debugger, replace(stop, enabled=False))
    return _named(stop, "is off")


def _named(stop: Stop, said: str) -> str:
    return f"{stop.kind} {stop.number} {said}"


def _delete(debugger: Debugger, rest: str) -> str:
    if not rest:
        number = len(debugger.state.stopping.stops)
        _change(debugger, stops=(), numbered=0)
        return f"{number} stop{'s' * (number != 1)} deleted"
    gone = _numbered(debugger, rest)
    _change(debugger, stops=tuple(stop for stop in debugger.state.stopping.stops if stop.number != gone.number))
    return _named(gone, "is deleted")


def _info(debugger: Debugger, rest: str) -> str:
    word, more = first_word(rest)
    if more or len(word) < 1 or not ("breakpoints".startswith(word) or word in ("watch", "watches", "watchpoints")):
        raise MisuseError(f"{rest!r} is nothing to be told of" if rest else "info on what?")
    stops = debugger.state.stopping.stops
    if not stops:
        return "no breakpoints, no watches"
    wide = max(len(stop.text) for stop in stops)
    return "\n".join(f"{stop.number:>3}  {stop.kind:<10}  {stop.text:<{wide}}  {_history(stop)}" for stop in stops)


def _history(stop: Stop) -> str:
    parts = [f"{stop.hits} hit{'s' * (stop.hits != 1)}"]
    parts += [f"{stop.ignore} to ignore"] * bool(stop.ignore)
    parts += ["once"] * stop.temporary + ["off"] * (not stop.enabled)
    return ", ".join(parts)


def _display(debugger: Debugger, rest: str) -> str:
    from bptt_tui.debugger.quantities import read_operand

    now = debugger.state.stopping
    if not rest:
        return "\n".join(displays(debugger.look, now)) or "no displays"
    read_operand(debugger.look.scene, rest)
    shown = Display(now.displayed + 1, rest)
    _change(debugger, displays=(*now.displays, shown), displayed=shown.number)
    return display_line(debugger.look, shown)


def _undisplay(debugger: Debugger, rest: str) -> str:
    shown = debugger.state.stopping.displays
    if not rest:
        _change(debugger, displays=(), displayed=0)
        return f"{len(shown)} display{'s' * (len(shown) != 1)} deleted"
    if not re.fullmatch(r"[0-9]{1,18}", rest):
        raise MisuseError(f"{rest!r} is not a number")
    left = tuple(display for display in shown if display.number != int(rest))
    if left == shown:
        known = ", ".join(str(display.number) for display in shown)
        raise CommandError(
            f"there is no display {int(rest)}", hint=f"there are {known}" if known else "display s[0] adds one"
        )
    _change(debugger, displays=left)
    return f"display {int(rest)} is deleted"


# --- running -----------------------------------------------------------------------------------------------------


def _run(debugger: Debugger, *, back: bool, until: Stop | None = None) -> str:
    """To the next stop, or to the end; a temporary breakpoint is gone after it."""
    from bptt_tui.debugger.stops import reason, search

    scene, cursor = debugger.look.scene, debugger.cursor
    now = debugger.state.stopping
    stops = now.stops if until is None else (*now.stops, until)
    low, high = (1, cursor.position - (cursor.factor == 0)) if back else (cursor.position + 1, debugger.last)
    found = search(scene, stops, low, high, back=back, interrupt=debugger.interrupt, tell=debugger.tell)
    message = debugger.go(Cursor((0 if back else debugger.last) if found.position is None else found.position))
    stopped = "; ".join(reason(stop, debugger.look) for stop in found.reached)
    gone = {stop.number for stop in found.reached if stop.temporary} | {0}
    _change(debugger, stops=tuple(stop for stop in found.stops if stop.number not in gone), stopped=stopped)
    return stopped or message


def _continue(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    return _run(debugger, back=False)


def _reverse_continue(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    return _run(debugger, back=True)


def _until(debugger: Debugger, rest: str, *, back: bool = False) -> str:
    from bptt_tui.debugger.stops import read_breakpoint

    if not rest:
        raise CommandError("until where?", hint="until s[3], until abs(prod) < 1e-6")
    conditional = re.search(_COMPARES, rest) is not None and not re.search(r"(^|\s)if\s", rest)
    stop = read_breakpoint(debugger.look.scene, f"if {rest}" if conditional else rest, 0)
    return _run(debugger, back=back, until=replace(stop, kind="until"))


def _reverse_until(debugger: Debugger, rest: str) -> str:
    return _until(debugger, rest, back=True)


# --- for the View and the session --------------------------------------------------------------------------------


def displays(look: Look, stopping: Stopping) -> tuple[str, ...]:
    """What each display shows at a position."""
    return tuple(display_line(look, display) for display in stopping.displays)


def display_line(look: Look, display: Display) -> str:
    """`1: dE/dw = -0.694212`, or why there is no value."""
    from bptt_tui.debugger.inspect import Inspector

    try:
        value = numerals.array(Inspector(look).evaluate(display.text), 60)
    except CommandError as error:
        return f"{display.number}: {display.text}: {error.reason}"
    return f"{display.number}: {display.text} = {value}"


def rows(look: Look, stopping: Stopping) -> tuple[BreakpointRow, ...]:
    """The stops as the View shows them."""
    if not stopping.stops:
        return ()
    from bptt_tui.debugger.stops import is_hit

    return tuple(
        BreakpointRow(stop.number, stop.kind, stop.text, stop.enabled, stop.hits, is_hit(stop, look))
        for stop in stopping.stops
    )


def marks(scene: Scene, stopping: Stopping, name: str, t: int | None) -> bool:
    """Whether an enabled breakpoint names a node and can be hit there: what the graph marks."""
    naming = [
        stop
        for stop in stopping.stops
        if stop.enabled and stop.pattern is not None and stop.pattern.named(name) and stop.pattern.t in (None, t)
    ]
    if not naming:
        return False
    from bptt_tui.debugger.possible import can_be_hit  # where there is a stop, what it needs is there too

    return any(can_be_hit(stop, scene, t) for stop in naming)


_KEPT = r"(?s)(disabled +)?(tbreak +)?(.*)"


def kept(stopping: Stopping) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Breakpoints and watches as the session keeps them: as given, behind `disabled` and `tbreak` where that holds."""

    def text(stop: Stop) -> str:
        return "disabled " * (not stop.enabled) + "tbreak " * stop.temporary + stop.text

    return (
        tuple(text(stop) for stop in stopping.stops if stop.kind == "breakpoint"),
        tuple(text(stop) for stop in stopping.stops if stop.kind == "watch"),
    )


def loaded(scene: Scene, saved: DebuggerState, name: str) -> Stopping:
    """The stops a session keeps, numbered anew; SessionError with the place of one that cannot be."""
    if not (saved.breakpoints or saved.watches):
        return Stopping()
    from bptt_tui.debugger.stops import read_breakpoint, read_watch

    stops: list[Stop] = []
    for field, texts in (("breakpoints", saved.breakpoints), ("watches", saved.watches)):
        for index, text in enumerate(texts):
            match = re.fullmatch(_KEPT, text.strip())
            assert match is not None
            number = len(stops) + 1
            try:
                if field == "watches":
                    stop = read_watch(scene, match[3], number)
                elif match[3]:
                    stop = read_breakpoint(scene, match[3], number, temporary=match[2] is not None)
                else:
                    raise CommandError("an empty line is no breakpoint", hint="s[3], or if t == 3")
            except BpttError as error:
                places = (name, f"debugger.{field}[{index}]", *error.places)
                raise SessionError(error.reason, hint=error.hint, places=places) from None
            stops.append(replace(stop, enabled=match[1] is None))
    return Stopping(tuple(stops), numbered=len(stops))


def alike(one: Stopping, other: Stopping) -> bool:
    """Whether commands meet the same stops under the same numbers; how often they were hit makes no difference."""
    return one.numbered == other.numbered and [replace(stop, hits=0) for stop in one.stops] == [
        replace(stop, hits=0) for stop in other.stops
    ]


def recreated(stopping: Stopping) -> list[str]:
    """The commands that make these stops, whatever there was before."""
    lines = ["delete"]
    for number, stop in enumerate(stopping.stops, 1):
        word = "watch" if stop.kind == "watch" else "tbreak" if stop.temporary else "break"
        lines.append(f"{word} {stop.text}")
        lines += [f"disable {number}"] * (not stop.enabled)
    return lines


def shown_alike(one: Stopping, other: Stopping) -> bool:
    """Whether the same is displayed under the same numbers, and the next display gets the same one."""
    return (one.displayed, one.displays) == (other.displayed, other.displays)


def shown_again(stopping: Stopping) -> list[str]:
    """The commands that display the same, whatever was displayed before."""
    return ["undisplay", *(f"display {display.text}" for display in stopping.displays)]


ROWS = (
    Command("break", "break [NODE|PATTERN] [if CONDITION]", "stop at a node, or where a condition holds", _break,
            ("b",), "break s (both phases) · break s[3] · break dE/ds (backward) · break u · break *[3] · "
            "break dE/ds[*] if abs(prod) < 1e-6 · break if t == 3 and phase == backward; alone: here, or no "
            "longer. A condition compares expressions (see print) with < <= > >= == !=, joined by and, or, not."),
    Command("tbreak", "tbreak [NODE|PATTERN] [if CONDITION]", "stop there once", _tbreak, ("tb",)),
    Command("watch", "watch EXPR [if CONDITION]", "stop when a value comes to be known or changes", _watch, (),
            "watch dE/dw stops at each term of the sum"),
    Command("condition", "condition N [CONDITION]", "give stop N another condition, or none", _condition),
    Command("ignore", "ignore N COUNT", "pass over the next hits of stop N", _ignore),
    Command("enable", "enable N", "let stop N stop again", _enable),
    Command("disable", "disable N", "keep stop N, but do not stop there", _disable),
    Command("delete", "delete [N]", "delete stop N, or all of them", _delete, (),
            "after all of them, numbers begin at 1 again"),
    Command("info", "info breakpoints", "the breakpoints and watches, and how often each was hit", _info, ("i",)),
    Command("display", "display [EXPR]", "show a value after every command", _display),
    Command("undisplay", "undisplay [N]", "show it no longer; without a number, none", _undisplay, (),
            "after none of them, numbers begin at 1 again"),
    Command("continue", "continue", "on to the next stop", _continue, ("c",)),
    Command("reverse-continue", "reverse-continue", "back to the stop before", _reverse_continue, ("rc",)),
    Command("until", "until NODE|CONDITION", "on to a node, or to where a condition holds", _until, (),
            "until s[3] · until abs(prod) < 1e-6; a stop on the way holds it up"),
    Command("reverse-until", "reverse-until NODE|CONDITION", "the same, going back", _reverse_until, ("ru",)),
)  # fmt: skip
