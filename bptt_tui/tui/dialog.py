"""What every dialog is: a box in the middle of the screen, over what is dimmed behind it.

A dialog yields one `Vertical`, says in its own CSS how wide that is, and gives its title to the border.
"""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

Given = TypeVar("Given")


class Dialog(ModalScreen[Given]):
    """Dismissed with what it was asked for."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: auto;
            max-width: 96%;
            height: auto;
            max-height: 94%;
            border: round $accent 80%;
            border-title-color: $accent;
            border-title-style: bold;
            border-subtitle-color: $foreground 50%;
            padding: 0 2;
            background: $surface;
        }
        & OptionList { height: auto; border: none; padding: 0; margin-top: 1; background: $surface; }
    }
    """
