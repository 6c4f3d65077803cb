import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.looks import LOOKS
from cxr_train.data.fifths import Fifth, fifth_of
from cxr_train.truth import table as made
from cxr_train.truth.looking import look, shipped_margins_csv
from cxr_train.truth.promises import promised
from cxr_train.truth.unseen import nodule_films, unseen_films
from drawn_data_sets import write_film
from model_folders import write_model_folder

HEAD = "file,label,truth,patient,view,site,rsna_class,boxes,source_repo"
BOX = '"[[0.1,0.1,0.6,0.6]]"'


def write_table(folder: Path, name: str, site: str = "NIH", patients: int = 60) -> Path:
    """Films whose brightness tells the class, of as many patients, in both views; the ill have a box."""
    rows = [HEAD]
    for number in range(patients):
        ill = number % 2 == 1
        write_film(folder / name / f"{number}.png", ill, number)
        kind = "Lung Opacity" if ill else "Normal"
        view, box = ("PA", "AP")[number // 2 % 2], BOX if ill else ""
        rows.append(f"{name}/{number}.png,{int(ill)},radiologist,{number},{view},{site},{kind},{box},here")
    path = folder / f"{name}.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_films_of_patients_that_were_learned_are_left_out(tmp_path: Path) -> None:
    table, learned = write_table(tmp_path, "a"), write_table(tmp_path, "b", patients=20)
    films = unseen_films([table], [Fifth.LOCKED], [learned])
    numbers = {int(film.patient.removeprefix("nih:")) for film in films}
    assert min(numbers) >= 20
    assert {fifth_of(film.patient) for film in films} == {Fifth.LOCKED}


def test_the_margins_are_those_of_the_shipped_network(tmp_path: Path) -> None:
    table, folder = write_table(tmp_path, "a"), write_model_folder(tmp_path / "model")
    films = unseen_films([table], [Fifth.THRESHOLD])
    looked = look(open_model(folder), films, tmp_path / "cache")
    assert sorted(looked.heats) == [row for row, film in enumerate(films) if film.boxes]
    lines = shipped_margins_csv(folder, [table], [Fifth.THRESHOLD], cache=tmp_path / "cache").decode().split()
    assert [float(line.split(",")[7]) for line in lines[1:]] == pytest.approx(looked.margins, abs=1e-6)
    assert all(len(line.split(",")[10].split("|")) == len(LOOKS) for line in lines[1:])
    assert np.all(looked.part([0]).margins == looked.margins[:1])


def test_no_margin_is_written_of_a_film_whose_label_was_mined_from_a_report(tmp_path: Path) -> None:
    table, folder = write_table(tmp_path, "a", patients=12), write_model_folder(tmp_path / "model")
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("a/3.png,1,radiologist", "a/3.png,1,report"), encoding="utf-8")
    lines = shipped_margins_csv(folder, [table], tuple(Fifth), cache=tmp_path / "cache").decode().split()
    assert len(lines) == 12
    assert not any(line.startswith("a/3.png") for line in lines)


def test_nodules_count_as_abnormal(tmp_path: Path) -> None:
    write_film(tmp_path / "a.png", True, 0)
    (tmp_path / "jsrt224.csv").write_text(
        "file,lung_mask,label\na.png,m.png,nodule\na.png,m.png,non-nodule\n"
    )
    assert [film.label for film in nodule_films(tmp_path / "jsrt224.csv")] == [1.0, 0.0]


def test_the_table_has_promise_and_finding_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path, "nih256")
    write_table(tmp_path, "nih224", patients=8)
    rows = [replace(row, tables=("nih256", "nih224")) for row in made.ROWS if "nih256" in row.tables]
    monkeypatch.setattr(made, "ROWS", rows)
    folder = write_model_folder(tmp_path / "small")
    text = made.truth_table([open_model(folder)], tmp_path, tuple(Fifth), cache=tmp_path / "cache")
    head, _, first, *_ = text.splitlines()
    assert head == "| films | n | abnormal | measure | promised by small | found |"
    assert first.startswith("| NIH, radiologists' classes | 68 | 34 | AUC | - | ")
    assert "hottest point in a box | - | " in text


def test_a_row_without_films_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path, "nih256")
    monkeypatch.setattr(
        made, "ROWS", [replace(row, tables=("nih256",)) for row in made.ROWS if row.view == "PA"][:1]
    )
    folder = write_model_folder(tmp_path / "small")
    text = made.truth_table([open_model(folder)], tmp_path, (), cache=tmp_path / "cache")
    assert len(text.splitlines()) == 2


def test_the_promise_of_a_view_is_that_view_s_where_there_is_one(tmp_path: Path) -> None:
    share = {"value": 0.7, "interval": [0.6, 0.8]}
    unknown = {"value": None, "interval": [None, None]}
    point = {"default": True, "sensitivity": 0.9, "sensitivity_interval": [0.8, 0.95]}
    groups = [{"variable": "view", "level": "PA", "sensitivity": share, "specificity": unknown}]
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"operating_points": {"a": {}, "b": point}, "subgroups": groups}))
    assert promised(tmp_path).sensitivity == Estimate(0.9, 0.8, 0.95)
    assert promised(tmp_path, "PA").sensitivity == Estimate(0.7, 0.6, 0.8)
    assert np.isnan(promised(tmp_path, "PA").specificity.value)
    assert promised(tmp_path, "AP").sensitivity == promised(tmp_path).sensitivity
