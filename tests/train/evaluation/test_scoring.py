"""Out-of-fold margins as the labels file that a calibration reads."""

import csv
from pathlib import Path

import numpy as np

from cxr_calibration.out_of_fold import read_margins
from cxr_runtime.progress import Silence
from cxr_train.data import read_data_set
from cxr_train.data.known import known_films
from cxr_train.evaluation.scoring import margins_csv, score_films


def test_margins_are_the_logits_of_films_whose_patients_were_never_seen(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    table = tmp_path / "margins.csv"
    table.write_bytes(margins_csv(finished_run, [data_set], cache=cache))
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    films, reference = read_margins(table)
    assert len(rows) == films.films > 5
    assert not {row["patient"] for row in rows} & known_films(finished_run).patients
    drawn = read_data_set(data_set).films
    at = {film.name: row for row, film in enumerate(drawn)}
    asked = np.array([at[row["file"]] for row in rows])
    said = score_films(finished_run, drawn, asked, cache, "cpu", Silence()).probability[asked]
    np.testing.assert_allclose(1 / (1 + np.exp(-films.margins)), said, atol=1e-5)
    assert [row["label"] for row in rows] == [f"{drawn[row].label:.0f}" for row in asked]
    assert reference is not None
