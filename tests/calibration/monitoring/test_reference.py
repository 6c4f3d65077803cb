import numpy as np
import pytest

from cxr_calibration.monitoring.reference import ReferenceFilm, make_reference
from cxr_calibration.statistics.distributions import Distribution


def test_a_distribution_gives_back_the_shares_it_was_made_of() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    kept = Distribution.of(values)
    assert kept is not None
    at = np.array([-9.0, -1.0, 0.0, 0.7, 9.0])
    np.testing.assert_allclose(kept.share_below(at), [np.mean(values < point) for point in at], atol=0.004)


def test_tied_values_count_half() -> None:
    kept = Distribution.of(np.array([0.0] * 50 + [1.0] * 50))
    assert kept is not None
    np.testing.assert_allclose(
        kept.share_below(np.array([-1.0, 0.0, 1.0, 2.0])), [0, 0.25, 0.75, 1], atol=0.01
    )


def test_one_value_alone_is_a_distribution_too() -> None:
    kept = Distribution.of(np.array([2.0]))
    assert kept is not None
    np.testing.assert_allclose(kept.share_below(np.array([1.0, 2.0, 3.0])), [0, 0.5, 1])


def test_a_histogram_shares_out_the_whole() -> None:
    kept = Distribution.of(np.random.default_rng(0).random(4000))
    assert kept is not None
    shares = kept.histogram(np.linspace(0, 1, 11))
    assert shares.sum() == pytest.approx(1)
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.02)


def test_rejections_count_only_where_the_films_are_all_that_came() -> None:
    films = [ReferenceFilm(0.3, 0.5, 0.2, view="PA"), ReferenceFilm(None, code="lateral"), ReferenceFilm(1.0)]
    everyday = make_reference(films, patients=None, is_everyday=True)
    assert (everyday.films, everyday.unscored, everyday.views) == (3, {"lateral": 1}, {"PA": 1})
    chosen = make_reference(films, patients=1, is_everyday=False)
    assert (chosen.films, chosen.unscored, chosen.independent_films) == (None, {}, 1)
    assert everyday.brightness is not None
    assert everyday.brightness.films == 1


def test_a_reference_without_a_score_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one scored film"):
        make_reference([ReferenceFilm(None, code="lateral")], patients=None, is_everyday=True)
