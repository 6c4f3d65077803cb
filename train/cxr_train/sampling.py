"""Which films an epoch shows, in which order."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from cxr_runtime.errors import UsageError
from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.split import Rows


def epoch_order(
    films: Sequence[TrainingFilm],
    rows: Rows,
    balance: Sequence[str],
    seed: Sequence[int],
    evenness: float = 1.0,
    quotas: Mapping[str, float] | None = None,
) -> Rows:
    """As many rows as there are, in the order to show them.

    Args:
        films: the film table.
        rows: the training side.
        balance: columns of the table, e.g. label and view: films are then drawn, with repeats, so that every
            combination of these is shown equally often. Without any, each film is shown once.
        seed: decides the order.
        evenness: 1: as said of balance; 0.5: half-way to each film as often; 0: each film as often.
        quotas: shares of the films shown by who labelled them, e.g. {"radiologist": 0.4, "report": 0.6};
            others are not shown. Balance then holds within each.

    Raises:
        UsageError: no film is labelled as the quotas ask.
    """
    rng = np.random.default_rng(list(seed))
    if not balance and not quotas:
        return rng.permutation(rows)
    shown = [films[row] for row in rows]
    columns = [column(shown, name) for name in balance]
    strata = [tuple(values[film] for values in columns) for film in range(len(shown))]
    size = Counter(strata)
    weights = np.array([size[stratum] ** -evenness for stratum in strata])
    if quotas:
        truths = np.array([str(film.truth) for film in shown])
        for truth in set(truths.tolist()):
            among = truths == truth
            weights[among] *= quotas.get(truth, 0.0) / weights[among].sum()
    if not weights.sum() > 0:
        asked = ", ".join(name for name, share in quotas.items() if share) if quotas else ""
        raise UsageError(f"quotas ask for films labelled by {asked or 'nobody'}; there is none to train on")
    return rng.choice(rows, len(rows), p=weights / weights.sum())
