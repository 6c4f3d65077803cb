from pathlib import Path

import pytest

from cxr_calibration.labels.film_csv import columns_of, read_rows
from cxr_calibration.labels.labels import read_labels
from cxr_runtime.errors import UsageError
from cxr_train.data import read_data_set
from drawn_data_sets import write_film


def _file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "films.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_as_any_spreadsheet_saves_it(
    tmp_path: Path, delimiter: str, encoding: str, end: str
) -> None:
    text = end.join(delimiter.join(cells) for cells in (("File", "LABEL"), ("Müller.png", "1"))) + end
    (row,) = read_rows(_file(tmp_path, text, encoding), ("file", "label"))
    assert (row["file"], row["Label"], row["age"], row.line) == ("Müller.png", "1", "", 2)


def test_a_quoted_cell_may_hold_the_delimiter_and_line_ends(tmp_path: Path) -> None:
    first, second = read_rows(_file(tmp_path, 'file,note\n"a, b.png","two\nlines"\nc.png,\n'), ("file",))
    assert (first["file"], first["note"], first.line) == ("a, b.png", "two\nlines", 3)
    assert (second["file"], second.line) == ("c.png", 4)


def test_blank_rows_and_empty_columns_at_the_end_do_no_harm(tmp_path: Path) -> None:
    path = _file(tmp_path, "\nfile,label,\n,,\na.png,1,,\n")
    assert [row["file"] for row in read_rows(path, ("file",))] == ["a.png"]
    assert columns_of(path) == {"file", "label"}


def test_a_cell_that_cannot_be_understood_is_named_with_what_was_expected(tmp_path: Path) -> None:
    (row,) = read_rows(_file(tmp_path, "file,age\na.png,old\n"), ("file",))
    with pytest.raises(UsageError, match=r"films\.csv, line 2, column age: found 'old', could not convert"):
        row.fact("age", float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column file; found no header, expected file, label"),
        ("file,truth\n", "has no column label; found file, truth, expected file, label"),
        ("file,label\na,b.png,1\n", "line 2 has 3 cells, the header has 2; put quotes"),
        ("file,label\n\0", "is not text; expected a CSV"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        read_rows(_file(tmp_path, text), ("file", "label"))
    assert "\n" not in str(refused.value)


def test_calibrate_train_and_evaluate_read_the_same_of_one_table(tmp_path: Path) -> None:
    text = (
        "file;Label;view;sex;age;site\na.png;abnormal;P.A.;female;062Y;Ward 3\nb.png;healthy;ap;m;6 months;\n"
    )
    for name in ("a.png", "b.png"):
        write_film(tmp_path / name, False, 0)
    labels, films = read_labels(_file(tmp_path, text)), read_data_set(tmp_path / "films.csv").films
    for label, film in zip(labels, films, strict=True):
        assert (label.path, label.abnormal, label.view, label.sex, label.age, label.site) == (
            (film.path, film.label == 1.0, film.view, film.sex, film.age, film.site)
        )
    assert [label.age for label in labels] == [62.0, 0.5]
