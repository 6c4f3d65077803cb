"""From the network's margin to a probability: temperature, Platt's line, or isotonic knots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

METHODS = ("temperature", "platt", "isotonic")


@dataclass(frozen=True, kw_only=True)
class ProbabilityMap:
    """A rising map, so that no calibration changes the order of the worklist."""

    method: str  # one of METHODS
    temperature: float = 1.0  # method temperature: sigmoid(margin / temperature), above 0
    slope: float = 1.0  # method platt: sigmoid(slope * margin + intercept), above 0
    intercept: float = 0.0  # method platt
    knots: tuple[tuple[float, float], ...] = ()  # method isotonic: (margin, probability), both rising

    def __post_init__(self) -> None:
        """Refuse what is no rising map.

        Raises:
            ValueError: unknown method, or parameters that are not finite, positive or rising.
        """
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is none of {', '.join(METHODS)}")
        numbers = (self.temperature, self.slope, self.intercept)
        if not np.isfinite(numbers).all() or self.temperature <= 0 or self.slope <= 0:
            raise ValueError("the temperature or slope is not a positive, finite number")
        if self.method == "isotonic":
            self._check_knots()

    def _check_knots(self) -> None:
        if len(self.knots) < 2:
            raise ValueError("method isotonic needs at least two knots")
        knots = np.array(self.knots, np.float64)
        margins_rise, values_rise = np.diff(knots, axis=0).T
        within = np.isfinite(knots).all() and (knots[:, 1] >= 0).all() and (knots[:, 1] <= 1).all()
        if not within or (margins_rise <= 0).any() or (values_rise < 0).any():
            raise ValueError("the isotonic knots do not rise from 0 to 1")

    def probability(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of abnormal.

        Args:
            margin: (B,) float64, logit of abnormal minus logit of normal.

        Returns:
            (B,) float64 in 0..1.
        """
        if self.method == "isotonic":
            at, value = np.array(self.knots, np.float64).T
            return np.asarray(np.interp(margin, at, value), np.float64)
        if self.method == "platt":
            return _sigmoid(self.slope * margin + self.intercept)
        return _sigmoid(margin / self.temperature)


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -x))
    return result
