"""A cluster whose machines die, and whose scan is killed: each film has the one row of a scan alone."""

import re
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.phantom import draw_phantom
from fault_scans import START, Night
from fault_scans import table as rows_without_times
from model_folders import write_model_folder
from processes import Process, kill, running, wait_until
from ray_nodes import Nodes, ray_nodes
from service_rows import by_bytes, rows_of

pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytest.importorskip("moto", reason="moto's object store is not installed")

FILMS = 60


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Films, one of them cut short, and a zip file, which an object store does not open."""
    night = Night(tmp_path_factory.mktemp("many"))
    (night.folder / "films" / "ward").mkdir(parents=True)
    write_model_folder(night.folder / "model")
    for seed in range(FILMS):
        picture = cv2.imencode(".png", draw_phantom(seed, hw=(256, 256)))[1].tobytes()
        where = night.folder / "films" / ("ward" if seed % 2 else ".") / f"{seed:02d}.png"
        where.write_bytes(picture if seed else picture[:5000])
    return night


def scan_on(nodes: Nodes, night: Night, out: Path, *more: str) -> AbstractContextManager[Process]:
    fixed = ["--model", str(night.folder / "model"), "--backend", "onnxruntime", "--batch-size", "1"]
    arguments = ["scan", "s3://night", "--out", str(out), *fixed, "--cluster", nodes.address, *more]
    return running(
        [sys.executable, "-W", "ignore", "-c", START, *arguments],
        env={**night.environment, **nodes.objects},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def pixels_of(out: Path) -> dict[str, bytes]:
    """Pixels of the pictures in heatmaps/, by name; ISA-L may deflate the same ones to other bytes."""
    return {
        path.name: np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)).tobytes()
        for path in (out / "heatmaps").iterdir()
    }


def test_films_of_an_object_store_have_the_rows_of_one_machine_though_scan_and_machine_are_killed(
    many: Night, tmp_path: Path
) -> None:
    alone, out = tmp_path / "alone", tmp_path / "out"
    done = many.scan(alone)
    assert done.returncode == 3, done.stderr
    with ray_nodes(many.folder / "films", many.environment) as nodes:
        with scan_on(nodes, many, out) as first:
            wait_until(lambda: rows_of(out) >= 4)
            kill(first)
        before = rows_of(out)
        with scan_on(nodes, many, out, "--profile") as second:
            wait_until(lambda: rows_of(out) >= before + 4)
            nodes.tell("lose")
            lost_at = rows_of(out)
            said, _ = second.communicate(timeout=300)
    assert second.returncode == 3, said
    assert re.search(r"\| network \| \d \| \d+\.(0[1-9]|[1-9]\d) \|", said), said
    assert before < FILMS
    assert lost_at < FILMS, "the machine died after the last film"
    assert by_bytes(rows_without_times(out)) == by_bytes(rows_without_times(alone))
    assert pixels_of(out) == pixels_of(alone)
