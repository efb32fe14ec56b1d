"""The colours of a gradient's sign: told apart with every kind of colour vision, legible on every background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from opening import opened
from textual.color import Color

from bptt_tui.tui.colours import SCALES, USUAL, variables
from bptt_tui.tui.settings import SettingsError, load_settings, remember_colours, remember_theme, settings_path
from bptt_tui.tui.theme import DARK, LIGHT

Array = NDArray[np.float64]

# How eyes without one kind of cone see linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> Array:
    rgb = np.array(Color.parse(colour).rgb) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Array) -> Array:
    """CIE L*a*b* of linear RGB."""
    x, y, z = np.cbrt(np.clip(TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1), 1e-6, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """WCAG's ratio."""
    high, low = sorted((float(TO_XYZ[1] @ linear(colour)) + 0.05 for colour in (one, other)), reverse=True)
    return high / low


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("name", SCALES)
def test_signs_are_told_apart_and_legible(name: str, dark: bool) -> None:
    shown = variables(name, dark=dark, ansi=False)
    positive, negative = shown["sign-positive"], shown["sign-negative"]
    background = (DARK if dark else LIGHT).background
    assert background is not None
    assert min(contrast(positive, background), contrast(negative, background)) >= 4.5
    seen = ["usual", "protanopia", "deuteranopia"] if name != "red-teal" else ["usual", "tritanopia"]
    for vision in [*seen, "tritanopia"]:
        distance = np.linalg.norm(lab(VISION[vision] @ linear(positive)) - lab(VISION[vision] @ linear(negative)))
        assert distance >= (30 if vision != "tritanopia" else 20), vision


async def test_the_palette_changes_the_colours_at_once() -> None:
    chosen: list[str] = []
    async with opened(at=22) as debugger:
        debugger.app.on_colours_chosen = chosen.append

        def colours() -> set[str | None]:
            return {span.colour for row in debugger.drawn().rows for span in row}

        def shown(name: str) -> bool:
            return any(colour and _near(colour, SCALES[name].dark[1]) for colour in colours())

        assert shown(USUAL) and not shown("yellow-violet")
        await debugger.choose("yellow-vi")
        assert shown("yellow-violet") and not shown(USUAL)
    assert chosen == ["yellow-violet"]


def _near(one: str, other: str) -> bool:
    return max(abs(a - b) for a, b in zip(Color.parse(one).rgb, Color.parse(other).rgb, strict=True)) <= 4


def test_the_choice_is_remembered_beside_the_theme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    remember_colours("contrast")
    remember_theme("nord")
    assert (load_settings().theme, load_settings().colours) == ("nord", "contrast")
    settings_path().write_text('colours = "red-teal"\n', encoding="utf-8")
    assert load_settings().colours == "red-teal"
    settings_path().write_text('colours = "red-teel"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="red-teel"):
        load_settings()
