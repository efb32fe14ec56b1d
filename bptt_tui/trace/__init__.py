"""The numbers: forward values, local partials, the reverse sweep, contributions.

`Network` here is the network of the Python face, with `trace`.
"""

from bptt_tui.trace.network import Network
from bptt_tui.trace.trace import Consumer, Link, Trace

__all__ = ["Consumer", "Link", "Network", "Trace"]
