"""How those who wait for a long computation are told of it. Types only: nothing here is loaded at run time.

Whoever is told may raise to cancel; what was computed by then is dropped.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]  # told how much is done, of how much
Advance = Callable[[int], None]  # told how many timesteps are done since the last time
Watch = Callable[[int], Advance]  # told how many timesteps there will be, gives what is told of them
