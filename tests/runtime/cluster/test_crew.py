"""The crew, with a Ray whose actors die when a test says so."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cxr_runtime.cluster import crew as crew_module
from cxr_runtime.cluster.crew import TRIES, Crew, Lost, _connected
from cxr_runtime.cluster.host import HostFacts
from cxr_runtime.cluster.scan import scan_on_cluster
from cxr_runtime.cluster.session import grouped
from cxr_runtime.errors import BackendError, ModelError, UsageError
from cxr_runtime.files import ReportFormat
from cxr_runtime.identity import IdentityKind
from cxr_runtime.model.folder import open_model
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import KnownFilm, Place
from cxr_runtime.workers.tasks import Passed, Pause
from dicom_archives import free_port

FACTS = HostFacts("1", "f", "onnxruntime-cpu", "")


class DiedError(Exception):
    """As Ray tells of a dead actor."""


class RaisedError(Exception):
    """As Ray tells of an error in an actor."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


@dataclass
class FakeRay:
    """Answers at once; `work` is what an actor does with films."""

    work: Callable[[Any], Any]
    processors: int = 1
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(RayTaskError=RaisedError, RayError=(DiedError, RaisedError))
    )
    started: int = 0

    def put(self, thing: Any) -> Any:
        return thing

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.processors}

    def remote(self, kind: type) -> Any:  # noqa: ARG002 - as Ray's
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda _: self._actor()))

    def wait(self, references: list[Any], **_: object) -> tuple[list[Any], list[Any]]:
        return references[:1], references[1:]

    def get(self, reference: Any) -> Any:
        return reference()

    def kill(self, _: Any) -> None:
        pass

    def shutdown(self) -> None:
        pass

    def _actor(self) -> Any:
        self.started += 1
        return SimpleNamespace(
            facts=SimpleNamespace(remote=lambda: lambda: FACTS),
            work=SimpleNamespace(remote=lambda films: lambda: self.work(films)),
        )


def crew_on(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> Crew:
    monkeypatch.setattr(crew_module, "_connected", lambda _address, _processors: ray)
    monkeypatch.setattr(crew_module, "LOOK_SECONDS", 0.0)
    model = open_model()
    return Crew("local", ScanOptions(), model, model.calibration.operating_point(None), None)


def films(count: int) -> list[tuple[Place, FileOnDisk]]:
    return [
        (Place(n, f"{n}.png", ""), FileOnDisk(f"{n}.png", Path(f"/{n}.png"))) for n in range(1, count + 1)
    ]


def all_of(crew: Crew) -> list[Any]:
    came = []
    while crew.in_hand:
        came += list(crew.come())
    return came


def test_what_a_station_had_when_it_died_is_done_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = iter([DiedError()])

    def work(group: Any) -> Any:
        if (death := next(deaths, None)) is not None:
            raise death
        return list(group)

    ray = FakeRay(work)
    with crew_on(ray, monkeypatch) as crew:
        crew.give(films(3))
        assert all_of(crew) == [films(3)]
    assert ray.started == 2


def test_a_film_that_kills_every_station_is_lost_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(group: Any) -> Any:
        if any(place.position == 2 for place, _ in group):
            raise DiedError
        return list(group)

    ray = FakeRay(work)
    with crew_on(ray, monkeypatch) as crew:
        crew.give(films(3))
        came = all_of(crew)
    lost = [each for each in came if isinstance(each, Lost)]
    assert [film.films for film in lost] == [films(3)[1:2]]
    assert sorted(place.position for each in came if isinstance(each, list) for place, _ in each) == [1, 3]
    assert ray.started == TRIES + (TRIES - 1)


def test_what_a_station_raises_ends_the_scan_as_it_would_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: Any) -> Any:
        raise RaisedError(ModelError("the model is damaged"))

    with crew_on(FakeRay(work), monkeypatch) as crew:
        crew.give(films(1))
        with pytest.raises(ModelError, match="the model is damaged"):
            all_of(crew)


def test_a_cluster_without_a_machine_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "PATIENCE", 0.0)
    with crew_on(FakeRay(list, processors=0), monkeypatch) as crew:
        crew.give(films(1))
        with pytest.raises(BackendError, match="no machine of the cluster was free"):
            all_of(crew)


def test_films_are_grouped_and_a_pause_waits_for_none() -> None:
    known = KnownFilm(Place(9, "9.png", ""), 1, Outcome("9.png", "", Status.SCORED))

    def wanted() -> Iterator[Any]:
        yield from films(3)
        yield Passed(known)
        yield Pause.PAUSE
        yield from films(1)

    first, *rest = grouped(wanted(), 2)
    assert first == films(2)
    assert rest == [known, films(3)[2:], Pause.PAUSE, films(1)]
    assert list(itertools.islice(grouped(iter([]), 2), 1)) == []


def test_a_cluster_at_whose_port_nobody_is_is_told_of_before_ray_begins_to_ask() -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    for address in (f"127.0.0.1:{free_port()}", "ray://head..clinic:10001", "127.0.0.1:99999"):
        with pytest.raises(BackendError, match=r"cannot be reached .*use --cluster local"):
            _connected(address, None)


def test_stations_that_are_just_starting_are_given_up_only_where_their_processors_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = FakeRay(lambda films: films, processors=2)
    with crew_on(ray, monkeypatch) as crew:
        for processors, started in ((2, 2), (3, 3), (3, 3), (1, 3)):
            ray.processors = processors
            crew._look()
            assert ray.started == started
        assert len(crew._stations) == 1


@pytest.mark.parametrize(
    "asked",
    [{"identity": IdentityKind.FULL}, {"formats": frozenset({ReportFormat.DICOM})}],
    ids=["identity", "dicom"],
)
def test_what_a_cluster_does_not_do_is_refused_before_anything_is_made(asked: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keeps no identities and makes no DICOM results"):
        scan_on_cluster(["night"], ScanOptions(out=tmp_path / "out", cluster="local", **asked))
    assert not (tmp_path / "out").exists()
