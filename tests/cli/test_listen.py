import socket
from hashlib import sha256
from pathlib import Path

import pytest

from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.store.folder import held
from drawn_stores import Drawn, write_store
from model_folders import write_model_folder
from study_films import study_film
from typed_commands import exit_status


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--host", "0.0.0.0"), "add --allow AET@HOST"),
        (("--aet", "A" * 17), "AE title"),
        (("--allow", "XRAY1@"), "not known here"),
        (("--tls-key", "key.pem"), "--tls-cert"),
        (("--keep-free", "much"), "--keep-free"),
        (("--port", 70000), "--port"),
    ],
)
def test_what_cannot_be_listened_to_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], told: str
) -> None:
    assert exit_status("listen", "--out", tmp_path / "out", *arguments) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_port_that_another_program_has_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model_folder(tmp_path / "model")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--quiet")
        assert exit_status("listen", "--out", tmp_path / "out", "--port", port, *fixed) == 1
    assert "give another --port" in capsys.readouterr().err


def test_received_films_of_a_folder_that_another_program_holds_stay_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, film = tmp_path / "out", study_film(1)
    digest = sha256(film).hexdigest()
    write_store(out, [Drawn(f"{digest}.dcm", sha256=digest)])
    received = out / RECEIVED_FOLDER / f"{digest}.dcm"
    received.parent.mkdir()
    received.write_bytes(film)
    fixed = ("--model", write_model_folder(tmp_path / "model"), "--backend", "onnxruntime", "--workers", 1)
    with held(out):
        assert exit_status("listen", "--out", out, *fixed, "--drop-uncopied", "--quiet") == 1
    assert "is in use by another scan" in capsys.readouterr().err
    assert received.read_bytes() == film
