"""Independent answers to what the engine computes: another evaluator, other differentiators, random networks.

Nothing here uses `bptt_tui.calculus`, `bptt_tui.network` or `bptt_tui.trace`; only equations are read by the package's
own parser, into trees that `evaluate` walks one node at a time.
"""
