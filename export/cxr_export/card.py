"""card.md, begun: what the manifest knows is filled in, what only its maker knows is asked for."""

import json
from typing import Any

from cxr_runtime.model.manifest import Manifest


def card(manifest: Manifest) -> str:
    """A model card in markdown, to be completed by hand."""
    how = manifest.preprocessing
    rows = {
        "architecture": manifest.architecture,
        "precision": manifest.precision,
        "model.onnx sha256": manifest.model_sha256,
        "input": f"{how.input_hw[0]} x {how.input_hw[1]}, crop {how.crop}",
        "preprocessing version": how.version,
        "classes": ", ".join(manifest.class_names),
        "heat map": f"{manifest.heat.conv5_layer}, {len(manifest.heat.channel_weights)} channels",
        "licence of the weights": manifest.licence or "not stated",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"""# Model {manifest.name}

Research use only. It ranks films by how suspicious they look; it clears none.

| | |
|---|---|
{table}

## Trained on
{_facts(manifest.training, "The manifest names no training data.")}

## Measured
{_facts(manifest.accuracy, "Nothing yet: run `cxr-triage evaluate` and `cxr-triage calibrate`.")}

## Agreement with the network it was exported from
{_facts(manifest.parity, "Not measured.")}

## Must not be used
For lateral films, children, or anything but frontal chest films; for any decision about a patient.
"""


def _facts(facts: dict[str, Any], nothing: str) -> str:
    if not facts:
        return nothing
    return "\n".join(
        f"- {name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in facts.items()
    )
