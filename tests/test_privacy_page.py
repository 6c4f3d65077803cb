"""docs/privacy-security.md: its commands sign a model, and its table names whatever uses the network."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cxr_cli.commands import app
from cxr_runtime.appliance.settings import Clinic
from cxr_runtime.folders import DATA_VARIABLE
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from model_folders import write_model_folder

PAGE = Path(__file__).parents[1] / "docs" / "privacy-security.md"
NETWORK = {"host", "to", "cluster"}  # options that make a command listen or connect
SHARE = "~/.local/share/cxr-triage"  # on Linux, where nothing names another folder


@pytest.mark.skipif(sys.platform != "linux", reason="the page names a folder of Linux")
def test_a_clinic_takes_the_model_that_its_maker_signed_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nacl", reason="the extra `clinic` is not installed")
    (block,) = re.findall(r"```text\n(cxr-triage lab signing-key .*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.png").write_bytes(encode_png(draw_phantom(1, hw=(112, 112))))
    write_model_folder(tmp_path / "MODEL")
    scans = []
    for line in block.replace(SHARE, str(tmp_path / "data")).splitlines():
        command = shlex.split(line, comments=True)
        if command[0] != "cxr-triage":
            subprocess.run(command, check=True)
            continue
        if command[1] == "scan":
            scans.append(command[1:])
        else:
            assert CliRunner().invoke(app, command[1:]).exit_code == 0, line
    (scan,) = scans
    assert "1 scored" in CliRunner().invoke(app, scan).output
    manifest = tmp_path / "MODEL" / "model.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"test only", b"only test"))
    refused = CliRunner().invoke(app, scan)
    assert refused.exit_code != 0
    assert "sign" in str(refused.exception)


def test_the_table_of_ports_names_every_command_and_part_that_uses_the_network() -> None:
    ports = PAGE.read_text("utf-8").partition("\n## Ports\n")[2].partition("\n## ")[0]
    commands: Any = get_command(app)
    options = {name: {one.name for one in command.params} for name, command in commands.commands.items()}
    using = {name: NETWORK & found for name, found in options.items() if NETWORK & found}
    assert {"listen", "serve", "send", "scan"} <= using.keys()
    for name, found in using.items():
        assert f"`{name}`" in ports
        if "cluster" in found:
            assert f"`{name} --cluster`" in ports
    for table in ("listen", "serve", "alert", "send"):
        assert table in Clinic.model_fields
        assert f"`[{table}]`" in ports
