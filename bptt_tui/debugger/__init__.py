"""The debugger: positions, commands, and one immutable View per position."""

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View

__all__ = ["Debugger", "View"]
