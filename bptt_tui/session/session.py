"""A session: a network, its numbers, and where the debugger stands; loaded, traced, changed and saved.

    session = load("question")                # a bundled name, or a path
    session.trace().gradient["u"]
    session.with_state(position=5).save("mine.json")

A `Session` never changes: what differs is a new one. It remembers the file it came from, so that a save can
tell whether somebody else has written there meanwhile.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec import UNSET

from bptt_tui.errors import BpttError, SessionError
from bptt_tui.language.sanitise import brief
from bptt_tui.session import bundled, checking, storage
from bptt_tui.session.decode import decode
from bptt_tui.session.format import (
    FORMAT,
    VERSION,
    Attempt,
    Chapter,
    DebuggerState,
    Document,
    Expected,
    Found,
    Loss,
    Note,
    Prediction,
    Recorded,
)
from bptt_tui.session.storage import Origin
from bptt_tui.session.values import plain, plain_values

if TYPE_CHECKING:
    from bptt_tui.trace import Network, Trace
    from bptt_tui.trace.progress import Advance, Progress


S = TypeVar("S", bound="Session")
_COMPUTED = ("_network", "_trace")
VALUES = ("parameters", "initial", "inputs", "constants", "pins")
# What a trace is computed from, and what it is expected to give.
NUMBERS = ("equations", "loss", *VALUES, "steps", "expected")


@dataclass(frozen=True, kw_only=True)
class Session:
    """Equations, numbers and debugger state, as in a session file.

    Values are numbers or nested lists; arrays are accepted and turned into lists. `name` is what errors call
    the session, `origin` the file it was read from or saved to: neither is part of what makes two sessions
    equal. Raises SessionError where a value is not finite, not a number, or ragged.
    """

    equations: tuple[str, ...]
    title: str = ""
    loss: Loss = field(default_factory=Loss)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    pins: Mapping[str, Any] = field(default_factory=dict)
    steps: int | None = None
    expected: Expected | None = None
    debugger: DebuggerState = field(default_factory=DebuggerState)
    recording: tuple[Recorded, ...] = ()
    recorded_from: Found | None = None
    name: str = field(default="session", compare=False)
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        settle = object.__setattr__
        checking.fields(self)
        settle(self, "equations", checking.equations(self.equations))
        settle(self, "recording", _checked_recording(self.recording))
        for values in VALUES:
            settle(self, values, plain_values(getattr(self, values), values))
        if self.recorded_from is not None:
            settle(self, "recorded_from", _checked_found(self.recorded_from))
        if self.expected is not None:
            settle(self, "expected", _checked_expected(self.expected))

    @classmethod
    def from_document(cls, document: Document, *, name: str, origin: Origin | None) -> Self:
        """The session that a decoded file holds."""
        if not isinstance(document, Document):
            raise SessionError(f"{brief(document)} is no session document", hint="load reads a file")
        steps, expected = document.steps, document.expected
        return cls(
            equations=document.equations,
            title=document.title,
            loss=document.loss,
            parameters=document.parameters,
            initial=document.initial,
            inputs=document.inputs,
            constants=document.constants,
            pins=document.pins,
            steps=None if steps is UNSET else steps,
            expected=None if expected is UNSET else expected,
            debugger=document.debugger,
            recording=document.recording,
            recorded_from=None if document.recorded_from is UNSET else document.recorded_from,
            name=name,
            origin=origin,
        )

    def document(self) -> Document:
        """The session as its file holds it."""
        return Document(
            format=FORMAT,
            version=VERSION,
            equations=self.equations,
            title=self.title,
            loss=self.loss,
            parameters=dict(self.parameters),
            initial=dict(self.initial),
            inputs=dict(self.inputs),
            constants=dict(self.constants),
            pins=dict(self.pins),
            steps=UNSET if self.steps is None else self.steps,
            expected=UNSET if self.expected is None else self.expected,
            debugger=self.debugger,
            recording=self.recording,
            recorded_from=UNSET if self.recorded_from is None else self.recorded_from,
        )

    def network(self) -> Network:
        """The network of the equations, made once. Raises an error with the file's name and equation."""
        return self._network

    def trace(self, progress: Progress | None = None) -> Trace:
        """Forward values and gradients of the session's numbers; computed once.

        `progress` is told how many timesteps of its loops are done, of how many, forward and back. It may raise to
        cancel; nothing is kept then.
        """
        if progress is not None and not callable(progress):
            checking.refuse(progress, "progress", "a function, or None")
        if progress is not None and "_trace" not in self.__dict__:
            self.__dict__["_trace"] = self._computed(_Tally(progress, self._loop_timesteps()))
        return self._trace

    def _loop_timesteps(self) -> int:
        """How many timesteps the loops of a trace take, forward and back."""
        network = self._network
        groups = network.consumers_first
        loops = [e for e, *more in groups if more or any(source == e for source, _ in network.sources(e))]
        lengths = [len(sequence) for sequence in self.inputs.values() if isinstance(sequence, list)]
        return 2 * len(loops) * max([self.steps or 0, *lengths])

    @cached_property
    def _network(self) -> Network:
        from bptt_tui.trace import Network

        at = list(self.loss.at) if isinstance(self.loss.at, tuple) else self.loss.at
        try:
            return Network(self.equations, loss_at=at, reduction=self.loss.reduction)
        except BpttError as error:
            raise self._placed(error) from None

    @cached_property
    def _trace(self) -> Trace:
        return self._computed(None)

    def _computed(self, progress: Advance | None) -> Trace:
        network = self._network
        try:
            return network.trace(
                parameters=self.parameters,
                inputs=self.inputs,
                initial=self.initial,
                constants=self.constants,
                steps=self.steps,
                pins=self.pins,
                progress=progress,
            )
        except BpttError as error:
            raise self._placed(error) from None

    def _placed(self, error: BpttError) -> BpttError:
        """`error` with this file's name in front, and `equation 2` as the file's own `equations[1]`."""
        error.places = tuple(
            f"equations[{int(match[1]) - 1}]" if (match := re.fullmatch(r"equation (\d+)", place)) else place
            for place in error.places
        )
        return error.at(self.name)

    def replace(self, **changes: Any) -> Self:
        """A session with some fields changed: `session.replace(parameters={...})`.

        Raises SessionError for what is no field, and for a value that cannot be its.
        """
        checking.known_fields(changes, self.__dataclass_fields__)
        return dataclasses.replace(self, **changes)

    def with_state(
        self,
        *,
        position: int | None = None,
        factor: int | None = None,
        recording: Iterable[Recorded] | None = None,
        breakpoints: Iterable[str] | None = None,
        watches: Iterable[str] | None = None,
        notes: Iterable[Note] | None = None,
        chapters: Iterable[Chapter] | None = None,
        predictions: Iterable[Prediction] | None = None,
        attempts: Iterable[Attempt] | None = None,
    ) -> Self:
        """The same network and numbers with the debugger elsewhere; a trace already computed is kept."""
        state = self.debugger
        moved = copy.copy(self)  # without looking at every number again, as `replace` would
        settle = object.__setattr__
        settle(
            moved,
            "debugger",
            DebuggerState(
                position=state.position if position is None else checking.count(position, "position"),
                factor=state.factor if factor is None else checking.count(factor, "factor"),
                breakpoints=state.breakpoints if breakpoints is None else checking.entries(breakpoints, "breakpoints"),
                watches=state.watches if watches is None else checking.entries(watches, "watches"),
                notes=state.notes if notes is None else checking.entries(notes, "notes"),
                chapters=state.chapters if chapters is None else checking.entries(chapters, "chapters"),
                predictions=state.predictions if predictions is None else checking.entries(predictions, "predictions"),
                attempts=state.attempts if attempts is None else checking.entries(attempts, "attempts"),
            ),
        )
        if recording is not None:
            settle(moved, "recording", _checked_recording(recording))
        return moved

    def as_recorded(self) -> Self:
        """The session as its recording found it: nothing computed, recorded or predicted, no stop set, no value
        changed yet."""
        start = self.with_state(
            position=0, factor=0, recording=(), breakpoints=(), watches=(), predictions=()
        ).with_numbers_of(self)
        found = self.recorded_from
        if found is None:
            return start
        changed = {name: getattr(found, name) for name in ("equations", *VALUES)}
        given = {name: value for name, value in changed.items() if value is not UNSET}
        return start.replace(**given, expected=None, recorded_from=None)

    def found_by(self, start: Session) -> Self:
        """This session, whose recording began with the values of another."""
        _session(start)
        differing: dict[str, Any] = {
            name: getattr(start, name)
            for name in ("equations", *VALUES)
            if getattr(start, name) is not getattr(self, name) and getattr(start, name) != getattr(self, name)
        }
        found = Found(**differing) if differing else None
        return self._with_computed(self.replace(recorded_from=found)) if found != self.recorded_from else self

    def with_numbers_of(self, other: Session) -> Self:
        """This session with the equations and values of another, and what has been computed of those."""
        _session(other)
        result = copy.copy(self)
        for name in NUMBERS:
            object.__setattr__(result, name, getattr(other, name))
        for computed in _COMPUTED:
            result.__dict__.pop(computed, None)
        return other._with_computed(result)

    def without_computed(self) -> Self:
        """The same, which traces anew when asked."""
        result = copy.copy(self)
        for computed in _COMPUTED:
            result.__dict__.pop(computed, None)
        return result

    def save(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Self:
        """Write the session, all or nothing, to `path` or to the file it came from; returns it as saved.

        Another file that is there, or changes made to this one since it was opened, are not overwritten
        unless `overwrite` is set. Raises SessionError with path and reason; the disk is then as it was.
        """
        if path is None and self.origin is None:
            raise SessionError(
                "this session has no file of its own", hint="give the path to save it to", places=(self.name,)
            )
        from bptt_tui.session.encode import encode

        shown = checking.path(path) if path is not None else self.name if self.origin is None else self.origin.path
        try:
            data = encode(self.document())
            decode(data)  # what is written can be read: a Struct made in Python has not been checked yet
        except SessionError as error:
            raise error.at(shown) from None
        origin = storage.write(shown, data, self.origin, overwrite=overwrite)
        return self._with_computed(self.replace(name=shown, origin=origin))

    def _with_computed(self, other: S) -> S:
        """`other`, which has the same network and numbers, with what has been computed of them here."""
        for computed in _COMPUTED:
            if computed in self.__dict__:
                other.__dict__[computed] = self.__dict__[computed]
        return other


def _session(other: object) -> None:
    if not isinstance(other, Session):
        raise SessionError(f"{brief(other)} is no session", hint="load one, or make a Session")


class _Tally:
    """Adds up what a trace says of its progress, and passes it on with the total."""

    def __init__(self, progress: Progress, of: int) -> None:
        self._progress = progress
        self._of = of
        self._done = 0

    def __call__(self, more: int) -> None:
        self._done += more
        self._progress(min(self._done, self._of), self._of)


def load(name_or_path: str | os.PathLike[str], *, suggest: bool = True) -> Session:
    """The bundled session of that name, or the session file at that path.

    A word without a directory and without `.json` is looked up among the bundled sessions first; `./question`
    is always a file. Raises SessionError with the file, the place in it and the reason; where there is no file, and
    unless `suggest` is off, with names that were perhaps meant.
    """
    shown = checking.path(name_or_path)
    if isinstance(name_or_path, str) and is_name(shown) and shown in bundled.names():
        return _loaded(storage.content(str(bundled.path_of(shown))), shown, None)
    try:
        data, origin = storage.read(shown)
    except SessionError as error:
        if suggest and not os.path.lexists(shown.replace("\0", "")):
            error.hint = _suggestion(shown)
        raise
    return _loaded(data, shown, origin)


def is_name(word: str) -> bool:
    """Whether `word` can be a bundled session's name: no directory, no `.json`."""
    separators = {os.sep, os.altsep or os.sep}
    return not word.endswith(".json") and not separators.intersection(word)


def _loaded(data: bytes, name: str, origin: Origin | None) -> Session:
    try:
        return Session.from_document(decode(data), name=name, origin=origin)
    except SessionError as error:
        raise error.at(name) from None


def _suggestion(word: str) -> str:
    names = bundled.names()
    # Without the suffix, which every session file has and which says nothing about being close.
    known = {name.removesuffix(".json"): name for name in (*storage.nearby(word), *names)}
    close = [known[stem] for stem in difflib.get_close_matches(word.removesuffix(".json"), known, 3, 0.65)]
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "give a path, or one of " + ", ".join(names)


def _checked_recording(recording: Iterable[Recorded]) -> tuple[Recorded, ...]:
    entries = checking.entries(recording, "recording")
    for index, recorded in enumerate(entries):
        if isinstance(recorded.at, bool) or not isinstance(recorded.at, int | float) or not math.isfinite(recorded.at):
            raise SessionError("expected a time in seconds", places=(f"recording[{index}].at",))
    return entries


def _checked_expected(expected: Expected) -> Expected:
    loss = expected.loss
    if loss is not UNSET:
        plain(loss, "expected.loss")
    plain(expected.tolerance, "expected.tolerance")
    return Expected(
        loss=loss, gradient=plain_values(expected.gradient, "expected.gradient"), tolerance=expected.tolerance
    )


def _checked_found(found: Found) -> Found:
    given = {name: getattr(found, name) for name in VALUES}
    checked = {n: plain_values(v, f"recorded_from.{n}") for n, v in given.items() if v is not UNSET}
    return Found(equations=found.equations, **checked)
