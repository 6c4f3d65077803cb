"""Appliances with drawn films, in a thread of the test."""

import csv
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import cv2
import pytest

from cxr_runtime.appliance.appliance import Appliance, Tools
from cxr_runtime.appliance.health import ApplianceHealth, read_health
from cxr_runtime.appliance.orders import Orders, orders_of
from cxr_runtime.appliance.restarting import Waits
from cxr_runtime.appliance.settings import Clinic
from cxr_runtime.journal import Journal
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.opener import Opener

PATIENCE = 60.0  # seconds for what takes a few
SHORT = Waits(first=0.01, growth=1.0, longest=0.01)


def settings(folder: Path, model: Path, **more: object) -> Orders:
    """Of an appliance that watches two folders below `folder`."""
    for name in ("in1", "in2"):
        (folder / name).mkdir(exist_ok=True)
    screening = {"model": str(model), "backend": "onnxruntime", "workers": 1, "formats": "csv"}
    given = {
        "out": folder / "out",
        "watch": {"folders": (str(folder / "in1"), str(folder / "in2"))},
        "screening": screening,
        "health": {"every_seconds": 0.1},
        "disk": {"stop_below": "1M"},
    }
    return orders_of(Clinic.model_validate({**given, **more}))


def draw(path: Path, seed: int) -> None:
    """A film that comes as a whole."""
    part = path.with_suffix(".part")
    part.write_bytes(cv2.imencode(".png", draw_phantom(seed, hw=(256, 256)))[1].tobytes())
    part.rename(path)


def files(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return sorted(Path(row["file"]).name for row in csv.DictReader(file))


@dataclass
class Running:
    """An appliance in a thread."""

    orders: Orders
    said: list[str] = field(default_factory=list)
    free: int = 1 << 40
    failures: list[BaseException] = field(default_factory=list)

    def health(self) -> ApplianceHealth:
        return read_health(self.orders.health_file)

    def wait(self, is_so: Callable[[ApplianceHealth], bool]) -> ApplianceHealth:
        """Wait until the health file says so."""
        end = time.monotonic() + PATIENCE
        while not (self.orders.health_file.exists() and is_so(self.health())):
            assert time.monotonic() < end, self.said
            assert not self.failures
            time.sleep(0.02)
        return self.health()

    @contextmanager
    def run(self) -> Iterator[None]:
        with Opener() as opener:
            tools = Tools(Journal(), opener, self.said.append, lambda _: self.free, SHORT)
            appliance = Appliance(self.orders, tools)
            thread = Thread(target=self._run, args=(appliance,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                appliance.end()
                thread.join(PATIENCE)
        assert not thread.is_alive()

    def _run(self, appliance: Appliance) -> None:
        try:
            appliance.run()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            self.failures.append(error)


def part_of(health: ApplianceHealth, name: str) -> int:
    """How often a part has died."""
    return next(part.deaths for part in health.parts if part.name == name)


def let_scoring_die(monkeypatch: pytest.MonkeyPatch, *deaths: Exception) -> None:
    """After one film each, the scoring ends by these errors; then it lives on."""
    screen, left = LongSession.screen, iter(deaths)

    def dying(session: LongSession, films: Iterator[FilmSource]) -> Iterator[object]:
        for outcome in screen(session, films):
            yield outcome
            if (error := next(left, None)) is not None:
                raise error

    monkeypatch.setattr(LongSession, "screen", dying)


def has_died(name: str, times: int) -> Callable[[ApplianceHealth], bool]:
    return lambda health: part_of(health, name) >= times
