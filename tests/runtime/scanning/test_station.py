"""A station ends at once when its engine fails, whatever it has in hand."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.timed import TimedEngine
from cxr_runtime.errors import BackendError
from cxr_runtime.files import ReportFormat
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.flow import Batch
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.scanning.scoring import Scored
from cxr_runtime.scanning.station import Station
from model_folders import write_model_folder

LIMIT = 30.0  # seconds that anything is waited for; a batch of one film is given up after 90


class FailsThenHangs:
    """An engine that fails once a second batch is in hand, and never comes to an end with that."""

    backend = "drawn"
    batch_step = None

    def __init__(self) -> None:
        self.batches, self.in_hand, self.end = 0, threading.Semaphore(0), threading.Event()

    def run(self, _: NDArray[np.float32]) -> Outputs:
        self.batches += 1
        if self.batches == 1:
            assert all(self.in_hand.acquire(timeout=LIMIT) for _ in range(2))
            raise BackendError("the device failed")
        self.end.wait()
        raise BackendError("nobody waits for this")

    def close(self) -> None:
        self.end.set()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailsThenHangs]:
    engine, score = FailsThenHangs(), Station._score

    def scored(self: Station, batch: Batch) -> Future[list[Scored]]:
        begun = score(self, batch)
        engine.in_hand.release()
        return begun

    monkeypatch.setattr(Station, "_score", scored)
    monkeypatch.setattr("cxr_runtime.scanning.station.opened_engine", lambda *_: TimedEngine(engine))
    yield engine
    engine.end.set()


def test_a_device_that_fails_ends_a_scan_though_the_next_batch_hangs(
    engine: FailsThenHangs, tmp_path: Path
) -> None:
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(encode_png(draw_phantom(seed, hw=(256, 256))))
    model, csv, ends = write_model_folder(tmp_path / "m"), frozenset({ReportFormat.CSV}), list[Exception]()
    options = ScanOptions(out=tmp_path / "out", model=model, formats=csv, batch_size=1, workers=1)

    def ended() -> None:
        try:
            scan([tmp_path], options)
        except BackendError as error:
            ends.append(error)

    scanning = threading.Thread(target=ended, daemon=True)
    scanning.start()
    scanning.join(timeout=LIMIT)
    assert not scanning.is_alive()
    assert [str(error) for error in ends] == ["the device failed"]
