"""Predict mode hides: wherever a number could stand on the screen, what is asked for cannot be read off it.

At every position all numbers of the screen are read and compared with what is asked. A number that was known before
the question (a running product that passes a factor 1 unchanged) gives nothing away and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from opening import MEDIUM, Opened, opened

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.transcript import answer, describe
from bptt_tui.session import Session, load

_NUMBER = re.compile(r"[-−+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-−+]?\d+)?")
_DIGITS = 3  # significant digits from which on a number is recognised


def numbers_in(text: str) -> list[tuple[float, int]]:
    """The numbers in a text with their significant digits."""
    found = []
    for match in _NUMBER.finditer(text):
        token = match[0].replace("−", "-")
        digits = re.sub(r"e.*|[-+.]", "", token).lstrip("0")
        if len(digits) >= _DIGITS:
            found.append((abs(float(token)), len(digits)))
    return found


def given_away(text: str, secrets: Iterable[float]) -> list[float]:
    """The secrets that stand in a text, to as many digits as it shows."""
    shown = numbers_in(text)
    return [
        secret
        for secret in secrets
        if any(float(f"{secret:.{digits - 1}e}") == float(f"{number:.{digits - 1}e}") for number, digits in shown)
    ]


def secrets_of(debugger: Debugger, known: list[float]) -> list[float]:
    """The sizes of the numbers asked for that could not be read anywhere before; 0 and 1 are no secrets."""
    asked = debugger.asked
    if asked is None:
        return []
    entries: NDArray[np.float64] = np.abs(np.asarray(asked.truth, dtype=float)).ravel()
    return [
        float(entry)
        for entry in entries
        if len(f"{entry:.6g}".replace(".", "").strip("0")) >= _DIGITS
        and not np.isclose(entry, known, rtol=2e-3, atol=0).any()
    ]


def known_numbers(session: Session, position: int) -> list[float]:
    """Everything that can be known at a position without predict mode's question: the whole screen and the data."""
    debugger = Debugger(session)
    debugger.do(f"goto {position}")
    look, found = debugger.look, []
    for values in (session.parameters, session.inputs, session.constants, session.initial):
        found += [np.abs(np.asarray(value, dtype=float)).ravel() for value in values.values()]
    for at in range(position + 1):
        step = look.scene.timeline.step(at) if at else None
        if step is not None and step.t is not None:
            used, back = step.kind == "use", step.phase == "backward"
            get = look.contribution if used else look.adjoint if back else look.value
            value = get(step.name, step.t)
            if isinstance(value, np.ndarray):
                found.append(np.abs(value).ravel())
    return [float(entry) for entries in found for entry in entries]


QUESTION = load("question")
CHARACTERS = load("min-char-rnn")
SURROUNDINGS = (
    "display prod",
    "display norm(dE/dw)",
    "display s[0]",
    "watch dE/dw",
    "break s",
    "note A note",
    "set w 0.75",
)


async def ask(debugger: Opened, position: int) -> list[float]:
    """Stand at a position that asks; the secrets there."""
    debugger.main.perform("predict off")
    debugger.main.perform(f"goto {position - 1}")
    debugger.main.perform("predict on")
    if debugger.app.debugger.asked is not None:
        debugger.main.perform("reveal")
    debugger.main.perform("next")
    assert debugger.view.position == position, debugger.message
    await debugger.pilot.pause()
    session = debugger.app.debugger.session
    return secrets_of(debugger.app.debugger, known_numbers(session, position - 1))


async def seen(debugger: Opened) -> str:
    """The screen, with the chain and with the sums, the inspector, the list of changes and the list of stops."""
    texts = [debugger.text()]
    for key in ("4", "3", "enter", "equals_sign", "B"):
        await debugger.press(key)
        texts.append(debugger.text())
        if debugger.app.screen is not debugger.main:
            await debugger.press("escape")
    return "\n".join(texts)


async def test_no_pane_gives_away_what_the_question_asks() -> None:
    asked = 0
    async with opened(QUESTION) as debugger:
        for line in SURROUNDINGS:
            debugger.main.perform(line)
        for position in range(1, debugger.view.last + 1):
            secrets = await ask(debugger, position)
            text = debugger.text() if position % 4 else await seen(debugger)
            assert given_away(text, secrets) == [], position
            assert "?" in text or debugger.app.debugger.asked is None
            asked += bool(secrets)
    assert asked >= 10


@pytest.mark.parametrize("size", [(200, 60), MEDIUM], ids=["large", "medium"])
async def test_no_pane_gives_away_what_is_asked_of_vectors(size: tuple[int, int]) -> None:
    debugger_last = Debugger(CHARACTERS).last
    asked = 0
    async with opened(CHARACTERS, size=size) as debugger:
        for position in range(1, debugger_last, debugger_last // 11):
            secrets = await ask(debugger, position)
            assert given_away(await seen(debugger) if position % 3 == 0 else debugger.text(), secrets) == [], position
            asked += bool(secrets)
    assert asked >= 2


def test_the_transcript_gives_nothing_away_either() -> None:
    """What the headless runner prints after every command, and what other commands say of the place."""
    debugger = Debugger(QUESTION)
    for line in SURROUNDINGS:
        debugger.do(line)
    session = debugger.session
    debugger.do("predict on")
    asked = 0
    for position in range(1, debugger.last + 1):
        before = debugger.view
        after = debugger.do("next")
        secrets = secrets_of(debugger, known_numbers(session, position - 1))
        texts = [answer(before, after), describe(after)]
        for line in ("where", "info breakpoints", "hint", "score", "help", "notes"):
            if line == "hint" and debugger.asked is None:
                continue
            texts.append(debugger.do(line).message)
        assert given_away("\n".join(texts), secrets) == [], position
        asked += bool(secrets)
        if debugger.asked is not None:
            assert given_away(debugger.do("reveal").message, secrets) == secrets
    assert asked >= 10


def test_a_number_given_away_is_found() -> None:
    assert given_away("∂E/∂s₀  -0.637385 and .58", [0.63738533, 0.583]) == [0.63738533]
    assert given_away("[.637 −1.25e−06]", [0.6374, 1.2488e-6]) == [0.6374, 1.2488e-6]
