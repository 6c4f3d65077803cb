"""What a scan on many machines takes: measured by process, reckoned by a model, and drawn."""

from pathlib import Path

import pytest

from cxr_export.scale.curve import draw_memory
from cxr_export.scale.model import Costs, Price, Sizes, scale_table
from cxr_export.scale.workers import LEAST_FILMS, Measured, measure_workers, workers_table
from cxr_runtime.benchmark.scale import Point, Run
from cxr_runtime.errors import UsageError

COSTS = Costs(reading=12.0, station=12.0, writing=0.6, ray=0.4)
SIZES = Sizes(film=400_000, pictures=700_000, store=50_000)


def test_cores_add_up_until_the_one_process_that_writes_has_no_more_time() -> None:
    assert COSTS.rate(1) == pytest.approx(40)
    assert COSTS.rate(2) == pytest.approx(80)
    assert COSTS.rate(1000) == pytest.approx(1000 / 0.6)


def test_the_table_of_two_workers_says_how_many_times_one_they_are() -> None:
    one = Measured(1, 400, 10.0, COSTS, SIZES)
    two = Measured(2, 400, 6.25, COSTS, SIZES)
    table = workers_table([one, two])
    assert "| 1 | 40.0 | 100 % | 40.0 | 40.0 |" in table
    assert "| 2 | 64.0 | 80 % | 80.0 | 80.0 |" in table
    assert "Two workers do 1.60 times what one does; 2.00 times if both have all of their cores." in table


def test_millions_of_films_are_reckoned() -> None:
    table = scale_table([1_000_000], 64, COSTS, SIZES, Price(0.04, 0.02))
    assert "| processor time | 7 core hours |" in table
    assert "| pictures | 0.70 TB |" in table


def test_too_few_films_are_refused() -> None:
    with pytest.raises(UsageError, match=f"expected {LEAST_FILMS} or more"):
        measure_workers([Path("a.png")], 1)


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    points = [Point("scan of {:,} films", films, Run(1.0, 1.0, 200), "") for films in (100, 1000)]
    draw_memory({"films scored": points}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
