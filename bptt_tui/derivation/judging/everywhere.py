"""A statement about every timestep, ∂s_t/∂s_{t−1} = w (1 − s_t²): judged at each of them.

It is right when it is right wherever all that it names exists. Else one timestep is taken as the example: its verdict
is told, and at which timesteps the statement holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.tree import Formula, Moment, Partial, Product, Statement, Sum, Time, Value
from bptt_tui.derivation.formulas.writing import write
from bptt_tui.derivation.judging.samples import Samples
from bptt_tui.derivation.judging.telling import OUTCOME
from bptt_tui.derivation.judging.verdict import Verdict
from bptt_tui.errors import FormulaError
from bptt_tui.language.labels import listed

# Of more places so many are judged, evenly spread, the first and the last among them; and so many are looked for.
MAX_PLACES = 24
MAX_SOUGHT = 40_000
LISTED = 6

# The timestep put in for every open letter, in the order of the statement's.
Place = tuple[int, ...]


class Judge(Protocol):
    """What judges one timestep."""

    samples: Samples

    def holds(self, statement: Statement) -> bool:
        """Whether it is an identity."""

    def verdict(self, statement: Statement) -> Verdict:
        """The whole verdict."""


def judged(judging: Judge, statement: Statement) -> Verdict:
    """The verdict on a statement with open timesteps. Raises FormulaError where it exists at none."""
    left, letters = statement.members[0], statement.variables
    name = write(left, judging.samples.unrolled)
    there = dict(itertools.islice(_instances(statement, judging.samples), MAX_SOUGHT))
    if not there:
        raise FormulaError(
            f"at no timestep {listed(letters)} is there all of this",
            text=statement.text,
            column=left.span[0],
            hint=f"the timesteps are 0 … {judging.samples.unrolled.steps - 1}",
        )
    chosen = list(there)
    if len(chosen) > MAX_PLACES:
        chosen = [chosen[i * (len(chosen) - 1) // (MAX_PLACES - 1)] for i in range(MAX_PLACES)]
    numeric = any(_is_number(member) for member in statement.members[1:])
    verdicts = {place: judging.verdict(there[place]) for place in chosen if numeric or judging.holds(there[place])}
    right = [place for place in chosen if place in verdicts and verdicts[place].holds]
    others = [place for place in chosen if place not in right]
    if not others:
        where = _everywhere(letters, chosen, len(there))
        sentence = f"right: it equals {name} at {where}" + ("" if numeric else ", for all values, not only these")
        shown = verdicts[chosen[-1]]
        members = tuple(replace(member, sentence=sentence) for member in shown.members)
        return Verdict(statement, name, shown.outcome, sentence, members)
    example = _example(others)
    shown = verdicts[example] if example in verdicts else judging.verdict(there[example])
    lead = f"it holds at {_listed(letters, right)}; " if right else ""
    lead += f"{'at' if len(others) == 1 else 'as at'} {_named(letters, example)}, "

    def told(sentence: str) -> str:
        plain = OUTCOME.sub("", sentence)
        return f"{sentence.removesuffix(plain)}{lead}{plain}"

    members = tuple(
        member if member.outcome == "right" else replace(member, sentence=told(member.sentence))
        for member in shown.members
    )
    return Verdict(statement, name, shown.outcome, told(shown.sentence), members)


def _example(places: list[Place]) -> Place:
    """One in the middle; of several letters one whose timesteps are next to each other, where little is to be seen."""
    apart = [place for place in places if len(set(place)) == len(place)] or places
    least = min(max(place) - min(place) for place in apart)
    near = [place for place in apart if max(place) - min(place) == least]
    return near[len(near) // 2]


# --- where it is said ------------------------------------------------------------------------------------------------


def _instances(statement: Statement, samples: Samples) -> Iterator[tuple[Place, Statement]]:
    """The statement at all timesteps at which all that it names exists, and nothing is by what comes later."""
    for place in itertools.product(range(samples.unrolled.steps), repeat=len(statement.variables)):
        at = dict(zip(statement.variables, place, strict=True))
        left = _at(statement.members[0], at)
        if not _exists(left, samples) or _is_upside_down(left):
            continue
        members = (left, *(_at(member, at) for member in statement.members[1:]))
        if all(_exists(member, samples) for member in members):
            yield place, Statement(statement.text, members)


def _exists(formula: Formula, samples: Samples) -> bool:
    return all(
        samples.exists(part.name, part.t.offset)
        for part in walk(formula)
        if isinstance(part, Value) and part.t is not None and not part.t.variable
    )


def _is_upside_down(left: Formula) -> bool:
    """Whether a partial is by a later timestep, which nothing depends on."""
    if not isinstance(left, Partial) or left.above.t is None or left.below.t is None:
        return False
    return left.below.t.offset > left.above.t.offset


def _at(formula: Formula, at: Mapping[str, int]) -> Formula:
    """The formula with timesteps put in, also into the bounds of sums."""
    formula = rebuilt(formula, lambda part: _at(part, at))
    if isinstance(formula, Value):
        return replace(formula, t=_moment(formula.t, at))
    if isinstance(formula, Time):
        found = _moment(formula.t, at)
        assert found is not None
        return replace(formula, t=found)
    if isinstance(formula, Sum | Product):
        return replace(formula, first=_moment(formula.first, at), last=_moment(formula.last, at))
    return formula


def _moment(moment: Moment | None, at: Mapping[str, int]) -> Moment | None:
    if moment is None or moment.variable not in at:
        return moment
    return Moment(moment.offset + at[moment.variable])


def _is_number(formula: Formula) -> bool:
    return not any(isinstance(part, Value | Sum | Product) for part in walk(formula))


# --- how it is said --------------------------------------------------------------------------------------------------


def _named(letters: tuple[str, ...], place: Place) -> str:
    """t = 2, k = 0."""
    return ", ".join(f"{letter} = {t}" for letter, t in zip(letters, place, strict=True))


def _listed(letters: tuple[str, ...], places: list[Place]) -> str:
    """t = 0, 1 and 3; a long run as 0 … 19; of several letters the number of places."""
    if len(letters) > 1:
        return _named(letters, places[0]) if len(places) == 1 else f"{len(places)} choices of {listed(letters)}"
    times = [t for (t,) in places]
    if len(times) <= LISTED:
        text = listed(times)
    elif times == list(range(times[0], times[-1] + 1)):
        text = f"{times[0]} … {times[-1]}"
    else:
        text = f"{times[0]}, {times[1]}, … and {times[-1]}"
    return f"{letters[0]} = {text}"


def _everywhere(letters: tuple[str, ...], places: list[Place], existing: int) -> str:
    """every t from 0 to 3."""
    if len(places) == 1:
        return _named(letters, places[0])
    every = "every" if len(places) == existing else f"{len(places)} of {existing}"
    if len(letters) > 1:
        return f"{every} {listed(letters)}"
    return f"{every} {letters[0]} from {places[0][0]} to {places[-1][0]}"
