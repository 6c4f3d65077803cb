"""What decides a film's DICOM results, as one digest; and the UIDs that follow from it."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from uuid import UUID, uuid5

from cxr_runtime.heat.overlay import layer_rgba
from cxr_runtime.model.calibration import Calibration, OperatingPoint
from cxr_runtime.outcome import Outcome
from cxr_runtime.store.rows import RunFacts

LAYOUT_VERSION = 3  # changes whenever the objects of the same film would hold something else
LANGUAGE = "en"  # of all that they say
_NAMESPACE = UUID("6f0a3c51-8e0b-5f0e-9d57-3c1b5d1c4a10")  # of this product's UIDs; drawn once


@dataclass(frozen=True)
class Settings:
    """All that decides the objects of a film besides the film itself; the same for a whole run."""

    facts: RunFacts  # what the objects state of model, operating point and heat
    lung_outline: bool  # drawn on the picture
    digest: str  # of everything that decides

    @classmethod
    def of(
        cls,
        facts: RunFacts,
        calibration: Calibration,
        point: OperatingPoint,
        fingerprint: str,
        *,
        lung_outline: bool,
    ) -> "Settings":
        """Settings of a run.

        Args:
            facts: of the run; when it ended, its inputs and its backend decide nothing.
            calibration: that gives the scores.
            point: that gives the triage.
            fingerprint: of model, preprocessing, gate and heat (`scanning.fingerprint`).
            lung_outline: whether the outline of the lungs is drawn on pictures.
        """
        decisive = {
            "layout": LAYOUT_VERSION,
            "language": LANGUAGE,
            "product": facts.product,
            "remarks": facts.model_remarks,
            "fingerprint": fingerprint,
            "calibration": asdict(calibration),
            "point": asdict(point),
            "is calibrated": facts.is_calibrated,
            "colours": layer_rgba(facts.presentation.colours).tolist(),
            "prevalence": facts.presentation.prevalence,
            "identity": facts.identity,
        }
        digest = sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
        return cls(facts, lung_outline, digest)

    def uid(self, kind: str, film: str, outcome: Outcome) -> str:
        """The UID of an object, its series or another part of it; at most 64 characters (PS3.5 B.2).

        Args:
            kind: of the object or part.
            film: SOP Instance UID of the film.
            outcome: its row; the score counts as it is shown.
        """
        shown = "" if outcome.score is None else f"{outcome.score:.2f}"
        parts = [kind, film, outcome.sha256, self.digest, shown, outcome.triage, outcome.code]
        return derived_uid(*map(str, parts))


def derived_uid(*parts: str) -> str:
    """A UID under the root 2.25 (PS3.5 B.2) that follows from texts: the same texts, the same UID."""
    return f"2.25.{uuid5(_NAMESPACE, sha256(json.dumps(parts).encode()).hexdigest()).int}"
