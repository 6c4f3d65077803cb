"""An appliance that is killed again and again, or asked to end, while films come."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from cxr_runtime.appliance.health import read_health
from fault_scans import START, Night, Scans, table
from processes import PATIENCE, running, wait_until
from service_rows import by_bytes, rows_of

KILLS = int(os.environ.get("CXR_TRIAGE_KILLS", "30")) // 10  # CONTRIBUTING.md


def clinic(folder: Path, night: Night) -> Path:
    """Settings of an appliance that watches `in`."""
    (folder / "in").mkdir()
    path = folder / "clinic.toml"
    path.write_text(
        f'out = "{folder}/out"\n[watch]\nfolders = ["{folder}/in"]\n'
        f'[screening]\nmodel = "{night.folder}/model"\nbackend = "onnxruntime"\nworkers = 1\n'
        f'[health]\nevery_seconds = 0.1\n[log]\nfile = "{folder}/log"\nformat = "json"\n'
        '[retention]\npictures_for = "1y"\n'
    )
    return path


def test_an_appliance_that_is_killed_again_and_again_has_each_film_once(night: Night, tmp_path: Path) -> None:
    random, out, settings = Random(0), tmp_path / "out", clinic(tmp_path, night)
    films = [path for path in sorted((night.folder / "films").rglob("*")) if path.is_file()]
    with Scans.start(night) as scans:
        started = time.monotonic()
        scans.run(night.arguments(tmp_path / "scan"))
        whole = time.monotonic() - started
        for kill in range(KILLS):
            for number in range(kill, len(films), KILLS):
                shutil.copy(films[number], tmp_path / "in" / f"{number}{films[number].suffix}")
            scans.run(["appliance", str(settings)], kill_after=random.uniform(0.5, 1.0) * (whole + 2.0))
    expected = {
        row["sha256"]: {name: text for name, text in row.items() if name != "file"}
        for row in table(tmp_path / "scan")
    }
    command = [sys.executable, "-c", START, "appliance", str(settings)]
    with running(command, cwd=night.folder, env=night.environment, stderr=subprocess.PIPE) as process:
        wait_until(lambda: read_health(out / "health.json").process == process.pid)
        wait_until(lambda: rows_of(out) == len(expected))
        os.killpg(process.pid, signal.SIGTERM)  # of its workers, too, as systemd does
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert by_bytes(table(out)) == expected
    assert json.loads((out / "health.json").read_text())["state"] == "ended"
    log = (tmp_path / "log").read_text()
    assert [json.loads(line)["event"] for line in log.splitlines()][-1] == "ended"
    assert "week.zip" not in log
