"""The garbage collector, kept from walking again and again through what is loaded once and stays.

Most of a start is the making of modules and classes. The collector looks for garbage among them every few thousand
objects and finds none; it does so a last time when the process ends, and everything goes then anyway.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_rest() -> Iterator[None]:
    """No collection inside; what is there at the end counts as staying (`gc.unfreeze` takes that back)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


# Only reference cycles are spared; files and everything else that is still held are closed as ever.
atexit.register(gc.freeze)
