"""The page for data scientists, run word by word on drawn films; and the notebook, cell by cell."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from cxr_cli.commands import app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "data-scientist.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-look.ipynb"
INSTALL = 'pip install ".[export]"'  # what the tests run in is installed already

torch.set_num_threads(1)


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_first_hour_works_word_by_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = commands()
    assert asked[0] == INSTALL
    for command in asked[1:]:
        program, *words = shlex.split(command)
        assert program == "cxr-triage", command
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, f"{command}: {done.output}"
    for made in (
        "runs/first/batch.png", "runs/first/curves.png", "runs/first-evaluation/roc.png",
        "models/first/card.md", "models/first/calibration.json", "results/worklist.html",
    ):  # fmt: skip
        assert (tmp_path / made).is_file(), made


def test_the_notebook_runs_cell_by_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.py"))
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert (tmp_path / "first-look" / "worklist.html").is_file()
    names["figure"].savefig(tmp_path / "figure.png")  # type: ignore[attr-defined]
    assert (tmp_path / "figure.png").stat().st_size > 10_000
