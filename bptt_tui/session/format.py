"""The session file, version 1: its fields, their types and meaning, and the JSON Schema made from them.

A session holds inputs, not results: the equations, where the loss is taken, the numbers, and where the
debugger stands. The Structs below are the only definition of the format. Reading is in `decode`, writing in
`encode`; the object that the rest of the program uses is `session.Session`.
"""

# No `from __future__ import annotations` here: msgspec would have to compile every one of them at each start.

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

FORMAT: Final = "bptt-session"
VERSION: Final = 1

Number = int | float
# Four levels are never needed: an input is at most a sequence (time) of matrices.
Value = Number | list[Number | list[Number | list[Number]]]
Values = dict[str, Value]

# Above 2**53 a double cannot count; no position, timestep or version comes near.
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Loss(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the loss is taken, and how several losses become one."""

    at: Annotated[
        Literal["last", "every"] | tuple[Count, ...],
        Meta(title="Loss steps", description='"last", "every", or a list of timesteps counted from 0.'),
    ] = "last"
    reduction: Annotated[
        Literal["sum", "mean"],
        Meta(title="Reduction", description="The total of several loss steps: their sum or their mean."),
    ] = "sum"


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """A remark of the learner's, kept at one position."""

    position: Annotated[Count, Meta(title="Position", description="The position the note belongs to.")]
    text: Annotated[str, Meta(title="Text", description="The note, Markdown.")]


class Chapter(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a part of a lesson begins."""

    position: Annotated[Count, Meta(title="Position", description="The first position of the chapter.")]
    title: Annotated[str, Meta(title="Title", description="One line, plain text.")]


class Prediction(Struct, frozen=True, forbid_unknown_fields=True):
    """One question of predict mode that was answered or given up."""

    position: Annotated[Count, Meta(title="Position", description="Where it was asked.")]
    question: Annotated[str, Meta(title="Question", description="What was asked, as shown.", examples=["∂s₁/∂z₁ = ?"])]
    answer: Annotated[str, Meta(title="Answer", description="The answer as typed; empty for a revealed one.")]
    outcome: Annotated[Literal["right", "wrong", "revealed"], Meta(title="Outcome", description="What came of it.")]


# Longer than any formula; a text that long is a mistake, and a thousand attempts are more than anybody reads.
FORMULA_LIMIT: Final = 20_000
ATTEMPTS_LIMIT: Final = 1000


class Attempt(Struct, frozen=True, forbid_unknown_fields=True):
    """A formula that the learner had judged. What came of it is judged anew: a file holds inputs, not results."""

    formula: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=FORMULA_LIMIT,
            title="Formula",
            description="A derivation as typed, one line.",
            examples=["dE/dw = dE/ds_1 * ds_1/dw_1"],
        ),
    ]


class DebuggerState(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the debugger stood when the session was saved."""

    position: Annotated[
        Count,
        Meta(title="Position", description="Forward steps, then backward steps; 0 is nothing computed."),
    ] = 0
    factor: Annotated[Count, Meta(title="Factor", description="Inflows already taken of the next backward step.")] = 0
    breakpoints: Annotated[
        tuple[str, ...],
        Meta(title="Breakpoints", description="One breakpoint each, in the debugger's language."),
    ] = ()
    watches: Annotated[tuple[str, ...], Meta(title="Watches", description="One watched expression each.")] = ()
    notes: Annotated[tuple[Note, ...], Meta(title="Notes", description="The learner's remarks, by position.")] = ()
    chapters: Annotated[
        tuple[Chapter, ...], Meta(title="Chapters", description="The parts of a lesson, by position.")
    ] = ()
    predictions: Annotated[
        tuple[Prediction, ...], Meta(title="Predictions", description="What predict mode asked, and the answers.")
    ] = ()
    attempts: Annotated[
        tuple[Attempt, ...],
        Meta(max_length=ATTEMPTS_LIMIT, title="Attempts", description="The formulas that were judged, in their order."),
    ] = ()


class Recorded(Struct, frozen=True, forbid_unknown_fields=True):
    """One command as it was given."""

    at: Annotated[float, Meta(ge=0, title="Time", description="Seconds since the recording began.", examples=[0.0])]
    command: Annotated[
        str, Meta(title="Command", description="One line of the debugger's language.", examples=["next"])
    ]


class Found(Struct, frozen=True, forbid_unknown_fields=True):
    """What the recording found where its commands have changed it since; a field left out is as in the file."""

    equations: Annotated[tuple[str, ...], Meta(min_length=1, title="Equations")] | UnsetType = UNSET
    parameters: Annotated[Values, Meta(title="Parameters")] | UnsetType = UNSET
    initial: Annotated[Values, Meta(title="Initial values")] | UnsetType = UNSET
    inputs: Annotated[Values, Meta(title="Inputs")] | UnsetType = UNSET
    constants: Annotated[Values, Meta(title="Constants")] | UnsetType = UNSET
    pins: Annotated[Values, Meta(title="Pins")] | UnsetType = UNSET


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """Totals that the trace must reproduce; `bptt-tui replay --headless` compares them."""

    loss: Annotated[float, Meta(title="Loss", description="The total loss.")] | UnsetType = UNSET
    gradient: Annotated[
        Values, Meta(title="Gradient", description="∂E/∂parameter by name, in the parameter's shape.")
    ] = {}
    tolerance: Annotated[
        float,
        Meta(gt=0, title="Tolerance", description="Largest relative difference, for every entry by itself."),
    ] = 1e-9


class Document(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A session of bptt-tui: a recurrent network, its numbers, and where the debugger stands."""

    format: Annotated[Literal["bptt-session"], Meta(title="Format", description="What kind of file this is.")]
    version: Annotated[Literal[1], Meta(title="Version", description="The version of this format.")]
    title: Annotated[str, Meta(title="Title", description="One line, plain text.")] = ""
    equations: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            title="Equations",
            description="One equation is one node per timestep; the last one is the loss.",
            examples=[["s = tanh(u * x[t] + w * s[t-1])", "E = squared_error(s, y)"]],
        ),
    ]
    loss: Annotated[Loss, Meta(title="Loss")] = Loss()
    parameters: Annotated[
        Values,
        Meta(
            title="Parameters",
            description="Shared over time and differentiated: a number, a vector or a matrix by rows.",
        ),
    ] = {}
    initial: Annotated[
        Values,
        Meta(title="Initial values", description="What a node read at an earlier timestep starts from."),
    ] = {}
    inputs: Annotated[
        Values,
        Meta(title="Inputs", description="Sequences of equal length: the first axis is time and sets T."),
    ] = {}
    constants: Annotated[Values, Meta(title="Constants", description="Fixed values, the same at every timestep.")] = {}
    pins: Annotated[
        Values,
        Meta(
            title="Pins",
            description="Nodes held at a value, cut off from what their equation reads.",
            examples=[{"s[0]": 0.1}],
        ),
    ] = {}
    steps: (
        Annotated[
            int,
            Meta(ge=1, le=2**53, title="Steps", description="The number of timesteps T, without inputs."),
        ]
        | UnsetType
    ) = UNSET
    expected: Annotated[Expected, Meta(title="Expected totals")] | UnsetType = UNSET
    debugger: Annotated[DebuggerState, Meta(title="Debugger")] = DebuggerState()
    recording: Annotated[
        tuple[Recorded, ...],
        Meta(title="Recording", description="Every command given, from position 0, in order."),
    ] = ()
    recorded_from: Annotated[Found, Meta(title="Recorded from")] | UnsetType = UNSET


def schema() -> dict[str, Any]:
    """The session file's JSON Schema (draft 2020-12), generated from the Structs."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(Document),
    }
