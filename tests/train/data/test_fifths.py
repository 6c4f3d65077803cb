from collections import Counter
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.data import read_film_table
from cxr_train.data.fifths import FIFTHS, Fifth, fifth_of, fifths_named
from drawn_data_sets import write_film

PATIENTS = [f"nih:{number:08d}" for number in range(4000)]


def test_one_fifth_is_locked_and_one_sets_thresholds() -> None:
    dealt = Counter(map(fifth_of, PATIENTS))
    for fifth in (Fifth.LOCKED, Fifth.THRESHOLD):
        assert dealt[fifth] / len(PATIENTS) == pytest.approx(1 / FIFTHS, abs=0.02)


def test_the_fifths_of_released_models_stay_as_they_are() -> None:
    dealt = "".join(fifth_of(patient)[1] for patient in PATIENTS[:24])
    assert dealt == "rororrhhrhohrrrrrrrrrrrr"


def test_a_patient_of_one_s_own_is_never_kept_back() -> None:
    assert {fifth_of(f"clinic:{number}") for number in range(100)} == {Fifth.TRAINING}


def test_a_fifth_of_another_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no fifth 'test' of the patients; expected locked, threshold"):
        fifths_named(["threshold", "test"])


def test_films_of_patients_who_are_kept_back_are_left_out_of_a_film_table(tmp_path: Path) -> None:
    write_film(tmp_path / "films" / "0.png", True, 0)
    head = "file,label,truth,patient,site,rsna_class,boxes,source_repo"
    rows = [f"films/0.png,1,radiologist,{number},NIH,,,somewhere" for number in range(40)]
    table = tmp_path / "nih256.csv"
    table.write_text("\n".join([head, *rows]))
    taken = {film.patient for film in read_film_table([table])}
    locked = {film.patient for film in read_film_table([table], (Fifth.LOCKED,))}
    assert {fifth_of(patient) for patient in taken} == {Fifth.TRAINING}
    assert {fifth_of(patient) for patient in locked} == {Fifth.LOCKED}
    assert len(read_film_table([table], tuple(Fifth))) == len(rows)
