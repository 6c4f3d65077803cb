import numpy as np
import pytest

from cxr_calibration.labels.site_films import ABNORMAL, NOT_KNOWN, SiteFilms
from cxr_calibration.monitoring.foreign_nights import foreign_table
from cxr_runtime.errors import UsageError
from cxr_runtime.model.looks import LOOKS


def _site(films: int, *, shift: float = 0.0, labelled: bool = True, seed: int = 0) -> SiteFilms:
    random = np.random.default_rng(seed)
    kinds = (random.random(films) < 0.4).astype(np.intp)
    looks = random.normal(size=(films, len(LOOKS))) + shift
    looks[:, 3] += kinds
    return SiteFilms(
        margins=random.normal(size=films) + 3.0 * kinds,
        looks=looks,
        kinds=kinds if labelled else np.full(films, NOT_KNOWN, np.intp),
        views=np.array(random.choice(["PA", "AP"], films), np.str_),
        patients=np.array([f"{seed}-{number}" for number in range(films)], np.str_),
    )


def test_nights_of_home_are_quiet_and_those_of_another_hospital_are_called_foreign() -> None:
    away = {"far": _site(200, shift=1.5, seed=1), "near": _site(200, seed=2, labelled=False)}
    lines = foreign_table(_site(800), away, nights=10, sizes=(20, 100)).splitlines()
    rows = {line.split("|")[1].strip(): line for line in lines[2:]}
    assert all(" 0 % " in rows[name] for name in rows if "far" not in name)
    assert "100 %" in rows["far: films as they come"]
    assert "far: normal films alone" in rows
    assert "near: normal films alone" not in rows


def test_a_night_larger_than_what_there_is_to_draw_from_is_left_blank() -> None:
    table = foreign_table(_site(300), {"small": _site(30, shift=1.5, seed=1)}, nights=2, sizes=(20, 100))
    (row,) = (line for line in table.splitlines() if "small: films as they come" in line)
    assert row.rstrip(" |").endswith("-")


def test_too_few_films_at_home_are_refused() -> None:
    with pytest.raises(UsageError, match="too few for a reference"):
        foreign_table(_site(60), {}, nights=1)


def test_films_of_several_sites_can_be_put_together_and_chosen() -> None:
    both = SiteFilms.together([_site(30), _site(20, seed=1)])
    assert len(both) == 50
    abnormal = both.of(both.kinds == ABNORMAL)
    assert len(abnormal) == int(both.kinds.sum())
