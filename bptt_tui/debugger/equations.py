"""A session with an equation changed, added or deleted; values that nothing reads any more go with it.

Whether the result is a network is for its trace to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bptt_tui.debugger.command import Command, MisuseError, first_word
from bptt_tui.debugger.edits import edit
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Name, names, parse_equation
from bptt_tui.network.network import did_you_mean
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


def with_equation(debugger: Debugger, text: str) -> Session:
    """The session with this equation in place of the one of its name, or in front of the loss."""
    session = debugger.state.session
    if "=" not in text:
        raise MisuseError(f"{text!r} is no equation" if text else "which equation?")
    try:
        target = parse_equation(text).target
    except BpttError as error:
        raise CommandError(error.reason, hint=error.hint, places=error.places) from None
    _refuse_given(session, target)
    place = _place(session, target)
    texts = list(session.equations)
    if place is None:
        texts.insert(len(texts) - 1, text)
    else:
        texts[place] = text
    return _without_unread(session, tuple(texts), debugger.look.scene.trace.steps)


def without_equation(debugger: Debugger, name: str) -> Session:
    """The session without the equation of a name."""
    session = debugger.state.session
    if not name:
        raise MisuseError("delete which equation?")
    targets = [parse_equation(text).target for text in session.equations]
    place = _place(session, name)
    if place is None:
        hint = did_you_mean(name, targets) or f"the equations are of {', '.join(targets)}"
        raise CommandError(f"there is no equation of {name}", hint=hint)
    if place == len(targets) - 1:
        raise CommandError(f"{name} is the loss", hint=f"change it: equation {name} = …")
    texts = (*session.equations[:place], *session.equations[place + 1 :])
    return _without_unread(session, texts, debugger.look.scene.trace.steps)


def _place(session: Session, target: str) -> int | None:
    targets = [parse_equation(text).target for text in session.equations]
    return targets.index(target) if target in targets else None


def _refuse_given(session: Session, target: str) -> None:
    """A name whose value is given has no equation."""
    for group, what in (("parameters", "a parameter"), ("inputs", "an input"), ("constants", "a constant")):
        if target in getattr(session, group):
            raise CommandError(f"{target} is {what}", hint=f"set {target} changes its value")


def _without_unread(session: Session, texts: tuple[str, ...], steps: int) -> Session:
    """The session with these equations, and of its values only those that they read."""
    parsed = []
    for text in texts:
        try:
            parsed.append(parse_equation(text))
        except BpttError:
            return session.replace(equations=texts, expected=None)
    read: set[str] = {name.name for one in parsed for name in _names(one.expression)}
    targets = {one.target for one in parsed}

    def kept(values: Any, known: set[str]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in known}

    inputs = kept(session.inputs, read)
    return session.replace(
        equations=texts,
        expected=None,
        parameters=kept(session.parameters, read),
        constants=kept(session.constants, read),
        inputs=inputs,
        initial=kept(session.initial, targets | set(inputs)),
        pins={key: value for key, value in session.pins.items() if key.partition("[")[0] in targets},
        steps=None if inputs else steps,
    )


def _names(expression: Any) -> tuple[Name, ...]:
    return tuple(names(expression))


def _equation(debugger: Debugger, rest: str) -> str:
    word, name = first_word(rest)
    if word == "delete" and not name.startswith("="):
        return edit(debugger, without_equation(debugger, name))
    return edit(debugger, with_equation(debugger, rest))


EQUATION = Command(
    "equation", "equation NAME = EXPRESSION|delete NAME", "change, add or delete an equation", _equation, (),
    "Checked before it takes effect. A new one stands in front of the loss; what no equation reads any more is left"
    " out.",
)  # fmt: skip
ROWS = (EQUATION,)
