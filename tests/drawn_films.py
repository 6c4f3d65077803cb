"""Films drawn from two bell curves, for tests."""

import numpy as np

from cxr_calibration.labels.labelled_films import LabelledFilms


def drawn_films(
    films: int, *, apart: float = 2.0, prevalence: float = 0.5, films_a_patient: int = 1, seed: int = 0
) -> LabelledFilms:
    """Margins of abnormal films lie `apart` standard deviations above those of normal ones.

    The margin is the true log odds where half of the films are abnormal.
    """
    random = np.random.default_rng(seed)
    patients = np.arange(films) // films_a_patient
    truth = (random.random(films) < prevalence)[patients * films_a_patient]
    shared = random.normal(size=films)[patients] if films_a_patient > 1 else 0.0
    share = 0.7 if films_a_patient > 1 else 0.0
    noise = np.sqrt(share) * shared + np.sqrt(1 - share) * random.normal(size=films)
    margins = apart * (apart * (truth - 0.5) + noise)
    return LabelledFilms(margins, truth, patients.astype(np.str_))
