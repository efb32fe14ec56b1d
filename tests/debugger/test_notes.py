"""Notes and chapters: pinned, listed, changed, kept in the session, shown when their position is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import everything

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.transcript import answer, describe
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Chapter, Note, Recorded, load
from bptt_tui.session.decode import decode
from bptt_tui.session.encode import encode


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def texts(debugger: Debugger) -> list[tuple[int, str]]:
    return [(note.position, note.text) for note in debugger.session.debugger.notes]


def test_a_note_is_pinned_to_the_position_and_seen_there_only(debugger: Debugger) -> None:
    """Several at one position, in the order given; a line break is written as backslash n."""
    debugger.do("goto 4")
    assert debugger.do(r"note **first** line\nsecond").message == "note 1 is pinned to position 4"
    assert debugger.do("note another").notes == ("**first** line\nsecond", "another")
    assert debugger.do("next").notes == ()
    debugger.do("goto 2")
    assert debugger.do("note  before ").message == "note 1 is pinned to position 2"
    assert texts(debugger) == [(2, "before"), (4, "**first** line\nsecond"), (4, "another")]
    assert debugger.do("notes").message == (
        "1  position 2: before\n2  position 4: **first** line\n   second\n3  position 4: another"
    )


def test_a_backslash_before_an_n_can_be_written(debugger: Debugger) -> None:
    r"""`\\nabla` is no line break."""
    assert debugger.do(r"note the \\nabla of E").notes == (r"the \nabla of E",)


def test_notes_are_changed_and_deleted_by_number(debugger: Debugger) -> None:
    """As `notes` numbers them."""
    for line in ("note a", "next", "note b", "note edit 1 c d", "note delete 2"):
        debugger.do(line)
    assert texts(debugger) == [(0, "c d")]
    assert debugger.do("notes").message == "1  position 0: c d"
    debugger.do("note delete 1")
    assert "no note yet" in debugger.do("notes").message


def test_chapters_are_begun_listed_and_gone_to(debugger: Debugger) -> None:
    """A position lies in the last chapter that began; next and previous hold at the ends."""
    assert "no chapter yet" in debugger.do("chapters").message
    debugger.do("goto 11")
    assert debugger.do("chapter Backward").message == "chapter 1 begins at position 11"
    debugger.do("start")
    assert debugger.view.chapter == ""
    debugger.do("chapter Forward pass")
    assert [debugger.do(f"goto {n}").chapter for n in (0, 10, 11, 27)] == ["Forward pass"] * 2 + ["Backward"] * 2
    assert debugger.do("chapter previous").position == 11
    assert debugger.do("chapter previous").position == 0
    assert debugger.do("chapter next").position == 11
    assert debugger.do("chapter 1").position == 0
    assert debugger.do("chapters").message == "→ 1  position 0: Forward pass\n  2  position 11: Backward"
    debugger.do("chapter Again")
    assert [chapter.title for chapter in debugger.session.debugger.chapters] == ["Again", "Backward"]
    debugger.do("chapter delete 2")
    assert debugger.session.debugger.chapters == (Chapter(0, "Again"),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("note", "a note is a text; usage: note TEXT|edit N TEXT|delete N"),
        ("note edit 3 x", "there is no note 3; the notes are 1 … 1"),
        ("note edit 1", "a note is a text; usage: note TEXT|edit N TEXT|delete N"),
        ("note edit the text", "'the' is not the number of a note; usage: note TEXT|edit N TEXT|delete N"),
        ("note delete", "which note?; usage: note TEXT|edit N TEXT|delete N"),
        ("note delete 0", "there is no note 0; the notes are 1 … 1"),
        ("note delete ٣", "'٣' is not the number of a note; usage: note TEXT|edit N TEXT|delete N"),
        ("notes 1", "'1' is too much; usage: notes"),
        ("chapter", "a chapter has a title; usage: chapter TITLE|next|previous|N|delete N"),
        ("chapter next", "there is no later chapter; chapters lists them"),
        ("chapter previous", "there is no earlier chapter; chapters lists them"),
        ("chapter 7", "there is no chapter 7; the chapters are 1 … 1"),
        ("chapter delete x", "'x' is not the number of a chapter; usage: chapter TITLE|next|previous|N|delete N"),
        ("chapters all", "'all' is too much; usage: chapters"),
    ],
)
def test_what_cannot_be_done_changes_nothing(debugger: Debugger, line: str, said: str) -> None:
    """One sentence, and state, View and recording as before."""
    debugger.do("note one")
    before = debugger.do("chapter one")
    state, recording = debugger.state, debugger.recording
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert str(caught.value) == said
    assert debugger.state is state and debugger.view is before and debugger.recording == recording


def test_notes_are_no_part_of_the_walk(debugger: Debugger) -> None:
    """They are not recorded; going to a chapter is recorded as the position it led to."""
    for line in ("next 3", "note here", "chapter Here", "start", "chapter next", "notes", "chapters"):
        debugger.do(line)
    assert [entry.command for entry in debugger.recording] == ["next 3", "start", "goto 3"]


def test_saved_and_loaded_they_are_the_same(debugger: Debugger, tmp_path: Path) -> None:
    """In the file, in position order; absent chapters leave no trace in it."""
    debugger.do("goto 9")
    debugger.do(r"note ∂E/∂w\n  - *one*")
    assert b"chapters" not in encode(debugger.session.document())
    debugger.do("chapter Σ")
    debugger.save(tmp_path / "n.json")
    again = Debugger(load(tmp_path / "n.json"))
    assert again.session.debugger.notes == (Note(9, "∂E/∂w\n  - *one*"),)
    assert again.session.debugger.chapters == (Chapter(9, "Σ"),)
    assert everything(again.view) == everything(debugger.view)


@given(
    st.lists(st.builds(Note, st.integers(0, 60), st.text(st.characters(codec="utf-8"), max_size=20)), max_size=6),
    st.lists(st.builds(Chapter, st.integers(0, 60), st.text(st.characters(codec="utf-8"), max_size=20)), max_size=6),
)
def test_any_text_at_any_position_round_trips(notes: list[Note], chapters: list[Chapter]) -> None:
    """Whatever was written by hand opens, is seen where it is pinned, and is written again."""
    session = load("question").with_state(notes=notes, chapters=chapters)
    assert decode(encode(session.document())) == session.document()
    debugger = Debugger(session)
    assert sorted(texts(debugger)) == sorted((note.position, note.text) for note in notes)
    for position in range(0, 28, 3):
        view = debugger.do(f"goto {position}")
        assert view.notes == tuple(note.text for note in notes if note.position == position)
        begun = [chapter for chapter in sorted(chapters, key=lambda c: c.position) if chapter.position <= position]
        assert view.chapter == (begun[-1].title if begun else "")
    debugger.do("notes")
    debugger.do("chapters")


def test_beyond_the_end_they_are_kept_and_marked() -> None:
    """A network made shorter loses no notes; a chapter out there cannot be gone to."""
    debugger = Debugger(load("question").with_state(notes=[Note(99, "far")], chapters=[Chapter(99, "Far")]))
    assert debugger.do("notes").message == "1  position 99 (beyond the end): far"
    for line in ("chapter next", "chapter 1"):
        with pytest.raises(CommandError, match="chapter 1 is beyond the end; the positions are 0 … 27"):
            debugger.do(line)


@pytest.mark.parametrize(
    ("field", "entry", "said"),
    [
        ("notes", '{"position": 1}', "debugger.notes[0]: the field `text` is missing"),
        ("chapters", '{"position": 1, "text": "x"}', "debugger.chapters[0]: unknown field `text`"),
        ("chapters", '{"position": -1, "title": "x"}', "debugger.chapters[0].position: expected an integer >= 0"),
        ("predictions", '{"position": 1, "question": "", "answer": "", "outcome": "no"}', "outcome: expected one of"),
    ],
)
def test_a_wrong_entry_in_a_file_is_named(field: str, entry: str, said: str) -> None:
    """Field and reason, in one line."""
    state = f'{{"{field}": [{entry}]}}'
    text = f'{{"format": "bptt-session", "version": 1, "equations": ["E = sum(x[t])"], "debugger": {state}}}'
    with pytest.raises(SessionError) as caught:
        decode(text.encode())
    assert said in str(caught.value)


def test_a_transcript_prints_them_where_they_are_reached() -> None:
    """Notes behind a bar, the chapter beside the position; controls in them are spelled out."""
    session = load("question").with_state(
        notes=[Note(4, "first\nsecond\x1b[2J")],
        chapters=[Chapter(2, "The \x07 chapter")],
        recording=[Recorded(0.0, "next 4")],
    )
    debugger = Debugger(session)
    before = debugger.view
    after = debugger.do("goto 4")
    assert "chapter" not in describe(before)
    shown = answer(before, after).splitlines()
    assert shown[0] == "step 4 of 27  forward  t = 0  · The \\x07 chapter"
    assert shown[-2:] == ["  │ first", "  │ second\\x1b[2J"]
