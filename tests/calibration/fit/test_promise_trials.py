import numpy as np

from cxr_calibration.fit.promise_trials import promise_table
from cxr_calibration.fit.wider import Beside
from cxr_calibration.labels.labelled_films import LabelledFilms
from drawn_films import drawn_films


def _cells(table: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def test_a_correction_by_a_network_that_sees_the_same_misses_less() -> None:
    random, everybody = np.random.default_rng(1), drawn_films(3000, apart=1.6)
    beside = everybody.margins + 0.3 * random.normal(size=3000)
    here = LabelledFilms(everybody.margins[:400], everybody.truth[:400], everybody.patients[:400])
    more = LabelledFilms(beside[400:], everybody.truth[400:], everybody.patients[400:])
    rows = _cells(promise_table(here, Beside(beside[:400], more), draws=150))
    assert len(rows) == 8
    for measure in ("sensitivity", "specificity"):
        (draws, _, off, _), (_, _, less, _) = (
            rows[f"{measure}: the films themselves"],
            rows[f"{measure}: corrected"],
        )
        assert draws == "150"
        assert float(less) < 0.7 * float(off)
        hard = rows[f"{measure}: corrected, films as hard as here"]
        assert hard[0] == "0" or abs(float(hard[1])) < 3


def test_where_no_draw_is_as_hard_nothing_is_said() -> None:
    films = drawn_films(200, apart=1.6)
    far = LabelledFilms(films.margins + 9, films.truth, films.patients)
    rows = _cells(promise_table(films, Beside(films.margins, far), draws=2))
    assert rows["sensitivity: corrected, films as hard as here"] == ["0", "-", "-", "-"]
