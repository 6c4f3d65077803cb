"""An appliance between a sender of films and an archive."""

import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from cxr_runtime.appliance.health import ApplianceHealth, State
from cxr_runtime.arrivals.receiver.copy_making import COPY_SUFFIX
from cxr_runtime.arrivals.receiver.server import FilmServer
from cxr_runtime.errors import StoreError
from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.phantom import draw_phantom
from dicom_archives import free_port, needs_dcmtk, storescp
from dicom_files import dicom_file
from dicom_peers import echoes, store
from model_folders import write_model_folder
from running_appliances import Running, draw, files, has_died, let_scoring_die, part_of, settings
from study_films import SECRETS, study_film

OUT_OF_RESOURCES = 0xA700


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


def film(seed: int) -> Dataset:
    """A film in a study of its own."""
    uids: dict[str, Any] = {
        "StudyInstanceUID": f"1.2.{seed}",
        "SeriesInstanceUID": f"1.3.{seed}",
        "SOPInstanceUID": f"1.4.{seed}",
    }
    return dcmread(BytesIO(dicom_file(draw_phantom(seed, hw=(256, 256)), **uids)))


def listens(health: ApplianceHealth) -> bool:
    return health.state is State.WELL


@needs_dcmtk
def test_what_is_received_is_scored_and_its_results_are_in_the_archive_once(
    tmp_path: Path, model: Path
) -> None:
    port, archive = free_port(), free_port()
    send = {"to": f"PACS@127.0.0.1:{archive}"}
    running = Running(settings(tmp_path, model, identity="none", listen={"port": port}, send=send))
    with storescp(tmp_path / "pacs", archive), running.run():
        running.wait(listens)
        assert store(port, film(1), film(2)) == [0, 0]
        draw(tmp_path / "in1" / "3.png", 3)
        running.wait(lambda health: health.films == 3 and not health.waiting)
        running.wait(lambda _: len(list((tmp_path / "pacs").iterdir())) == 6)
        health = running.wait(lambda health: health.queue is not None and not health.queue.waiting)
        assert store(port, film(1)) == [0]
        running.wait(lambda health: not health.waiting)
    assert len(files(tmp_path / "out")) == 3
    assert len(list((tmp_path / "pacs").iterdir())) == 6
    assert (health.amiss, running.failures) == ((), [])
    parts = {"scoring", "watch-1", "watch-2", "listen", "send", "copies"}
    assert {part.name for part in health.parts} == parts


def test_received_films_are_kept_without_names_and_a_restart_takes_no_copy_for_another_film(
    tmp_path: Path, model: Path
) -> None:
    port, out = free_port(), tmp_path / "out"
    running = Running(settings(tmp_path, model, listen={"port": port}))
    sent = [dcmread(BytesIO(study_film(seed, SOPInstanceUID=f"2.25.47.{seed}"))) for seed in (1, 2)]

    def lie_as_copies(films: int) -> bool:
        names = [path.name for path in (out / RECEIVED_FOLDER).iterdir()]
        return len(names) == films and all(name.endswith(COPY_SUFFIX) for name in names)

    with running.run():
        running.wait(listens)
        assert store(port, sent[0]) == [0]
        running.wait(lambda _: lie_as_copies(1))
    with running.run():
        running.wait(lambda health: health.state is State.WELL and health.films == 0)
        assert store(port, *sent) == [0, 0]  # one is known, and goes again
        running.wait(lambda health: lie_as_copies(2) and not health.waiting)
    assert len(files(out)) == 2
    whole = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert [(path.name, secret) for path in whole for secret in SECRETS if secret in whole[path]] == []


def test_a_receiver_takes_films_while_the_scoring_is_dead(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    let_scoring_die(monkeypatch, StoreError("the disk failed"))
    running = Running(settings(tmp_path, model, listen={"port": port}))
    with running.run():
        running.wait(listens)
        assert store(port, film(1)) == [0]
        running.wait(has_died("scoring", 1))
        running.wait(lambda _: echoes(port))
        assert store(port, film(2)) == [0]
        health = running.wait(lambda health: health.films == 2 and not health.waiting)
    assert part_of(health, "listen") == 0
    assert len(files(tmp_path / "out")) == 2


def test_on_a_disk_that_is_nearly_full_senders_hear_that_there_is_no_room(
    tmp_path: Path, model: Path
) -> None:
    port = free_port()
    running = Running(settings(tmp_path, model, listen={"port": port}, disk={"stop_below": "900T"}))
    running.free = 1 << 60
    with running.run():
        running.wait(listens)
        assert store(port, film(1)) == [OUT_OF_RESOURCES]
    assert list((tmp_path / "out" / "received").iterdir()) == []


def test_a_port_that_is_taken_is_tried_again(tmp_path: Path, model: Path) -> None:
    port = free_port()
    running = Running(settings(tmp_path, model, listen={"port": port}))
    with socket.create_server(("127.0.0.1", port)), running.run():
        running.wait(lambda health: part_of(health, "listen") > 1 and "listen-waits" in health.amiss)
    assert "cannot be listened to" in running.said[0]


def test_a_receiver_that_stops_is_begun_again(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, serve, deaths = free_port(), FilmServer.serve_forever, iter([True])

    def dying(server: FilmServer) -> None:
        if next(deaths, False):
            monkeypatch.setattr(server, "_BaseServer__shutdown_request", True)
        serve(server)

    monkeypatch.setattr(FilmServer, "serve_forever", dying)
    running = Running(settings(tmp_path, model, listen={"port": port}))
    with running.run():
        running.wait(has_died("listen", 1))
        running.wait(lambda _: echoes(port))
    assert running.said[0].endswith("the receiver has stopped; start it again")
