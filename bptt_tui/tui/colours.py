"""The colours that carry a gradient's sign: pairs for every kind of colour vision, on dark and on light backgrounds.

They are never the only carrier: a glyph or a sign stands beside each. Every pair differs in lightness or along the axis
blue–yellow, which red–green blindness leaves; `contrast` is for blue–yellow blindness too, and for little contrast.
"""

from __future__ import annotations

from msgspec import Struct


class Scale(Struct, frozen=True):
    """Positive, negative and mixed, on a dark background and on a light one, and in a terminal's own colours."""

    name: str
    about: str
    dark: tuple[str, str, str]
    light: tuple[str, str, str]
    ansi: tuple[str, str, str]


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            "orange-blue",
            "positive orange, negative blue: for every kind of colour vision",
            ("#f2a65a", "#6fb7ff", "#cfcfcf"),
            ("#a84300", "#0b57c2", "#4a4a4a"),
            ("ansi_yellow", "ansi_blue", "ansi_default"),
        ),
        Scale(
            "yellow-violet",
            "positive yellow, negative violet: the widest apart in lightness too",
            ("#f7e26b", "#b48cf2", "#cfcfcf"),
            ("#6b5900", "#6a1fb0", "#4a4a4a"),
            ("ansi_bright_yellow", "ansi_magenta", "ansi_default"),
        ),
        Scale(
            "red-teal",
            "positive red, negative teal: for blue-yellow blindness",
            ("#ff8a80", "#3fd0c0", "#cfcfcf"),
            ("#b3261e", "#00665c", "#4a4a4a"),
            ("ansi_red", "ansi_cyan", "ansi_default"),
        ),
        Scale(
            "contrast",
            "positive white, negative grey: told apart by lightness alone",
            ("#ffffff", "#8c93a3", "#bdbdbd"),
            ("#000000", "#6b707c", "#3f3f3f"),
            ("ansi_bright_white", "ansi_bright_black", "ansi_default"),
        ),
    )
}
USUAL = "orange-blue"


def variables(name: str, *, dark: bool, ansi: bool) -> dict[str, str]:
    """The CSS variables of a scale; of one that there is not, those of the usual one."""
    scale = SCALES.get(name, SCALES[USUAL])
    positive, negative, mixed = scale.ansi if ansi else scale.dark if dark else scale.light
    return {"sign-positive": positive, "sign-negative": negative, "sign-mixed": mixed}
