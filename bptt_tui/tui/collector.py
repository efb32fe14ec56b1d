"""The garbage collector, kept from walking again and again through what is loaded once and stays.

Most of a start is the making of modules and classes. The collector looks for garbage among them every few thousand
objects and finds none; it does so a last time when the process ends, and everything goes then anyway.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


class Rest:
    """No collection from here to `end`; what is there by then counts as staying (`gc.unfreeze` takes that back)."""

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.disable()

    def end(self) -> None:
        """Collect as before, but not among what is there."""
        gc.freeze()
        if self._was_enabled:
            gc.enable()


@contextmanager
def at_rest() -> Iterator[None]:
    """A `Rest` while the block runs."""
    rest = Rest()
    try:
        yield
    finally:
        rest.end()


# Only reference cycles are spared; files and everything else that is still held are closed as ever.
atexit.register(gc.freeze)
