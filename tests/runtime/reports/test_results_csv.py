"""results.csv reads back as what it was made from, in Python and in a spreadsheet."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.reports.results_csv import COLUMNS, write_results

SCORED = Outcome(
    "night/a.png",
    "ab" * 32,
    Status.SCORED,
    probability=0.9711449,
    triage=Triage.FLAGGED,
    threshold=0.47,
    operating_point="balanced",
    view="PA",
    model="default",
    model_sha256="cd" * 32,
    backend="onnxruntime-cpu",
    seconds=0.0312345,
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_are_the_contract(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [])
    assert (tmp_path / "results.csv").read_bytes() == (
        b"file,sha256,status,code,message,score,probability,triage,threshold,operating_point,"
        b"view,lung_heat_share,model,model_sha256,backend,seconds,foreign\n"
    )


def test_numbers_have_the_promised_decimals_and_unknown_cells_are_empty(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [SCORED])
    (row,) = rows_of(tmp_path / "results.csv")
    assert tuple(row) == COLUMNS
    assert (row["score"], row["probability"], row["triage"]) == ("97.11", "0.971145", "flagged")
    assert (row["lung_heat_share"], row["code"], row["message"]) == ("", "", "")


def test_every_text_is_quoted_and_no_figure(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [replace(SCORED, file='a,"b".png;c')])
    line = (tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()[1]
    assert line.startswith(f'"a,""b"".png;c","{"ab" * 32}","scored","","",97.11,0.971145,"flagged",0.470000,')
    assert line.endswith(f'"PA","","default","{"cd" * 32}","onnxruntime-cpu",0.031,""')


def test_what_is_said_of_foreign_films_stands_on_every_row(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [SCORED, replace(SCORED, file="b.png")], foreign="unlike")
    assert [row["foreign"] for row in rows_of(tmp_path / "results.csv")] == ["unlike", "unlike"]


def test_rows_keep_their_order_and_names_of_any_script_survive(tmp_path: Path) -> None:
    names = ["ночь/плёнка.png", "صورة.dcm", "胸部.jpg", 'a,"b".png']
    write_results(tmp_path / "results.csv", (replace(SCORED, file=name) for name in names))
    assert [row["file"] for row in rows_of(tmp_path / "results.csv")] == names


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_name_that_a_spreadsheet_would_run_gets_a_leading_apostrophe(tmp_path: Path, start: str) -> None:
    write_results(tmp_path / "results.csv", [replace(SCORED, file=f"{start}1+1.png")])
    assert rows_of(tmp_path / "results.csv")[0]["file"] == f"'{start}1+1.png"


def test_every_film_is_one_line_and_control_characters_are_spelt_out(tmp_path: Path) -> None:
    odd = replace(SCORED, file="\ta\nb\r\u202e\udcff.png", message="two\nlines")
    write_results(tmp_path / "results.csv", [odd, SCORED])
    assert (tmp_path / "results.csv").read_bytes().count(b"\n") == 3
    first = rows_of(tmp_path / "results.csv")[0]
    assert first["file"] == r"\x09a\x0ab\x0d\u202e\xff.png"
    assert first["message"] == r"two\x0alines"


def test_a_table_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    def broken() -> Iterator[Outcome]:
        yield SCORED
        raise OSError("disk full")

    (tmp_path / "results.csv").write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_results(tmp_path / "results.csv", broken())
    assert (tmp_path / "results.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
