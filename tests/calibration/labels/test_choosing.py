from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.labels.choosing import choose, write_films_to_read
from cxr_calibration.labels.choosing_trials import choosing_table
from cxr_calibration.labels.film_csv import read_rows
from cxr_calibration.labels.site_films import SiteFilms
from cxr_runtime.errors import UsageError
from cxr_runtime.model.looks import LOOKS
from scored_scans import rejected, scored

MARGINS = np.random.default_rng(0).normal(size=500)


@pytest.mark.parametrize("films", [30, 60, 61, 500])
def test_so_many_films_are_chosen_each_once_and_their_weights_make_the_scan(films: int) -> None:
    chosen = choose(MARGINS, films)
    assert chosen.rows.size == np.unique(chosen.rows).size == films
    assert chosen.weights.sum() == pytest.approx(500)
    assert (chosen.weights >= 1).all()


def test_high_scores_are_chosen_more_often_and_count_less() -> None:
    chosen = choose(MARGINS, 60)
    high = MARGINS[chosen.rows] >= np.quantile(MARGINS, 0.93)
    assert high.sum() == 10
    assert chosen.weights[high].max() < chosen.weights[~high].min()


def test_the_weighted_share_of_any_property_is_right_on_average() -> None:
    abnormal = MARGINS > 1.0
    shares = []
    for seed in range(100):
        chosen = choose(MARGINS, 60, seed)
        shares.append(float(chosen.weights[abnormal[chosen.rows]].sum() / 500))
    assert np.mean(shares) == pytest.approx(abnormal.mean(), abs=0.01)


def test_the_order_says_nothing_of_the_scores() -> None:
    chosen = choose(MARGINS, 200)
    assert abs(np.corrcoef(MARGINS[chosen.rows], np.arange(200))[0, 1]) < 0.2


def test_the_file_to_read_has_no_score_and_is_never_replaced(tmp_path: Path) -> None:
    scores = [scored(f"{number}.png", margin) for number, margin in enumerate(MARGINS[:80].tolist())]
    path = tmp_path / "new" / "to-read.csv"
    assert write_films_to_read([*scores, rejected("x.png", "lateral"), scores[0]], 40, path) == 80
    rows = read_rows(path, ("file", "sha256", "label", "weight"))
    assert len(rows) == 40
    assert {row["label"] for row in rows} == {""}
    assert path.read_text().splitlines()[0] == "file,sha256,label,weight"
    with pytest.raises(UsageError, match="is there already"):
        write_films_to_read(scores, 40, path)


@pytest.mark.parametrize("films", [5, 81])
def test_too_few_or_too_many_films_are_refused(tmp_path: Path, films: int) -> None:
    scores = [scored(f"{number}.png", margin) for number, margin in enumerate(MARGINS[:80].tolist())]
    with pytest.raises(UsageError, match=f"{films} films cannot be chosen of 80"):
        write_films_to_read(scores, films, tmp_path / "to-read.csv")


def test_chosen_films_tell_more_of_specificity_than_films_at_random() -> None:
    random = np.random.default_rng(4)
    kinds = (random.random(2000) < 0.5).astype(np.intp)
    site = SiteFilms(
        margins=random.normal(size=2000) + 2.5 * kinds,
        looks=np.zeros((2000, len(LOOKS))),
        kinds=kinds,
        views=np.full(2000, "PA"),
        patients=np.arange(2000).astype(np.str_),
    )
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in choosing_table({"drawn": site}, draws=60).splitlines()[2:]
    ]
    at_random, chosen = rows[2], rows[3]
    assert (at_random[1], at_random[2], chosen[2]) == ("10 %", "at random", "chosen")
    assert int(chosen[3]) > int(at_random[3])
    assert int(chosen[5]) <= int(at_random[5])
