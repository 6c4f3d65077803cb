"""Films with scores and truth: what everything here is fitted and measured on."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.checked import Scores, Truth

NOT_STATED = ""  # a film whose view, sex or site is not known


@dataclass(frozen=True)
class LabelledFilms:
    """N films that the network was not trained on, or whose margins are out-of-fold."""

    margins: Scores = field(repr=False)  # (N,) logit of abnormal minus logit of normal
    truth: Truth = field(repr=False)  # (N,) True is abnormal
    patients: NDArray[np.str_] = field(repr=False)  # (N,) one value a patient
    subgroups: dict[str, NDArray[np.str_]] = field(default_factory=dict, repr=False)
    # (N,) of each name, say view, sex, age group or site; NOT_STATED where it is not known

    def __post_init__(self) -> None:
        """Refuse lists of different lengths."""
        sizes = {self.margins.shape, self.truth.shape, self.patients.shape}
        sizes |= {levels.shape for levels in self.subgroups.values()}
        if sizes != {(self.margins.size,)}:
            raise ValueError(
                f"margins, truth, patients and subgroups have shapes {sizes}; expected one length"
            )

    @property
    def films(self) -> int:
        """Number of films."""
        return int(self.margins.size)

    @property
    def abnormal(self) -> int:
        """Number of abnormal films."""
        return int(self.truth.sum())

    @property
    def normal(self) -> int:
        """Number of normal films."""
        return self.films - self.abnormal

    @property
    def number_of_patients(self) -> int:
        """Number of different patients."""
        return int(np.unique(self.patients).size)
