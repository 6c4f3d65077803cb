"""Names the dependencies: the common ones from pyproject.toml, and one of the two builds of ONNX Runtime."""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "CXR_TRIAGE_ONNXRUNTIME"
ONNXRUNTIME_BUILDS = {"cpu": "onnxruntime>=1.20", "gpu": "onnxruntime-gpu>=1.20"}


class OneOnnxRuntime(MetadataHookInterface):
    """`onnxruntime` and `onnxruntime-gpu` overwrite each other's files, so exactly one is ever required."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Write `dependencies` into the project's metadata.

        Raises:
            ValueError: the variable is neither `cpu` nor `gpu`.
        """
        choice = os.environ.get(VARIABLE, "cpu")
        if choice not in ONNXRUNTIME_BUILDS:
            raise ValueError(f"{VARIABLE} is {choice!r}; set it to 'cpu' or 'gpu', or leave it out for 'cpu'")
        metadata["dependencies"] = sorted([*self.config["dependencies"], ONNXRUNTIME_BUILDS[choice]])
