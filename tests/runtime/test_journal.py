import json
import stat
import sys
from io import StringIO
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest

from cxr_runtime import journal as journals
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import LOG_FILES, Journal, LogFormat
from cxr_runtime.outcome import Outcome, Status

NAME = "Erika Mustermann, born 1957"


def lines(path: Path) -> list[dict[str, object]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "time"} for line in found]


def test_a_line_says_what_happened_in_text_and_as_json(tmp_path: Path) -> None:
    screen = StringIO()
    journal = Journal.open(tmp_path / "log", LogFormat.JSON, screen)
    journal.note("folder-away", folder=2)
    journal.close()
    assert lines(tmp_path / "log") == [{"event": "folder-away", "folder": 2}]
    assert screen.getvalue().endswith(" folder-away folder=2\n")


def test_a_line_holds_no_name_no_sentence_and_no_score_of_a_film(tmp_path: Path) -> None:
    film = Outcome(
        f"{NAME}.dcm",
        "ab" * 32,
        Status.FAILED,
        "damaged",
        f"It is of {NAME}.",
        probability=0.8125,
        seconds=0.1234,
    )
    journal = Journal.open(tmp_path / "log", LogFormat.JSON, None)
    journal.film(film)
    journal.note(NAME, reason=f"see {NAME}", code="Mustermann")
    journal.close()
    text = (tmp_path / "log").read_text()
    assert "Mustermann" not in text
    assert "8125" not in text
    expected = {"event": "film", "sha256": "ab" * 6, "status": "failed", "code": "damaged", "seconds": 0.123}
    assert lines(tmp_path / "log") == [expected, {"event": "?", "reason": "?", "code": "?"}]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_a_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    Journal.open(tmp_path / "log", LogFormat.TEXT, None).close()
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_a_log_begins_anew_when_it_is_long_and_keeps_a_few_earlier_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LOG_BYTES", 200)
    journal = Journal.open(tmp_path / "log", LogFormat.TEXT, None)
    for number in range(100):
        journal.note("alive", films=number)
    journal.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", *(f"log.{number}" for number in range(1, LOG_FILES + 1))]
    assert all(path.stat().st_size <= 200 for path in tmp_path.iterdir())
    assert "films=99" in (tmp_path / "log").read_text()


def test_a_log_that_cannot_be_begun_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CxrTriageError, match="--log-file"):
        Journal.open(tmp_path / "nowhere" / "log", LogFormat.TEXT, None)


def test_a_log_on_a_full_disk_keeps_nothing_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal.open(tmp_path / "log", LogFormat.TEXT, None)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RotatingFileHandler, "shouldRollover", full)
    journal.note("alive")
    journal.close()
    assert capsys.readouterr().err == ""
