"""What stands beside the numbers: questions, notes, displays, stops and comparisons reach the screen."""

from __future__ import annotations

from opening import opened


async def test_predict_mode_asks_and_hides() -> None:
    """The number is `?` wherever it would stand, until the answer is right."""
    async with opened() as debugger:
        for line in ("predict on", "next"):
            debugger.main.perform(line)
        await debugger.pilot.pause()
        assert "a₀ = ?" in debugger.text() and "0.8·0.5 = ?" in debugger.text()
        assert "0.4" not in debugger.text() and "too large" not in debugger.text()
        debugger.main.perform("answer 0.4")
        await debugger.pilot.pause()
        assert "right" in debugger.message and "0.4" in debugger.text()


async def test_stops_edits_displays_and_notes_are_shown() -> None:
    """A breakpoint that is met, an edit with before and after, a displayed value, a note."""
    async with opened() as debugger:
        for line in ("break s[0]", "continue", "display s[0]", "note Look **here**", "set w 0.9"):
            debugger.main.perform(line)
        await debugger.pilot.pause()
        text = debugger.text()
        assert "breakpoint 1: s[0]" in text
        assert "changed: w: 0.6 → 0.9" in text and "0.830676" in text and "0.775354" in text
        assert "Look here" in text
        assert "s[0] = 0.58498" in text


async def test_arrays_are_written_out_on_demand() -> None:
    """One key turns heat maps into numbers and back."""
    async with opened("lstm", at=20) as debugger:
        await debugger.press("i")
        assert debugger.message == "arrays are written out"
        await debugger.press("i")
        assert "heat maps" in debugger.message
