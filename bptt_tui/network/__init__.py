"""From equations to the unrolled graph: names, order, shapes, and which nodes the loss depends on."""

from bptt_tui.network.network import Network
from bptt_tui.network.timesteps import Timesteps
from bptt_tui.network.unrolled import Unrolled, unroll

__all__ = ["Network", "Timesteps", "Unrolled", "unroll"]
