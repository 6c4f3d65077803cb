"""Which films an epoch shows, in which order."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.split import Rows


def epoch_order(
    films: Sequence[TrainingFilm], rows: Rows, balance: Sequence[str], seed: Sequence[int]
) -> Rows:
    """As many rows as there are, in the order to show them.

    Args:
        films: the film table.
        rows: the training side.
        balance: columns of the table, e.g. label and view: films are then drawn, with repeats, so that every
            combination of these is shown equally often. Without any, each film is shown once.
        seed: decides the order.
    """
    rng = np.random.default_rng(list(seed))
    if not balance:
        return rng.permutation(rows)
    shown = [films[row] for row in rows]
    strata = list(zip(*(column(shown, name) for name in balance), strict=True))
    size = Counter(strata)
    weights = np.array([1 / size[stratum] for stratum in strata])
    return rng.choice(rows, len(rows), p=weights / weights.sum())
