from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_train.data import Truth, read_data_set, read_film_table
from drawn_data_sets import write_film


def montgomery(folder: Path) -> Path:
    for stem, reading in (
        ("MCUCXR_0001_0", "Patient's Sex: F\nPatient's Age: 027Y\nnormal\n"),
        ("MCUCXR_0104_1", "Patient's Sex: M\nPatient's Age: 069Y\nRUL infiltrate\n"),
    ):
        write_film(folder / "CXR_png" / f"{stem}.png", stem.endswith("1"), 0)
        for side in ("leftMask", "rightMask"):
            write_film(folder / "ManualMask" / side / f"{stem}.png", False, 0)
        (folder / "ClinicalReadings").mkdir(exist_ok=True)
        (folder / "ClinicalReadings" / f"{stem}.txt").write_text(reading, encoding="utf-8")
    return folder


def test_montgomery_as_downloaded(tmp_path: Path) -> None:
    films = read_data_set(montgomery(tmp_path / "MontgomerySet")).films
    assert [(film.label, film.sex, film.age, film.view) for film in films] == [
        (0.0, "F", 27.0, View.PA),
        (1.0, "M", 69.0, View.PA),
    ]
    assert all(film.site == "Montgomery" and film.truth is Truth.CLINIC for film in films)


@pytest.mark.parametrize(
    ("reading", "sex", "age"),
    [
        ("male  45yrs\nnormal", "M", 45.0),
        ("Female 24yrs\r\nright PTB", "F", 24.0),
        ("male, 8 months\nPTB", "M", 8 / 12),
        ("no reading", "", None),
    ],
)
def test_shenzhen_as_downloaded(reading: str, sex: str, age: float | None, tmp_path: Path) -> None:
    folder = tmp_path / "ChinaSet_AllFiles"
    write_film(folder / "CXR_png" / "CHNCXR_0330_1.png", True, 0)
    (folder / "ClinicalReadings").mkdir()
    (folder / "ClinicalReadings" / "CHNCXR_0330_1.txt").write_text(reading, encoding="utf-8")
    (film,) = read_data_set(folder).films
    assert (film.label, film.sex, film.age, film.site, film.view) == (1.0, sex, age, "Shenzhen", View.UNKNOWN)


def test_a_film_of_neither_set_is_named(tmp_path: Path) -> None:
    folder = montgomery(tmp_path)
    write_film(folder / "CXR_png" / "holiday.png", False, 0)
    with pytest.raises(UsageError, match=r"holiday\.png"):
        read_data_set(folder)


def nih(folder: Path) -> Path:
    header = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
    )
    rows = (
        "00000001_000.png,Cardiomegaly|Effusion,0,1,58,M,PA,2682,2749,0.143,0.143,",
        "00000002_000.png,No Finding,0,2,414,F,AP,2500,2048,0.168,0.168,",
        "00000003_000.png,Hernia,0,3,74,F,PA,2500,2048,0.168,0.168,",
    )
    folder.mkdir()
    (folder / "Data_Entry_2017.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,,,\n00000001_000.png,Cardiomegaly,256,512,512,128,,,\n",
        encoding="utf-8",
    )
    write_film(folder / "images_001" / "images" / "00000001_000.png", True, 0)
    write_film(folder / "images_002" / "images" / "00000002_000.png", False, 1)
    return folder


def test_chestxray14_as_downloaded(tmp_path: Path) -> None:
    data = read_data_set(nih(tmp_path / "nih"))
    first, second = data.films
    assert data.absent == 1
    assert (first.label, first.patient, first.view, first.age) == (1.0, "nih:00000001", View.PA, 58.0)
    assert first.findings == frozenset({"Cardiomegaly", "Effusion"})
    assert first.boxes[0].share_xyxy == (0.25, 0.5, 0.75, 0.625)
    assert (second.label, second.findings, second.age, second.boxes) == (0.0, frozenset(), None, ())
    assert first.truth is Truth.REPORT


def test_any_csv(tmp_path: Path) -> None:
    write_film(tmp_path / "films" / "a.png", False, 0)
    write_film(tmp_path / "films" / "b.png", True, 0)
    (tmp_path / "mine.csv").write_text(
        "file,label,patient,view,sex,age,weight\nfilms/a.png,0,7,pa,f,061Y,0.5\nfilms/b.png,,8,,,,\n",
        encoding="utf-8",
    )
    first, second = read_data_set(tmp_path / "mine.csv").films
    assert (first.label, first.patient, first.view, first.sex, first.age, first.weight) == (
        (0.0, "mine:7", View.PA, "F", 61.0, 0.5)
    )
    assert (second.label, second.age, second.weight, second.findings) == (None, None, 1.0, None)


def test_a_patient_of_one_site_is_the_same_in_every_table_and_another_at_another_site(tmp_path: Path) -> None:
    write_film(tmp_path / "a.png", False, 0)
    patients = []
    for name, site in (("old.csv", "A"), ("new.csv", "A"), ("other.csv", "B"), ("old.csv", "")):
        (tmp_path / name).write_text(f"file,label,patient,site\na.png,0,7,{site}\n", encoding="utf-8")
        patients.append(read_data_set(tmp_path / name).films[0].patient)
    assert patients == ["A:7", "A:7", "B:7", "old:7"]


def test_a_wrong_value_is_named_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("file,label\na.png,maybe\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"mine\.csv, line 2, column label: found 'maybe', expected 0"):
        read_data_set(tmp_path / "mine.csv")


def test_a_table_whose_films_are_all_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("file,label\na.png,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="none of the 1 films"):
        read_data_set(tmp_path / "mine.csv")


def test_films_that_are_not_there_are_counted_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_film(tmp_path / "a.png", False, 0)
    (tmp_path / "mine.csv").write_text("file,label\na.png,0\nb.png,1\nc.png,1\n", encoding="utf-8")
    assert len(read_film_table([tmp_path / "mine.csv"])) == 1
    (line,) = caplog.messages
    assert line.startswith(f"look: {tmp_path / 'mine.csv'}: 2 of 3 films missing, e.g. {tmp_path / 'b.png'};")


def test_findings_are_understood_in_any_case_with_blanks_or_underscores(tmp_path: Path) -> None:
    write_film(tmp_path / "a.png", True, 0)
    cells = ("effusion | MASS", "Pleural Thickening|pleural_thickening|", "no finding", "")
    rows = "\n".join(f"a.png,1,{cell}" for cell in cells)
    (tmp_path / "mine.csv").write_text(f"file,label,findings\n{rows}\n", encoding="utf-8")
    assert [film.findings for film in read_data_set(tmp_path / "mine.csv").films] == [
        {"Effusion", "Mass"},
        {"Pleural_Thickening"},
        frozenset(),
        None,
    ]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("findings", "Mass|Tumour", "names joined by .*, of Atelectasis, .*Hernia"),
        ("weight", "-2", "0 or more"),
    ],
)
def test_a_finding_that_is_unknown_or_a_weight_below_0_is_refused(
    column: str, cell: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text(f"file,label,{column}\na.png,1,{cell}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"line 2, column {column}: found .*, expected {expected}"):
        read_data_set(tmp_path / "mine.csv")


def test_a_folder_of_no_known_layout_is_told_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Data_Entry_2017\.csv"):
        read_data_set(tmp_path)


def test_a_radiologist_s_class_goes_before_the_report(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_film(tmp_path / "nih512" / f"{name}.jpg", False, 0)
    box = '[{""src"": ""RSNA2018"", ""label"": ""Lung Opacity"", ""xywh"": [128, 256, 64, 128]}]'
    (tmp_path / "nih512.csv").write_text(
        "file,patient,view,sex,age,nih_findings,rsna_class,n_boxes,boxes_512,source_repo\n"
        "nih512/a.jpg,00000001,PA,F,30,Mass,Normal,0,,x\n"
        f'nih512/b.jpg,00000002,AP,M,40,No Finding,Lung Opacity,1,"{box}",x\n'
        "nih512/c.jpg,00000003,AP,M,50,Mass|Nodule,,0,,x\n",
        encoding="utf-8",
    )
    films = read_data_set(tmp_path / "nih512.csv").films
    assert [(film.label, film.truth) for film in films] == [
        (0.0, Truth.RADIOLOGIST),
        (1.0, Truth.RADIOLOGIST),
        (1.0, Truth.REPORT),
    ]
    assert films[1].boxes[0].share_xyxy == (0.25, 0.5, 0.375, 0.75)
    assert films[1].boxes_complete


def test_nlm_films_in_small(tmp_path: Path) -> None:
    write_film(tmp_path / "nlm128" / "CHNCXR_0001_0.png", False, 0)
    (tmp_path / "nlm128.csv").write_text(
        "file,site,label,xtbtorch_split,sex,age,clinical_reading,lung_landmarks\n"
        "nlm128/CHNCXR_0001_0.png,Shenzhen,0,train,,,,0\n",
        encoding="utf-8",
    )
    (film,) = read_data_set(tmp_path / "nlm128.csv").films
    assert (film.label, film.patient, film.truth, film.age) == (0.0, "nlm:CHNCXR_0001_0", Truth.CLINIC, None)


GATHERED = "file,label,truth,patient,view,sex,age,site,rsna_class,findings,boxes,source_repo"


def gathered(folder: Path, *rows: str) -> Path:
    write_film(folder / "films" / "0.png", True, 0)
    table = folder / "gathered.csv"
    table.write_text(
        "\n".join([GATHERED, *(f"films/0.png,{row},somewhere" for row in rows)]), encoding="utf-8"
    )
    return table


def test_the_newer_tables_name_a_patient_of_nih_as_the_older_ones_do(tmp_path: Path) -> None:
    table = gathered(tmp_path, '1,radiologist,13,AP,M,56,NIH,Lung Opacity,Mass|Edema,"[[0,0,0.5,0.5]]"')
    (film,) = read_data_set(table).films
    assert (film.patient, film.radiologist_class) == ("nih:00000013", "Lung Opacity")
    assert film.findings == frozenset({"Mass", "Edema"})
    assert film.boxes_complete


def test_a_radiologist_s_normal_is_believed_before_the_report(tmp_path: Path) -> None:
    (film,) = read_data_set(gathered(tmp_path, "0,radiologist,3,PA,F,76,NIH,Normal,Hernia,")).films
    assert film.findings == frozenset()


def test_the_label_of_a_hospital_of_the_ill_alone_teaches_nothing_but_its_boxes_do(tmp_path: Path) -> None:
    table = gathered(tmp_path, '1,clinic,,,,,TBX11K (China),,tuberculosis,"[[0,0,0.5,0.5]]"')
    (film,) = read_data_set(table).films
    assert (film.label, film.weight, film.patient) == (1.0, 0.0, "tbx11k:0")
    assert film.boxes_complete
    assert film.findings is None
