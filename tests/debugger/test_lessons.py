"""The bundled lessons: recordings with notes, whose every number is what the debugger prints."""

from __future__ import annotations

import re

import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.replay import Replay
from bptt_tui.session import bundled, load

# lesson → what a number in its notes is, at the end of the lesson's network
NUMBERS = {
    "lesson-question": {
        "0.522665": "s[0]",
        "0.313599": "b[1]",
        "1.21118": "E",
        "−1.06231": "dE/dz[1]",
        "1.06231": "dE/du[1]",
        "0.6": "w",
        "−0.637385": "dE/ds[0]",
        "0.726821": "ds[0]/dz[0]",
        "−0.231632": "dE/du[0]",
        "0.830676": "dE/du",
        "0.676255": "dE/du[1] + dE/du[0] / w",
    },
    "lesson-sum": {
        "0.5": "w",
        "1.375": "b[2]",
        "2.75": "s[1]",
        "0.1953125": "E",
        "−0.625": "dE/db[2]",
        "−1.71875": "dE/dw[2]",
        "−0.3125": "dE/ds[1]",
        "−0.46875": "dE/dw[1]",
        "−2.1875": "dE/dw[2] + dE/dw[1]",
        "−0.15625": "dE/dw[0]",
        "−2.34375": "dE/dw",
    },
    "lesson-softmax": {
        "−0.541626": "min(q)",
        "0.315949": "max(q)",
        "1": "sum(o)",
        "0.49192": "max(o)",
        "0.299413": "exp(0 - E)",
        "1.20593": "E",
        "−3.33987": "min(dE/do)",
        "−0.700587": "min(dE/dq)",
        "−0.374178": "dE/ds[1]",
    },
    "lesson-vanishing": {
        "1.02302": "E",
        "−1.4304": "dE/ds[23]",
        "0.814759": "ds[23]/dz[23]",
        "0.8": "w",
        "0.652": "ds[23]/dz[23] * w",
        "−0.932343": "dE/ds[22]",
        "−0.0178": "dE/ds[12]",
        "−0.000224": "dE/ds[0]",
        "0.683": "exp(log(dE/ds[0] / dE/ds[23]) / 23)",
        "0.0059": "w**23",
        "0.000157": "dE/ds[0] / dE/ds[23]",
        "−5.8e−5": "dE/du[0]",
        "1.04889": "dE/du[23]",
        "1.36634": "dE/du",
    },
}
LESSONS = [name for name in bundled.names() if name.startswith("lesson-")]
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+\.\d+(?:e[-−]?\d+)?")


def numbers(text: str) -> list[str]:
    """The numbers with a decimal point in a text."""
    return _NUMBER.findall(text)


def as_float(text: str) -> float:
    return float(text.replace("−", "-"))


def test_there_are_four_lessons_after_the_networks() -> None:
    """Listed last, each with a title that says what one learns."""
    assert list(NUMBERS) == LESSONS == bundled.names()[-4:]
    assert all(load(name).title.startswith("Lesson: ") for name in LESSONS)


@pytest.mark.parametrize("name", LESSONS)
def test_every_number_quoted_is_what_print_says(name: str) -> None:
    """To all the digits quoted; and every number quoted is checked."""
    session = load(name)
    debugger = Debugger(session)
    debugger.do("end")
    quoted = {number for note in session.debugger.notes for number in numbers(note.text)}
    known = {}
    for number, expression in NUMBERS[name].items():
        digits = len(re.sub(r"[-−.]|e.*", "", number).lstrip("0"))
        value = float(Inspector(debugger.look).evaluate(expression).reshape(()))
        assert as_float(number) == float(f"{value:.{digits}g}") or abs(as_float(number) - value) < 1e-12, expression
        known[number] = value
    assert quoted <= known.keys()


@pytest.mark.parametrize("name", LESSONS)
def test_playing_a_lesson_reaches_every_note_and_chapter(name: str) -> None:
    """Nothing that was written is passed by: the recording stops at each note's position, in order."""
    session = load(name)
    debugger, replay = Debugger(session), Replay(session.recording)
    views = [replay.begin(debugger)]
    while not replay.finished:
        views.append(replay.give(debugger))
    reached = [view.position for view in views]
    assert reached == sorted(reached)
    assert {note.position for note in session.debugger.notes} <= set(reached)
    assert {chapter.position for chapter in session.debugger.chapters} <= set(reached)
    assert list(dict.fromkeys(view.chapter for view in views)) == [c.title for c in session.debugger.chapters]
    shown = list(dict.fromkeys(text for view in views for text in view.notes))
    assert shown == [note.text for note in session.debugger.notes]
    assert views[-1].position == debugger.last


@pytest.mark.parametrize("name", LESSONS)
def test_notes_are_short_and_times_rise(name: str) -> None:
    """A note is read in a pause of the replay: at most some ninety words."""
    session = load(name)
    assert all(len(note.text.split()) <= 90 for note in session.debugger.notes)
    times = [entry.at for entry in session.recording]
    assert times == sorted(times) and len(times) >= 8


def test_the_numbers_of_the_question_are_those_of_the_question() -> None:
    """The wrong sum without w₁ is there to be seen, and is not the gradient."""
    text = " ".join(note.text for note in load("lesson-question").debugger.notes)
    for number in ("0.522665", "−0.231632", "0.830676", "0.676255"):
        assert number in text
