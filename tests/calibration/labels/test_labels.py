from hashlib import sha256
from pathlib import Path

import pytest

from cxr_calibration.labels.labels import read_labels
from cxr_runtime.errors import UsageError


def _file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_every_column_is_read_whatever_its_case_and_order(tmp_path: Path) -> None:
    text = "Label,FILE,sex,Age,View,site,patient,reader\n1,a.png,f,67,pa,Old Town,p1,Dr X\n"
    (label,) = read_labels(_file(tmp_path, text))
    assert (label.file, label.path, label.abnormal, label.patient) == (
        "a.png",
        tmp_path / "a.png",
        True,
        "p1",
    )
    assert label.subgroups == ("PA", "F", "65 and over", "Old Town")


def test_what_is_not_stated_stays_empty(tmp_path: Path) -> None:
    (label,) = read_labels(_file(tmp_path, "file,label\na.png,0\n"))
    assert (label.abnormal, label.patient, label.sha256) == (False, "", "")
    assert label.subgroups == ("", "", "", "")


def test_a_spreadsheets_semicolons_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    text = "file;label\r\n\r\nfilms/ä, b.png;1\r\n;\r\n"
    (label,) = read_labels(_file(tmp_path, text, "utf-8-sig"))
    assert label.file == "films/ä, b.png"


@pytest.mark.parametrize(
    ("age", "group"), [("34", "18-39"), ("034Y", "18-39"), ("18M", "under 18"), ("3.5", "under 18"), ("", "")]
)
def test_ages_are_in_years_or_as_dicom_writes_them(tmp_path: Path, age: str, group: str) -> None:
    (label,) = read_labels(_file(tmp_path, f"file,label,age\na.png,0,{age}\n"))
    assert label.subgroups[2] == group


def test_a_films_digest_is_the_stated_one_or_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"film")
    text = f"file,label,sha256\na.png,0,\ngone.png,0,\n,1,{'AB' * 32}\n"
    assert [label.digest() for label in read_labels(_file(tmp_path, text))] == [
        sha256(b"film").hexdigest(),
        "",
        "ab" * 32,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no header, expected file or sha256, label"),
        ("film,label\na.png,1\n", "no column file or sha256; found film, label, expected file"),
        ("file,label\n", "no rows"),
        ("file,label\na.png,2\n", "line 2, column label: found '2', expected 0 or normal"),
        ("file,label\na.png,1\nb.png\n", "line 3, column label: found nothing, expected 0"),
        ("file,label\na.png,unknown\n", "line 2, column label: found 'unknown', expected 0"),
        ("file,label\n,1\n", "line 2, column file: found nothing, expected the path"),
        ("file,label,age\na.png,1,old\n", "line 2, column age: found 'old', expected years"),
        ("file,label,sex\na.png,1,x\n", "line 2, column sex: found 'x', expected F, M or O"),
        ("file,label,view\na.png,1,front\n", "line 2, column view: found 'front', expected PA, AP or"),
        ("file,label\na,b.png,1\n", "line 2 has 3 cells, the header has 2; put quotes"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_labels(_file(tmp_path, text))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    for path in (tmp_path / "labels.csv", tmp_path / "nowhere.csv"):
        with pytest.raises(UsageError, match=r"is not text|cannot be read \(No such file"):
            read_labels(path)


def test_a_film_can_stand_for_others(tmp_path: Path) -> None:
    text = "file,label,weight\na.png,1,6.5\nb.png,0,\n"
    assert [label.weight for label in read_labels(_file(tmp_path, text))] == [6.5, 1.0]
    for weight in ("0", "-3", "1e9", "many"):
        with pytest.raises(UsageError, match="column weight"):
            read_labels(_file(tmp_path, f"file,label,weight\na.png,1,{weight}\n"))
