"""What a run sees over many positions is what `print` says at each of them, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.inspect import MEASURES, Inspector
from bptt_tui.debugger.looking import Look
from bptt_tui.debugger.quantities import read_operand
from bptt_tui.debugger.sweep import Sweep
from bptt_tui.session import load


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("operand", ["prod", "h*1e-200", "Whh*sum(h)", "dloss/dh*1e200", "t-2"])
def test_a_measure_over_a_stretch_is_the_measure_at_each_position(measure: str, operand: str) -> None:
    debugger = Debugger(load("min-char-rnn"))
    scene, text = debugger.look.scene, f"{measure}({operand})"
    sweep = Sweep(scene)
    stretch = sweep.stretch("node", "h", "backward")
    over = sweep.over(read_operand(scene, text), stretch)
    values = np.broadcast_to(over.value, (len(stretch.positions), *over.shape))
    at_each = [Inspector(Look(scene, int(position))).evaluate(text) for position in stretch.positions]
    assert len(at_each) > 2 and np.broadcast_to(over.known, len(at_each)).all()
    assert values.tolist() == [value.tolist() for value in at_each]
