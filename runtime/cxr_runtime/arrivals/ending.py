"""How a service hears that it is to end: by a signal, which the system or a person sends."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from cxr_runtime.journal import Journal

_ENDING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")  # those that the system has


@contextmanager
def ending_on_signals(end: Callable[[], None], journal: Journal) -> Iterator[None]:
    """The first request to end is obeyed in order, the second at once (KeyboardInterrupt).

    In another thread than the main one nothing is heard. A thread obeys, not the handler: what the handler
    interrupts may hold the lock of the log, or of what `end` sets (`SimpleQueue.put` may be called there).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    requests = 0
    first = SimpleQueue[bool]()  # whether it is to end

    def asked(_number: int, _frame: FrameType | None) -> None:
        nonlocal requests
        requests += 1
        if requests > 1:
            raise KeyboardInterrupt
        first.put(True)

    def obey() -> None:
        if first.get():
            journal.note("ending")
            end()

    obeying = threading.Thread(target=obey, daemon=True, name="ending")
    obeying.start()

    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.signal(number, asked) for number in numbers if _is_heard(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        first.put(False)
        obeying.join()


def _is_heard(number: int) -> bool:
    """Whether somebody, as `nohup` does, has not asked for silence."""
    return signal.getsignal(number) is not signal.SIG_IGN
