"""The command language: every row of the table, its aliases, what it refuses and how it says so."""

from __future__ import annotations

import pytest
from seen import everything, make

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.commands import COMMANDS, read
from bptt_tui.errors import CommandError
from bptt_tui.session import load

# command → (line, from position, to position)
MOVES = {
    "next": [("next", 0, 1), ("n", 3, 4), ("next 5", 3, 8), ("next 999999999999999999", 3, 27), ("next", 27, 27)],
    "rewind": [("rewind", 1, 0), ("p", 4, 3), ("rn 3", 4, 1), ("rewind 999999999999999999", 4, 0), ("rewind", 0, 0)],
    "step": [("step", 0, 1), ("s 2", 12, 14), ("step back", 12, 11), ("step back 4", 12, 8), ("s back", 0, 0),
             ("step 999", 3, 27), ("step  back\t2", 12, 10)],
    "finish": [("finish", 0, 4), ("f", 2, 4), ("finish", 4, 11), ("finish", 11, 21), ("finish", 21, 27), ("f", 27, 27),
               ("finish back", 27, 21), ("finish back", 21, 11), ("finish back", 11, 4), ("finish back", 6, 4),
               ("f back", 0, 0)],
    "start": [("start", 9, 0), ("start", 0, 0)],
    "end": [("end", 9, 27), ("end", 27, 27)],
    "goto": [("goto 17", 0, 17), ("g 0", 9, 0), ("jump s[1]", 0, 8), ("j  s[1] ", 0, 8)],
    "up": [("up", 22, 18), ("u", 18, 17), ("up 1", 22, 18), ("up", 12, 12), ("up", 4, 6)],
    "down": [("down", 22, 23), ("d", 16, 17), ("down 2", 17, 18), ("down", 8, 7), ("down", 27, 27)],
    "later": [("later", 22, 16), ("later", 16, 16), ("later 5", 4, 8), ("later", 27, 21)],
    "earlier": [("earlier", 16, 22), ("earlier 9", 8, 4), ("earlier", 22, 22)],
    "find": [("find s", 9, 16), ("find u[0]", 0, 27), ("find back s", 9, 8), ("find E", 27, 11), ("find Z", 7, 17)],
    "older": [("older", 9, 0), ("older", 0, 0)],
    "newer": [("newer", 9, 9), ("newer", 0, 0)],
    "break": [("break s", 9, 9), ("b if t == 1", 9, 9), ("break", 9, 9), ("break dE/ds[*] if abs(prod) < 1", 9, 9)],
    "tbreak": [("tbreak s₁", 9, 9), ("tb u", 9, 9)],
    "watch": [("watch dE/dw", 9, 9), ("watch s[1] if t == 1", 9, 9)],
    "condition": [("condition 1 t == 0", 9, 9), ("condition 1", 9, 9)],
    "ignore": [("ignore 1 3", 9, 9), ("ignore 1 0", 9, 9)],
    "enable": [("enable 1", 9, 9)],
    "disable": [("disable 1", 9, 9)],
    "delete": [("delete", 9, 9), ("delete 1", 9, 9)],
    "info": [("info breakpoints", 9, 9), ("i b", 9, 9)],
    "display": [("display s[0]", 9, 9), ("display", 9, 9)],
    "undisplay": [("undisplay", 9, 9), ("undisplay 1", 9, 9)],
    "continue": [("continue", 0, 27), ("c", 9, 27), ("c", 27, 27)],
    "reverse-continue": [("reverse-continue", 9, 0), ("rc", 27, 0), ("rc", 0, 0)],
    "until": [("until s[1]", 0, 8), ("until phase == backward", 0, 12), ("until u", 9, 21), ("until s", 22, 27)],
    "reverse-until": [("reverse-until s", 9, 8), ("ru t == 0", 9, 4), ("ru s", 4, 0)],
    "vanish": [("vanish 0.5", 0, 22), ("vanish .5", 27, 22), ("vanish 1e-9", 9, 9)],
    "explode": [("explode 0.3", 0, 16), ("explode 2", 9, 9)],
    "where": [("where", 9, 9), ("bt", 9, 9)],
    "print": [("print s[0]", 9, 9)],
    "table": [("table", 9, 9), ("table w window 2", 9, 9), ("table v[0] chunks 1", 27, 27)],
    "knobs": [("knobs", 9, 9), ("knobs v[1]", 0, 0)],
    "buildup": [("buildup", 9, 9), ("buildup u z", 9, 9)],
    "chains": [("chains w[0]", 9, 9), ("chains", 22, 22), ("chains w₀ 1", 9, 9), ("chains s[0] t=1", 9, 9)],
    "note": [("note here", 9, 9), ("note edit 1 there", 9, 9), ("note delete 1", 9, 9)],
    "notes": [("notes", 9, 9)],
    "chapter": [("chapter Here", 9, 9), ("chapter next", 9, 11), ("chapter 1", 9, 11), ("chapter previous", 22, 11)],
    "chapters": [("chapters", 9, 9)],
    "predict": [("predict on", 9, 9), ("predict on factors", 9, 9), ("predict off", 9, 9)],
    "answer": [("answer [1, 2]", 9, 9), ("answer v * s[1]", 9, 9)],
    "hint": [("hint", 9, 9)],
    "reveal": [("reveal", 9, 9)],
    "score": [("score", 9, 9)],
    "check": [("check dE/dw = dE/dw_0 + dE/dw_1", 9, 9)],
    "attempts": [("attempts", 9, 9), ("attempts delete 1", 9, 9)],
    "set": [("set w 0.9", 9, 9), ("set v[0] = 1.5", 9, 9), ("set s[0] = 0.1", 22, 19), ("set s₀ 0.1", 9, 9)],
    "unset": [("unset s[1]", 9, 9)],
    "equation": [("equation s = sigmoid(z)", 9, 9), ("equation c = z * z", 9, 9)],
    "undo": [("undo", 9, 9)],
    "redo": [("redo", 9, 9)],
    "reset": [("reset", 9, 9)],
    "baseline": [("baseline", 9, 9)],
    "compare": [("compare", 9, 9)],
    "help": [("help", 9, 9), ("h next", 9, 9)],
}  # fmt: skip
BEFORE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("condition 1 t == 0", "condition 1", "ignore 1 3", "ignore 1 0", "enable 1", "disable 1"), ("b s",)
    ),
    **dict.fromkeys(("delete", "delete 1", "info breakpoints", "i b"), ("break s", "watch dE/dw")),
    "undisplay 1": ("display w",),
    **dict.fromkeys(("attempts", "attempts delete 1"), ("check dE/dw = dE/dw_1",)),
    **dict.fromkeys(("note edit 1 there", "note delete 1"), ("note here",)),
    **dict.fromkeys(("chapter next", "chapter 1"), ("goto 11", "chapter Here", "goto 9")),
    "chapter previous": ("goto 11", "chapter Here", "goto 22"),
    **dict.fromkeys(("answer [1, 2]", "answer v * s[1]", "hint", "reveal"), ("predict on",)),
    "newer": ("older",),
    "unset s[1]": ("set s[1] 0.2",),
    "undo": ("set w 1",),
    "redo": ("set w 1", "undo"),
}
WRONG = {
    "next": ["next 0", "next -1", "next 1.5", "next one", "next 1 2", "next 9999999999999999999", "next ٣", "n back"],
    "rewind": ["rewind 0", "rewind x", "rewind back"],
    "step": ["step 0", "step forward", "step back back", "step back 0", "step 2 back"],
    "finish": ["finish 2", "finish back 2", "finish forward"],
    "start": ["start 1"],
    "end": ["end now"],
    "goto": ["goto", "goto 28", "goto nowhere", "goto -1", "goto 1.5"],
    "up": ["up 0", "up 2", "up x"],
    "down": ["down 0", "down 3", "down back"],
    "later": ["later 0", "later s"],
    "earlier": ["earlier -1"],
    "find": ["find", "find back", "find nowhere"],
    "older": ["older 2"],
    "newer": ["newer 2"],
    "break": [
        "break nope",
        "break x",
        "break s[9]",
        "break s[t]",
        "break ds[1]/dz[1]",
        "break s if",
        "break s if t",
        "break if nope > 1",
        "break if s[9] > 1",
        "break no*",
        "break *[9]",
        "break o[0]",
        "break s if t = 1",
    ],
    "tbreak": ["tbreak nope", "tbreak y"],
    "watch": ["watch", "watch nope", "watch if t == 1", "watch s[9]", "watch 1 +", "watch s if nope"],
    "condition": ["condition", "condition 1", "condition x", "condition 1 t == 1"],
    "ignore": ["ignore", "ignore 1 2"],
    "enable": ["enable", "enable 1", "enable all"],
    "disable": ["disable", "disable 1", "disable x"],
    "delete": ["delete 1", "delete s"],
    "info": ["info", "info display", "info b b"],
    "display": ["display nope", "display 1 +", "display s[9]"],
    "undisplay": ["undisplay 1", "undisplay s"],
    "continue": ["continue 2"],
    "reverse-continue": ["rc 2"],
    "until": ["until", "until nope", "until t =", "until t == nope"],
    "reverse-until": ["reverse-until", "ru s[9]"],
    "vanish": ["vanish", "vanish 0", "vanish -1", "vanish 1e999", "vanish x", "vanish 1 2"],
    "explode": ["explode", "explode inf", "explode nan"],
    "where": ["where 1"],
    "print": ["print", "print nothing_known", "print 1 +"],
    "table": [
        "table s",
        "table w window",
        "table w window 0",
        "table w chunks x",
        "table v[2]",
        "table w[0]",
        "table u w",
    ],
    "knobs": ["knobs s", "knobs v[-1]", "knobs w u"],
    "buildup": ["buildup nope", "buildup w w", "buildup w s s"],
    "chains": ["chains", "chains x[0]", "chains v[0]", "chains w[0] 2", "chains w[0] 0", "chains w[0] t=0"],
    "note": ["note", "note edit 1 x", "note edit", "note delete 0"],
    "notes": ["notes 1"],
    "chapter": ["chapter", "chapter next", "chapter previous", "chapter 1", "chapter delete 1"],
    "chapters": ["chapters 1"],
    "predict": ["predict", "predict maybe", "predict on all", "predict off now"],
    "answer": ["answer", "answer 1"],
    "hint": ["hint", "hint 1"],
    "reveal": ["reveal", "reveal 1"],
    "score": ["score 1"],
    "set": ["set", "set w", "set w=", "set w 0.5 0.6", "set nope 1", "set E 1", "set s 1", "set v 1", "set w0.9"],
    "unset": ["unset", "unset s[0]", "unset w", "unset s[0] now"],
    "equation": ["equation", "equation s", "equation s = tahn(z)", "equation delete", "equation delete E"],
    "undo": ["undo 2", "undo"],
    "redo": ["redo 2", "redo"],
    "reset": ["reset w"],
    "baseline": ["baseline now"],
    "compare": ["compare w"],
    "check": ["check", "check dE/dw", "check dE/dw = dE/dq_7"],
    "attempts": ["attempts all", "attempts delete", "attempts delete 9"],
    "help": ["help nope", "help !"],
}


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def test_every_command_is_tried_and_misused_here() -> None:
    """The two tables of this test have a row for every row of COMMANDS."""
    assert set(MOVES) == set(WRONG) == set(COMMANDS)


def test_names_and_aliases_are_all_different() -> None:
    """Each word names one command, by itself and in front of arguments."""
    words = [word for command in COMMANDS.values() for word in (command.name, *command.aliases)]
    assert len(set(words)) == len(words)
    for command in COMMANDS.values():
        for word in (command.name, *command.aliases):
            assert read(f"  {word}\t 1  2 ") == (command, "1  2")


@pytest.mark.parametrize(("line", "start", "stop"), [row for rows in MOVES.values() for row in rows])
def test_a_command_goes_where_it_says(debugger: Debugger, line: str, start: int, stop: int) -> None:
    """From a position to a position; the View returned is the debugger's."""
    debugger.do(f"goto {start}")
    for given in BEFORE.get(line, ()):
        debugger.do(given)
    view = debugger.do(line)
    assert (view.position, view.factor) == (stop, 0)
    assert debugger.view is view


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in WRONG.items() for line in lines])
def test_a_wrong_line_changes_nothing_and_says_what_would_be_right(debugger: Debugger, name: str, line: str) -> None:
    """CommandError with a hint; position, View and recording stay as they were."""
    before = debugger.do("goto 9")
    recorded = debugger.recording
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert caught.value.hint and caught.value.reason
    assert debugger.view is before and debugger.recording == recorded
    assert read(line)[0] is COMMANDS[name]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "an empty line is no command; help lists the commands"),
        ("  \t", "an empty line is no command; help lists the commands"),
        ("nxt", "there is no command 'nxt'; did you mean 'next'?"),
        ("frobnicate", "there is no command 'frobnicate'; help lists the commands"),
        ("s[0] = 0.1", "there is no command 's[0]'; set s[0] = 0.1 changes a value"),
        ("w=3", "there is no command 'w=3'; set w=3 changes a value"),
        ("next x", "'x' is not a count; usage: next [COUNT]"),
        ("step back x", "'x' is not a count; usage: step [back] [COUNT]"),
        ("end now", "'now' is too much; usage: end"),
        ("\x1b[2J", "there is no command '\\x1b[2J'; help lists the commands"),
    ],
)
def test_what_a_refusal_says(debugger: Debugger, line: str, said: str) -> None:
    """One line: what is wrong; what would be right."""
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert str(caught.value) == said


def test_reaching_an_end_is_a_state_with_a_message(debugger: Debugger) -> None:
    """At the start, at the end and between the passes the debugger says where it is; elsewhere it is silent."""
    assert debugger.do("rewind").message == "at the start: nothing is computed yet"
    assert debugger.do("end").message == debugger.do("next").message == "at the end: every contribution is known"
    assert debugger.do("goto 11").message == "the forward pass is complete; the next step starts the backward pass"
    assert debugger.do("next").message == ""


def test_next_and_rewind_leave_a_half_taken_step(debugger: Debugger) -> None:
    """next takes its remaining factors, rewind undoes the ones taken, finish and finish back likewise."""
    debugger = Debugger(load("many-to-many"))
    outcomes = {}
    for line in ("next", "rewind", "next 2", "rewind 2", "finish", "finish back", "start", "end", "goto 37"):
        assert debugger.do("goto 37").factors == 2
        assert debugger.do("step").factor == 1
        view = debugger.do(line)
        outcomes[line] = (view.position, view.factor)
    assert outcomes == {
        "next": (38, 0), "rewind": (37, 0), "next 2": (39, 0), "rewind 2": (36, 0), "finish": (43, 0),
        "finish back": (33, 0), "start": (0, 0), "end": (53, 0), "goto 37": (37, 0),
    }  # fmt: skip


def test_finish_takes_the_total_with_the_last_loss() -> None:
    """Losses at 0 and 1 of three steps: the total ends t = 1's forward steps and begins its backward ones."""
    debugger = make("s = w * s[t-1] + x[t]", "E = s * s", at=(0, 1), parameters={"w": 0.5}, initial={"s": 1.0},
                    inputs={"x": [1.0, 2.0, 3.0]})  # fmt: skip
    stops = [debugger.do("finish").position for _ in range(4)]
    assert stops == [2, 5, 9, 12] and debugger.view.forward_steps == 5
    assert [debugger.do("finish back").position for _ in range(4)] == [9, 5, 2, 0]


def test_where_names_position_value_and_chain(debugger: Debugger) -> None:
    """The state in words, as gdb's backtrace does."""
    assert debugger.do("where").message == "position 0 of 27: nothing is computed yet"
    debugger.do("goto 4")
    assert debugger.do("where").message == "position 4 of 27, forward, t = 0\ns₀ = 0.522665"
    debugger.do("goto dE/ds[0]")
    assert debugger.do("where").message == (
        "position 22 of 27, backward, t = 0\n"
        "∂E/∂s₀ = -0.637385\n"
        "∂E/∂s₀ = ∂E/∂o · ∂o/∂q · ∂q/∂s₁ · ∂s₁/∂z₁ · ∂z₁/∂b₁ · ∂b₁/∂s₀"
    )


def test_where_inside_a_step_counts_its_factors() -> None:
    """Half a step: which factor, and which of the paths."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto 37")
    debugger.do("step")
    assert debugger.do("where").message == (
        "position 37 of 53 and 1 of 2 factors, backward, t = 1\n"
        "∂E/∂s₁ = not yet\n"
        "∂E/∂s₁ = ∂E/∂E₁ · ∂E₁/∂o₁ · ∂o₁/∂q₁ · ∂q₁/∂s₁  (through inflow 1 of 2)"
    )


@pytest.mark.parametrize(("steps", "cut"), [(6, False), (7, True)])
def test_where_cuts_a_long_chain_at_its_head(steps: int, cut: bool) -> None:
    """Up to twelve factors are written out; of more, the last twelve behind an ellipsis."""
    debugger = make(
        "z = w * s[t-1]", "s = tanh(z)", "E = s * s", parameters={"w": 0.5}, initial={"s": 1.0}, steps=steps
    )
    debugger.do("goto dE/dz[0]")
    chain = debugger.do("where").message.splitlines()[-1]
    assert chain.count("/∂") == 1 + 12 and chain.endswith("∂s₀/∂z₀")
    assert ("… · " in chain) == cut


def test_help_lists_every_command_and_explains_each(debugger: Debugger) -> None:
    """`help` has a line per command; `help NAME` or an alias its usage, aliases and details."""
    lines = debugger.do("help").message.splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    for command in COMMANDS.values():
        for word in (command.name, *command.aliases):
            text = debugger.do(f"help {word}").message
            assert text.startswith(command.usage) and command.summary in text and command.detail in text
    assert debugger.do("help n").message == "next [COUNT] (also n): compute the next node"


def test_the_examples_of_the_details_work(debugger: Debugger) -> None:
    """What `help goto` and `help print` show can be typed."""
    debugger.do("end")
    before = everything(debugger.view)
    for example in COMMANDS["print"].detail.split(" · "):
        assert debugger.do(example).message
    assert everything(debugger.view) == before
    for line in ("goto 17", "goto s[1]", "goto s₁", "goto s[t-1]", "goto dE/ds[0]", "goto u[0]"):
        assert line.removeprefix("goto ") in COMMANDS["goto"].detail
        debugger.do(line)
