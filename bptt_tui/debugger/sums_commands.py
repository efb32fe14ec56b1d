"""What `table`, `knobs`, `buildup` and `chains` do: read what is meant, have it made, answer in text.

The View that follows says which part it was (`View.exhibit`), so that a screen can show all of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bptt_tui.calculus import numerals
from bptt_tui.debugger import sums_text
from bptt_tui.debugger.command import MisuseError
from bptt_tui.debugger.places import absent, implied, timestep, unknown
from bptt_tui.debugger.references import Named, Reference, read_reference
from bptt_tui.debugger.view import Exhibit
from bptt_tui.errors import CommandError

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.debugger.sums import ChainSum, Sums
    from bptt_tui.debugger.sums_table import Entry

_ENTRY = re.compile(r"([^\W\d]\w*)((?:\s*\[[^][]*\])*)")


def table(debugger: Debugger, rest: str) -> str:
    """`table [P] [window K|chunks K]`."""
    sums = _sums(debugger)
    words = rest.replace(",", ", ").split()
    mask: tuple[str, int] | None = None
    for kind in ("window", "chunks"):
        if kind in words[-2:]:
            place = len(words) - 1 - words[::-1].index(kind)
            mask = kind, _timesteps(kind, words[place + 1 :])
            words = words[:place]
            break
    parameter, entry = _parameter(debugger, sums, " ".join(words))
    shown = sums.table(parameter, entry)
    lines = sums_text.table(shown)
    if mask is not None:
        lines += ["", *sums_text.truncated(shown, sums.truncated(parameter, *mask, entry))]
    debugger.exhibit(Exhibit("table", parameter=parameter, entry=entry, mask=mask))
    return "\n".join(lines)


def _timesteps(kind: str, words: list[str]) -> int:
    if len(words) != 1 or not re.fullmatch(r"[0-9]{1,9}", words[0]) or int(words[0]) == 0:
        raise MisuseError(f"{kind} of how many timesteps?")
    return int(words[0])


def knobs(debugger: Debugger, rest: str) -> str:
    """`knobs [P]`."""
    sums = _sums(debugger)
    parameter, entry = _parameter(debugger, sums, rest)
    lines = sums_text.knobs(sums.knobs(parameter, entry))
    debugger.exhibit(Exhibit("knobs", parameter=parameter, entry=entry))
    return "\n".join(lines)


def buildup(debugger: Debugger, rest: str) -> str:
    """`buildup [P] [NODE]`."""
    sums = _sums(debugger)
    words = rest.split()
    if len(words) > 2:
        raise MisuseError(f"{' '.join(words[2:])!r} is too much")
    node = _node(debugger, sums, words)
    parameter, _ = _parameter(debugger, sums, words[0] if words else "")
    lines = sums_text.buildup(sums.buildup(parameter, node))
    debugger.exhibit(Exhibit("buildup", parameter=parameter, node=node))
    return "\n".join(lines)


def chains(debugger: Debugger, rest: str) -> str:
    """`chains [USE|NODE] [N|t=T]`."""
    sums = _sums(debugger)
    words = rest.split()
    number, loss = None, None
    left: list[str] = []
    for place, word in enumerate(words):
        if match := re.fullmatch(r"t=([0-9]{1,18})", word):
            loss = int(match[1])
        elif word.isdecimal() and place > 0 and not _is_open("".join(left)):
            number = int(word[:4000]) - 1
        else:
            left.append(word)
    name, t = _target(debugger, " ".join(left))
    chains = sums.chains(name, t)
    if number is not None and number < 0:
        raise MisuseError("chains are counted from 1")
    if loss is not None and not chains.count_through(loss):
        raise CommandError(f"no chain from t = {loss} leads to {chains.title}", hint=_losses_of(chains))
    lines = sums_text.chains(chains, loss) if number is None else sums_text.chain(chains, number, loss)
    debugger.exhibit(Exhibit("chains", node=name, t=t, loss=loss, number=number))
    return "\n".join(lines)


def _is_open(text: str) -> bool:
    """Whether an index has begun: of `s[ 1 ]` the 1 is no number of a chain."""
    return text.count("[") > text.count("]") or text.count("{") > text.count("}")


def _losses_of(chains: ChainSum) -> str:
    if not chains.losses:
        return "there are no chains to it"
    return f"there are chains from t = {chains.losses[0]}" + (
        f" … {chains.losses[-1]}" if len(chains.losses) > 1 else ""
    )


# --- what is meant ---------------------------------------------------------------------------------------------------


def _sums(debugger: Debugger) -> Sums:
    """The sums of the present numbers; predict mode asks for the terms of them."""
    if debugger.state.predict is not None:
        raise CommandError("whole gradients are hidden in predict mode", hint="predict off")
    return debugger.sums


def _parameter(debugger: Debugger, sums: Sums, text: str) -> tuple[str, Entry | None]:
    """`W`, `W[0,1]`, or nothing: of the current use, else the first that is used at several timesteps."""
    if not text.strip():
        return _implied_parameter(debugger, sums), None
    match = _ENTRY.fullmatch(text.strip())
    scene = debugger.look.scene
    if match is None or match[1] not in scene.trace.terms:
        found = unknown(scene, text.strip()) if match is None or match[1] not in scene.unrolled.shapes else None
        names = ", ".join(scene.trace.terms) or "none"
        raise found or CommandError(
            f"{match[1] if match else text} is not a parameter", hint=f"the parameters are {names}"
        )
    if match[1] not in sums.parameters:
        raise CommandError(f"{match[1]} is not used: the loss does not depend on it")
    return match[1], _entry(sums, match[1], match[2])


def _entry(sums: Sums, parameter: str, text: str) -> Entry | None:
    digits = re.findall(r"\d+", text)
    if not text.strip():
        return None
    entry = tuple(int(number) for number in digits if len(number) <= 18)
    shape = sums.shape(parameter)
    written = re.sub(r"\]\s*\[", ",", text).strip()[1:-1]
    if (
        not re.fullmatch(r"[\d\s,]+", written)
        or len(entry) != len(shape)
        or any(i >= n for i, n in zip(entry, shape, strict=True))
    ):
        hint = f"its shape is {numerals.shape(shape)}, as in {parameter}[{','.join('0' * len(shape))}]"
        raise CommandError(f"{parameter}{text.strip()} is no entry", hint=hint if shape else f"{parameter} is a number")
    return entry


def _implied_parameter(debugger: Debugger, sums: Sums) -> str:
    step = debugger.look.step
    return step.name if step is not None and step.kind == "use" else sums.default


def _node(debugger: Debugger, sums: Sums, words: list[str]) -> str:
    """The node whose partial is built up; without one, the recurrent one. Either word may be it."""
    scene = debugger.look.scene
    for place, word in enumerate(words):
        if word in scene.network.index and (place == 1 or word not in scene.trace.terms):
            words.pop(place)
            if word not in sums.nodes:
                raise CommandError(f"{word} is not computed: the loss does not depend on it")
            return word
    if len(words) == 2:
        raise (
            unknown(scene, words[1])
            if words[1] not in scene.unrolled.shapes
            else CommandError(f"{words[1]} is not a node", hint=f"the nodes are {', '.join(sums.nodes)}")
        )
    return sums.recurrent


def _target(debugger: Debugger, text: str) -> tuple[str, int]:
    """`w[0]`, `s₁`, `dE/dw[0]`, a bare name, or nothing: the step just taken."""
    look, scene = debugger.look, debugger.look.scene
    if not text:
        step = look.step
        if step is None or step.t is None or step.phase == "forward":
            raise MisuseError("the chains to which use or node?")
        return step.name, step.t
    found = read_reference(scene.unrolled.shapes, text) or Reference(text, Named(text))
    name, t = found.below.name, timestep(look, found.below.at)
    if name not in scene.unrolled.shapes:
        raise unknown(scene, name)
    times = scene.times(name)
    if times is None:
        raise CommandError(f"{name} is neither a node nor a parameter", hint="chains lead to nodes and uses")
    t = implied(look, name) if t is None else t
    if times.row(t) is None:
        raise absent(scene, name, t)
    return name, t
