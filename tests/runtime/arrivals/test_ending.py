"""A signal comes at the worst moment: while the very line that would say so is being written."""

import signal
import sys
import threading
from typing import TYPE_CHECKING, cast

import pytest

from cxr_runtime.arrivals.ending import ending_on_signals

if TYPE_CHECKING:
    from cxr_runtime.journal import Journal


class OneAtATime:
    """A log that, as a buffered stream, cannot be written while it is being written."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.said: list[str] = []

    def note(self, event: str) -> None:
        with self.lock:
            self.said.append(event)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_within_a_line_of_the_log_ends_the_service_once_the_line_is_written() -> None:
    log, ended = OneAtATime(), threading.Event()
    with ending_on_signals(ended.set, cast("Journal", log)):
        with log.lock:
            signal.raise_signal(signal.SIGTERM)
            assert not ended.is_set()
        assert ended.wait(30)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert log.said == ["ending"]


def test_a_service_that_ends_by_itself_is_told_nothing() -> None:
    log, ended = OneAtATime(), threading.Event()
    with ending_on_signals(ended.set, cast("Journal", log)):
        pass
    assert (log.said, ended.is_set()) == ([], False)
