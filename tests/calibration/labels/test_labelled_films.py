from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.labels.labelled_films import gather
from cxr_calibration.labels.labels import Label
from cxr_calibration.monitoring.reference import reference_films
from cxr_runtime.errors import CalibrationError, UsageError
from cxr_runtime.film import View
from scored_scans import rejected, scored


def _label(
    file: str, abnormal: bool = False, line: int = 2, patient: str = "", view: View = View.UNKNOWN
) -> Label:
    return Label(line, file, Path(file), "", abnormal, patient, view)


def _digest(file: str) -> str:
    return scored(file, 0.0).outcome.sha256


def test_films_are_matched_by_their_bytes_whatever_their_names() -> None:
    scores = [scored("night/1.png", -1.0), scored("night/2.png", 2.0)]
    labels = [_label("b.png", abnormal=True), _label("a.png")]
    found = gather(labels, [_digest("night/2.png"), _digest("night/1.png")], scores)
    assert found.films.margins.tolist() == [2.0, -1.0]
    assert found.films.truth.tolist() == [True, False]
    assert found.scores == (scores[1], scores[0])


def test_a_film_that_is_not_there_any_more_is_matched_by_the_name_the_scan_gave_it() -> None:
    found = gather([_label("night.zip!a.png")], [""], [scored("night.zip!a.png", 1.0)])
    assert found.films.films == 1


def test_films_without_a_score_are_named_with_their_reason() -> None:
    scores = [scored("a", 1.0), rejected("b", "lateral")]
    labels = [_label("a"), _label("b"), _label("c"), _label("gone.png")]
    found = gather(labels, [_digest("a"), _digest("b"), _digest("c"), ""], scores)
    assert [(film.file, film.code) for film in found.unscored] == [
        ("b", "lateral"),
        ("c", "not-in-scan"),
        ("gone.png", "file-missing"),
    ]
    assert found.unscored_by_code == {"file-missing": 1, "lateral": 1, "not-in-scan": 1}


def test_a_film_named_twice_counts_once() -> None:
    found = gather([_label("a"), _label("copy of a")], [_digest("a")] * 2, [scored("a", 1.0)])
    assert (found.films.films, found.repeated) == (1, 1)


def test_a_film_with_two_labels_is_refused() -> None:
    labels = [_label("a", line=2), _label("copy of a", abnormal=True, line=9)]
    with pytest.raises(UsageError, match=r"copy of a \(line 9\) is labelled 1, .* other label on line 2"):
        gather(labels, [_digest("a")] * 2, [scored("a", 1.0)])


def test_labels_of_which_none_has_a_score_are_refused() -> None:
    with pytest.raises(CalibrationError, match="none of 1 labelled films has a score"):
        gather([_label("a")], [_digest("a")], [rejected("a", "lateral")])


def test_patients_stay_together_and_unnamed_ones_apart() -> None:
    labels = [_label("a", patient="1"), _label("b", patient="1"), _label("c"), _label("d")]
    scores = [scored(name, 0.0) for name in "abcd"]
    patients = gather(labels, [_digest(name) for name in "abcd"], scores).films.patients
    assert patients[0] == patients[1]
    assert len(set(patients.tolist())) == 3


def test_the_labels_view_goes_before_the_films_own() -> None:
    scores = [scored("a", 0.0, view=View.PA), scored("b", 0.0, view=View.AP)]
    labels = [_label("a", view=View.AP), _label("b")]
    subgroups = gather(labels, [_digest("a"), _digest("b")], scores).films.subgroups
    assert subgroups["view"].tolist() == ["AP", "AP"]
    assert list(subgroups) == ["view"]


def test_monitoring_sees_codes_of_films_without_a_score_only() -> None:
    shown = reference_films([scored("a", 0.3, view=View.PA), rejected("b", "lateral")])
    assert [(film.margin, film.code, film.view) for film in shown] == [(0.3, "", "PA"), (None, "lateral", "")]


def test_a_film_that_stands_for_others_has_so_many_rows_and_counts_once() -> None:
    labels = [replace(_label("a", abnormal=True), weight=2.6), replace(_label("b"), weight=1.2)]
    found = gather(labels, [_digest("a"), _digest("b")], [scored("a", 1.0), scored("b", -1.0)])
    assert found.films.margins.tolist() == [1.0, 1.0, 1.0, -1.0]
    assert (found.films.films, found.films.abnormal, found.films.normal) == (2, 1, 1)
    assert found.films.number_of_patients == 2
    assert found.films.first_rows.tolist() == [0, 3]


@pytest.mark.parametrize(("weight", "rows"), [(0.5, 10), (1.0, 10), (1.4, 14), (2.5, 25)])
def test_films_keep_their_weight_together_and_none_vanishes(weight: float, rows: int) -> None:
    names = list("abcdefghij")
    labels = [replace(_label(name), weight=weight) for name in names]
    films = gather(labels, [_digest(name) for name in names], [scored(name, 0.0) for name in names]).films
    assert (films.films, films.margins.size) == (10, rows)
    assert films.stands_for.min() >= 1
    assert np.ptp(films.stands_for) <= 1


def test_a_distribution_of_weighted_films_is_worth_fewer_films() -> None:
    labels = [replace(_label("a"), weight=8.0), *(_label(name) for name in "bcdefghi")]
    found = gather(
        labels, [_digest(name) for name in "abcdefghi"], [scored(name, 0.0) for name in "abcdefghi"]
    )
    assert (found.films.independent_films, found.films.heaviest) == (4, 8)  # 16 ** 2 / (8 ** 2 + 8)
