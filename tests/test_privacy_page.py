"""How a model is signed and a clinic takes no other: the commands of docs/privacy-security.md."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cxr_cli.main import app
from cxr_runtime.folders import DATA_VARIABLE
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from model_folders import write_model_folder

PAGE = Path(__file__).parents[1] / "docs" / "privacy-security.md"
SHARE = "~/.local/share/cxr-triage"  # on Linux, where nothing names another folder


@pytest.mark.skipif(sys.platform != "linux", reason="the page names a folder of Linux")
def test_a_clinic_takes_the_model_that_its_maker_signed_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography", reason="the extra `clinic` is not installed")
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
