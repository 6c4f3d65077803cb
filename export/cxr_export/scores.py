"""What a network says of prepared films, whoever runs it."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.model.preprocessing import Preprocessing, normalise

FILMS_AT_ONCE = 8


def run_films(engine: Engine, inputs: NDArray[np.uint8], how: Preprocessing) -> Outputs:
    """Both outputs of all films.

    Args:
        engine: takes batches of FILMS_AT_ONCE; it is closed.
        inputs: (N, H, W) uint8, as the preprocessing leaves them.
        how: the network's preprocessing.
    """
    starts = range(0, len(inputs), FILMS_AT_ONCE)
    parts = [engine.run(normalise(inputs[start : start + FILMS_AT_ONCE], how)) for start in starts]
    engine.close()
    return Outputs(
        np.concatenate([part.logits for part in parts]), np.concatenate([part.conv5 for part in parts])
    )


def film_scores(outputs: Outputs) -> NDArray[np.float64]:
    """(N,) 0..100, softmax of abnormal, without calibration."""
    margin = outputs.logits[:, 1].astype(np.float64) - outputs.logits[:, 0]
    return np.asarray(100 * np.exp(-np.logaddexp(0.0, -margin)), np.float64)
