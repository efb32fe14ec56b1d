"""Loading the screen does not make the garbage collector walk through what stays; the collector is left as it was."""

from __future__ import annotations

import gc

import pytest

from bptt_tui.tui.collector import at_rest


@pytest.fixture(autouse=True)
def collecting():
    """The collector as other tests expect it."""
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_while_at_rest_and_what_was_made_stays():
    """The collector is off inside and on again after; what is there by then is no longer walked through."""
    gc.unfreeze()
    with at_rest():
        assert not gc.isenabled()
        kept = [[] for _ in range(10)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_a_collector_that_was_off_stays_off():
    """Whoever turned it off has reasons."""
    gc.disable()
    with at_rest():
        pass
    assert not gc.isenabled()


def test_the_collector_comes_back_after_an_error():
    """A module that cannot be loaded does not leave the process without a collector."""
    with pytest.raises(ImportError), at_rest():
        raise ImportError
    assert gc.isenabled()
