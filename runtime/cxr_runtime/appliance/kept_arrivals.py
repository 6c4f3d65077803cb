"""A way of arriving that is begun again when it dies, and that lasts while the scoring is begun again."""

import threading
from collections.abc import Callable, Iterator

from cxr_runtime.appliance.disk import DiskGuard
from cxr_runtime.appliance.restarting import Standing
from cxr_runtime.arrivals.queue import Arrivals
from cxr_runtime.arrivals.watched import WatchedFolder
from cxr_runtime.sources.film_source import FilmSource


class _Bell(threading.Event):
    """Rings another one, which may change."""

    def __init__(self) -> None:
        super().__init__()
        self.rings: threading.Event | None = None

    def set(self) -> None:
        super().set()
        if self.rings is not None:
            self.rings.set()


class KeptArrivals:
    """Films from one place, for one scoring after the other; a disk that is full holds them up.

    A scoring that died may have taken films that it did not finish. So when it leaves, the way of arriving
    is begun anew, which gives all films once more; the store knows those that are done.

    Args:
        make: a new way of arriving there.
        standing: of all of them.
        guard: of the disk.
        ending: is set when nothing is begun again.
    """

    def __init__(
        self, make: Callable[[], Arrivals], standing: Standing, guard: DiskGuard, ending: threading.Event
    ) -> None:
        self.standing = standing
        self._make, self._guard, self._ending = make, guard, ending
        self._lock = threading.RLock()
        self._inner: Arrivals | None = None
        self._bell = _Bell()

    def start(self, bell: threading.Event) -> None:
        """Give films to a scoring from now on."""
        self._bell.rings = bell
        self.tend()
        bell.set()

    def take(self) -> Iterator[FilmSource]:
        """Films that are complete and were not given yet, while the disk has room."""
        self.tend()
        inner = self._inner
        if inner is None or self._guard.is_full():
            return
        try:
            for film in inner.take():
                yield film
                if self._guard.is_full():
                    return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is begun again
            self._died(inner, error)

    def waiting(self) -> int:
        """Films that were not taken yet, as far as is known."""
        inner = self._inner
        return 0 if inner is None else inner.waiting()

    @property
    def is_away(self) -> bool:
        """Whether it is a folder that is not there, or does not answer."""
        return isinstance(self._inner, WatchedFolder) and self._inner.is_away

    def close(self) -> None:
        """The scoring has left: begin anew for the next one."""
        with self._lock:
            self._bell.rings = None
            inner, self._inner = self._inner, None
            if inner is not None:
                inner.close()
            if self._ending.is_set():
                self.standing.ended()
        self.tend()

    def tend(self) -> None:
        """Begin, if that is due."""
        with self._lock:
            if self._inner is not None or self._ending.is_set() or not self.standing.is_due:
                return
            try:
                inner = self._make()
                inner.start(self._bell)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is begun again
                self.standing.died(error)
                return
            self._inner = inner
            self.standing.began()

    def _died(self, inner: Arrivals, error: Exception) -> None:
        with self._lock:
            if inner is not self._inner:
                return
            self._inner = None
            self.standing.died(error)
            inner.close()
