"""What a scan needs in any case starts before its command line is read; what it may not need does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cxr_cli.ahead import processes_of
from cxr_runtime.files import STORE_FILE
from cxr_runtime.workers import starting


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The work for which processes were started."""
    works = list[str]()

    @contextmanager
    def noted(work: str) -> Iterator[None]:
        works.append(work)
        yield

    monkeypatch.setattr(starting, "ahead", noted)
    return works


def test_a_scan_begins_its_processes(begun: list[str], tmp_path: Path) -> None:
    with processes_of(["scan", str(tmp_path / "films"), "--out", str(tmp_path / "new")]):
        assert begun == ["cxr_runtime.scanning.answers:Examining"]


@pytest.mark.parametrize(
    "words", ["report", "watch FILMS", "scan --help", "scan FILMS --cluster local", "scan FILMS --dated"]
)
def test_what_may_need_no_worker_begins_none(words: str, begun: list[str]) -> None:
    with processes_of(words.split()):
        assert begun == []


@pytest.mark.parametrize("words", ["FILMS --out OUT", "FILMS --out=OUT", "FILMS"])
def test_a_scan_that_went_before_begins_none_for_its_films_may_be_finished(
    words: str, begun: list[str], tmp_path: Path
) -> None:
    for folder in ("out", "films-cxr-triage"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / STORE_FILE).touch()
    if "OUT" in words:
        (tmp_path / "films-cxr-triage" / STORE_FILE).unlink()
    named = words.replace("FILMS", str(tmp_path / "films")).replace("OUT", str(tmp_path / "out"))
    with processes_of(["scan", *named.split()]):
        assert begun == []
