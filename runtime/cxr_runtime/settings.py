"""One digest of all that decides a film's row and pictures: a resumed scan knows by it what still holds."""

import json
from dataclasses import asdict
from hashlib import sha256

from cxr_runtime.heat import HeatMethod
from cxr_runtime.manifest import Manifest

RULES_VERSION = 1  # changes whenever reading or the gate would end some film differently


def settings_digest(manifest: Manifest, heat_method: HeatMethod) -> str:
    """64 hex digits; calibration and operating point are not part of it, for a row can be rejudged."""
    decisive = {
        "rules": RULES_VERSION,
        "model": manifest.model_sha256,
        "preprocessing": asdict(manifest.preprocessing),
        "heat": asdict(manifest.heat),
        "method": heat_method.value,
    }
    return sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
