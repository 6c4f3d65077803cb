"""One digest of all that decides a film's row and pictures: a resumed scan knows by it what still holds."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cxr_runtime.errors import ModelError
from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.gate.weighing import WEIGHING_FILE
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.model.folder import Manifest

RULES_VERSION = 5  # changes whenever reading or the gate would end some film differently
NETWORKS = (GATE_FILE, WEIGHING_FILE, LUNG_FIELD_FILE)  # beside the model's, what decides rows and heat


def fingerprint_of(
    manifest: Manifest,
    heat_method: HeatMethod,
    *,
    lung_outline: bool,
    networks: Sequence[Path] = NETWORKS,
) -> str:
    """64 hex digits; calibration and operating point are not part of it, for a row can be rejudged.

    Raises:
        ModelError: a network of the gate or the lung field is missing.
    """
    decisive = {
        "rules": RULES_VERSION,
        "networks": [_digest(path) for path in networks],
        "model": manifest.model_sha256,
        "preprocessing": manifest.preprocessing,
        "heat": manifest.heat,
        "method": heat_method.value,
        "lung outline": lung_outline,
    }
    return sha256(json.dumps(decisive, sort_keys=True, default=vars).encode()).hexdigest()


def _digest(network: Path) -> str:
    try:
        return sha256(network.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{network}, a part of the program, is missing; install cxr-triage anew") from error
