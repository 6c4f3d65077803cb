import socket
from pathlib import Path

import pytest

from cxr_cli.main import main
from model_folders import write_model_folder


def ended(*arguments: object) -> object:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


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
    assert ended("listen", "--out", tmp_path / "out", *arguments) == 2
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
        assert ended("listen", "--out", tmp_path / "out", "--port", port, *fixed) == 1
    assert "give another --port" in capsys.readouterr().err
