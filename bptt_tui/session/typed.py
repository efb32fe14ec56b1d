"""Values as a person types them: numbers, `random`, and one number for all.

| typed | is |
|---|---|
| `0.8` | a number; with a shape, every entry is that number |
| `1.2 -0.7` or `[1.2, -0.7]` | a vector |
| `1 2; 3 4` or `[[1, 2], [3, 4]]` | a matrix by rows; with a shape, `1 2 3 4` is one too |
| `random` or `random 0.1` | numbers between −scale and scale, the same ones for the same seed and name |

The first axis of an input is time. A sequence that is too short is repeated, one that is too long is cut: `note` says
so. Whole numbers stay whole, so that a class index is one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain, cycle, islice
from random import Random
from typing import Any, NamedTuple

from bptt_tui.calculus.shapes import Shape, shape_text
from bptt_tui.errors import SessionError
from bptt_tui.session.storage import SIZE_LIMIT
from bptt_tui.session.values import plain, shape_of

MOST = 1_000_000  # numbers; they are made while somebody waits for the next letter
_NUMBER = re.compile(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_RANDOM = re.compile(r"(?:random|rand)(?:\s+(\S+))?")
_SHAPE = re.compile(r"\(?\s*(\d{1,9})?\s*(?:[x×*,]\s*(\d{1,9})?)?\s*,?\s*\)?")
_WHOLE = re.compile(r"[-+−]?\d{1,15}")


class Dice(NamedTuple):
    """Where random numbers come from."""

    seed: str
    scale: float

    def numbers(self, name: str, count: int) -> Iterator[float]:
        """Four digits each, so that they can be reckoned with by hand. The same on every machine."""
        source = Random(f"{self.seed} {name}")
        return (float(f"{source.uniform(-self.scale, self.scale):.4g}") for _ in range(count))


class Value(NamedTuple):
    """Numbers as a session has them, and what is to be said of how they came about."""

    numbers: Any
    note: str = ""


def read_shape(text: str) -> Shape | None:
    """`3`, `2x3` or `(2, 3)`; None for nothing. Raises SessionError."""
    if not text.strip():
        return None
    if text.strip() in ("()", "scalar"):
        return ()
    match = _SHAPE.fullmatch(text.strip())
    sizes = tuple(int(part) for part in match.groups() if part) if match else ()
    if not sizes or 0 in sizes:
        raise SessionError(f"{text.strip()!r} is no shape", hint="write 3 for a vector, 2x3 for a matrix")
    return sizes


def read_number(text: str) -> int | float:
    """One finite number. Raises SessionError."""
    word = text.strip().replace("−", "-")
    if not _NUMBER.fullmatch(word):
        raise SessionError(f"{text.strip()[:30]!r} is not a number")
    number = int(word) if _WHOLE.fullmatch(word) and word != "-0" else float(word)
    if not math.isfinite(number):
        raise SessionError(f"{text.strip()[:30]} is beyond the largest double (1.8e308)")
    return number


def value(text: str, name: str, shape: Shape | None, dice: Dice) -> Value:
    """The value of a parameter, a constant or one before t = 0. Raises SessionError."""
    if (rolled := _rolled(text, dice)) is not None:
        whole = shape or ()
        _refuse_too_many(math.prod(whole))
        return Value(_folded(rolled.numbers(name, math.prod(whole)), whole), _random_note(rolled))
    numbers = _numbers(text)
    if shape is None or shape_of(numbers) == shape:
        return Value(numbers)
    return _shaped(numbers, shape)


def sequence(text: str, name: str, shape: Shape | None, steps: int, dice: Dice) -> Value:
    """The value of an input: one of `shape` for each of so many timesteps. Raises SessionError."""
    whole = (steps, *(shape or ()))
    _refuse_too_many(math.prod(whole))
    if (rolled := _rolled(text, dice)) is not None:
        return Value(_folded(rolled.numbers(name, math.prod(whole)), whole), _random_note(rolled))
    numbers = _numbers(text)
    if not isinstance(numbers, list):
        return Value(_folded(iter([numbers] * math.prod(whole)), whole), "the same number throughout")
    if shape is not None and shape_of(numbers)[1:] != shape:
        each = math.prod(shape)
        flat = list(_flat(numbers))
        if shape_of(numbers) == shape:
            numbers = [numbers]
        elif len(flat) % each or len(shape_of(numbers)) > 1:
            raise SessionError(f"{_spelt(shape_of(numbers)[1:])} at each timestep, but the shape is {_spelt(shape)}")
        else:
            numbers = _folded(iter(flat), (len(flat) // each, *shape))
    return over_time(numbers, steps)


def over_time(numbers: list[Any], steps: int) -> Value:
    """A sequence at each of so many timesteps."""
    given = len(numbers)
    _refuse_too_many(math.prod(shape_of(numbers)) // given * steps)
    note = "" if given == steps else f"the first {steps} of {given}" if given > steps else f"{given}, repeated"
    return Value(list(islice(cycle(numbers), steps)), note)


def length(text: str, shape: Shape | None) -> int | None:
    """How many timesteps a typed input has; None for one that adapts itself."""
    if _RANDOM.fullmatch(text.strip()):
        return None
    try:
        numbers = _numbers(text)
    except SessionError:
        return None
    if not isinstance(numbers, list):
        return None
    if shape and len(shape_of(numbers)) == 1:
        return max(len(numbers) // math.prod(shape), 1)
    return len(numbers)


def spelt(numbers: Any) -> str:
    """Numbers as one would type them."""
    if not isinstance(numbers, list):
        return str(numbers)
    depth = len(shape_of(numbers))
    if depth == 1:
        return " ".join(map(str, numbers)) + "," * (len(numbers) == 1)
    if depth == 2:
        return "; ".join(" ".join(map(str, row)) for row in numbers) + ";" * (len(numbers) == 1)
    return str(numbers)


def _rolled(text: str, dice: Dice) -> Dice | None:
    match = _RANDOM.fullmatch(text.strip())
    if match is None:
        return None
    return dice if match[1] is None else Dice(dice.seed, read_scale(match[1]))


def read_scale(text: str) -> float:
    """The largest size of a random number. Raises SessionError."""
    number = float(read_number(text))
    if number <= 0:
        raise SessionError("the scale of random numbers is above 0")
    return number


def _random_note(dice: Dice) -> str:
    return f"random, ±{dice.scale:g}, seed {dice.seed}"


def _numbers(text: str) -> Any:
    text = text.strip()
    if not text:
        raise SessionError("there is no value yet", hint="type a number, or random")
    if len(text) > SIZE_LIMIT:
        raise SessionError("this is too much to be typed")
    if text.startswith("["):
        found = _bracketed(text)
    else:
        rows = [_row(row) for row in text.split(";") if row.strip()]
        found = rows[0] if len(rows) == 1 and ";" not in text else rows
        if len(rows) == 1 and len(rows[0]) == 1 and not re.search(r"[;,]", text):
            found = rows[0][0]
    try:
        return plain(found, "")
    except SessionError as error:
        error.places = tuple(place for place in error.places if place)
        raise


def _row(text: str) -> list[int | float]:
    return [read_number(word) for word in re.split(r"[\s,]+", text.strip().strip(","))]


def _bracketed(text: str) -> Any:
    """Nested lists; the depth is that of a session's values."""
    stack: list[list[Any]] = [[]]
    for token in re.findall(r"[\[\]]|[^\[\],\s]+", text):
        if token == "[":
            if len(stack) > 3:
                raise SessionError("more than 3 levels of brackets")
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif token == "]":
            stack.pop()
            if not stack:
                break
        else:
            stack[-1].append(read_number(token))
    if len(stack) != 1 or len(stack[0]) != 1:
        raise SessionError("a bracket is not closed" if len(stack) > 1 else "one list is expected")
    return stack[0][0]


def _shaped(numbers: Any, shape: Shape) -> Value:
    """Numbers in another shape: one for all, or a row of as many as there are."""
    _refuse_too_many(math.prod(shape))
    if not isinstance(numbers, list):
        return Value(_folded(iter([numbers] * math.prod(shape)), shape), "every entry" if shape else "")
    flat = list(_flat(numbers))
    if len(flat) != math.prod(shape) or len(shape_of(numbers)) > 1:
        raise SessionError(f"{_spelt(shape_of(numbers))} typed, but the shape is {_spelt(shape)}")
    return Value(_folded(iter(flat), shape))


def _flat(numbers: Any) -> Iterator[Any]:
    return chain.from_iterable(map(_flat, numbers)) if isinstance(numbers, list) else iter((numbers,))


def _folded(numbers: Iterator[Any], shape: Shape) -> Any:
    if not shape:
        return next(numbers)
    return [_folded(numbers, shape[1:]) for _ in range(shape[0])]


def _spelt(shape: Shape) -> str:
    if not shape:
        return "one number"
    return shape_text(shape) + " numbers" if shape != (1,) else "a vector of one number"


def _refuse_too_many(count: int) -> None:
    if count > MOST:
        raise SessionError(f"{count:,} numbers", hint=f"at most {MOST:,} here; a session file can hold more")
