"""The file in which the weights of the gate's doubts lie."""

import json
from functools import lru_cache
from pathlib import Path

from cxr_runtime.errors import ModelError
from cxr_runtime.gate.reasons import Doubt, Weighing

WEIGHING_FILE = Path(__file__).parent / "gate.json"


@lru_cache(maxsize=4)
def read_weighing(path: Path = WEIGHING_FILE) -> Weighing:
    """Read a weighing, as `weighing_json` writes it; the shipped one where no other is named.

    Raises:
        ModelError: the file is missing or damaged; no film is to blame, so the scan must stop.
    """
    try:
        found = json.loads(path.read_bytes())
        weights = {doubt: float(found["weights"][doubt.value]) for doubt in Doubt}
        return Weighing(float(found["base"]), weights, float(found["least_probability"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}, a part of the program, is missing or damaged; install cxr-triage anew"
        ) from error


def weighing_json(weighing: Weighing, network_sha256: str) -> bytes:
    """The file of a weighing.

    Args:
        weighing: as it was fitted.
        network_sha256: of the network whose answers it weighs, 64 hex digits.
    """
    found = {
        "network_sha256": network_sha256,
        "base": round(weighing.base, 3),
        "weights": {doubt.value: round(weighing.weights[doubt], 3) for doubt in Doubt},
        "least_probability": weighing.least_probability,
    }
    return (json.dumps(found, indent=2) + "\n").encode()
