"""The engine that a scan asks for, loaded beside the workers, which take as long to start."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Self

from cxr_runtime.backends.engine import Engine
from cxr_runtime.model.folder import Model
from cxr_runtime.scanning.options import ScanOptions

PATIENCE = 10.0  # seconds that an engine which is still being loaded is waited for at the end


class LateEngine:
    """An engine that is loaded in a thread.

    Loading tests the network, which may never come to an end: so nobody has to wait for the thread.
    """

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._loading: Future[Engine] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        loading, self._loading = self._loading, None
        if loading is None:
            return
        with suppress(Exception):  # it was raised where the engine was waited for, or nobody wants to know
            loading.result(timeout=PATIENCE).close()

    def loading(self) -> Future[Engine]:
        """Begin to load it, the first time; its result is the engine."""
        if self._loading is None:
            self._loading = Future()
            Thread(target=self._begin, args=(self._loading,), daemon=True).start()
        return self._loading

    def _begin(self, loading: Future[Engine]) -> None:
        try:
            loading.set_result(self._load())
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            loading.set_exception(error)


def opened_engine(model: Model, options: ScanOptions, threads: int | None = None) -> Engine:
    """The engine that a scan asks for; a scan with nothing new to score imports no backend.

    Raises:
        UsageError: there is no backend of that name.
        BackendError: the asked backend is not usable.
    """
    from cxr_runtime.backends import open_engine
    from cxr_runtime.backends.timed import TimedEngine

    engine = open_engine(
        model,
        options.backend,
        batch_size=options.batch_size,
        threads=threads,
        require_gpu=options.require_gpu,
    )
    return TimedEngine(engine)
