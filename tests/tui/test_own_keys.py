"""A user's own keys are followed by every text that names one."""

from __future__ import annotations

from opening import Opened, opened

from bptt_tui.session import Recorded, load

OWN = {
    "step.next": "f2", "step.rewind": "f3", "play.toggle": "f4", "play.replay": "f5", "play.back": "f6",
    "session.save": "f7", "run.break": "f8", "note.write": "f9", "edit.set": "f10", "run.interrupt": "f11",
    "quit": "f12", "play.record": "f13",
}  # fmt: skip
RECORDED = load("question").replace(recording=(Recorded(at=0.0, command="next"), Recorded(at=0.01, command="next")))


async def with_own(debugger: Opened) -> None:
    debugger.app.set_keymap(OWN)
    await debugger.pilot.pause()


async def test_the_first_picture_and_the_empty_lists_name_own_keys() -> None:
    async with opened() as debugger:
        await with_own(debugger)
        await debugger.press("f2", "f3")
        assert "f2 takes the next node, f3 undoes it." in debugger.text()
        for key, said in (
            ("B", "f8 sets a breakpoint"), ("N", "f9 writes one"), ("equals_sign", "f10 changes a value"),
        ):  # fmt: skip
            await debugger.press(key)
            text = " ".join(line.strip("│ ") for line in debugger.dialog_text().splitlines())
            assert said in text and "▌" not in debugger.dialog_text()  # nothing is there to be chosen
            await debugger.press("escape")


async def test_playing_names_own_keys() -> None:
    async with opened(RECORDED, replay=True) as debugger:
        await with_own(debugger)
        await debugger.until(lambda: not debugger.app.player.playing)
        debugger.main.action_play()
        assert "the replay is over; f6 goes back" in debugger.message
        await debugger.press("f6", "f2")
        assert "taken over at 1 of 2: f4 resumes it there" in debugger.message
        await debugger.press("f13")
        assert "recording from here: the lesson goes on after 1 commands; f7 saves it" in debugger.message
        await debugger.press("f13")
        assert "recorded already; f7 saves" in debugger.message
        await debugger.press("comma", "f6")
        assert "nothing is replayed; f5 replays" in debugger.message
        assert debugger.main.goes_on == "a run goes on: f11 stops it"
        await debugger.press("ctrl+c")
        assert "nothing is running; f12 leaves" in debugger.message
