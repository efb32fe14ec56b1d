"""Every key of the debugger in one table: the bindings, the footer and the help are made from it.

A key either gives the debugger a line of its command language (`command`) or acts on the screen (`action`). Every row
has an id, so a keymap (`App.set_keymap`) can replace its keys. `rank` orders the footer: 1 is shown on any screen,
higher ranks where there is room, 0 never.
"""

from __future__ import annotations

from msgspec import Struct
from textual.binding import Binding


class KeyRow(Struct, frozen=True):
    """Keys as Textual names them, how they are printed, and what they do."""

    keys: str
    shown: str
    id: str
    label: str
    tooltip: str
    command: str = ""
    action: str = ""
    rank: int = 0

    @property
    def bound(self) -> str:
        """The Textual action: a command of the debugger, or an action of the screen."""
        return f"command({self.command!r})" if self.command else self.action


#       keys                 shown      id                 label          tooltip
BINDING_TABLE: tuple[KeyRow, ...] = (
    KeyRow("n,right,l", "n", "step.next", "next", "the next node", "next", rank=1),
    KeyRow("p,left,h", "p", "step.rewind", "rewind", "undo one step", "rewind", rank=2),
    KeyRow("s", "s", "step.factor", "factor", "the next factor of a gradient", "step", rank=7),
    KeyRow("S", "S", "step.factor-back", "factor back", "undo one factor", "step back"),
    KeyRow("f", "f", "step.finish", "finish t", "to the end of this timestep", "finish", rank=8),
    KeyRow("F", "F", "step.finish-back", "finish back", "rewind to the start of this timestep", "finish back"),
    KeyRow("g", "g", "step.start", "start", "to the beginning, nothing computed", "start", rank=15),
    KeyRow("G", "G", "step.end", "end", "to the end, every contribution taken", "end", rank=16),
    KeyRow("c", "c", "run.continue", "continue", "on to the next breakpoint or watch", "continue", rank=9),
    KeyRow("C", "C", "run.reverse", "reverse", "back to the breakpoint or watch before", "reverse-continue"),
    KeyRow("escape,ctrl+c", "esc", "run.interrupt", "stop", "stop a long run", action="interrupt"),
    KeyRow("b", "b", "run.break", "break", "a breakpoint here, or no longer", "break", rank=10),
    KeyRow("B", "B", "list.stops", "stops", "breakpoints and watches: on, off, delete", action="list('stops')"),
    KeyRow("w", "w", "run.watch", "watch", "stop where a value changes", action="prompt('watch ')"),
    KeyRow("u", "u", "chain.up", "up", "up the chain, towards E", "up"),
    KeyRow("d", "d", "chain.down", "down", "down the chain", "down"),
    KeyRow("e", "e", "edit.set", "set", "change this value and recompute: s[0] = 0.1", action="edit"),
    KeyRow("E", "E", "edit.equation", "equation", "change this node's equation", action="edit_equation"),
    KeyRow("U", "U", "edit.undo", "undo", "undo the last change of a value", "undo"),
    KeyRow("ctrl+r", "^r", "edit.redo", "redo", "make it again", "redo"),
    KeyRow("equals_sign", "=", "list.changes", "changes", "gradient before and after, edits", action="list('changes')"),
    KeyRow("m", "m", "note.write", "note", "write a note, or begin a chapter, here", action="write_note"),
    KeyRow("N", "N", "list.contents", "contents", "the chapters and notes, to go to one", action="list('contents')"),
    KeyRow("a", "a", "predict.answer", "answer", "answer what predict mode asks", action="prompt('answer ')"),
    KeyRow("P", "P", "predict.toggle", "predict", "predict mode, or no longer", action="predict"),
    KeyRow("left_square_bracket", "[", "move.earlier", "earlier", "the same node one timestep earlier", "earlier"),
    KeyRow("right_square_bracket", "]", "move.later", "later", "the same node one timestep later", "later"),
    KeyRow("ctrl+o", "^o", "move.older", "older", "back to where the last jump came from", "older"),
    KeyRow("O,ctrl+i", "O", "move.newer", "newer", "forward again, after older", "newer"),
    KeyRow("space", "space", "play.toggle", "play", "play, pause, resume a replay taken over", action="play", rank=6),
    KeyRow("r", "r", "play.replay", "replay", "replay the recording from its beginning", action="replay"),
    KeyRow("R", "R", "play.record", "record", "record from here, in a replay: a new end", action="record"),
    KeyRow("comma", ",", "play.back", "scrub back", "a command back in the replay", action="scrub(-1)"),
    KeyRow("full_stop", ".", "play.on", "scrub on", "a command on in the replay", action="scrub(1)"),
    KeyRow("left_parenthesis", "(", "play.slower", "slower", "play at half the speed", action="speed(-1)"),
    KeyRow("right_parenthesis", ")", "play.faster", "faster", "play twice as fast", action="speed(1)"),
    KeyRow("left_curly_bracket", "{", "chapter.previous", "chapter before", "the chapter before", action="chapter(-1)"),
    KeyRow("right_curly_bracket", "}", "chapter.next", "next chapter", "the next chapter", action="chapter(1)"),
    KeyRow("slash", "/", "prompt.goto", "go to", "go to a position or a node: s[1]", action="prompt('goto ')", rank=11),
    KeyRow("colon", ":", "prompt.command", "command", "type a command", action="prompt('')", rank=5),
    KeyRow("tab", "tab", "pane.next", "pane", "the next pane", action="next_pane(1)", rank=12),
    KeyRow("shift+tab", "⇧tab", "pane.previous", "pane back", "the previous pane", action="next_pane(-1)"),
    KeyRow("1", "1", "pane.graph", "graph", "the unrolled network", action="pane('graph')"),
    KeyRow("2", "2", "pane.node", "node", "the current node", action="pane('node')"),
    KeyRow("3", "3", "pane.chain", "chain", "the chain from E", action="pane('chain')"),
    KeyRow("4", "4", "pane.contributions", "sums", "the contributions", action="pane('contributions')"),
    KeyRow("5", "5", "pane.strip", "norms", "the gradient over time", action="pane('strip')"),
    KeyRow("6", "6", "pane.notes", "notes", "the notes of this position", action="pane('notes')"),
    KeyRow("less_than_sign", "<", "strip.earlier", "bar before", "where the strip's last bar leads", action="bar(-1)"),
    KeyRow("greater_than_sign", ">", "strip.later", "bar after", "where the strip's next bar leads", action="bar(1)"),
    KeyRow("v", "v", "strip.node", "norms of", "the strip of the next recurrent node", action="switch_strip"),
    KeyRow("plus", "+", "strip.in", "zoom in", "fewer timesteps to a bar of the strip", action="zoom(1)"),
    KeyRow("minus", "-", "strip.out", "zoom out", "more timesteps to a bar of the strip", action="zoom(-1)"),
    KeyRow("i", "i", "node.arrays", "arrays", "arrays as heat maps, or as numbers", action="switch_arrays"),
    KeyRow("enter", "enter", "node.inspect", "inspect", "every entry of the step's arrays, in full", action="inspect"),
    KeyRow("T", "T", "sums.open", "table", "the gradient as a sum: table, knobs, build-up, chains", "table"),
    KeyRow("D", "D", "derivation", "derivation", "judge a derivation of your own", action="derivation", rank=17),
    KeyRow("y", "y", "copy.value", "copy value", "copy the value in full precision", action="copy_value", rank=14),
    KeyRow("Y", "Y", "copy.formula", "copy formula", "copy the equation or the chain", action="copy_formula"),
    KeyRow("o", "o", "session.open", "open", "open another session", action="app('open')"),
    KeyRow("ctrl+n", "^n", "session.new", "new", "make a session: equations and numbers", action="app('new')"),
    KeyRow("ctrl+s", "^s", "session.save", "save", "save session, position, recording", action="app('save')", rank=13),
    KeyRow("question_mark", "?", "help", "help", "keys and commands", action="help", rank=3),
    KeyRow("q", "q", "quit", "quit", "leave the debugger", action="app('quit')", rank=4),
)  # fmt: skip


def bindings() -> list[Binding]:
    """The table as Textual bindings.

    They have priority: the app then carries out each key before it looks at the next, so what is typed behind a key
    that opens the command line lands there. Other bindings would be carried out later, in the focused pane's turn.
    """
    return [
        Binding(
            row.keys,
            row.bound,
            row.label,
            show=False,
            key_display=row.shown,
            tooltip=row.tooltip,
            id=row.id,
            priority=True,
        )
        for row in BINDING_TABLE
    ]
