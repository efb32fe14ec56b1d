"""The sections a lesson is made of: chapters and notes beside the steps they belong to, and the questions answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bptt_tui.export.document import Block, Code, Heading, Items, Maths, Paragraph, Run, Runs, Strong
from bptt_tui.export.remarks import blocks
from bptt_tui.export.scene import Scene
from bptt_tui.export.steps import asked, asked_for, solution, step_display, whereabouts
from bptt_tui.session import Chapter, Note, Prediction


def walk_section(scene: Scene) -> Iterator[Block]:
    """Chapter by chapter, the steps that have notes, each with what it computes; nothing without notes or chapters."""
    state = scene.session.debugger
    pinned: list[Note | Chapter] = sorted([*state.chapters, *state.notes], key=lambda one: one.position)
    if not pinned:
        return
    yield Heading(1, ("The walk",))
    for position, found in groupby(pinned, key=lambda one: one.position):
        here = list(found)
        for chapter in here:
            if isinstance(chapter, Chapter):
                yield Heading(2, (chapter.title or "–",))
        notes = [note for note in here if isinstance(note, Note)]
        if notes:
            yield from _step(scene, position)
        for note in notes:
            yield from blocks(note.text)


def _step(scene: Scene, position: int) -> Iterator[Block]:
    last = scene.walk.timeline.last
    if position > last:
        yield Paragraph((Strong(f"Step {position}"), f": beyond the last one, {last}"))
        return
    yield Paragraph((Strong(f"Step {position}"), *whereabouts(scene, position)))
    shown = step_display(scene, position)
    if shown is not None:
        yield shown


def questions_section(scene: Scene) -> Iterator[Block]:
    """What predict mode asked, in the order of the steps, with what was answered and the solution."""
    predictions = scene.session.debugger.predictions
    if not predictions:
        return
    yield Heading(1, ("Questions",))
    by_question: dict[tuple[int, str], list[Prediction]] = {}
    for one in predictions:
        by_question.setdefault((one.position, one.question), []).append(one)
    ordered = sorted(by_question.items(), key=lambda entry: entry[0][0])
    for number, ((position, question), answers) in enumerate(ordered, 1):
        found = asked(scene, position, question)
        said: Runs = (Maths(asked_for(scene, found)), " = ?") if found is not None else (question,)
        where = whereabouts(scene, position)[0] if position <= scene.walk.timeline.last else ""
        when = str(where).partition(":")[0]
        yield Paragraph((Strong(f"Question {number}."), " ", *said, f"  (step {position}{when})"))
        yield Items(tuple(map(_answer, answers)))
        if found is not None:
            yield solution(scene, found)
        else:
            yield Paragraph(("The network as it is now does not ask this.",))


def _answer(one: Prediction) -> Runs:
    answer: Sequence[Run] = ("answered ", Code(one.answer), ": ") if one.answer else ()
    return (*answer, one.outcome)
