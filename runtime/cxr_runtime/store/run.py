"""A run: a scan, or a service from its start to its end, and what the reports state of it."""

from dataclasses import dataclass
from datetime import datetime

from cxr_runtime.heat.map import HeatView


@dataclass(frozen=True)
class RunFacts:
    """What the reports say of the whole run."""

    product: str  # e.g. cxr-triage 0.1.0
    finished: datetime  # local time with offset
    inputs: tuple[str, ...]  # INPUTs as typed
    model: str
    model_sha256: str
    licence: str  # of the model's weights
    backend: str  # the providers that scored its films, e.g. onnxruntime-cpu; "" before any was scored
    is_calibrated: bool  # False: every page bears a mark
    operating_point: str
    threshold: float  # probability at or above which a film is flagged
    is_met: bool  # the calibration's films supported what the operating point promises
    sensitivity: float | None  # of the operating point, measured by cross-validation
    specificity: float | None
    heat: HeatView  # how stored heat is shown
    passed_over: int = 0  # files that cannot be films by name, counted only

    @property
    def heat_threshold(self) -> float:
        """Heat below this is not coloured."""
        return self.heat.threshold

    @property
    def heat_method(self) -> str:
        """`cam` or `strongest-channel`."""
        return self.heat.method.value
