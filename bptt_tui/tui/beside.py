"""Work in a thread beside the screen, which stays alive: how far it is, a way to stop it, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

Made = TypeVar("Made")

AT_ONCE = 0.15  # seconds in which work ends without anybody having to be told that it goes on
OFTEN = 0.1


class Beside(Generic[Made]):
    """A function carried out in a thread of its own. It is given this object: `tell` for the share done, `stopped`."""

    def __init__(self, work: Callable[[Beside[Made]], Made]) -> None:
        self.share = 0.0
        self._stopped = False
        self._work = work
        self._made: list[Made] = []
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._carry_out, name="beside", daemon=True)
        self._thread.start()

    def _carry_out(self) -> None:
        try:
            self._made.append(self._work(self))
        except BaseException as error:  # raised again by `answer`
            self._failure = error

    def tell(self, share: float) -> None:
        """The work says how much of it is done."""
        self.share = share

    def stopped(self) -> bool:
        """The work asks whether to end."""
        return self._stopped

    def stop(self) -> None:
        """End at the next opportunity."""
        self._stopped = True

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether there is an answer, after waiting so long at most."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def answer(self) -> Made:
        """What the work came to; raises what it raised."""
        if self._failure is not None:
            raise self._failure
        return self._made[0]
